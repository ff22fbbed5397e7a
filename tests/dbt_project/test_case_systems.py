"""One council's children through four case systems: the same returns and the same chronology, but for what a
system is known not to carry; and a drop whose numbers all changed overnight."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from ffp_data import feeds
from ffp_data.feeds.file_facts import sha256
from ffp_data.synthetic import synthesise
from tests.compiled import build, compiled, load_code_lists, needed_for
from tests.dbt_project import partnership
from tests.dbt_project.warehouse import Warehouse

CHILDREN, SEED, AS_AT = 300, 7, date(2026, 3, 31)
SYSTEMS = ("systemc", "mosaic", "eclipse", "azeus")
RETURNS = (
    "cin_children",
    "cin_details",
    "cin_assessments",
    "cin_assessment_factors",
    "cin_plan_dates",
    "cin_section47",
    "cin_protection_plans",
    "cin_reviews",
    "cin_disabilities",
)
WANTED = {
    *(f"returns.{name}" for name in RETURNS),
    "single_view.chronology",
    "single_view.involvements",
}
EVENTS = "SELECT child_id, event_date, event_type, summary FROM single_view.chronology"
CONTACTS = "SELECT child_id, since, until, contact_name, team FROM single_view.involvements"

# What may differ from Liquidlogic, by system: (table or view, column) -> why. Everything else must be equal.
KNOWN = {
    "mosaic": {("involvements", "contact_name"): "ssd_professionals has no name"},
    "eclipse": {},
    "azeus": {},
}


@dataclass(frozen=True)
class Answer:
    """What one system's drop came to: rows of each return and view by name."""

    tables: dict[str, list[tuple[Any, ...]]]
    statuses: list[str]
    unbalanced: int


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    folder = tmp_path_factory.mktemp("systems")
    for system in SYSTEMS:
        synthesise(folder / system, CHILDREN, SEED, AS_AT, case_system=system)
    return {system: answer(folder / system, tmp_path_factory) for system in SYSTEMS}


@pytest.fixture(scope="session")
def overnight(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The drops of two nights, between which every event got another number."""
    folder = tmp_path_factory.mktemp("nights")
    synthesise(folder, CHILDREN, SEED, AS_AT)
    renumber(folder / "landing" / "case_system")
    return answer(folder, tmp_path_factory)


def answer(made: Path, temporary: pytest.TempPathFactory) -> Answer:
    """Load the case system's drops of a made-up partnership and build the marts, linked as the truth is."""
    warehouse = Warehouse(temporary.mktemp("warehouse"))
    others = partnership.tables()
    beside = {
        name: rows for name, rows in others.items() if name.startswith(("meta.", "raw.police"))
    }
    warehouse.create(beside)
    contracts = feeds.load_contracts()
    with warehouse.connect() as con:
        feeds.create_empty_raw_tables(con, contracts)
        cases = contracts["case_system"]
        results = [
            feeds.load(con, one, cases)
            for one in feeds.discover_feed(made / "landing", cases, contracts, con)
        ]
        unbalanced = [
            r for r in feeds.reconcile(con, contracts).to_pylist() if not r["is_reconciled"]
        ]
        feeds.assemble_identity(con, contracts, allow_test_numbers=True)
        feeds.build_facts(con, contracts)
        con.execute(
            "INSERT INTO identity.child_membership BY NAME SELECT record_key, person_id AS child_id,"
            " DATE '2026-03-31' AS linked_since, 1.0 AS link_confidence"
            f" FROM read_csv('{made}/truth/record_person.csv', all_varchar = true)"
            " WHERE record_key LIKE 'case_system|%'"
        )
        con.execute(
            "INSERT INTO identity.children BY NAME SELECT person_id AS child_id,"
            " CASE WHEN is_child = '1' THEN 'child' ELSE 'adult' END AS kind"
            f" FROM read_csv('{made}/truth/persons.csv', all_varchar = true)"
        )
    project, asked = compiled("{}")
    with warehouse.connect() as con:
        load_code_lists(con, asked)
        build(con, needed_for(project, lambda model: model.name in WANTED))
    found = {name: warehouse.rows(f"SELECT * FROM returns.{name} ORDER BY ALL") for name in RETURNS}
    found["chronology"] = warehouse.rows(f"{EVENTS} ORDER BY ALL")
    found["involvements"] = warehouse.rows(f"{CONTACTS} WHERE service = 'social_care' ORDER BY ALL")
    return Answer(found, [r.status for r in results], len(unbalanced))


def renumber(folder: Path) -> None:
    """Adds the next night's drop: the same facts, every event under another number, in another order."""
    (drop,) = folder.iterdir()
    later = folder / "ssd_20260402"
    shutil.copytree(drop, later)
    manifest = yaml.safe_load((later / "manifest.yaml").read_text("utf-8"))
    for table in manifest["tables"]:
        path = later / f"{table['name']}.csv"
        text = re.sub(
            r"\b(RE|AS|PL|EN|IC|ME|CP|RV|CE|CL|CO|IN|FA|MI|LS|EH)(?=\w*\d{8})",
            r"9\1",
            path.read_text("utf-8"),
        )
        header, *rows = text.splitlines(keepends=True)
        path.write_text(header + "".join(reversed(rows)), "utf-8")
        table["sha256"] = sha256(path)
    (later / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), "utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_drop_loads_whole_and_every_row_is_accounted_for(
    answers: dict[str, Answer], system: str
) -> None:
    assert answers[system].statuses == ["loaded"]
    assert answers[system].unbalanced == 0


def test_the_children_in_question_have_work_of_every_kind(answers: dict[str, Answer]) -> None:
    counts = {name: len(rows) for name, rows in answers["systemc"].tables.items()}
    assert all(counts.values()), counts


@pytest.mark.parametrize("table", [*RETURNS, "chronology"])
@pytest.mark.parametrize("system", SYSTEMS[1:])
def test_the_same_children_make_the_same_return_whatever_the_system(
    answers: dict[str, Answer], system: str, table: str
) -> None:
    assert answers[system].tables[table] == answers["systemc"].tables[table]


@pytest.mark.parametrize("system", SYSTEMS[1:])
def test_who_works_with_a_child_differs_only_in_what_the_system_is_known_to_lack(
    answers: dict[str, Answer], system: str
) -> None:
    places = ("child_id", "since", "until", "contact_name", "team")
    lacking = {column for view, column in KNOWN[system] if view == "involvements"}
    kept = [i for i, name in enumerate(places) if name not in lacking]

    def told(name: str) -> Iterator[tuple[Any, ...]]:
        return (tuple(row[i] for i in kept) for row in answers[name].tables["involvements"])

    assert sorted(told(system), key=str) == sorted(told("systemc"), key=str)


def test_numbers_that_change_overnight_change_nothing(
    answers: dict[str, Answer], overnight: Answer
) -> None:
    assert overnight.statuses == ["loaded", "loaded"]
    assert overnight.unbalanced == 0
    assert overnight.tables == answers["systemc"].tables
