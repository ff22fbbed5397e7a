"""What a run publishes for the pages: the single view as it stands, and an index of what people type.

The tables are marts in the order in which a page reads them, so that one child is one short stretch of each. The
index holds every name that any record of a child carries, as written and as it sounds, birth dates, identifiers,
and the words of addresses and postcodes of those who may be located.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jellyfish
import pyarrow as pa
import yaml

from ffp_data.home.protected import MUST_NOT_BE_LOCATED
from ffp_data.home.run import Run
from ffp_data.kept import tidy
from ffp_data.paths import DBT_PROJECT
from ffp_data.programme import figures as programme
from ffp_data.serving import operations, store
from ffp_data.serving.changes import CHANGES, FIRST_KNOWN, META, with_changes
from ffp_data.warehouse import connect

ROOM = "view"
TABLES: dict[str, tuple[str, str]] = {
    "children": ("single_view.children", "child_id"),
    "involvements": ("single_view.involvements", "child_id, service"),
    "flags": ("single_view.flags", "child_id, flag"),
    "chronology": ("single_view.chronology", "child_id, event_date, event_type, line"),
    "family_members": (
        "single_view.family_members",
        "child_id, relationship, related_name, source",
    ),
    "attendance": ("single_view.attendance", "child_id, attendance_window"),
    "attendance_months": ("single_view.attendance_months", "child_id, session_month"),
    "child_clocks": ("single_view.child_clocks", "child_id, clock, start_date, record_key, line"),
    "lists": ("lists.lists", "place"),
    "list_entries": ("lists.entries", "list_id, child_id"),
    "list_states": ("lists.states", "list_id, feed"),
}
"""The published tables: the name in the file, the mart it is of, and the order of its rows, in which pages read it."""

PROTECTED, FEEDS, INDEX, JOINED = "protected", "feeds", "search_index", "joined"
NAME, SOUND, BORN, POSTCODE, NUMBER, ADDRESS = (
    "name", "sound", "born", "postcode", "number", "address",
)  # fmt: skip

_FEEDS = """
SELECT feed, agency, service_label, agreement, agreement_state, last_delivered_at, is_late
FROM meta.feed_state ORDER BY feed
"""
_CHRONOLOGY = f"""
SELECT c.*, coalesce(d.day, c.event_date) AS {FIRST_KNOWN}
FROM single_view.chronology AS c
LEFT JOIN (SELECT delivery_id, min(delivered_at)::DATE AS day FROM meta.deliveries GROUP BY ALL) AS d
USING (delivery_id)
ORDER BY {TABLES["chronology"][1]}
"""
_NAMES = """
SELECT DISTINCT m.child_id, unnest([given_name, middle_names, surname, other_surname, other_given_name]) AS name
FROM identity.person_records JOIN identity.child_membership AS m USING (record_key)
SEMI JOIN single_view.children AS c ON c.child_id = m.child_id
"""
_OTHERS = f"""
WITH of_children AS (
    SELECT m.child_id, r.*, p.child_id IS NOT NULL AS is_protected
    FROM identity.person_records AS r JOIN identity.child_membership AS m USING (record_key)
    SEMI JOIN single_view.children AS c ON c.child_id = m.child_id
    LEFT JOIN ({MUST_NOT_BE_LOCATED}) AS p ON p.child_id = m.child_id
)
SELECT DISTINCT '{BORN}' AS kind, date_of_birth::VARCHAR AS token, child_id FROM of_children
UNION SELECT '{POSTCODE}', upper(replace(postcode, ' ', '')), child_id FROM of_children WHERE NOT is_protected
UNION SELECT '{ADDRESS}', unnest(regexp_extract_all(upper(address_line), '[A-Z0-9]+')), child_id
FROM of_children WHERE NOT is_protected
UNION SELECT '{NUMBER}', upper(unnest([nhs_number, upn])), child_id FROM of_children
UNION SELECT '{NUMBER}', la_child_id, child_id FROM single_view.children
UNION SELECT '{NUMBER}', child_id, child_id FROM single_view.children
"""
_JOINED = """
SELECT m.child_id FROM identity.child_membership AS m
JOIN meta.feed_state AS f ON f.feed = split_part(m.record_key, '|', 1)
SEMI JOIN single_view.children AS c ON c.child_id = m.child_id
GROUP BY ALL HAVING count(DISTINCT f.agency) > 1 ORDER BY ALL
"""
"""Children whom two agencies know."""


@dataclass(frozen=True)
class PublishedView:
    """How much was published."""

    children: int
    search_terms: int
    changes: int

    def figures(self) -> dict[str, Any]:
        return {
            "children": self.children,
            "search terms": self.search_terms,
            "changes": self.changes,
        }


def publish_view(run: Run) -> PublishedView:
    """Publish the view of a run; what counted before counts until the very end."""
    with connect(run.home, read_only=True) as con:
        tables = {
            table: con.execute(f"SELECT * FROM {relation} ORDER BY {order}").to_arrow_table()
            for table, (relation, order) in TABLES.items()
        }
        tables["chronology"] = con.execute(_CHRONOLOGY).to_arrow_table()
        tables[PROTECTED] = con.execute(MUST_NOT_BE_LOCATED).to_arrow_table()
        tables[FEEDS] = con.execute(_FEEDS).to_arrow_table()
        tables |= operations.published(con, run)
        tables |= programme.published(con, run)
        tables[JOINED] = con.execute(_JOINED).to_arrow_table()
        tables[INDEX] = _index(
            con.execute(_NAMES).fetchall(),
            con.execute(f"FROM ({_OTHERS}) WHERE token <> ''").to_arrow_table(),
        )
        withheld = con.execute("SELECT child_id, feed FROM identity.withheld_feeds").fetchall()
    published = with_changes(
        run.home, tables, run_id=run.run_id, as_at=run.as_at,
        kept_days=run.partnership.changes_kept_days, withheld=withheld,
    )  # fmt: skip
    tables = published.tables
    about = {
        "run_id": run.run_id,
        "as_at": run.as_at.isoformat(),
        "confident_from": _confident_from(),
        "number": published.number,
        "began": published.began,
        "hub_seq": published.hub_seq,
    }
    tables[META] = pa.table({name: [value] for name, value in about.items()})
    with connect(run.home):  # past the fence, so that no overtaken run turns readers back
        store.write(run.home, run.run_id, tables, room=ROOM)
    tidy(run.home, run.keys, run.as_at, run.partnership.reports_kept_days)
    return PublishedView(
        tables["children"].num_rows, tables[INDEX].num_rows, tables[CHANGES].num_rows
    )


def _confident_from() -> float:
    """The confidence of a link below which the view's rules keep a fact out of the flags."""
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
    return float(project["vars"]["min_link_confidence"])


def words_of(name: str) -> list[str]:
    """The parts of a name as they are searched for: without accents and signs, in capitals."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    kept = "".join(letter if letter.isalpha() else " " for letter in plain.replace("'", ""))
    return kept.upper().split()


def sound_of(word: str) -> str:
    """How a word sounds (Metaphone, Philips 1990); the word itself where nothing is left of it."""
    return jellyfish.metaphone(word) or word


def _index(names: Iterable[tuple[str, str | None]], others: pa.Table) -> pa.Table:
    terms = {(NAME, word, child) for child, name in names for word in words_of(name or "")}
    terms |= {(SOUND, sound_of(word), child) for _, word, child in terms}
    kinds, tokens, children = zip(*terms, strict=True) if terms else ((), (), ())
    columns = [pa.array(each, pa.string()) for each in (kinds, tokens, children)]
    own = pa.table(columns, names=["kind", "token", "child_id"])
    return pa.concat_tables([own, others]).sort_by(
        [("kind", "ascending"), ("token", "ascending"), ("child_id", "ascending")]
    )
