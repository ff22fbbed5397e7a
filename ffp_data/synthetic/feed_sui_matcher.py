"""The council's own search for NHS numbers: one run of the storage job over children of the case system
who have none, with its manifest, and an older run of the watcher over early help, without. Most are
found; some with a lesser score, some several times, some not at all, a few as somebody else. A row was
edited by hand, a number has eleven digits, and two records of one child are given one number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

from ffp_data.synthetic.feed_case_system import CaseSystem
from ffp_data.synthetic.feed_early_help import EarlyHelpModule
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import Person, shift
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import Scene, Truth, siblings
from ffp_data.synthetic.writing import Landing, Table, headers, stamp

FEED = "sui_matcher"
GENDER = {"M": "male", "F": "female"}
ANSWERS = ("Match", "PotentialMatch", "LowConfidenceMatch", "ManyMatch", "NoMatch", "Error")
SCORES = {"Match": (0.95, 1.0), "PotentialMatch": (0.85, 0.949), "LowConfidenceMatch": (0.3, 0.849)}
PLANTED = {2: "ManyMatch", 4: "PotentialMatch", 6: "NoMatch"}  # by row, so that few rows show each
STRATEGY = {"Strategy": 4, "StrategyVersion": 2, "ToolVersion": "2026.7", "Mode": "match"}

Asked = tuple[str, str, str, str, str]  # id, given name, surname, ISO birth date, sex
Asking = Callable[["SuiMatcher"], Iterator[Asked]]


@dataclass(frozen=True)
class _Child:
    """What the national index has of a child, and of a brother or sister who is easily taken for it."""

    number: str
    postcode: str
    like: str


@dataclass
class SuiMatcher:
    """Remembers the children, then asks for those whose record in another feed has no number."""

    truth: Truth
    seed: int
    case_system: CaseSystem
    early_help: EarlyHelpModule
    children: dict[str, _Child] = field(default_factory=dict)

    def add(self, scene: Scene) -> None:
        """Remember the children of a unit."""
        for family in scene.unit.families:
            for member in family.children:
                person = member.person
                if not person.unborn and not person.adopted_away_on:
                    like = _like(person, siblings(family, person))
                    self.children[person.person_id] = _Child(person.nhs, member.home.postcode, like)

    def write(self, landing: Landing, as_at: date) -> None:
        """Write the results and successes of the storage job with their manifest, and the watcher's results."""
        rng = stream(f"{self.seed}/{FEED}")
        name = f"sui_{stamp(as_at)}_case-system"
        results = self._results(rng, "full_results", "case_system", _asked_of_case_system)
        done = landing.put(
            FEED, "full_results", f"{name}_full-results.csv", results.csv_bytes(), len(results.rows)
        )
        successes = _successes(results)
        landing.put(
            FEED, "successes", f"{name}_success.csv", successes.csv_bytes(), len(successes.rows)
        )
        manifest = Table(FEED, "runs")
        manifest.add(
            ResultsSha256=done, RunDate=as_at, SourceFeed="case_system", SourceExtract="case-system.csv",
            **STRATEGY,
        )  # fmt: skip
        landing.put(FEED, "runs", f"{name}_manifest.csv", manifest.csv_bytes(), 1)
        older = self._results(rng, "watcher_results", "early_help", _asked_of_early_help)
        watched = f"early-help_output_{stamp(shift(as_at, -30))}.csv"
        landing.put(FEED, "watcher_results", watched, older.csv_bytes(), len(older.rows))

    def _results(self, rng: Random, table: str, feed: str, asked: Asking) -> Table:
        people = {
            key.split("|")[2]: person_id
            for key, person_id, _ in self.truth.records
            if key.startswith(f"{feed}|")
        }
        results = Table(FEED, table)
        for each in asked(self):
            child = self.children.get(people[each[0]])
            if child and rng.random() < rates("sui_matcher")["asked"]:
                answer = self._answer(rng, table, each, child, len(results.rows))
                results.add(**answer)
        return results

    def _answer(
        self, rng: Random, table: str, asked: Asked, child: _Child, place: int
    ) -> dict[str, object]:
        identity, given, surname, birth, sex = asked
        chance = rates("sui_matcher")
        drawn = rng.choices(ANSWERS, [chance[answer] for answer in ANSWERS])[0]
        status = PLANTED.get(place, drawn)
        row: dict[str, object] = {
            "Id": identity, "GivenName": given, "Surname": surname, "DOB": birth, "Gender": GENDER.get(sex, ""),
            "PostCode": child.postcode, "SUI_Status": status, "SUI_Score": "-", "SUI_NHSNo": "-",
        }  # fmt: skip
        if status in SCORES:
            number = child.like if child.like and rng.random() < chance["taken_for_another"] else ""
            row["SUI_Score"] = f"{rng.uniform(*SCORES[status]):.3f}"
            row["SUI_NHSNo"] = number or child.number
        if status == "Match" and rng.random() < chance["eleven_digits"]:
            row["SUI_NHSNo"] = f"{child.number}0"
        if "SUI_SearchId" in headers(FEED, table):
            row["SUI_SearchId"] = _search_id(row)
        if rng.random() < chance["edited_by_hand"]:
            row["PostCode"] = ""
        return row


def _like(person: Person, others: list[Person]) -> str:
    """The number of a twin, else of a brother or sister; empty for an only child."""
    twins = [other for other in others if other.birth == person.birth]
    return next((other.nhs for other in [*twins, *others]), "")


def _asked_of_case_system(feed: SuiMatcher) -> Iterator[Asked]:
    tables = feed.case_system.tables
    held = {row["link_person_id"] for row in _rows(tables["ssd_linked_identifiers"])}
    for row in _rows(tables["ssd_person"]):
        if row["pers_person_id"] not in held and row["pers_dob"]:
            yield (
                row["pers_person_id"], row["pers_forename"], row["pers_surname"], row["pers_dob"][:10],
                row["pers_sex"],
            )  # fmt: skip


def _asked_of_early_help(feed: SuiMatcher) -> Iterator[Asked]:
    for row in _rows(feed.early_help.tables["persons"]):
        if not row["nhs_number"] and row["date_of_birth"]:
            day, month, year = row["date_of_birth"].split("/")
            birth = f"{year}-{month}-{day}"
            yield row["eh_person_id"], row["forename"], row["surname"], birth, row["sex"]


def _rows(table: Table) -> Iterator[dict[str, str]]:
    names = headers(table.feed, table.name)
    for row in table.rows:
        yield dict(zip(names, row, strict=True))


def _successes(results: Table) -> Table:
    """What the storage job hands back to the case system: the matches alone."""
    successes = Table(FEED, "successes")
    for row in _rows(results):
        if row["SUI_Status"] == "Match":
            successes.add(**{"LL ID": row["Id"], "Type": "NHSNo", "NhsNumber": row["SUI_NHSNo"]})
    return successes


def _search_id(row: dict[str, object]) -> str:
    """The matcher's name for a search (DFE-Digital/SUI_Matcher, HashUtil)."""
    year, month, day = str(row["DOB"]).split("-")
    place = str(row["PostCode"]).replace(" ", "").lower()
    names = f"{row['GivenName']}{row['Surname']}".lower()
    text = f"{names}{day}/{month}/{year}{row['Gender']}{place}"
    return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()
