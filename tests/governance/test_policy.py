"""A policy either holds together on a day, or says file, line, rule and remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from governance import policy
from governance.envelope import make_key
from governance.grants import Grants
from governance.policy import PolicyError, Problem
from governance.policy.narrow import days_in
from governance.policy.shape import SCHEMA_DIRECTORY
from governance.policy.source import read_document

AS_AT = date(2026, 3, 31)
POLICE = "agreements/DSA-POL-01.yaml"
NORTH = "agreements/DSA-FHN-01.yaml"
TEAM = "fenmarch-family-help-north"
CHARTER = "charter/CHARTER-2025.yaml"
SCHEMA: dict[str, Any] = json.loads((SCHEMA_DIRECTORY / "agreement.schema.json").read_text("utf-8"))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A copy of the demo policy with a few agreements, so that each case is quick and a new feed changes none."""
    copied = tmp_path / "policy"
    unneeded = ("*.py", "__pycache__", "schema")
    shutil.copytree(policy.DEMO_DIRECTORY, copied, ignore=shutil.ignore_patterns(*unneeded))
    kept = ("DSA-POL-01", "DSA-HEA-02", "DSA-PRO-01", "DSA-FHN-01", "DSA-DFE-02")
    for path in (copied / "agreements").iterdir():
        if path.stem not in kept:
            path.unlink()
    return copied


def edit(directory: Path, file: str, before: str, after: str) -> None:
    path = directory / file
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times"
    path.write_text(text.replace(before, after), "utf-8")


def rewrite(directory: Path, file: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the content of a file; JSON is YAML, and keeps every text a text."""
    content = read_document(directory, directory / file).data
    change(content)
    (directory / file).write_text(json.dumps(content, indent=1), "utf-8")


def problems(directory: Path, as_at: date = AS_AT) -> list[Problem]:
    return policy.check(policy.load(directory), as_at)


def only_problem(directory: Path, as_at: date = AS_AT) -> Problem:
    (problem,) = problems(directory, as_at)
    return problem


def line_of(directory: Path, file: str, text: str) -> int:
    before, found, _ = (directory / file).read_text("utf-8").partition(text)
    assert found
    return before.count("\n") + 1


def test_the_demo_policy_has_no_problem() -> None:
    assert policy.check(policy.load(), AS_AT) == []


def test_equal_policies_compile_to_equal_locks(directory: Path) -> None:
    elsewhere = shutil.copytree(directory, directory.with_name("elsewhere"))
    first = policy.compile_policy(policy.load(directory), AS_AT)
    assert policy.compile_policy(policy.load(elsewhere), AS_AT).sha256 == first.sha256


def test_another_day_or_another_word_gives_another_lock(directory: Path) -> None:
    shas = {policy.compile_policy(policy.load(directory), AS_AT).sha256}
    shas.add(policy.compile_policy(policy.load(directory), date(2026, 4, 1)).sha256)
    edit(directory, POLICE, "frequency: daily", "frequency: hourly")
    shas.add(policy.compile_policy(policy.load(directory), AS_AT).sha256)
    assert len(shas) == 3


# Shape


@pytest.mark.control("A01")
@pytest.mark.parametrize("field", SCHEMA["required"])
def test_an_agreement_without_a_field_is_refused_by_the_name_of_the_field(
    field: str, directory: Path
) -> None:
    """Control A01: a sharing agreement says everything that one must say."""
    rewrite(directory, POLICE, lambda content: content.pop(field, None))
    rewrite(directory, CHARTER, lambda content: content["terms"].pop(field, None))
    told = [each for each in problems(directory) if each.file == POLICE]
    assert any(each.rule == "schema" and field in each.remedy for each in told)


def test_a_term_left_out_is_the_charters() -> None:
    loaded = policy.load()
    (police,) = [each for each in loaded.agreements if each.file == POLICE]
    assert "breach" not in police.data
    assert loaded.resolved(police)["breach"]["hours"] == 24


SHAPES: dict[str, tuple[str, str, str, str]] = {
    "an unknown field": (POLICE, "direction: inbound", "direction: inbound\nfavour: yes", "favour"),
    "a wrong date": (POLICE, "expires: 2028-04-01", "expires: 2028-04-31", "expires"),
    "a date with words": (POLICE, "expires: 2028-04-01", "expires: in 2028", "expires"),
    "a wrong status": (POLICE, "status: live", "status: alive", "status"),
    "an outbound agreement without recipient": (
        NORTH,
        "recipient: fenmarch-family-help-north\n",
        "",
        "recipient",
    ),
    "a processor without contract": (
        POLICE,
        "org: fenmarch-constabulary, role: controller",
        "org: fenmarch-constabulary, role: processor",
        "contract",
    ),
    "a gateway without its legislation": (
        "gateways.yaml",
        "https://www.legislation.gov.uk/ukpga/1998/37/section/115",
        "https://example.org/115",
        "source",
    ),
    "more than 72 hours to tell of a breach": (CHARTER, "hours: 24", "hours: 96", "hours"),
}


@pytest.mark.control("A01")
@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_is_refused_of(name: str, directory: Path) -> None:
    file, before, after, word = SHAPES[name]
    edit(directory, file, before, after)
    told = problems(directory)
    assert {each.rule for each in told} == {"schema"}
    assert any(each.file == file and word in each.message + each.remedy for each in told)


def test_a_problem_prints_as_file_line_severity_rule_message_and_remedy(directory: Path) -> None:
    edit(directory, POLICE, "status: live", "status: alive")
    line = line_of(directory, POLICE, "status: alive")
    assert str(only_problem(directory)).startswith(f"{POLICE}:{line}: error: schema: status: ")


# Reading


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("id: [", "not YAML"),
        ("id: A\nid: B\n", "given twice"),
        ("id: \x00", "not YAML"),
        ("id: *nowhere", "not YAML"),
    ],
)
def test_a_file_that_is_not_yaml_is_named_with_its_line(
    text: str, word: str, directory: Path
) -> None:
    (directory / POLICE).write_text(text, "utf-8")
    with pytest.raises(PolicyError, match=word) as raised:
        policy.load(directory)
    assert raised.value.problems[0].file == POLICE


def test_a_file_in_another_encoding_is_refused(directory: Path) -> None:
    (directory / POLICE).write_bytes("title: Café".encode("latin-1"))
    with pytest.raises(PolicyError, match="save it as UTF-8"):
        policy.load(directory)


def test_a_missing_register_is_named(directory: Path) -> None:
    (directory / "gateways.yaml").unlink()
    with pytest.raises(PolicyError, match=r"gateways\.yaml:1: .*missing"):
        policy.load(directory)


@pytest.mark.parametrize("text", ["", "- a list", "just text"])
def test_a_file_of_another_shape_is_refused(text: str, directory: Path) -> None:
    (directory / POLICE).write_text(text, "utf-8")
    assert {each.rule for each in problems(directory)} == {"schema"}


def test_words_that_yaml_would_change_stay_words(directory: Path) -> None:
    edit(
        directory, POLICE, "title: Police safeguarding events to the children's hub", "title: 'off'"
    )
    edit(directory, "organisations.yaml", 'codes: {force: "51"}', "codes: {force: 051, on: no}")
    organisations = policy.load(directory).entries("organisations")
    assert organisations["fenmarch-constabulary"]["codes"] == {"force": "051", "on": "no"}


# Rules. Each case: file, text before, text after, rule, and the text on whose line it is found.

CASES: dict[str, tuple[str, str, str, str, str]] = {
    "a party that nobody registered": (
        POLICE,
        "{org: fenmarch-constabulary, role",
        "{org: yorvale-police, role",
        "known",
        "yorvale-police",
    ),
    "an unknown purpose": (
        POLICE,
        "purposes: [identity_matching, single_view]",
        "purposes: [identity_matching, marketing]",
        "known",
        "marketing",
    ),
    "an unknown gateway": (
        POLICE,
        "[CA2004-S16H, CDA",
        "[MAGNA-CARTA, CDA",
        "known",
        "MAGNA-CARTA",
    ),
    "an unknown charter": (
        POLICE,
        "inherits: CHARTER-2025",
        "inherits: CHARTER-1215",
        "schema",
        "",
    ),
    "an unknown cohort": (NORTH, "open_to_family_help_north", "everybody", "known", "everybody"),
    "an unknown recipient": (
        NORTH,
        "recipient: fenmarch-family-help-north",
        "recipient: passers-by",
        "known",
        "passers-by",
    ),
    "an unknown category": (
        POLICE,
        "table: persons\n    category: contact",
        "table: persons\n    category: gossip",
        "known",
        "- feed: police_safeguarding\n    table: persons\n    category: gossip",
    ),
    "a recipient that is no party": (
        NORTH,
        "recipient: fenmarch-family-help-north",
        "recipient: dfe",
        "parties",
        "recipient: dfe",
    ),
    "a party that has not signed": (
        POLICE,
        "  - {org: fenmarch-constabulary, by: SIRO, on: 2025-03-21}\n",
        "",
        "signed",
        "{org: fenmarch-constabulary",
    ),
    "nobody who receives": (POLICE, ", receives: true", "", "parties", "parties:"),
    "a signature after the start": (
        POLICE,
        "{org: fenmarch-council, by: SIRO, on: 2025-03-21}",
        "{org: fenmarch-council, by: SIRO, on: 2025-05-21}",
        "dates",
        "2025-05-21",
    ),
    "a review after the expiry": (
        POLICE,
        "review: 2027-03-01",
        "review: 2029-03-01",
        "dates",
        "review:",
    ),
    "an assessment approved after the start": (
        POLICE,
        "approved: 2025-03-05",
        "approved: 2025-09-05",
        "dpia",
        "approved:",
    ),
    "criminal data without Article 10": (
        POLICE,
        "art10: true, ",
        "",
        "basis",
        "category: criminal",
    ),
    "special data without Article 9": (POLICE, "art9: g, ", "", "basis", "category: safeguarding"),
    "no appropriate policy document": (
        POLICE,
        ", apd: APD-02",
        "",
        "basis",
        "category: safeguarding",
    ),
    "a police source under the wrong regime": (
        POLICE,
        "regime: part3_source",
        "regime: uk_gdpr",
        "regime",
        "regime:",
    ),
    "health data without the Caldicott Guardian": (
        "agreements/DSA-HEA-02.yaml",
        "{org: marchside-hospitals-nhs, by: Caldicott Guardian",
        "{org: marchside-hospitals-nhs, by: SIRO",
        "caldicott",
        "signatures:",
    ),
    "an offence given out as an operational date": (
        POLICE,
        "columns: [event_id, source_system, occurrence_ref, recorded_at, shared_at]",
        "columns: [event_id, source_system, offence_code, recorded_at, shared_at]",
        "category",
        "offence_code",
    ),
    "a column named twice": (
        POLICE,
        "columns: [force_code, under_18]",
        "columns: [force_code, surname]",
        "columns",
        "items:",
    ),
    "a column both agreed and excluded": (
        POLICE,
        "columns: [narrative]",
        "columns: [event_type]",
        "columns",
        "items:",
    ),
    "a bulk flow on a duty that is a judgement about one child": (
        POLICE,
        "[CA2004-S16H, CDA1998-S115, CA2004-S11]",
        "[CA2004-S16H, CDA1998-S115, CA1989-S47]",
        "gateway",
        "CA1989-S47",
    ),
    "a gateway that the parties may not rely on": (
        "agreements/DSA-DFE-02.yaml",
        "gateways: [CA1989-S83]",
        "gateways: [OMA2007-S14]",
        "gateway",
        "OMA2007-S14",
    ),
    "an identifier that is not the file's name": (
        POLICE,
        "id: DSA-POL-01",
        "id: DSA-POL-02",
        "file_name",
        "id: DSA-POL-02",
    ),
    "a register entry given twice": (
        "purposes.yaml",
        "- id: single_view\n",
        "- id: identity_matching\n",
        "unique_id",
        "",
    ),
}


@pytest.mark.control("A05", "A09", "A13", "A15")
@pytest.mark.parametrize("name", CASES)
def test_the_check_finds(name: str, directory: Path) -> None:
    file, before, after, rule, place = CASES[name]
    edit(directory, file, before, after)
    told = [each for each in problems(directory) if each.rule == rule]
    assert told, problems(directory)
    assert all(each.file == file and each.severity == "error" and each.remedy for each in told)
    if place:
        wanted = line_of(directory, file, place)
        assert wanted in {each.line for each in told}
    with pytest.raises(PolicyError):
        policy.compile_policy(policy.load(directory), AS_AT)


def test_a_table_of_many_feeds_leaves_with_its_feeds_named(directory: Path) -> None:
    rewrite(directory, NORTH, lambda data: data["rows"].pop("feeds"))
    problem = only_problem(directory)
    assert (problem.rule, problem.file) == ("feeds", NORTH)


def test_two_agreements_may_not_decide_one_flow(directory: Path) -> None:
    second = directory / "agreements" / "DSA-POL-02.yaml"
    shutil.copy(directory / POLICE, second)
    edit(directory, "agreements/DSA-POL-02.yaml", "id: DSA-POL-01", "id: DSA-POL-02")
    told = problems(directory)
    assert {(each.file, each.rule) for each in told} == {("agreements/DSA-POL-02.yaml", "overlap")}
    edit(directory, "agreements/DSA-POL-02.yaml", "status: live", "status: draft")
    assert problems(directory) == []


def test_an_agreement_under_no_charter_lacks_the_charters_terms(directory: Path) -> None:
    edit(directory, POLICE, "inherits: CHARTER-2025", "inherits: CHARTER-1215")
    assert {each.rule for each in problems(directory)} == {"schema"}


def test_each_missing_term_is_told_by_its_own_name(directory: Path) -> None:
    edit(directory, POLICE, "inherits: CHARTER-2025", "inherits: CHARTER-1215")
    told = [each for each in problems(directory) if "required property" in each.message]
    assert len(told) > 3
    for each in told:
        assert each.remedy.startswith(f"add {each.message.split(chr(39))[1]}")


LATE = """  - id: late-partner
    name: A partner that joined later
    kind: voluntary
    regime: uk_gdpr
    ico_number: ZA990099
    contacts: {dpo: dpo@late.example}
"""


def test_a_partner_may_join_the_charter_after_its_start(directory: Path) -> None:
    signed = "  - {org: fenmarch-constabulary, by: SIRO, on: 2025-03-14}\n"
    joins = "  - {org: late-partner, by: SIRO, on: 2026-01-14}\n"
    edit(directory, CHARTER, signed, signed + joins)
    edit(
        directory,
        CHARTER,
        "  - fenmarch-constabulary\n",
        "  - fenmarch-constabulary\n  - late-partner\n",
    )
    edit(
        directory,
        "organisations.yaml",
        "  - id: fenmarch-constabulary",
        LATE + "  - id: fenmarch-constabulary",
    )
    assert problems(directory) == []


# A child tier narrows, never widens.

WIDENINGS: dict[str, tuple[str, str, str]] = {
    "keeping longer": (POLICE, "period: P1Y", "period: P7Y"),
    "passing on": (POLICE, "privacy_notice:", "onward: with_consent_of_giver\nprivacy_notice:"),
    "sending abroad": (POLICE, "privacy_notice:", "transfers: adequate_countries\nprivacy_notice:"),
    "telling later of a breach": (
        POLICE,
        "privacy_notice:",
        "breach: {contact: b@fenmarch.example, hours: 48, procedure: tell}\nprivacy_notice:",
    ),
    "dropping a security measure": (
        POLICE,
        "privacy_notice:",
        "security: [a locked door]\nprivacy_notice:",
    ),
    "outliving the charter": (POLICE, "expires: 2028-04-01", "expires: 2030-04-01"),
    "starting before the charter": (CHARTER, "starts: 2025-04-01", "starts: 2025-05-01"),
    "starting before a party joined": (
        CHARTER,
        "{org: fenmarch-constabulary, by: SIRO, on: 2025-03-14}",
        "{org: fenmarch-constabulary, by: SIRO, on: 2025-09-14}",
    ),
    "a party that did not sign the charter": (
        CHARTER,
        "  - {org: fenmarch-constabulary, by: SIRO, on: 2025-03-14}\n",
        "",
    ),
    "a party outside the charter": (CHARTER, "  - fenmarch-constabulary\n", ""),
    "a gateway outside the charter": (CHARTER, "CDA1998-S115, ", ""),
    "a category outside the charter": (CHARTER, ", criminal_offence]", "]"),
    "a purpose outside the charter": (CHARTER, "[identity_matching, single_view,", "[single_view,"),
}


@pytest.mark.control("A03", "A12")
@pytest.mark.parametrize("name", WIDENINGS)
def test_an_agreement_may_not_widen_its_charter_by(name: str, directory: Path) -> None:
    file, before, after = WIDENINGS[name]
    edit(directory, file, before, after)
    told = [each for each in problems(directory) if each.file == POLICE]
    assert "widens" in {each.rule for each in told}
    assert all("CHARTER-2025" in each.message for each in told if each.rule == "widens")


def test_an_agreement_may_be_stricter_than_its_charter(directory: Path) -> None:
    stricter = "breach: {contact: b@fenmarch.example, hours: 4, procedure: tell at once}\n"
    edit(directory, POLICE, "privacy_notice:", stricter + "privacy_notice:")
    edit(directory, POLICE, "period: P1Y", "period: P30D")
    assert problems(directory) == []


@pytest.mark.parametrize(("short", "long"), [("P30D", "P1M"), ("P11M", "P1Y"), ("P364D", "P12M")])
def test_periods_of_different_units_compare(short: str, long: str) -> None:
    assert days_in(short) < days_in(long)


# Time: what is law, and what is agreed, depends on the day.


@pytest.mark.control("A06", "A07")
def test_the_duty_to_share_of_2026_carries_no_bulk_flow_even_once_commenced(
    directory: Path,
) -> None:
    edit(directory, POLICE, "[CA2004-S16H, CDA", "[CA2004-S16LA, CDA")
    edit(directory, CHARTER, "CA2004-S16H, ", "CA2004-S16H, CA2004-S16LA, ")
    assert "not in force" in only_problem(directory).message
    text = (directory / "gateways.yaml").read_text("utf-8")
    commenced = text.replace(
        "enacted: 2026-04-29\n    in_force_from: null",
        "enacted: 2026-04-29\n    in_force_from: 2026-10-01",
    )
    (directory / "gateways.yaml").write_text(commenced, "utf-8")
    assert "one child" in only_problem(directory, date(2026, 11, 1)).message


@pytest.mark.control("A06")
def test_a_repealed_gateway_stops_the_compile_from_that_day(directory: Path) -> None:
    text = (directory / "gateways.yaml").read_text("utf-8")
    head, entry = text.split("  - id: CDA1998-S115\n")
    ended = entry.replace("in_force_to: null", "in_force_to: 2026-06-01", 1)
    (directory / "gateways.yaml").write_text(f"{head}  - id: CDA1998-S115\n{ended}", "utf-8")
    assert problems(directory, date(2026, 5, 31)) == []
    assert {each.rule for each in problems(directory, date(2026, 6, 1))} == {"gateway"}
    lock = policy.compile_policy(policy.load(directory), AS_AT)
    assert lock.data["valid_until"] == "2026-06-01"


@pytest.mark.control("A08")
def test_a_review_that_is_due_warns_and_does_not_stop(directory: Path) -> None:
    edit(directory, POLICE, "review: 2027-03-01", "review: 2026-03-01")
    problem = only_problem(directory)
    assert (problem.rule, problem.severity) == ("review_due", "warning")
    assert policy.compile_policy(policy.load(directory), AS_AT).data["ingest"]


@pytest.mark.control("A08")
def test_an_agreement_out_of_force_keeps_its_place_without_grants(directory: Path) -> None:
    edit(directory, POLICE, "status: live", "status: suspended")
    lock = policy.compile_policy(policy.load(directory), AS_AT)
    assert lock.data["agreements"]["DSA-POL-01"]["not_in_force"] == "it is suspended"
    assert "police_safeguarding" not in {each["feed"] for each in lock.data["ingest"]}
    assert {each["feed"] for each in lock.data["ingest"]} == {"health_csv", "probation"}


def test_a_suspended_charter_takes_every_agreement_with_it(directory: Path) -> None:
    edit(directory, CHARTER, "status: live", "status: suspended")
    lock = policy.compile_policy(policy.load(directory), AS_AT)
    assert lock.data["ingest"] == lock.data["release"] == []


@pytest.mark.control("A07")
def test_a_case_by_case_agreement_gives_no_bulk_grant(directory: Path) -> None:
    edit(directory, POLICE, "decision: bulk", "decision: case")
    lock = policy.compile_policy(policy.load(directory), AS_AT)
    assert "child by child" in lock.data["agreements"]["DSA-POL-01"]["not_in_force"]


# Cohorts are SQL that a signed lock will run: one SELECT of the key, over tables only.


@pytest.mark.parametrize(
    "members",
    [
        "SELECT surname FROM single_view.involvements",
        "SELECT child_id FROM read_csv('/etc/passwd')",
        "SELECT child_id FROM single_view.flags; DROP TABLE x",
        "DELETE FROM single_view.flags",
        "SELECT child_id FROM (",
        "SELECT * FROM single_view.flags",
    ],
)
def test_a_cohort_may_only_select_its_key_from_tables(members: str, directory: Path) -> None:
    rewrite(
        directory, "cohorts.yaml", lambda content: content["cohorts"][2].update(members=members)
    )
    assert only_problem(directory).rule == "cohort"


def test_an_item_may_not_add_a_purpose(directory: Path) -> None:
    def widen(content: dict[str, Any]) -> None:
        content["items"][0]["purposes"] = ["statutory_returns"]

    rewrite(directory, POLICE, widen)
    assert only_problem(directory).rule == "columns"


def test_an_item_may_narrow_its_purposes(directory: Path) -> None:
    def narrow(content: dict[str, Any]) -> None:
        content["items"][0]["purposes"] = ["identity_matching"]

    rewrite(directory, POLICE, narrow)
    lock = policy.compile_policy(policy.load(directory), AS_AT)
    purposes = {
        each["column"]: each["purposes"]
        for each in lock.data["ingest"]
        if (each["feed"], each["table"]) == ("police_safeguarding", "persons")
    }
    assert purposes["pnc_id"] == ["identity_matching"]
    assert purposes["surname"] == ["identity_matching", "single_view"]


def _with_key(directory: Path, key: str) -> None:
    text = "    ico_number: ZA990003\n"
    edit(directory, "organisations.yaml", text, f"{text}    seal_to: {key}\n")


@pytest.mark.control("D01")
def test_a_malformed_key_of_a_recipient_is_named_with_line_and_remedy(directory: Path) -> None:
    _, public = make_key("x25519")
    _with_key(directory, public.text)
    assert problems(directory) == []
    edit(directory, "organisations.yaml", public.text, public.text[:-6])
    problem = only_problem(directory)
    assert (problem.rule, problem.severity) == ("seal_to", "error")
    assert problem.line == line_of(directory, "organisations.yaml", public.text[:-6])
    assert "ffp extract keygen" in problem.remedy


@pytest.mark.control("D01")
def test_an_extract_is_sealed_to_the_key_of_the_team_else_of_its_organisation(
    directory: Path,
) -> None:
    purpose = "single_view.family_help"
    council, team = (make_key("x25519")[1].text for _ in range(2))

    def sealed_to() -> str | None:
        lock = policy.compile_policy(policy.load(directory), AS_AT)
        (agreed,) = (p for r, p in Grants(lock).recipients(purpose) if r == TEAM)
        return Grants(lock).release(TEAM, agreed).seal_to

    assert sealed_to() is None
    number = "    ico_number: ZA990001\n"
    edit(directory, "organisations.yaml", number, f"{number}    seal_to: {council}\n")
    assert sealed_to() == council
    edit(directory, "organisations.yaml", f"{{id: {TEAM},", f"{{id: {TEAM}, seal_to: '{team}',")
    assert sealed_to() == team
