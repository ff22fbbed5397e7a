"""The story of an adopted child on a copy of the demonstration: the seal, the next deliveries, the run after them.

Of all feeds only the case system and the hospital deliver again, two weeks later; the others have stopped by then.
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
import yaml

from ffp_data.identifiers.nhs_number import check_digit
from ffp_data.sealing.search import Wanted, search, search_for_each
from ffp_data.sealing.sieve import NUMBER, RECORD, filter_key, spent_key, spent_token, token
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.keys import KeyStore
from governance.pseudonym import pseudonym_key, pseudonymise
from tests.end_to_end.commands import Demo, ffp

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
    """What is found of the old identity after the seal."""
    left: dict[str, int]
    """What is found of it at the end."""
    new: dict[str, int]
    """What is found of the new identity at the end."""
    tied: dict[str, int]
    """What is found of keyed values that would tie the two, and of unkeyed ones."""


def make_story(demo: Demo, folder: Path) -> Story:
    """A child of a copy of the demonstration is sealed; then two feeds deliver once more, and there is a run."""
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
    asked = (old.wanted, Wanted(new_words), _ties(home, old, new_child, new_words))
    left, new, tied = map(dict, search_for_each(home, asked))
    return Story(
        demo=own, home=home, old=old, new_child=new_child, new_words=new_words, before=before, report=report,
        vault=opened, loose_ends=loose_ends, left=left, new=new, tied=tied,
    )  # fmt: skip


def _ties(home: Home, old: Old, new_child: str, new_words: Iterable[str]) -> Wanted:
    """The new identity as the filter of the sealed would know it, and the old as the number search would."""
    keys = KeyStore(home.keys_dir)
    kinds = (RECORD, NUMBER)
    of_new = {token(filter_key(keys), kind, word) for kind in kinds for word in new_words}
    of_new.add(spent_token(spent_key(keys), new_child))
    return Wanted(of_new | {_search_id(*person) for person in old.people})


def _search_id(given: str, surname: str, born: str) -> str:
    year, month, day = born.split("-")
    return hashlib.sha256(f"{given}{surname}{day}/{month}/{year}".lower().encode()).hexdigest()


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
