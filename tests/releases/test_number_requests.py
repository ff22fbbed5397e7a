"""The children whose NHS number is looked for leave the hub under an agreement, or not at all."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from ffp_data import feeds
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.nhs_numbers.service import Service
from ffp_data.releases.number_requests import RELATION, ask_service, release_requests
from ffp_data.rights import stored
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from tests.nhs_numbers.identifier_service import serving
from tests.rights.register import register

AS_AT = date(2026, 3, 31)
CHILDREN = [
    ("early_help|ehm|2", "Zoë", "O'Brien, Reed", "2019-01-05", None, "XF1 2AB"),
    ("case_system|a|1", "Mia", "Reed", "2018-11-30", "female", None),
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    home = Home(tmp_path / "home").prepare()
    make_demonstration(home)
    return Run.at(run_id="r1", home=home.root, as_at=AS_AT)


def ask(run: Run) -> None:
    """Puts the children where dbt would."""
    with connect(run.home) as con:
        feeds.create_empty_raw_tables(con, run.contracts)
        con.execute("CREATE SCHEMA IF NOT EXISTS matching")
        con.execute(
            f"CREATE TABLE {RELATION} (record_key VARCHAR, given_name VARCHAR, surname VARCHAR,"
            " date_of_birth DATE, gender VARCHAR, postcode VARCHAR)"
        )
        register(run.home, {child[0]: f"child {n}" for n, child in enumerate(CHILDREN)})
        con.executemany(f"INSERT INTO {RELATION} VALUES (?, ?, ?, ?, ?, ?)", CHILDREN)
        _put_rights(con)


def _put_rights(con: duckdb.DuckDBPyConnection) -> None:
    """What a run writes of memberships and of orders, of which there are none."""
    stored.create_empty(con)
    con.execute(
        "CREATE TABLE identity.child_membership AS "
        f"SELECT record_key, 'C' || row_number() OVER (ORDER BY record_key) AS child_id FROM {RELATION}"
    )
    con.execute("CREATE TABLE identity.person_records (record_key VARCHAR, is_restricted BOOLEAN)")
    con.execute("CREATE TABLE single_view.children (child_id VARCHAR, is_restricted BOOLEAN)")


def amend(run: Run, old: str, new: str) -> None:
    """Changes the agreement in the home's own policy."""
    path = policy.start_policy(run.home) / "agreements" / "DSA-SUI-02.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def compiled(run: Run) -> Run:
    assert policy.compile_lock(run).problems == []
    return run


def test_the_file_has_the_columns_that_the_matcher_knows_in_the_order_of_the_records(
    run: Run,
) -> None:
    ask(run)
    outcome = release_requests(compiled(run))
    assert (outcome.permitted, outcome.rows) == (True, {RELATION: 2})
    assert outcome.folder is not None
    with (outcome.folder / "children.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["Id", "GivenName", "Surname", "DOB", "Gender", "PostCode"],
        ["case_system|a|1", "Mia", "Reed", "2018-11-30", "female", ""],
        ["early_help|ehm|2", "Zoë", "O'Brien, Reed", "2019-01-05", "", "XF1 2AB"],
    ]


@pytest.mark.control("B01")
@pytest.mark.control("C05")
def test_a_child_kept_out_by_a_right_is_not_asked_for(run: Run) -> None:
    ask(run)
    with connect(run.home) as con:
        con.execute("INSERT INTO rights.withheld_children VALUES ('C1', 'identity_matching', NULL)")
    outcome = release_requests(compiled(run))
    assert outcome.rows == {RELATION: 1}
    assert outcome.folder is not None
    assert "case_system|a|1" not in (outcome.folder / "children.csv").read_text("utf-8")


def test_the_release_is_signed_and_written_down(run: Run) -> None:
    ask(run)
    outcome = release_requests(compiled(run))
    assert outcome.folder is not None
    assert (outcome.folder / "manifest.json").is_file()
    told = [e["facts"] for e in run.ledger.events() if e["kind"] == "released"]
    assert [(e["recipient"], e["purpose"], e["rows"]) for e in told] == [
        ("fenmarch-sui-matcher", "identity_matching.nhs_number", {RELATION: 2})
    ]


REFUSALS = {
    "suspended": ("status: live", "status: suspended", "would cover this"),
    "a_column_less": ("date_of_birth, gender", "gender", "does not give date_of_birth"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_without_the_agreement_or_a_column_of_it_nothing_is_written(run: Run, case: str) -> None:
    old, new, words = REFUSALS[case]
    amend(run, old, new)
    ask(run)
    outcome = release_requests(compiled(run))
    assert not outcome.permitted
    assert words in outcome.reason
    assert not list(run.home.out.rglob("*.csv"))


def test_without_a_matcher_in_any_agreement_nothing_is_written(run: Run) -> None:
    ask(run)
    (policy.start_policy(run.home) / "agreements" / "DSA-SUI-02.yaml").unlink()
    outcome = release_requests(compiled(run))
    assert not outcome.permitted
    assert "name nobody; one matcher is needed" in outcome.reason


def test_a_hub_that_has_built_nothing_yet_says_so(run: Run) -> None:
    outcome = release_requests(compiled(run))
    assert not outcome.permitted
    assert "build it first" in outcome.reason
    assert json.dumps(outcome.figures())


NOW = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def test_the_service_is_asked_for_what_was_released_and_its_answers_enter_like_a_delivery(
    run: Run,
) -> None:
    ask(run)
    with serving() as department:
        department.people["Mia", "Reed", "2018-11-30"] = "9000000009"
        outcome = ask_service(compiled(run), Service(department.access, lambda _: None), NOW)
    assert outcome.asking is not None
    assert (outcome.asking.counts, outcome.asking.left) == ({"found": 1, "not_found": 1}, 0)
    assert len(department.asked) == 2

    with connect(run.home) as con:
        (delivery,) = feeds.discover(run.landing, run.contracts)
        assert feeds.load(con, delivery, run.contracts["sui_matcher"]).error is None
        query = (
            "SELECT record_id, outcome, nhs_number FROM raw.sui_matcher__answers ORDER BY record_id"
        )
        assert con.execute(query).fetchall() == [
            ("case_system|a|1", "found", "9000000009"),
            ("early_help|ehm|2", "not_found", None),
        ]
    with serving() as department:
        again = ask_service(run, Service(department.access, lambda _: None), NOW)
    assert again.asking is not None
    assert (department.asked, again.asking.delivered) == ([], None)


def test_without_an_agreement_with_the_department_nobody_is_asked_for(run: Run) -> None:
    ask(run)
    path = policy.start_policy(run.home) / "agreements" / "DSA-SUI-03.yaml"
    path.write_text(path.read_text("utf-8").replace("status: live", "status: suspended"), "utf-8")
    with serving() as department:
        outcome = ask_service(compiled(run), Service(department.access, lambda _: None), NOW)
    assert outcome.asking is None
    assert "DSA-SUI-03" in outcome.released.reason
    assert department.asked == []
