"""The documents say what was agreed and what was done, and can be read, printed and computed with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.home import policy as agreements
from ffp_data.home.run import Run
from ffp_data.releases.documents import FOLDER, gather, publish_governance
from ffp_data.releases.publish import withdraw_unpermitted
from ffp_data.rights import hold
from ffp_data.rights.orders import Kind, Orders, Said
from ffp_data.settings import make_demonstration
from ffp_data.warehouse import connect
from governance import policy
from governance.documents import NOTHING, Facts, HoldDue, write_documents
from governance.documents.controls import load_controls
from governance.documents.dpia import dpia_annexes
from governance.documents.observed import Given, observe
from governance.documents.page import Document, Section, Table, as_csv
from governance.documents.privacy import privacy_notice
from governance.documents.processing import record_of_processing
from governance.documents.register import agreement_register
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import verify_files
from governance.release import not_released, publish
from tests.governance.policies import AS_AT, NORTH, POLICE, TEAM, copy_policy, locked, rewrite

KEPT = ("DSA-FHN-01", "DSA-POL-01")
PURPOSE = "single_view.family_help"
CODE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def facts() -> Facts:
    agreed = policy.load()
    lock = policy.compile_policy(agreed, AS_AT)
    return Facts(
        partnership="Fenmarch",
        lock=lock.data,
        policy=lock.sha256,
        categories=agreed.entries("categories"),
        gateways=agreed.entries("gateways"),
        observed=NOTHING,
        stale={},
    )


def rows(document: Document, title: str) -> list[dict[str, Any]]:
    found = next(each for each in document.as_dict()["sections"] if each["title"] == title)
    return list(found["rows"])


def cell(row: dict[str, Any], head: str) -> str:
    value = row[head]
    return value if isinstance(value, str) else "\n".join(value)


@pytest.mark.control("A05", "A11")
def test_the_record_of_processing_has_every_agreement_with_what_article_30_asks(
    facts: Facts,
) -> None:
    record = rows(record_of_processing(facts), "Processing by agreement")
    assert len(record) == len(facts.lock["agreements"])
    for row in record:
        for head in ("Controllers and processors", "Purposes", "People", "Categories of data"):
            assert cell(row, head), f"{row['Processing']} lacks {head}"
        assert "Article 6(1)" in cell(row, "Lawful basis")
        assert "Kept for" in row
    police = next(each for each in record if each["Processing"].startswith("DSA-POL-01"))
    assert "Schedule 1, paragraphs" in cell(police, "Lawful basis")
    assert "Article 10" in cell(police, "Lawful basis")


@pytest.mark.control("C11")
def test_the_record_tells_of_each_source_how_people_are_told_and_who_is_not(facts: Facts) -> None:
    for row in rows(record_of_processing(facts), "Processing by agreement"):
        told = cell(row, "How people are told")
        assert "notice PN-" in told
        assert "Article 14(3)" in told
        assert "not told:" in told


@pytest.mark.control("A08", "D15")
def test_the_register_tells_standing_reviews_and_what_nobody_used(facts: Facts) -> None:
    used = replace(facts, observed=replace(NOTHING, last_used={"DSA-FHN-01@1": "2026-03-30"}))
    register = agreement_register(used)
    standing = {
        row["Agreement"].partition("@")[0]: row["Standing"] for row in rows(register, "Agreements")
    }
    assert standing["DSA-FHN-01"] == "in force"
    unused = {row["Agreement"] for row in rows(register, "In force and not used")}
    assert "DSA-FHN-01@1" not in unused
    assert "DSA-DFE-01@1" in unused


def test_what_is_due_within_ninety_days_is_told(facts: Facts) -> None:
    later = {**facts.lock, "as_at": "2027-01-15"}
    due = rows(agreement_register(replace(facts, lock=later)), "Due now or soon")
    assert {"Agreement": "DSA-FHN-01", "What": "review", "By": "2027-03-01"} in due


def test_a_hold_that_is_due_for_review_is_told_by_its_number_and_what_it_keeps(
    facts: Facts,
) -> None:
    due = HoldDue(3, "one child", "2026-05-01")
    found = rows(agreement_register(replace(facts, holds=[due])), "Holds due for review")
    told = {"Hold": "hold 3", "Keeps from destruction": "one child", "Look by": "2026-05-01"}
    assert found == [told]
    sections = agreement_register(facts).as_dict()["sections"]
    (section,) = [each for each in sections if each["title"] == "Holds due for review"]
    assert "No hold is due for review within ninety days." in str(section)


@pytest.mark.control("A10")
def test_an_annex_says_that_its_dpia_is_stale_and_what_for(facts: Facts) -> None:
    stale = replace(facts, stale={"DSA-FHN-01": ["single_view.children.uprn is added (clear)"]})
    annexes = {each.name: each for each in dpia_annexes(stale)}
    assert len(annexes) == len(facts.lock["agreements"])
    warned = [name for name, each in annexes.items() if each.sections[0].warning]
    assert warned == ["dpia/DSA-FHN-01"]
    page = annexes["dpia/DSA-FHN-01"].html()
    assert "was not asked about this: single_view.children.uprn is added" in page
    named = rows(annexes["dpia/DSA-FHN-01"], "Step 4: necessity and proportionality")
    assert all(row["Why it is needed"] for row in named)


@pytest.mark.control("C09")
def test_a_recipient_that_is_added_stands_in_the_privacy_notice_of_the_same_policy(
    facts: Facts, tmp_path: Path
) -> None:
    def receivers(lock: policy.Lock) -> set[str]:
        notice = privacy_notice(replace(facts, lock=lock.data))
        return {cell(row, "Who") for row in rows(notice, "Who gets information from us")}

    folder = copy_policy(tmp_path, "DSA-FHN-01")
    before = receivers(locked(folder))
    text = (folder / NORTH).read_text("utf-8").replace("DSA-FHN-01", "DSA-FHS-01")
    organisations = folder / "organisations.yaml"
    team = "{id: fenmarch-family-help-north, name: Family Help team North}"
    other = "{id: fenmarch-family-help-south, name: Family Help team South}"
    organisations.write_text(
        organisations.read_text("utf-8").replace(team, f"{team}\n      - {other}"), "utf-8"
    )
    (folder / "agreements" / "DSA-FHS-01.yaml").write_text(
        text.replace(f"recipient: {TEAM}", "recipient: fenmarch-family-help-south"), "utf-8"
    )
    assert receivers(locked(folder)) - before == {"Family Help team South, Fenmarch Council"}


@pytest.mark.control("C09")
def test_the_privacy_notice_has_only_what_is_in_force_and_no_name_of_a_column(
    facts: Facts,
) -> None:
    notice = privacy_notice(facts)
    page = notice.html()
    columns = {each["column"] for each in facts.lock["release"] if "_" in each["column"]}
    assert not [column for column in columns if column in page]
    in_force = [
        each
        for each in facts.lock["agreements"].values()
        if each["not_in_force"] is None and each["terms"]["direction"] == "outbound"
    ]
    assert len(rows(notice, "Who gets information from us")) == len(in_force)


# What was done.


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore) -> Ledger:
    return Ledger(tmp_path / "ledger", keys)


def released(ledger: Ledger, column: str, policy_digest: str, as_at: str = "2026-03-30") -> None:
    columns = [
        {"relation": "single_view.children", "name": column, "transform": "clear", "category": "c"}
    ]
    ledger.append(
        "released",
        recipient=TEAM,
        purpose=PURPOSE,
        agreement="DSA-FHN-01@1",
        policy=policy_digest,
        as_at=as_at,
        manifest="m",
        rows={},
        columns=columns,
    )


@pytest.mark.control("A11")
def test_what_was_given_and_not_declared_by_the_policy_of_that_day_is_told(
    facts: Facts, ledger: Ledger
) -> None:
    released(ledger, "surname", facts.policy)
    released(ledger, "shoe_size", facts.policy)
    released(ledger, "surname", "f" * 64)
    released(ledger, "long_ago", facts.policy, as_at="2019-01-01")
    locks = {facts.policy: facts.lock}
    seen = observe(ledger, frozenset(), facts.lock, locks.get, since="2025-03-31")
    assert [each.where for each in seen.undeclared] == ["single_view.children.shoe_size (clear)"]
    assert seen.unknown_locks == ("f" * 64,)
    assert Given(TEAM, PURPOSE, "single_view.children", "surname", "clear") in seen.given
    record = record_of_processing(replace(facts, observed=seen))
    section = next(each for each in record.sections if each.title == "Done and not declared")
    assert section.warning == "1 columns were given or stored that no agreement declares."
    unused = rows(record, "Declared and not done")
    own = next(each for each in unused if each["Agreement"] == "DSA-FHN-01")
    assert "surname" not in own["Columns"].split(", ")
    assert "given_name" in own["Columns"].split(", ")


@pytest.mark.control("A11")
def test_what_is_stored_and_not_agreed_is_told(facts: Facts, ledger: Ledger) -> None:
    stored = frozenset({("police_safeguarding", "events", "narrative")})
    seen = observe(ledger, stored, facts.lock, {}.get, since="2025-03-31")
    assert [each.where for each in seen.undeclared] == ["police_safeguarding.events.narrative"]


def test_what_waits_on_a_suspended_agreement_is_told_apart(ledger: Ledger, tmp_path: Path) -> None:
    folder = copy_policy(tmp_path, "DSA-POL-01")
    rewrite(folder, POLICE, lambda each: each.update(status="suspended"))
    place = ("police_safeguarding", "events", "event_type")
    for status, undeclared, withheld in (
        ("suspended", 0, {"DSA-POL-01": 1}),
        ("withdrawn", 1, {}),
    ):
        rewrite(folder, POLICE, lambda each, to=status: each.update(status=to))
        lock = locked(folder).data
        seen = observe(ledger, frozenset({place}), lock, {}.get, since="2025-03-31")
        assert (len(seen.undeclared), seen.withheld) == (undeclared, withheld)


# The forms.


class Page(HTMLParser):
    """What a page is made of: its tags in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def documents(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.rglob("*.html")))


@pytest.mark.control("D08")
def test_every_page_can_be_read_aloud_and_fetches_and_runs_nothing(
    facts: Facts, tmp_path: Path
) -> None:
    write_documents(facts, tmp_path)
    pages = list(documents(tmp_path))
    assert len(pages) == len(facts.lock["agreements"]) + 5
    for path in pages:
        page = Page(path.read_text("utf-8"))
        assert ("html", {"lang": "en-GB"}) in page.tags
        assert page.count("script") == page.count("img") == page.count("link") == 0
        assert page.count("table") == page.count("caption")
        assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
        assert page.count("h1") == 1
        levels = [int(tag[1]) for tag, _ in page.tags if tag in {"h1", "h2", "h3"}]
        assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.control("D08")
def test_words_of_a_policy_become_neither_html_nor_a_formula() -> None:
    table = Table("t", CODE, ("Head", CODE), (("=1+1", (CODE, "+2")),))
    document = Document("d", CODE, CODE, (Section(CODE, (CODE,), table, CODE),), CODE)
    page = Page(document.html())
    assert page.count("img") == 0
    written = list(csv.reader(io.StringIO(as_csv(table))))
    assert written[1] == ["'=1+1", f"{CODE}\n+2"]
    assert document.as_dict()["sections"][0]["rows"] == [{"Head": "=1+1", CODE: [CODE, "+2"]}]


def test_the_same_facts_give_the_same_bytes(facts: Facts, tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_documents(facts, tmp_path / name)
        written.append(
            {
                path.relative_to(tmp_path / name): path.read_bytes()
                for path in (tmp_path / name).rglob("*")
                if path.is_file()
            }
        )
    assert written[0] == written[1]


# The home.


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A home that released one column to the team."""
    made = Run.at(run_id="r1", home=tmp_path / "home", landing=tmp_path, as_at=AS_AT)
    make_demonstration(made.home)
    copy_policy(made.home.root, *KEPT)
    agreements.compile_lock(made)
    with connect(made.home):
        pass  # makes the warehouse
    decision = agreements.grants(made).release(TEAM, PURPOSE)

    def write(part: Path) -> dict[str, int]:
        (part / "rows.csv").write_text("child_id\n", "utf-8")
        return {"single_view.children": 1}

    publish(
        decision,
        write,
        as_at=AS_AT,
        out=made.home.out / "extracts" / TEAM,
        keys=made.keys,
        ledger=made.ledger,
    )
    return made


@pytest.mark.control("A11", "F06")
def test_a_run_leaves_documents_signed_and_told_that_find_nothing_undeclared(run: Run) -> None:
    outcome = publish_governance(run)
    assert outcome.undeclared == 0
    assert verify_files(outcome.folder, run.keys.public_key) == []
    assert not_released(run.home.out, run.keys.public_key, run.ledger) == []
    given = gather(run).observed.given
    assert {each.recipient for each in given} == {TEAM}


def test_a_run_tells_holds_whose_review_is_past_or_near_until_they_are_lifted(run: Run) -> None:
    with Orders(run.home) as orders:
        given = [
            hold.add(
                orders, "housing", Said("A Head", "the inquiry asks"), authority="the inquiry",
                review=day, feeds=["housing"], classes=["adoption"],
            )
            for day in (date(2026, 6, 29), date(2026, 6, 30), date(2026, 1, 1))
        ]  # fmt: skip
        near, _, past = given
        assert [(each.number, each.review) for each in gather(run).holds] == [
            (past, "2026-01-01"),
            (near, "2026-06-29"),
        ], "ninety days from the day of the run"
        assert hold.standing(orders).feeds == {"housing": tuple(sorted(given))}, "the day ends none"
        orders.lift(past, (Kind.HOLD,), Said("A Head", "the inquiry is over"))
    assert [each.number for each in gather(run).holds] == [near]
    outcome = publish_governance(run)
    page = (outcome.folder / "agreement-register.html").read_text("utf-8")
    assert f"hold {near}" in page
    assert "feed housing" in page
    assert "A Head" not in page


@pytest.mark.control("A11")
def test_a_stored_column_that_is_not_agreed_fails_the_command(run: Run) -> None:
    with connect(run.home) as con:
        con.execute("CREATE SCHEMA IF NOT EXISTS raw")
        con.execute(
            "CREATE TABLE raw.police_safeguarding__events AS"
            " SELECT 'k' AS record_key, 'x' AS narrative, NULL::VARCHAR AS location_text, 1 AS _line"
        )
    done = CliRunner().invoke(app, ["governance", "documents", "--home", str(run.home.root)])
    assert done.exit_code == 1, done.output
    written = (run.home.out / FOLDER / "record-of-processing.json").read_text("utf-8")
    undeclared = next(
        each for each in json.loads(written)["sections"] if each["title"] == "Done and not declared"
    )
    assert [each["Which column"] for each in undeclared["rows"]] == [
        "police_safeguarding.events.narrative"
    ]


def test_documents_stay_when_what_is_no_longer_permitted_is_taken_out(run: Run) -> None:
    publish_governance(run)
    rewrite(run.home.root / "policy", NORTH, lambda each: each.update(status="suspended"))
    agreements.compile_lock(run)
    assert list(withdraw_unpermitted(run)) == [f"out/extracts/{TEAM}"]
    assert (run.home.out / FOLDER / "index.html").is_file()


def test_the_evidence_lists_every_control_with_what_people_must_show(
    facts: Facts, tmp_path: Path
) -> None:
    write_documents(facts, tmp_path)
    text = (tmp_path / "control-evidence.json").read_text("utf-8")
    told = json.loads(text)["sections"][0]["rows"]
    assert len(told) == len(load_controls()["controls"])
    assert any(row["What people must show"] for row in told)
