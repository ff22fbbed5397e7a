"""The answer to a request for access holds all that was delivered on the child, and marks what is others'."""

from __future__ import annotations

import io
import json
import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from typer.testing import CliRunner

from ffp_data.access import Access
from ffp_data.cli.main import app
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.rights.disclosures import DisclosureRegister
from ffp_data.rights.sar import Request, a_month_after, gather
from ffp_data.rights.sar_pack import Pack
from ffp_data.rights.sar_redactions import Decisions, RedactionError, decided
from ffp_data.rights.sar_render import to_pdf, write_copies
from ffp_data.rights.sar_third_parties import FREE_TEXT, Others
from ffp_data.settings import Home, make_demonstration
from governance.access import Principal, Right
from governance.subjects import SubjectKeys
from tests.feeds import samples
from tests.sealing import homes

CHILDREN = range(4)
RECEIVED = date(2026, 4, 30)
INFORMANT = "Mrs Quillfeather of number 9 rang"
KEYS = ("id", "key", "ref", "merged")
ALL = 99  # a case of all children


class Planted:
    """A fact of its own in every free text that is delivered of each child, and which may be held."""

    def __init__(self) -> None:
        self.of: dict[int, set[str]] = defaultdict(set)
        self.columns: dict[str, tuple[str, str, str]] = {}

    def sample_row(self, contract: Contract, table: Table, n: int, **own: str) -> dict[str, str]:
        facts: dict[str, str] = {}
        case = own.get("event_id") or own.get("incident_id") or ""
        if of := re.search(r"(?:EV77|E88)(\w+)(?:555|666)", case):
            n = int(of[1]) if of[1].isdigit() else ALL
        for column in table.properties:
            if own.get(column.name) or not _is_free(column) or column.name in table.key:
                continue
            fact = f"Fact{n}{contract.id}{table.name}{column.name}{case}".replace("_", "")
            if column.category == "free_text":
                fact = f"{INFORMANT} {fact}"
            facts[column.name] = fact
            self.of[n].add(fact)
            self.columns[fact] = (contract.id, table.name, column.name)
        return samples.sample_row(contract, table, n, **(facts | own))


def _is_free(column: Any) -> bool:
    is_bound = column.codes or column.pattern or column.identifier_type or column.reference
    is_key = any(word in column.name for word in KEYS)
    is_person = column.person and column.person not in ("address_line", "parent_name")
    return column.logical_type == "string" and not (is_bound or is_key or is_person or column.from_)


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, planted: Planted) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(homes, "sample_row", planted.sample_row)
        patch.setattr(homes, "make_demonstration", _let_narratives_in)
        return homes.make(tmp_path_factory.mktemp("sar"))


def _let_narratives_in(home: Home) -> None:
    """A partnership whose police share what they wrote, and where it happened."""
    make_demonstration(home)
    folder = policy.start_policy(home)
    (charter,) = (folder / "charter").iterdir()
    wider = charter.read_text("utf-8").replace("criminal_offence]", "criminal_offence, free_text]")
    charter.write_text(wider, "utf-8")
    agreement = folder / "agreements" / "DSA-POL-01.yaml"
    lines = agreement.read_text("utf-8").splitlines(keepends=True)
    text = "".join(x for x in lines if "[narrative]" not in x and "[location_text" not in x)
    about = "feed: police_safeguarding, table: events, why: assess the risk to the child"
    for category, columns in (
        ("free_text", "narrative"),
        ("quasi_identifier", "location_text, location_postcode"),
    ):
        item = f"  - {{{about}, category: {category}, columns: [{columns}]}}\n"
        text = text.replace("items:\n", f"items:\n{item}", 1)
    agreement.write_text(text, "utf-8")


def register_of(run: Run) -> DisclosureRegister:
    return DisclosureRegister(run.home, Access(run.home))


def pack_of(run: Run, child: int) -> Pack:
    register = register_of(run)
    identity = register.identity(homes.child_of(run, child))
    return gather(run, register, identity, Request(RECEIVED))


@pytest.fixture(scope="module")
def pack(run: Run) -> Pack:
    register = register_of(run)
    reader = Principal("asmith", "reviewer")
    register.access.gate.read(reader, Right.HISTORY, subjects=[homes.child_of(run, homes.ANN)])
    return pack_of(run, homes.ANN)


def held(run: Run, planted: Planted, child: int) -> set[str]:
    """The facts that the agreements let in."""
    grants = policy.grants(run)
    return {
        fact
        for fact in planted.of[child]
        if planted.columns[fact][2] in grants.ingest(*planted.columns[fact][:2]).columns
    }


@pytest.mark.control("C01")
def test_every_fact_that_was_delivered_of_a_child_is_in_the_answer_and_no_other_childs(
    run: Run, planted: Planted, pack: Pack
) -> None:
    for child in CHILDREN:
        answer = pack if child == homes.ANN else pack_of(run, child)
        values = {fact.value for fact in answer.facts()}
        assert len(held(run, planted, child)) >= 15
        assert held(run, planted, child) <= values
        others = set().union(*(planted.of[other] for other in CHILDREN if other != child))
        assert not others & values


@pytest.mark.control("C01")
def test_every_delivered_item_names_the_file_and_line_that_hold_it(run: Run, pack: Pack) -> None:
    delivered = [i for s in pack.sections for i in s.items if i.source.feed]
    assert {i.source.feed for i in delivered} == {
        "health_csv", "police_safeguarding", "police_pole", "ctf",
    }  # fmt: skip
    for each in delivered:
        assert each.source.delivery
        assert each.source.line
        name = str(each.source.file).partition(".zip/")[0]
        assert any(name in path.name for path in (run.landing / str(each.source.feed)).iterdir())
    csv_items = [
        i
        for i in delivered
        if str(i.source.file).endswith(".csv") and ".zip" not in str(i.source.file)
    ]
    assert csv_items
    for each in csv_items:
        (path,) = (run.landing / str(each.source.feed)).glob(str(each.source.file))
        line = path.read_text("utf-8").splitlines()[int(each.source.line or 0) - 1]
        assert str(each.source.record).rpartition("|")[2] in line


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.control("C01")
def test_the_pdf_says_what_the_machine_copy_says(pack: Pack, tmp_path: Path) -> None:
    pdf, machine = write_copies(pack, tmp_path / "answer")
    assert Pack.model_validate_json(machine.read_text("utf-8")) == pack
    reader = PdfReader(pdf)
    text = _squeezed("".join(page.extract_text() for page in reader.pages))
    # page numbers and headers stand between lines of a value that goes on overleaf
    missing = [f.value for f in pack.facts() if _squeezed(f.value) not in text]
    assert len(missing) <= len(reader.pages)
    whole = "".join(_squeezed(page.extract_text()) for page in reader.pages)
    assert all(_squeezed(section.title) in whole for section in pack.sections)


@pytest.mark.parametrize("letter", ["\u738b", "\U0001f9d2", "\u202e", "\x07"])
def test_a_letter_that_no_font_has_does_not_stop_the_answer(pack: Pack, letter: str) -> None:
    data = pack.model_copy(update={"child_id": f"X{letter}Y"}).model_dump(mode="json")
    text = PdfReader(io.BytesIO(to_pdf(data))).pages[0].extract_text()
    assert "X\ufffdY" in text
    assert "cannot show" in text


def test_the_pdf_is_tagged_a4_with_contents_and_page_numbers(pack: Pack, tmp_path: Path) -> None:
    pdf, _ = write_copies(pack, tmp_path / "answer")
    reader = PdfReader(pdf)
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en-GB"
    assert b"pdfuaid:part" in pdf.read_bytes() or "pdfuaid" in str(root["/Metadata"].get_data())
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    first = reader.pages[0].extract_text()
    assert "Contents" in first
    assert f"1 of {len(reader.pages)}" in first
    assert len(reader.outline) >= len(pack.sections)
    assert {path.stat().st_mode & 0o777 for path in pdf.parent.iterdir()} == {0o600}


@pytest.mark.control("C03")
def test_free_text_that_names_an_informant_and_columns_that_name_others_are_marked(
    planted: Planted, pack: Pack
) -> None:
    marks = {fact.value: fact.mark for fact in pack.facts()}
    telling = [value for value in marks if INFORMANT in value]
    assert telling
    assert {marks[value] for value in telling} == {FREE_TEXT}
    places = [fact for fact in pack.facts() if fact.name == "location_text"]
    assert places
    assert all(fact.mark for fact in places)
    parents = [f for f in pack.facts() if f.name == "parent_name"]
    assert parents
    assert all(fact.mark for fact in parents)


@given(
    name=st.text("abcdefghij", min_size=3, max_size=8),
    before=st.text(" .,;ABC", max_size=6),
    after=st.text(" .,;", max_size=6),
)
def test_another_persons_name_is_found_wherever_it_stands_alone(
    name: str, before: str, after: str
) -> None:
    others = Others({name: "names a member of the family or household"})
    text = f"{before} {name.title()} {after}"
    assert others.mark(text)
    assert others.mark(f"x{name}x") is None


@pytest.mark.control("C01", "C02")
def test_the_answer_tells_who_looked_and_what_the_records_rest_on(pack: Pack) -> None:
    by_title = {section.title: section for section in pack.sections}
    told = [f.value for i in by_title["To whom this was disclosed"].items for f in i.facts]
    assert {"read", "asmith", "history"} <= set(told)
    who = [f.value for i in by_title["Who this is about"].items for f in i.facts]
    assert pack.child_id in who
    assert any("health_csv|" in value for value in who)


def chosen(pack: Pack) -> dict[str, Any]:
    marked = [fact for fact in pack.facts() if fact.mark]
    free = next(fact for fact in marked if INFORMANT in fact.value)
    shown = next(fact for fact in marked if fact.name == "parent_name")
    harm = next(
        i for s in pack.sections for i in s.items if i.source.table == "police_pole.incidents"
    )
    crime = next(f for f in pack.facts() if f.name == "police_risk_grade")
    return {
        "decided_by": "A Officer",
        "items": [
            {"id": free.id, "action": "withhold", "why": "third_party", "reason": "names who rang"},
            {"id": shown.id, "action": "show", "reason": "she agreed"},
            {"id": harm.id, "action": "withhold", "why": "serious_harm", "reason": "her doctor says so"},
            {"id": crime.id, "action": "withhold", "why": "crime", "reason": "an investigation is open"},
        ],
        "recipients": [{"recipient": "asmith", "reason": "lives nearby"}],
        "clock": [{"stopped": "2026-05-04", "resumed": "2026-05-14", "reason": "who asks was checked"}],
    }  # fmt: skip


@pytest.mark.control("C03", "C02")
def test_decisions_withhold_in_both_copies_and_what_is_undecided_is_withheld(
    pack: Pack, tmp_path: Path
) -> None:
    said = chosen(pack)
    given_out = decided(pack, Decisions.model_validate(said))
    free, shown, harm, crime = (each["id"] for each in said["items"])
    facts = {fact.id: fact for fact in given_out.facts()}
    before = {fact.id: fact for fact in pack.facts()}
    assert facts[free].withheld == "withheld: tells of another person"
    assert facts[shown].value == before[shown].value
    assert facts[crime].withheld == "withheld under an exemption"
    assert harm not in {fact.id.partition(".")[0] for fact in given_out.facts()}
    undecided = [f for f in before.values() if f.mark and f.id not in (free, shown)]
    assert undecided
    assert all(facts[f.id].value == "" for f in undecided if f.id in facts)
    assert not any(fact.mark for fact in given_out.facts())
    pdf, machine = write_copies(given_out, tmp_path / "copy")
    text = _squeezed("".join(page.extract_text() for page in PdfReader(pdf).pages))
    for secret in ("Quillfeather", "her doctor says so", "asmith", "an investigation is open"):
        assert _squeezed(secret) not in text
        assert secret not in machine.read_text("utf-8")
    assert "WORKINGCOPY" not in text


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"items": [{"id": "i0", "action": "withhold", "reason": "because"}]}, "needs why"),
        ({"items": [{"id": "i0", "action": "show", "reason": ""}]}, "at least"),
        ({"decided_by": ""}, "at least"),
        ({"other": 1}, "not permitted"),
    ],
)
def test_a_decision_without_ground_reason_or_name_is_refused(
    tmp_path: Path, change: dict[str, Any], rule: str
) -> None:
    path = tmp_path / "decisions.yaml"
    path.write_text(yaml.safe_dump({"decided_by": "A Officer"} | change), "utf-8")
    with pytest.raises(RedactionError, match=rule):
        Decisions.read(path)


def test_a_decision_about_what_is_not_in_the_answer_is_refused(pack: Pack) -> None:
    one = {"id": "i0123456789", "action": "show", "reason": "no such thing"}
    with pytest.raises(RedactionError, match="no such item"):
        decided(pack, Decisions.model_validate({"decided_by": "A Officer", "items": [one]}))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2026, 9, 3), date(2026, 10, 3)),
        (date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_an_answer_is_due_on_the_corresponding_day_of_the_next_month(
    received: date, due: date
) -> None:
    assert a_month_after(received) == due
    stopped = Request(received, ((date(2026, 5, 1), date(2026, 5, 8)),))
    assert (stopped.clock.due - due).days == 7


@pytest.mark.control("C01", "C03", "D05")
def test_the_command_is_permitted_by_role_ledgered_and_gives_the_due_date(
    run: Run, pack: Pack, tmp_path: Path
) -> None:
    decisions = tmp_path / "decisions.yaml"
    decisions.write_text(yaml.safe_dump(chosen(pack)), "utf-8")
    home = ["--home", str(run.home.root)]
    asked = ["sar", pack.child_id, "--out", str(tmp_path / "a"), "--received", "2026-04-30", *home]
    assert CliRunner().invoke(app, asked).exit_code == 1  # without a reason
    done = CliRunner().invoke(
        app, [*asked, "--reason", "request 17", "--redactions", str(decisions), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["due"] == "2026-06-09"
    event = list(run.ledger.events())[-1]
    assert event["kind"] == "subject_access_answered"
    assert len(event["facts"]["decisions"]) == 4
    text = json.dumps(event)
    for secret in (pack.child_id, "Annabel", "her doctor says so", "lives nearby"):
        assert secret not in text
    keys: SubjectKeys = Access(run.home).subjects.keys
    assert event["facts"]["subjects"] == [keys.reference(pack.child_id)]


def test_a_child_whom_the_hub_has_not_is_refused_and_nothing_is_written(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "none"
    asked = ["sar", "0000000000000", "--out", str(out), "--received", "2026-04-30"]
    done = CliRunner().invoke(app, [*asked, "--reason", "r", "--home", str(run.home.root)])
    assert done.exit_code == 2
    assert not out.exists()
