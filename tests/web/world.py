"""A home with a published view of four made-up children, written by hand: no run is needed to test pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ffp_data.hub import Hub
from ffp_data.serving import store
from ffp_data.serving.changes import CHANGES, META, with_changes
from ffp_data.serving.changes import SCHEMA as CHANGED
from ffp_data.serving.operations import FEED_FIGURES, HUB_FIGURES, QUARANTINED, RETURNS_LACK
from ffp_data.serving.view import (
    ADDRESS,
    BORN,
    FEEDS,
    INDEX,
    JOINED,
    NAME,
    NUMBER,
    POSTCODE,
    PROTECTED,
    ROOM,
    SOUND,
    sound_of,
    words_of,
)
from ffp_data.settings import Home, make_demonstration
from governance.keys import KeyStore
from tests.programme import small as programme

AS_AT = date(2026, 3, 31)
SEEN = datetime.fromisoformat("2026-03-30T00:00:00")
HOSTILE = "<script>alert(1)</script> ' OR 1=1 --"

TEXT = pa.string()
SCHEMAS = {
    "children": pa.schema([
        *((n, TEXT) for n in ("child_id", "given_name", "middle_names", "surname")),
        ("former_surnames", pa.list_(TEXT)), ("date_of_birth", pa.date32()), ("expected_birth_date", pa.date32()),
        ("age_years", pa.int64()), ("sex", TEXT), ("nhs_number", TEXT), ("nhs_number_status", TEXT),
        ("has_conflicting_nhs_numbers", pa.bool_()), ("upn", TEXT), ("postcode", TEXT), ("address_line", TEXT),
        ("is_restricted", pa.bool_()), ("school_urn", TEXT), ("is_open_to", pa.list_(TEXT)),
        ("record_count", pa.int64()), ("link_confidence_min", pa.float64()),
        *((f"{n}_source", TEXT) for n in ("date_of_birth", "sex", "nhs_number", "upn", "address", "school")),
        *((f"{n}_as_of", pa.date32()) for n in ("date_of_birth", "sex", "nhs_number", "upn", "address", "school")),
    ]),
    "involvements": pa.schema([
        *((n, TEXT) for n in ("child_id", "service_label", "state", "state_in_words", "contact_name",
                              "contact_phone", "team", "source")),
        ("since", pa.date32()), ("until", pa.date32()), ("is_contact_withheld", pa.bool_()),
        ("as_of", pa.timestamp("us")),
    ]),
    "flags": pa.schema([
        *((n, TEXT) for n in ("child_id", "flag", "rule_in_words", "facts", "source")),
        ("since", pa.date32()), ("as_of", pa.timestamp("us")),
    ]),
    "chronology": pa.schema([
        ("child_id", TEXT), ("event_date", pa.date32()), ("event_type", TEXT), ("summary", TEXT),
        ("is_confident", pa.bool_()), ("source", TEXT), ("line", pa.int64()), ("known_since", pa.date32()),
    ]),
    "family_members": pa.schema([
        ("child_id", TEXT), ("related_child_id", TEXT), ("related_name", TEXT),
        ("related_date_of_birth", pa.date32()), ("relationship", TEXT), ("from_date", pa.date32()),
        ("to_date", pa.date32()), ("lives_with", pa.bool_()), ("source", TEXT),
    ]),
    "attendance": pa.schema([
        ("child_id", TEXT), ("attendance_window", TEXT), ("last_session_date", pa.date32()),
        ("possible_session_count", pa.int32()), ("absent_session_count", pa.int32()),
        ("unauthorised_session_count", pa.int32()), ("is_persistently_absent", pa.bool_()),
        ("is_severely_absent", pa.bool_()), ("source", TEXT),
    ]),
    "lists": pa.schema([
        *((n, TEXT) for n in ("list_id", "title", "rule_in_words", "guide", "chosen", "owner", "state",
                              "state_in_words")),
        ("place", pa.int32()), ("review_date", pa.date32()), ("as_at", pa.date32()),
        ("child_count", pa.int64()), ("kept_out_count", pa.int64()),
    ]),
    "list_entries": pa.schema([
        *((n, TEXT) for n in ("list_id", "title", "child_id", "facts", "rule_in_words", "source", "owner", "team",
                              "district")),
        ("since", pa.date32()), ("as_of", pa.timestamp("us")), ("is_late", pa.bool_()),
    ]),
    "list_states": pa.schema([
        *((n, TEXT) for n in ("list_id", "feed", "label", "part", "state", "state_in_words")),
        ("since", pa.date32()), ("last_delivered_at", pa.timestamp("us")),
    ]),
    "attendance_months": pa.schema([
        ("child_id", TEXT), ("session_month", pa.date32()),
        *((f"{n}_session_count", pa.int32()) for n in ("present", "authorised", "unauthorised", "not_possible")),
        ("last_session_date", pa.date32()), ("is_confident", pa.bool_()), ("source", TEXT),
    ]),
    "child_clocks": pa.schema([
        *((n, TEXT) for n in ("child_id", "clock", "state_in_words", "source")),
        *((f"{n}_date", pa.date32()) for n in ("start", "due", "stop")),
        ("is_pressing", pa.bool_()), ("is_confident", pa.bool_()),
    ]),
    FEEDS: pa.schema([("feed", TEXT), ("service_label", TEXT), ("is_late", pa.bool_()), ("agreement_state", TEXT),
                      ("agency", TEXT), ("last_delivered_at", pa.timestamp("us"))]),
    FEED_FIGURES: pa.schema([
        *((n, TEXT) for n in ("feed", "agency", "service_label", "agreement", "agreement_state")),
        ("last_delivered_at", pa.timestamp("us")), ("is_late", pa.bool_()), ("promise_late_after_hours", pa.int32()),
        *((n, pa.int64()) for n in ("deliveries", "refused", "held", "rows_delivered", "rows_loaded",
                                    "rows_quarantined", "rows_superseded")),
    ]),
    QUARANTINED: pa.schema([
        *((n, TEXT) for n in ("feed", "table_name", "column_name", "rule", "set_aside")), ("count", pa.int64()),
    ]),
    HUB_FIGURES: pa.schema([("what", TEXT), ("count", pa.int64())]),
    RETURNS_LACK: pa.schema([(n, TEXT) for n in ("feed", "file", "words")]),
    PROTECTED: pa.schema([("child_id", TEXT)]),
    JOINED: pa.schema([("child_id", TEXT)]),
    CHANGES: CHANGED,
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """The home and its children: one on the team's list, one of others, one hidden, one of whom little is known."""

    home: Home
    mine: str
    other: str
    hidden: str
    bare: str


def make_world(root: Path) -> World:
    """Make the home; identifiers are issued by its hub."""
    home = Home.at(root).prepare()
    make_demonstration(home)
    KeyStore(home.keys_dir)
    with Hub.open(home.hub_url) as hub:
        keys = [f"case_system|x|{n}" for n in range(4)]
        hub.apply_run("first", AS_AT, "model", pa.table({"record_id": keys, "cluster_id": keys}))
        child = {row["record_key"]: row["child_id"] for row in hub.membership().to_pylist()}
    world = World(home, *(child[key] for key in keys))
    store.write(home, "first", tables_of(world), room=ROOM)
    return world


def tables_of(world: World) -> dict[str, pa.Table]:
    rows = {
        "children": [_child(world.mine, "Wren", "Ottaway"), _child(world.other, HOSTILE, "Ottoway"),
                     _child(world.hidden, "Marigold", "Quill", is_restricted=True),
                     {"child_id": world.bare, "has_conflicting_nhs_numbers": True, "record_count": 2,
                      "link_confidence_min": 0.7, "is_restricted": False}],
        "involvements": [_involvement(world.mine), _involvement(world.hidden, contact_name=None, team=None,
                                                                contact_phone=None, is_contact_withheld=True),
                         _involvement(world.other, team="Somewhere Else")],
        "flags": [{"child_id": world.mine, "flag": "missing_recently", "rule_in_words": "Missing in the last 90 days",
                   "facts": "missing on 2026-03-02", "since": date(2026, 3, 2), "source": "police", "as_of": SEEN}],
        "chronology": [_event(world.mine, date(2026, 3, 2), "police", "Reported missing"),
                       _event(world.mine, date(2025, 9, 3), "school", "Joined a school", kind="school_joined",
                              is_confident=False),
                       _event(world.other, date(2025, 9, 3), "school", HOSTILE)],
        "family_members": [{"child_id": world.mine, "related_name": "Ivo Ottaway", "relationship": "father",
                            "from_date": date(2019, 1, 1), "source": "case_system"}],
        "attendance": [{"child_id": world.mine, "attendance_window": "academic_year", "possible_session_count": 200,
                        "absent_session_count": 120, "unauthorised_session_count": 100, "source": "school",
                        "is_persistently_absent": True, "is_severely_absent": True,
                        "last_session_date": date(2026, 3, 27)}],
        "lists": [_list("referred_again", child_count=2, kept_out_count=1),
                  _list("not_reached", place=2, state="late",
                        state_in_words="education (education_attendance): late since 2026-03-20")],
        "list_entries": [_listed(world.mine), _listed(world.hidden, team="withheld", district="withheld")],
        "list_states": [{"list_id": each, "feed": "case_system", "label": "children's social care", "part": "tells",
                         "state": "in_time", "state_in_words": "in time, last delivered on 2026-03-30",
                         "last_delivered_at": SEEN} for each in ("referred_again", "not_reached")],
        "attendance_months": [{"child_id": world.mine, "session_month": date(2026, 3, 1), "present_session_count": 20,
                               "authorised_session_count": 4, "unauthorised_session_count": 12,
                               "not_possible_session_count": 2, "last_session_date": date(2026, 3, 27),
                               "is_confident": True, "source": "school"}],
        "child_clocks": [{"child_id": world.mine, "clock": "assessment", "state_in_words": "overdue",
                          "is_pressing": True, "start_date": date(2026, 1, 5), "due_date": date(2026, 3, 10),
                          "source": "case_system", "is_confident": True},
                         {"child_id": world.mine, "clock": "support_package", "is_pressing": True, "is_confident": True,
                          "state_in_words": "approved, waiting to be paid", "start_date": date(2026, 2, 2),
                          "source": "case_system"}],
        FEEDS: [{"feed": "police", "service_label": "police", "is_late": True, "agreement_state": "in_force",
                 "agency": "fenmarch-council", "last_delivered_at": SEEN},
                {"feed": "case_system", "service_label": "children's social care", "is_late": False,
                 "agreement_state": "in_force",
                 "agency": "fenmarch-council", "last_delivered_at": SEEN}],
        FEED_FIGURES: [
            _feed("case_system"), _feed("police", is_late=True, rows_delivered=12, rows_loaded=9, rows_quarantined=2,
                                        rows_superseded=1),
            _feed("prison", deliveries=None, last_delivered_at=None, agreement_state="expired"),
            _feed("housing", refused=1, held=2),
        ],
        QUARANTINED: [{"feed": "police", "table_name": "people", "column_name": "date_of_birth", "rule": "not_a_date",
                       "set_aside": "row", "count": 2}],
        HUB_FIGURES: [{"what": "child", "count": 4}, {"what": "record", "count": 9}],
        RETURNS_LACK: [{"feed": "early_help", "file": "eh_plans_20260402.csv",
                        "words": "early_help, held: eh_plans_20260402.csv: fallen: 1 row of 40. Remedy: accept it."}],
        PROTECTED: [{"child_id": world.hidden}],
        JOINED: [{"child_id": world.mine}],
        CHANGES: [],
    }  # fmt: skip
    tables = {name: pa.Table.from_pylist(rows[name], schema) for name, schema in SCHEMAS.items()}
    tables[INDEX] = _index(tables["children"])
    return {
        **tables,
        **programme.tables(),
        META: pa.table(
            {
                "run_id": ["first"],
                "as_at": [AS_AT.isoformat()],
                "confident_from": [0.9],
                "number": [1],
                "began": ["first"],
                "hub_seq": [1],
            }
        ),
    }


def _child(child_id: str, given: str, surname: str, **others: Any) -> dict[str, Any]:
    stated = {
        f"{n}_source": "case_system"
        for n in ("date_of_birth", "sex", "nhs_number", "upn", "address", "school")
    }
    dated = {name.replace("source", "as_of"): date(2026, 3, 1) for name in stated}
    return {
        "child_id": child_id, "given_name": given, "surname": surname, "former_surnames": ["Vane"],
        "date_of_birth": date(2014, 7, 3), "age_years": 11, "sex": "F", "nhs_number": "9990000018",
        "nhs_number_status": "01", "has_conflicting_nhs_numbers": False, "upn": "A999001400001",
        "postcode": "XF1 2AB", "address_line": "3 Ash Lane", "is_restricted": False, "school_urn": "990155",
        "is_open_to": ["child_protection"], "record_count": 3, "link_confidence_min": 0.99,
        **stated, **dated, **others,
    }  # fmt: skip


def _feed(feed: str, **others: Any) -> dict[str, Any]:
    return {
        "feed": feed, "agency": "fenmarch-council", "service_label": feed, "agreement": "DSA-X-01",
        "agreement_state": "in_force", "last_delivered_at": SEEN, "is_late": False, "promise_late_after_hours": 48,
        "deliveries": 1, **others,
    }  # fmt: skip


def _involvement(child_id: str, **others: Any) -> dict[str, Any]:
    return {
        "child_id": child_id, "service_label": "children's social care", "state": "current",
        "state_in_words": "working with the child or the family now", "contact_name": "G Kemble",
        "contact_phone": "01632 960001", "team": "Family Help North", "source": "case_system",
        "since": date(2026, 1, 5), "is_contact_withheld": False, "as_of": SEEN, **others,
    }  # fmt: skip


def _list(list_id: str, **others: Any) -> dict[str, Any]:
    return {
        "list_id": list_id, "place": 1, "title": "Referred again", "rule_in_words": "Referred twice in 12 months",
        "guide": "the guide", "chosen": "12 months", "owner": "Head of the front door", "state": "in_time",
        "state_in_words": "every feed of this list is in time", "child_count": 0, "kept_out_count": 0,
        "review_date": date(2026, 9, 30), "as_at": AS_AT, **others,
    }  # fmt: skip


def _listed(child_id: str, **others: Any) -> dict[str, Any]:
    return {
        "list_id": "referred_again", "title": "Referred again", "child_id": child_id, "facts": f"referred {HOSTILE}",
        "rule_in_words": "Referred twice in 12 months", "source": "case_system", "owner": "Head of the front door",
        "team": "Family Help North", "district": "XF1", "since": date(2026, 1, 5), "as_of": SEEN, "is_late": False,
        **others,
    }  # fmt: skip


def _event(
    child_id: str,
    on: date,
    source: str,
    words: str,
    *,
    kind: str = "event",
    is_confident: bool = True,
) -> dict[str, Any]:
    return {"child_id": child_id, "event_date": on, "event_type": kind, "summary": words,
            "is_confident": is_confident, "source": source, "line": 1, "known_since": on}  # fmt: skip


def _index(children: pa.Table) -> pa.Table:
    terms = []
    for row in children.to_pylist():
        words = [w for n in ("given_name", "surname") for w in words_of(row[n] or "")]
        words += [w for name in row["former_surnames"] or () for w in words_of(name)]
        terms += [(NAME, word, row["child_id"]) for word in words]
        terms += [(SOUND, sound_of(word), row["child_id"]) for word in words]
        terms += [(NUMBER, row["nhs_number"], row["child_id"])] if row["nhs_number"] else []
        terms += (
            [(BORN, str(row["date_of_birth"]), row["child_id"])] if row["date_of_birth"] else []
        )
        if row["postcode"] and not row["is_restricted"]:
            terms.append((POSTCODE, row["postcode"].replace(" ", ""), row["child_id"]))
            terms += [
                (ADDRESS, word, row["child_id"]) for word in row["address_line"].upper().split()
            ]
    kinds, tokens, ids = zip(*sorted(set(terms)), strict=True)
    return pa.table({"kind": kinds, "token": tokens, "child_id": ids})


def publish_next(world: World, **edits: list[dict[str, Any]]) -> None:
    """Publish once more, as the next run does; `edits`: values to put into the first rows of a table."""
    path = store.current(world.home, ROOM)
    assert path is not None, "a world is published"
    with store.reading(world.home, path) as con:
        tables = {
            name: con.execute(f"FROM {name}").to_arrow_table() for name in [*SCHEMAS, INDEX, META]
        }
    for name, changed in edits.items():
        rows = tables[name].to_pylist()
        for row, values in zip(rows, changed, strict=False):
            row.update(values)
        tables[name] = pa.Table.from_pylist(rows, tables[name].schema)
    (about,) = tables.pop(META).to_pylist()
    tables.pop(CHANGES)
    run = f"run {about['number'] + 1}"
    done = with_changes(world.home, tables, run_id=run, as_at=AS_AT, kept_days=90)
    now = {
        **about,
        "run_id": run,
        "number": done.number,
        "began": done.began,
        "hub_seq": done.hub_seq,
    }
    store.write(world.home, run, {**done.tables, META: pa.Table.from_pylist([now])}, room=ROOM)
