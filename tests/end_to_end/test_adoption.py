"""An adopted child: the old identity is sealed, the new one comes by ordinary feeds, and nothing ties them.

The home is that of `ffp demo`: Dagster's storage, dbt's target, extracts, builds of returns and all. The old
identity's tokens are taken from the agencies' own files before the seal, and every file of the home is
opened and searched for them, before (so that the search is known to see) and after.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from ffp_data.access import Access
from ffp_data.hub.child_id import check_symbol
from ffp_data.identifiers.nhs_number import check_digit
from ffp_data.sealing.search import Wanted, search
from ffp_data.sealing.sieve import NUMBER, RECORD, filter_key, spent_key, spent_token, token
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.keys import KeyStore
from governance.pseudonym import pseudonym_key, pseudonymise
from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow

NEW = {"given": "Marigold", "surname": "Underhill", "person": "77001122", "patient": "77003344"}
LATER = "20260415T030000Z"
HEALTH = "health_csv/health_RXG_children_{}_001.csv"
CONTACTS = "health_csv/health_RXG_contacts_{}_001.csv"
DROP = "case_system/ssd_{}"
RECIPIENT = ("fenmarch-family-help-north", "single_view.family_help", "2026")
"""Whose pseudonyms the extract of the demonstration bears."""


@dataclass(frozen=True)
class Old:
    """What the agencies and the hub know the child by before the seal."""

    child_id: str
    records: tuple[str, ...]
    numbers: tuple[str, ...]
    people: tuple[tuple[str, str, str], ...]
    pseudonyms: tuple[str, ...]

    @property
    def person_id(self) -> str:
        return next(k.split("|")[2] for k in self.records if k.startswith("case_system|"))

    @property
    def patient_id(self) -> str:
        return next(k.split("|")[2] for k in self.records if k.startswith("health_csv|"))

    @property
    def wanted(self) -> Wanted:
        own = [key.split("|")[2].split(":")[-1] for key in self.records]
        long = [each for each in own if len(each) >= 8]
        spaced = [f"{n[:3]} {n[3:6]} {n[6:]}" for n in self.numbers if n.isdigit()]
        words = [self.child_id, *self.records, *self.numbers, *spaced, *long, *self.pseudonyms]
        return Wanted(words, self.people)


@dataclass(frozen=True)
class Story:
    """A home after the seal and the run that brought the new identity and late rows of the old one."""

    demo: Demo
    home: Home
    old: Old
    new_child: str
    new_words: tuple[str, ...]
    before: dict[str, int]
    report: dict[str, Any]
    vault: list[dict[str, Any]]
    loose_ends: dict[str, int]


@pytest.fixture(scope="module")
def story(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("adoption")
    shutil.copytree(demo.folder, folder / "own", symlinks=True)
    own = Demo(folder / "own", demo.summary)
    home, key = Home(own.home), folder / "custodian.pem"
    old = _choose(home)
    before = dict(search(home, old.wanted))
    kept_back = _rows_of(own.landing, old)

    told("hub", "custodian-key", key, "--home", own.home)
    named = ("--home", own.home, "--landing", own.landing, "--by", "a custodian")
    why = ("--reason", "adoption order", "--confirm", old.child_id)
    report = json.loads(told("hub", "seal", old.child_id, *named, *why, "--json"))
    loose_ends = dict(search(home, old.wanted))

    _deliver(own.landing, old, kept_back)
    told("run", "--home", own.home, "--landing", own.landing, "--json")
    with connect(home, read_only=True) as con:
        query = (
            "SELECT record_key, child_id FROM identity.child_membership WHERE record_key IN (?, ?)"
        )
        keys = [f"case_system|systemc|{NEW['person']}", f"health_csv|RXG|{NEW['patient']}"]
        carried = dict(con.execute(query, keys).fetchall())
    assert set(carried) == set(keys), "the new identity came in by both feeds"
    assert len(set(carried.values())) == 1
    new_child = carried[keys[0]]
    vault = told("hub", "open-vault", own.home / "vault", "--key", key).splitlines()
    new_words = (new_child, *keys, NEW["person"], NEW["patient"], new_number())
    opened = [json.loads(line) for line in vault]
    return Story(own, home, old, new_child, new_words, before, report, opened, loose_ends)


def told(*words: object) -> str:
    done = ffp(*words)
    assert done.returncode == 0, f"{words[:2]}: {done.stderr}"
    return done.stdout


def new_number() -> str:
    return next(
        f"{nine}{check_digit(nine)}"
        for nine in (f"99{n:07}" for n in range(4_400_000, 4_500_000))
        if check_digit(nine) is not None
    )


def _choose(home: Home) -> Old:
    """A child whom many agencies know and a team was told of."""
    key = pseudonym_key(KeyStore(home.keys_dir), *RECIPIENT)
    (extract,) = (home.out / "extracts" / RECIPIENT[0]).rglob("children.parquet")
    told_of = set(pq.read_table(extract)["child_id_pseudonym"].to_pylist())
    with connect(home, read_only=True) as con:
        candidates = con.execute(
            "SELECT child_id, list(record_key ORDER BY record_key) FROM identity.child_membership"
            " JOIN identity.children USING (child_id) WHERE kind = 'child' GROUP BY child_id"
            " HAVING bool_or(record_key LIKE 'case_system|%') AND bool_or(record_key LIKE 'health_csv|%')"
            " AND child_id IN (SELECT child_key FROM returns.cin_children)"
            " ORDER BY count(*) DESC, child_id"
        ).fetchall()
        child, records = next(c for c in candidates if pseudonymise(key, [c[0]])[0] in told_of)
        numbers = con.execute(
            "SELECT DISTINCT value FROM identity.person_identifiers WHERE is_valid"
            " AND record_key IN (SELECT unnest(?)) ORDER BY value",
            [records],
        ).fetchall()
        people = con.execute(
            "SELECT DISTINCT given_name, surname, date_of_birth::VARCHAR FROM identity.person_records"
            " WHERE record_key IN (SELECT unnest(?)) AND date_of_birth IS NOT NULL",
            [records],
        ).fetchall()
    tokens = tuple(each for each in pseudonymise(key, [child]) if each)
    named = tuple((g, s, d) for g, s, d in people if g and s)
    return Old(child, tuple(records), tuple(n for (n,) in numbers), named, tokens)


def _rows_of(landing: Path, old: Old) -> dict[str, list[list[str]]]:
    """The old identity's own rows, as its agencies hold them: they will be late with them."""
    place = DROP.format("20260401")
    return {
        HEALTH: _with(landing / HEALTH.format("20260401T030000Z"), old.patient_id),
        CONTACTS: _with(landing / CONTACTS.format("20260401T030000Z"), old.patient_id),
        "ssd_person.csv": _with(landing / place / "ssd_person.csv", old.person_id),
        "ssd_contacts.csv": _with(landing / place / "ssd_contacts.csv", old.person_id),
    }


def _with(path: Path, text: str) -> list[list[str]]:
    return [row for row in _read(path) if text in row]


def _read(path: Path) -> list[list[str]]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text("cp1252")
    return list(csv.reader(io.StringIO(text)))


def _write(path: Path, rows: Iterable[Iterable[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.parent.mkdir(exist_ok=True)
    path.write_text(out.getvalue(), "utf-8")


def _deliver(landing: Path, old: Old, late: dict[str, list[list[str]]]) -> None:
    """The next full lists: everybody of before, late rows of the old identity, and the new child."""
    born = old.people[0][2]
    for name in (HEALTH, CONTACTS):
        rows = _read(landing / name.format("20260401T030000Z"))
        new = _new_row(rows[0], "LOCAL_PATIENT_ID", NEW["patient"], born)
        added = [new] if name == HEALTH else []
        _write(landing / name.format(LATER), [*rows, *late[name], *added])
    folder, drop = landing / DROP.format("20260401"), landing / DROP.format("20260415")
    shutil.copytree(folder, drop)
    for name in ("ssd_person.csv", "ssd_contacts.csv"):
        rows = _read(folder / name)
        new = _new_row(rows[0], "pers_person_id", NEW["person"], born)
        _write(drop / name, [*rows, *late[name], *([new] if name == "ssd_person.csv" else [])])
    _sign_off(drop)


def _new_row(header: list[str], key: str, own: str, born: str) -> list[str]:
    """The new identity: another name, other numbers; the day of birth is the same, as it is in truth."""
    said = {
        key: own,
        "ORG_ODS": "RXG",
        "CHILD_NHS_NUMBER": new_number(),
        "CHILD_FIRST_NAME": NEW["given"],
        "CHILD_LAST_NAME": NEW["surname"],
        "CHILD_DATE_OF_BIRTH": born,
        "CHILD_GENDER": "F",
        "CHILD_POSTCODE": "XG7 7XX",
        "pers_forename": NEW["given"],
        "pers_surname": NEW["surname"],
        "pers_sex": "F",
        "pers_dob": born,
        "pers_single_unique_id": new_number(),
        "pers_ethnicity": "WBRI",
        "pers_is_mother": "0",
    }
    return [said.get(name, "") for name in header]


def _sign_off(drop: Path) -> None:
    told = yaml.safe_load((drop / "manifest.yaml").read_text("utf-8"))
    for table in told["tables"]:
        path = drop / f"{table['name']}.csv"
        table["rows"] = len(_read(path)) - 1
        table["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (drop / "manifest.yaml").write_text(yaml.safe_dump(told, sort_keys=False), "utf-8")


def test_the_search_sees_the_identity_wherever_it_was(story: Story) -> None:
    """The control: what the search must not find afterwards it did find before, in every kind of file."""
    places = "\n".join(story.before)
    for kind in (
        "warehouse.duckdb:raw.",
        "warehouse.duckdb:identity.",
        "warehouse.duckdb:single_view.",
        "hub.db:hub_membership",
        ".parquet",
        ".xlsx/xl/",
        ".xml",
    ):
        assert kind in places, kind


def test_nothing_of_the_old_identity_is_left_in_any_file_of_the_home(story: Story) -> None:
    assert story.loose_ends == {}, "after the seal"
    assert dict(search(story.home, story.old.wanted)) == {}, "after the next run, with late rows"
    assert story.report["exceptions"] == {}, "nothing was signed, so nothing is a statutory record"


def test_the_landing_folder_keeps_the_files_without_the_rows(story: Story) -> None:
    left = Home(story.demo.folder / "partnership")
    found = {k: n for k, n in search(left, story.old.wanted).items() if k.startswith("landing/")}
    assert found == {}


def test_late_rows_are_in_the_vault_and_nowhere_else(story: Story) -> None:
    late = [part for part in story.vault if str(part["part"]).startswith("late-")]
    assert {part["feed"] for part in late} == {"case_system", "health_csv"}
    text = json.dumps(late)
    assert story.old.patient_id in text
    assert story.old.person_id in text
    assert NEW["surname"] not in text
    assert new_number() not in text
    kept_out = [e for e in _ledger(story) if e["kind"] == "late_rows_kept_out"]
    assert {e["facts"]["feed"] for e in kept_out} == {"case_system", "health_csv"}


def test_the_custodian_has_the_whole_old_identity(story: Story) -> None:
    (identity,) = [part["identity"] for part in story.vault if "identity" in part]
    assert identity["child_id"] == story.old.child_id
    assert set(story.old.records) <= set(identity["records"])
    pieces = json.dumps([part["pieces"] for part in story.vault if "pieces" in part])
    assert all(number in pieces for number in story.old.numbers if not number.isdigit())


@pytest.mark.control("B05")
def test_no_file_and_no_row_ties_the_two(story: Story) -> None:
    """Not by a value of each in one place, and not by a keyed value that the two would share."""
    new = search(story.home, Wanted(story.new_words))
    assert any("single_view" in place for place in new), "the new child is an ordinary child"
    old = search(story.home, story.old.wanted)
    assert not {place.split(":")[0] for place in new} & {place.split(":")[0] for place in old}
    keys = KeyStore(story.home.keys_dir)
    of_new = {token(filter_key(keys), RECORD, word) for word in story.new_words}
    of_new |= {token(filter_key(keys), NUMBER, word) for word in story.new_words}
    of_new.add(spent_token(spent_key(keys), story.new_child))
    assert dict(search(story.home, Wanted(of_new))) == {}
    asked = [_search_id(*person) for person in story.old.people]
    assert dict(search(story.home, Wanted(asked))) == {}, "an unkeyed hash of name and birth date"


def test_a_sealed_identifier_is_answered_as_one_that_was_never_issued(story: Story) -> None:
    never = next(n + c for n in (f"{k:012}" for k in range(10**6)) if (c := check_symbol(n)))
    for command in ("resolve", "history"):
        answers = [
            ffp("hub", command, each, "--home", story.home.root)
            for each in (story.old.child_id, never)
        ]
        sealed, unknown = ((a.returncode, a.stdout, a.stderr) for a in answers)
        plain = str(sealed).replace(story.old.child_id, "X"), str(unknown).replace(never, "X")
        assert plain[0] == plain[1]


def test_the_ledger_is_whole_and_names_nobody(story: Story) -> None:
    assert ffp("ledger", "verify", "--home", story.home.root).returncode == 0
    (event,) = [e for e in _ledger(story) if e["kind"] == "identity_sealed"]
    assert set(event["facts"]) >= {"by", "reason", "reference", "hub", "landing", "warehouse"}


def _ledger(story: Story) -> list[dict[str, Any]]:
    return list(Access(story.home).ledger.events())


def _search_id(given: str, surname: str, born: str) -> str:
    year, month, day = born.split("-")
    return hashlib.sha256(f"{given}{surname}{day}/{month}/{year}".lower().encode()).hexdigest()
