"""The pages of 200 children, read as they are shown: every fact has a source and a date, no place is empty, and each
value is the one that stands in the warehouse, which is asked here by queries of the test's own.

Of some values of each child `ffp explain` is asked too, in this process.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from html.parser import HTMLParser
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ffp_data.lineage.explain import Explainer, open_explainer
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from ffp_data.web.app import make_app
from ffp_data.web.session import COOKIE
from ffp_data.web.users import User
from governance.access import Gate, Journal, Principal
from tests.end_to_end.commands import Demo

pytestmark = pytest.mark.slow

CHILDREN = 200
OFFICER = Principal("somebody", "ig_officer")
DATE = re.compile(
    r"\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December) \d{4}"
)
VOID = {"meta", "link", "input", "br", "img", "rect", "path"}
PLACES = {"th", "td", "dt", "dd", "li", "h1", "h2", "h3", "time"}
"""Elements that hold a fact or a word; each must hold something."""

TABLES = {
    "children": "", "involvements": "service", "flags": "flag", "attendance": "attendance_window, source",
    "chronology": "event_date, event_type, line", "family_members": "relationship, related_name, source",
    "attendance_months": "session_month", "child_clocks": "clock, start_date, record_key, line",
}  # fmt: skip


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: Mapping[str, str]
    parts: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its words, with single spaces."""
        told = " ".join(part if isinstance(part, str) else part.text for part in self.parts)
        return " ".join(told.split())

    def every(self, tag: str, of: str = "") -> Iterator[Node]:
        """Elements of a kind within; `of`: a class that they have."""
        for part in self.parts:
            if isinstance(part, Node):
                if part.tag == tag and (not of or of in part.attributes.get("class", "").split()):
                    yield part
                yield from part.every(tag, of)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("page", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].parts.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Say nothing of what holds nothing by its nature."""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag, f"{tag} closes something else"

    def handle_data(self, data: str) -> None:
        self._open[-1].parts.append(data)


@dataclass(frozen=True)
class Shown:
    """A child's page and what the warehouse holds of the child."""

    child_id: str
    page: Node
    sections: Mapping[str, list[Node]]
    held: Mapping[str, list[dict[str, Any]]]
    is_protected: bool

    @property
    def child(self) -> dict[str, Any]:
        return self.held["children"][0]

    def rows(self, section: str) -> list[Node]:
        """The rows of the tables of a section, without their heads."""
        bodies = [b for part in self.sections[section] for b in part.every("tbody")]
        return [row for body in bodies for row in body.every("tr")]

    def items(self, section: str, of: str) -> list[Node]:
        lists = [
            x
            for part in self.sections[section]
            for x in (part, *part.every("ul", of))
            if x.tag == "ul"
        ]
        return [item for each in lists for item in each.every("li")]


@pytest.fixture(scope="module")
def home(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("facts") / "home"
    shutil.copytree(demo.home, folder)
    return Home(folder)


@pytest.fixture(scope="module")
def shown(home: Home) -> list[Shown]:
    """200 children, drawn by a seed, protected ones among them, as somebody sees them who gave a reason."""
    held: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with connect(home, read_only=True) as con:
        everybody = [
            c
            for (c,) in con.execute(
                "SELECT child_id FROM single_view.children ORDER BY 1"
            ).fetchall()
        ]
        restricted = "SELECT child_id FROM single_view.children WHERE is_restricted"
        hidden = {c for (c,) in con.execute(restricted).fetchall()}
        chosen = sorted({*hidden, *Random(8).sample(everybody, CHILDREN)})
        for table, order in TABLES.items():
            query = f"FROM single_view.{table} ORDER BY {order or 'child_id'}"
            answer = con.execute(query)
            names = [column[0] for column in answer.description]
            for values in answer.fetchall():
                row = dict(zip(names, values, strict=True))
                held.setdefault(row["child_id"], {}).setdefault(table, []).append(row)
    pages = _pages(home, chosen)
    return [
        Shown(
            c, pages[c], _sections(pages[c]), {t: held[c].get(t, []) for t in TABLES}, c in hidden
        )
        for c in chosen
    ]


def _pages(home: Home, children: list[str]) -> dict[str, Node]:
    found = {}
    with TestClient(make_app(home)) as client:
        sessions = client.app.state.service.sessions  # type: ignore[attr-defined]
        cookie = sessions.begin("reader", User(name="Reader", role="practitioner", teams=("None",)))
        client.cookies.set(COOKIE, cookie)
        for child in children:
            sessions.give_reason(sessions.find(cookie), child, "every fact is read (case 1)")
            page = client.get(f"/children/{child}")
            assert page.status_code == 200
            reader = _Reader()
            reader.feed(page.text)
            found[child] = next(reader.root.every("main"))
    return found


def _sections(main: Node) -> dict[str, list[Node]]:
    """What follows each second heading, by its id."""
    found: dict[str, list[Node]] = {"top": []}
    name = "top"
    for part in main.parts:
        if isinstance(part, Node):
            if part.tag == "h2":
                name = part.attributes["id"]
            found.setdefault(name, []).append(part)
    return found


def day(value: date | datetime | None) -> str:
    return "" if value is None else f"{value.day} {value:%B %Y}"


def read(words: str) -> str:
    """A sentence of the marts as the page has it: with each day in it as people read it."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda found: day(date.fromisoformat(found[0])), words)


def test_no_place_on_any_page_is_empty(shown: list[Shown]) -> None:
    assert len(shown) >= CHILDREN
    empty = [
        (each.child_id, tag) for each in shown for tag in PLACES for node in each.page.every(tag)
        if not node.text or re.search(r"\bNone\b|\bnan\b|NaT", node.text)
    ]  # fmt: skip
    assert empty == []


def test_every_fact_has_a_source_and_a_date(shown: list[Shown]) -> None:
    bare, facts = [], 0
    for each in shown:
        stated = [
            *(row for name in ("who", "clocks", "family", "attendance") for row in each.rows(name)),
            *each.items("look-at", "hub-flags"),
            *(node for part in each.sections["identity"] for node in part.every("dd")),
        ]
        for fact in stated:
            facts += 1
            source = [node.text for node in fact.every("span", "hub-source")]
            if len(source) != 1 or not DATE.search(source[0]) or source[0].startswith(","):
                bare.append((each.child_id, fact.text[:0], source))
        for part in each.sections["chronology"]:
            for item in part.every("p", "moj-timeline__date"):
                facts += 1
                if not re.search(rf"{DATE.pattern} ?, \S", item.text):
                    bare.append((each.child_id, "", [item.text]))
    assert bare == []
    assert facts > 20 * CHILDREN


def test_who_works_with_the_family_is_what_the_mart_says(shown: list[Shown]) -> None:
    for each in shown:
        told = [
            r
            for r in each.held["involvements"]
            if r["state"] in ("current", "late", "historic", "not_shared")
        ]
        rows = [row.text for row in each.rows("who")]
        assert len(rows) == len(told), each.child_id
        for row in told:
            wanted = [row["service_label"].capitalize(), *_state(read(row["state_in_words"])),
                      day(row["since"]), day(row["until"]),
                      *(row[n] or "" for n in ("contact_name", "contact_phone", "team"))]  # fmt: skip
            assert _one(rows, wanted), (each.child_id, row["service"])
        quiet = len(each.held["involvements"]) - len(told)
        listed = [li for part in each.sections["who"] for details in [part, *part.every("details")]
                  if details.tag == "details" for li in details.every("li")]  # fmt: skip
        assert len(listed) == quiet, each.child_id


SHORT = {
    "working with the child or the family now": "Working now",
    "worked with the child or the family": "Worked before",
    "registered, no work recorded": "Registered only",
}
"""Words of the mart that the page says as a tag, and not twice."""


def _state(words: str) -> list[str]:
    said, _, unheard = words.partition("; ")
    return [SHORT.get(said, said), unheard]


def _one(rows: list[str], wanted: list[str]) -> bool:
    return any(all(" ".join(word.split()) in row for word in wanted) for row in rows)


def test_what_happened_is_the_whole_chronology_of_the_mart(shown: list[Shown]) -> None:
    for each in shown:
        items = [
            i for p in each.sections["chronology"] for i in p.every("div", "moj-timeline__item")
        ]
        seen = sorted(
            (next(i.every("time")).attributes["datetime"], next(i.every("h3")).text) for i in items
        )
        told = sorted(
            (row["event_date"].isoformat(), " ".join(read(row["summary"]).split()))
            for row in each.held["chronology"]
        )
        assert seen == told, each.child_id


def test_flags_clocks_family_and_attendance_are_those_of_the_marts(shown: list[Shown]) -> None:
    for each in shown:
        flags = [item.text for item in each.items("look-at", "hub-flags")]
        assert len(flags) == len(each.held["flags"])
        assert all(_one(flags, [r["rule_in_words"], read(r["facts"])]) for r in each.held["flags"])
        clocks = [row.text for row in each.rows("clocks")]
        assert len(clocks) == len(each.held["child_clocks"])
        for row in each.held["child_clocks"]:
            dates = [day(row[name]) for name in ("due_date", "start_date", "stop_date")]
            assert _one(clocks, [read(row["state_in_words"]), *dates])
        family = [row.text for row in each.rows("family")]
        assert len(family) == len(each.held["family_members"])
        for row in each.held["family_members"]:
            words = [
                row["related_name"] or "",
                row["relationship"].capitalize(),
                day(row["related_date_of_birth"]),
            ]
            assert _one(family, words)
        told = [item.text for item in each.items("attendance", "govuk-list")]
        assert len(told) == len(each.held["attendance"])
        for row in each.held["attendance"]:
            counts = f"{row['absent_session_count']} of {row['possible_session_count']} possible"
            assert _one(
                told,
                [
                    counts,
                    f"{row['unauthorised_session_count']} of them",
                    day(row["last_session_date"]),
                ],
            )
        months = [row.text for row in each.rows("attendance")]
        assert len(months) == len(each.held["attendance_months"])
        for row in each.held["attendance_months"]:
            kinds = ("present", "authorised", "unauthorised", "not_possible")
            counts = " ".join(str(row[f"{kind}_session_count"]) for kind in kinds)
            assert _one(months, [f"{row['session_month']:%B %Y} {counts}"])


def test_who_the_child_is_is_what_the_mart_says_and_a_protected_place_is_not(
    shown: list[Shown],
) -> None:
    protected = 0
    for each in shown:
        said = {key.text: value.text for part in each.sections["identity"]
                for key, value in zip(part.every("dt"), part.every("dd"), strict=True)}  # fmt: skip
        child, number = each.child, each.child["nhs_number"] or ""
        assert day(child["date_of_birth"]) in said["Birth date"]
        assert f"{number[:3]} {number[3:6]} {number[6:]}".strip() in said["NHS number"]
        assert (child["upn"] or "") in said["Unique pupil number"]
        assert {"M": "male", "F": "female"}.get(child["sex"], "") in said["Sex"]
        places = [child["address_line"], child["postcode"], child["school_urn"]]
        if each.is_protected:
            protected += 1
            assert all("place is protected" in said[name] for name in ("Address", "School"))
            assert not [place for place in places if place and place in each.page.text]
        else:
            assert all(place in said["Address"] + said["School"] for place in places if place)
        name = [child["given_name"], child["middle_names"], child["surname"]]
        assert all(part in next(each.page.every("h1")).text for part in name if part)
    assert protected


def test_the_explanation_of_a_value_is_of_the_value_that_is_shown(
    shown: list[Shown], home: Home
) -> None:
    rng, explained = Random(4), 0
    with open_explainer(home) as opened, Journal(home.ledger_dir, opened.access.ledger) as journal:
        gate = Gate(opened.access.roles, opened.access.subjects, journal.append)
        opened.access.__dict__["gate"] = (
            gate  # at the pace of the pages: one wait for the disk for many
        )
        for each in shown:
            for attribute, words in rng.sample(cells := list(_cells(each)), min(2, len(cells))):
                explained += _is_explained(opened, each, attribute, words)
    assert explained > CHILDREN


def _cells(each: Shown) -> Iterator[tuple[str, str]]:
    """Attributes as `ffp explain` names them, with the words that the page has for the value."""
    child = each.child
    for name in ("given_name", "surname", "upn"):
        if child[name]:
            yield name, child[name]
    if child["date_of_birth"]:
        yield "date_of_birth", day(child["date_of_birth"])
    for row in each.held["involvements"]:
        if row["contact_name"] and row["state"] in ("current", "late", "historic"):
            yield f"involvements.{row['service']}.contact_name", row["contact_name"]
    for row in each.held["flags"]:
        yield f"flags.{row['flag']}.facts", row["facts"]
    for row in each.held["chronology"]:
        yield f"chronology.{row['event_date']}.{row['event_type']}.summary", row["summary"]


def _is_explained(opened: Explainer, each: Shown, attribute: str, words: str) -> bool:
    """The explanation has the cell's value, the page has it in words, and somebody sent it."""
    cells = opened.explain(OFFICER, each.child_id, attribute).cells
    values = [cell.value for cell in cells]
    assert " ".join(read(words).split()) in each.page.text, (each.child_id, attribute)
    value = each.child["date_of_birth"].isoformat() if attribute == "date_of_birth" else words
    assert value in values, (each.child_id, attribute)
    assert all(cell.rule for cell in cells)
    return any(cell.taken_from for cell in cells)
