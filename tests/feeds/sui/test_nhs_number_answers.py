"""NHS numbers that were superseded, and those that the service Get an Identifier answered with."""

from __future__ import annotations

from datetime import date

import pytest

from tests.feeds.samples import Landing, Row
from tests.feeds.sui.answers import (
    BEN,
    JOE,
    MIA,
    STAMP,
    Matched,
    key,
    of,
    person,
    result,
)


def supersedes(successor: str, identity: str, given_name: str) -> Row:
    return result(identity, given_name, successor, status="LocalNhsNumberIsSuperseded")


RECONCILIATION = {"mode": "reconciliation"}


def test_a_superseded_number_leads_to_the_one_in_use_wherever_it_was_sent(landing: Landing) -> None:
    people = [
        person("1", "Mia", nhs_number=BEN),
        person("2", "Mia", nhs_number=BEN),
        person("3", "Joe", nhs_number=JOE),
    ]
    landing.rows("early_help", "persons", people)
    matched = of(landing)
    matched.results(supersedes(MIA, "1", "Mia"), manifest=RECONCILIATION)
    (said,) = matched.weigh()
    assert (said["tier"], said["effect"], said["former_number"]) == ("high", "supersedes", BEN)
    assert matched.numbers() == {"1": MIA, "2": MIA, "3": JOE}
    sent = "SELECT record_key, value FROM identity.person_identifiers WHERE source LIKE 'early_help%' ORDER BY ALL"
    assert landing.query(sent) == [(key("1"), BEN), (key("2"), BEN), (key("3"), JOE)]


@pytest.mark.parametrize(
    ("second", "numbers"),
    [(MIA, {"1": MIA, "2": MIA}), (BEN, {"1": BEN, "2": JOE})],
    ids=["a chain is followed to its end", "a circle says nothing"],
)
def test_a_superseding_number_may_be_superseded_in_turn(
    landing: Landing, second: str, numbers: dict[str, str]
) -> None:
    people = [person("1", "Mia", nhs_number=BEN), person("2", "Mia", nhs_number=JOE)]
    landing.rows("early_help", "persons", people)
    matched = of(landing)
    said = (supersedes(JOE, "1", "Mia"), supersedes(second, "2", "Mia"))
    matched.results(*said, manifest=RECONCILIATION)
    matched.weigh()
    assert matched.numbers() == numbers


def answer(identity: str, given_name: str, found: str = "", **own: str) -> Row:
    said = {
        "record_id": key(identity), "given_name": given_name, "surname": "Reed", "date_of_birth": "2019-05-02",
        "gender": "female", "postcode": "XF1 2AB", "outcome": "found" if found else "not_found", "nhs_number": found,
        "faults": "", "asked_on": "2026-04-01",
    }  # fmt: skip
    return said | own


def test_an_answer_of_the_service_is_weighed_like_a_match_and_needs_no_manifest(
    matched: Matched,
) -> None:
    rows = [answer("1", "Mia", MIA), answer("2", "Ben"), answer("3", "Joe", outcome="refused")]
    matched.landing.rows("sui_matcher", "answers", rows, STAMP)
    found, none, refused = matched.weigh()
    assert (found["tier"], found["effect"], found["method"]) == (
        "high",
        "fills",
        "sui_matcher.answers",
    )
    assert (found["score"], found["asserted_on"]) == (None, date(2026, 4, 1))
    assert (none["tier"], refused["tier"]) == ("not_known", "not_known")
    assert matched.numbers() == {"1": MIA}


def test_an_answer_to_other_particulars_than_the_record_has_now_is_for_review(
    matched: Matched,
) -> None:
    rows = [answer("1", "Mia", MIA, date_of_birth="2018-05-02")]
    matched.landing.rows("sui_matcher", "answers", rows, STAMP)
    (found,) = matched.weigh()
    assert (found["tier"], found["reasons"]) == ("review", ["another_birth_date"])


def test_the_service_and_the_matcher_with_two_numbers_for_one_record_are_a_conflict(
    matched: Matched,
) -> None:
    matched.results(result("1", "Mia", MIA))
    matched.landing.rows("sui_matcher", "answers", [answer("1", "Mia", BEN)], STAMP)
    assert {said["tier"] for said in matched.weigh()} == {"conflict"}
