"""Early-help records, what searches for their NHS numbers answered, and what became of it."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from ffp_data import feeds
from ffp_data.identifiers import nhs_number
from tests.feeds.conftest import CONTRACTS as ALL
from tests.feeds.samples import Landing, Row, sample_row

CONTRACTS = {feed: ALL[feed] for feed in ("early_help", "sui_matcher")}
SUI = CONTRACTS["sui_matcher"]
SYSTEM = CONTRACTS["early_help"].hub.system
STAMP = "20260402T030000Z"


def number(stem: int) -> str:
    """The first valid test number from `stem` on."""
    first_nine = str(stem)
    digit = nhs_number.check_digit(first_nine)
    return number(stem + 1) if digit is None else f"{first_nine}{digit}"


MIA, BEN, JOE = number(900000001), number(900000101), number(900000201)


def search_id(given: str, family: str, born: str, gender: str, postcode: str) -> str:
    """As the matcher makes it: day first, the rest in small letters."""
    day = date.fromisoformat(born).strftime("%d/%m/%Y")
    text = f"{given.lower()}{family.lower()}{day}{gender}{postcode.replace(' ', '').lower()}"
    return hashlib.sha256(text.encode("ascii", "replace")).hexdigest()


def key(person: str) -> str:
    return f"early_help|{SYSTEM}|{person}"


def person(identity: str, given_name: str, **own: str) -> Row:
    said = {
        "eh_person_id": identity, "forename": given_name, "surname": "Reed", "date_of_birth": "2019-05-02",
        "nhs_number": "",
    }  # fmt: skip
    table = CONTRACTS["early_help"].by_name["persons"]
    blank = {p.name: "" for p in table.properties if not p.required}
    return sample_row(CONTRACTS["early_help"], table) | blank | said | own


def result(identity: str, given_name: str, found: str, **own: str) -> Row:
    said = {
        "record_id": identity, "given_name": given_name, "surname": "Reed", "date_of_birth": "2019-05-02",
        "gender": "female", "postcode": "XF1 2AB", "status": "Match", "score": "0.97", "nhs_number": found,
    }  # fmt: skip
    row = said | own
    made = search_id(
        row["given_name"], row["surname"], row["date_of_birth"], row["gender"], row["postcode"]
    )
    return {"search_id": made} | row


class Matched:
    """Early-help records, results of the matcher for them, and what became of these."""

    def __init__(self, landing: Landing) -> None:
        self.landing = landing
        landing.rows(
            "early_help", "persons", [person("1", "Mia"), person("2", "Ben"), person("3", "Joe")]
        )

    def results(self, *rows: Row, table: str = "full_results", manifest: Row | None = None) -> None:
        """Delivers a file of results, with a manifest for its bytes unless told otherwise."""
        path = self.landing.rows("sui_matcher", table, rows, STAMP)
        said = {
            "strategy": "4", "strategy_version": "2", "tool_version": "1", "mode": "match",
            "run_date": "2026-04-01", "source_feed": "early_help", "source_system": SYSTEM, "source_extract": "",
            "results_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }  # fmt: skip
        self.landing.rows("sui_matcher", "runs", [said | (manifest or {})], STAMP)

    def weigh(self, *, allow_test_numbers: bool = True) -> list[dict[str, Any]]:
        """Loads what lies there and assembles; the assertions in the order of their lines."""
        for loaded in self.landing.load():
            assert loaded.error is None
        feeds.assemble_identity(self.landing.con, CONTRACTS, allow_test_numbers=allow_test_numbers)
        query = "SELECT * FROM identity.nhs_number_assertions ORDER BY method, line"
        rows: list[dict[str, Any]] = self.landing.con.execute(query).to_arrow_table().to_pylist()
        return rows

    def numbers(self) -> dict[str, str | None]:
        rows = self.landing.query(
            "SELECT source_person_id, nhs_number FROM identity.person_records WHERE nhs_number IS NOT NULL"
        )
        return dict(rows)


def of(landing: Landing) -> Matched:
    """The deliveries of a landing whose people the test has written itself."""
    matched = Matched.__new__(Matched)
    matched.landing = landing
    return matched
