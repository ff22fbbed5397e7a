"""Get an Identifier, against a stand-in that keeps the published contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ffp_data.https import Patience, SettingsError
from ffp_data.nhs_numbers.service import Access, Question, Reply, Result, Service, Unavailable
from tests.nhs_numbers.identifier_service import API_KEY, SECRET, Department

MIA = Question("case_system|liquidlogic|77|1", "Mia", "Reed", date(2019, 5, 2), "female", "XF1 2AB")
NUMBER = "9000000009"
QUICK = Patience(tries=3, first_wait=1, longest_wait=2)


def ask(department: Department, question: Question = MIA) -> Reply | Unavailable:
    waits: list[float] = []
    return Service(department.access, waits.append, QUICK).ask(question)


def knows(department: Department, *questions: Question, number: str = NUMBER) -> None:
    for q in questions:
        department.people[q.given_name, q.surname, q.date_of_birth.isoformat()] = number


def test_a_child_who_is_known_comes_back_with_the_number(department: Department) -> None:
    knows(department, MIA)
    assert ask(department) == Reply(Result.FOUND, NUMBER)
    (asked,) = department.asked
    assert asked == {
        "personSpecification": {
            "given": "Mia", "family": "Reed", "birthDate": "2019-05-02", "gender": "female",
            "addressPostalCode": "XF1 2AB",
        },
        "metadata": [{"recordType": "case_system", "systemId": "liquidlogic", "recordId": "77|1"}],
    }  # fmt: skip


def test_what_the_record_lacks_is_not_sent(department: Department) -> None:
    ask(department, replace(MIA, gender="", postcode=" "))
    assert set(department.asked[0]["personSpecification"]) == {"given", "family", "birthDate"}


def test_nobody_found_is_an_answer(department: Department) -> None:
    assert ask(department) == Reply(Result.NOT_FOUND)


def test_particulars_that_the_service_refuses_are_named_and_not_their_values(
    department: Department,
) -> None:
    wrong = replace(MIA, given_name="M" * 36, postcode="nowhere")
    assert ask(department, wrong) == Reply(Result.REFUSED, faults=("addresspostalcode", "given"))


def test_a_gateway_that_fails_is_tried_again(department: Department) -> None:
    knows(department, MIA)
    department.faults = [502, "drop"]
    assert ask(department) == Reply(Result.FOUND, NUMBER)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([502] * 3, "HTTP 502 after 3 tries"),
        (["drop"] * 3, "connection lost after 3 tries"),
        ([418], "HTTP 418, which the contract does not know"),
        (['{"PersonId": "9000000000"}'], "without a valid NHS number"),
        (['{"PersonId": null}'], "without a valid NHS number"),
        (["[]"], "without a valid NHS number"),
    ],
)
def test_what_is_no_answer_is_told_as_such(
    department: Department, faults: list[int | str], words: str
) -> None:
    department.faults = faults
    told = ask(department)
    assert isinstance(told, Unavailable)
    assert words in told.reason


def test_a_wrong_address_does_not_read_as_nobody_found(department: Department) -> None:
    access = replace(department.access, endpoint=f"{department.url}/api")
    told = Service(access, lambda _: None, QUICK).ask(MIA)
    assert told == Unavailable("HTTP 404 from something else than the service: see the address")


def test_a_wrong_key_is_no_answer(department: Department) -> None:
    told = Service(replace(department.access, api_key="x"), lambda _: None, QUICK).ask(MIA)
    assert told == Unavailable("HTTP 401 after 3 tries")


def test_what_is_missing_in_the_environment_is_named() -> None:
    with pytest.raises(SettingsError, match=r"FFP_IDENTIFIER_ENDPOINT.*FFP_IDENTIFIER_API_KEY"):
        Access.from_environment({})


def test_secrets_and_numbers_stand_in_no_repr(department: Department) -> None:
    shown = repr(department.access) + repr(Reply(Result.FOUND, NUMBER))
    assert not any(secret in shown for secret in (SECRET, API_KEY, NUMBER))
