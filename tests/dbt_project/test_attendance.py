"""Attendance worked by hand: each child is one rule of the published method, with the sum that gives its numbers.

As at 31 March 2026. Registers, census and transfer files go through the real loader into a scratch warehouse,
and the real models count them. The method: DfE, Working together to improve school attendance (August 2024) for
the codes, and DfE, Pupil absence statistics: methodology, for what is possible, absent, persistent and severe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ffp_data import feeds
from ffp_data.calendar import bank_holidays
from ffp_data.pipeline.reference import service_facts
from tests.dbt_project.school_xml import census, census_pupil, transfer_file
from tests.dbt_project.warehouse import Warehouse, failures
from tests.feeds.samples import Landing, csv_text

pytestmark = pytest.mark.slow

CONTRACTS = feeds.load_contracts()
REGISTERS = CONTRACTS["education_attendance"]
STAMP = "20260331T030000Z"
PRESENT = ("/", "\\")
AUTUMN, SUMMER = date(2025, 9, 8), date(2025, 4, 14)


@dataclass
class Roll:
    """A time on one school's roll, with the marks of its days."""

    urn: str
    days: Mapping[date, tuple[str, str]]
    admitted: date = date(2023, 9, 4)
    left: date | None = None
    status: str = "C"


@dataclass
class Child:
    """A child with their rolls. Born 1 May 2013 unless a case says otherwise: 12 when this school year began."""

    rolls: list[Roll]
    born: date = date(2013, 5, 1)


@dataclass(frozen=True)
class Expected:
    """What the mart must say: possible, authorised and unauthorised sessions, persistent, severe."""

    possible: int
    authorised: int
    unauthorised: int
    persistent: bool | None
    severe: bool | None
    window: str = field(default="academic_year")

    @property
    def row(self) -> tuple[Any, ...]:
        absent = self.authorised + self.unauthorised
        return (
            self.possible, absent, self.authorised, self.unauthorised, self.persistent, self.severe,
        )  # fmt: skip


def days(start: date, *runs: tuple[int, str | tuple[str, str]]) -> dict[date, tuple[str, str]]:
    """Days from `start` on: each run is a number of days and their mark, or their morning and afternoon."""
    told: dict[date, tuple[str, str]] = {}
    for count, marks in runs:
        for _ in range(count):
            told[start + timedelta(days=len(told))] = (
                (marks, marks) if isinstance(marks, str) else marks
            )
    return told


def one(*runs: tuple[int, str | tuple[str, str]], start: date = AUTUMN, **more: Any) -> Child:
    """A child on one roll."""
    return Child([Roll("990101", days(start, *runs))], **more)


DAY = timedelta(days=1)

CHILDREN: dict[str, Child] = {
    "dual": Child(
        [
            Roll("990101", days(AUTUMN, (6, PRESENT), (4, "D")), status="M"),
            Roll("990102", days(AUTUMN, (6, "D"), (1, "O"), (3, PRESENT)), status="S"),
        ]
    ),
    "elsewhere": Child(
        [
            Roll("990101", days(AUTUMN, (10, "D")), status="M"),
            Roll("990102", days(AUTUMN, (10, PRESENT)), status="S"),
        ]
    ),
    "part_time": one((20, ("/", "C2"))),
    "reception": one((20, ("/", "X")), born=date(2021, 3, 1)),
    "withdrawn": one((1, "H"), (1, ("J", "\\")), (1, "O"), (9, PRESENT)),
    "mover": Child(
        [
            Roll(
                "990101",
                days(AUTUMN, (1, "I"), (7, PRESENT), (2, "O"), (2, "N")),
                left=AUTUMN + 9 * DAY,
            ),
            Roll(
                "990102",
                days(AUTUMN + 8 * DAY, (2, PRESENT), (1, "O"), (9, PRESENT)),
                admitted=AUTUMN + 8 * DAY,
            ),
        ]
    ),
    "entered_twice": Child(
        [Roll("990101", days(AUTUMN, (9, PRESENT), (1, "I"))) for _ in range(2)]
    ),
    "corrected": one((1, "N"), (9, PRESENT)),
    "closure": one((10, PRESENT), (3, "#"), (1, "Y4"), (1, "Q"), (1, "-"), (1, "Z")),
    "suspended": one((4, "E"), (8, PRESENT)),
    "study_leave": one((5, PRESENT), (5, "S"), born=date(2010, 1, 15)),
    "late": one((1, ("L", "U")), (1, ("L", "U")), (8, PRESENT)),
    "activities": one((2, "B"), (2, "V"), (2, "P"), (2, "W"), (2, "K")),
    "custody": one((10, "Y5"), (10, PRESENT)),
    "sixth_former": one((10, "O"), (10, PRESENT), born=date(2009, 8, 1)),
    "year_11_then": Child(
        [
            Roll(
                "990101",
                days(SUMMER, (10, PRESENT)) | days(date(2025, 6, 2), (20, "S")),
                left=date(2025, 7, 22),
            )
        ],
        born=date(2009, 5, 1),
    ),
    "year_9_then": Child(
        [Roll("990101", days(SUMMER, (10, PRESENT)) | days(date(2025, 6, 2), (10, "I")))]
    ),
    "newcomer": one((9, "O"), (1, ("/", "-"))),
    "holiday": one((1, "G"), (1, "C"), (1, "R"), (1, "T"), (1, "M"), (1, "J1"), (14, PRESENT)),
}

EXPECTED: dict[str, Expected] = {
    # Main 6 days, other 4 days: 12 + 8 sessions; D is possible at neither. 2 of 20 is 10 per cent exactly.
    "dual": Expected(20, 0, 2, True, False),
    # Full time at the other school: no possible session at the main one (DfE methodology, 4.2.1).
    "elsewhere": Expected(20, 0, 0, False, False),
    # C2 is authorised absence of a child of compulsory school age: 20 afternoons of 40 sessions, half exactly.
    "part_time": Expected(40, 20, 0, True, True),
    # X is not a possible session: 20 mornings. Four years old when the year began: outside the measure.
    "reception": Expected(20, 0, 0, None, None),
    # 24 rows; two H and one J are set aside. 21 sessions, 2 absent: 20 < 21. With H as leave it would be 4 of 24.
    "withdrawn": Expected(21, 0, 2, False, False),
    # First school 8 days (2 sessions ill), overlap of 2 days once and present, then 10 days (2 sessions O):
    # 16 + 4 + 20 = 40; marks after leaving are none. 4 of 40 is 10 per cent exactly.
    "mover": Expected(40, 2, 2, True, False),
    # Two records of one child at one school: 10 days are 20 sessions, 2 ill.
    "entered_twice": Expected(20, 2, 0, True, False),
    # N of the first day became I in the morning and stayed N in the afternoon; a repeated row counts once.
    "corrected": Expected(20, 1, 1, True, False),
    # Planned closure, unexpected closure, no access, no mark, not on roll yet: none is a possible session.
    "closure": Expected(20, 0, 0, False, False),
    # Suspension without provision is authorised absence: 8 of 24.
    "suspended": Expected(24, 8, 0, True, False),
    # Study leave before the summer half term is authorised absence: 10 of 20, half exactly.
    "study_leave": Expected(20, 10, 0, True, True),
    # Late before registers close is present, after they close it is unauthorised: 2 of 20.
    "late": Expected(20, 0, 2, True, False),
    # Approved educational activity is possible and not absent.
    "activities": Expected(20, 0, 0, False, False),
    # In custody the child could not attend: 20 sessions of the other 10 days.
    "custody": Expected(20, 0, 0, False, False),
    # 16 when the year began: 20 of 40 absent is told, and is no severe absence.
    "sixth_former": Expected(40, 0, 20, None, None),
    # 15 when that year began: its sixth half term (from 26 May 2025) is left out, study leave and all.
    "year_11_then": Expected(20, 0, 0, False, False, "last_12_months"),
    # 11 when that year began: 20 sessions of June ill of 40 are half exactly.
    "year_9_then": Expected(40, 20, 0, True, True, "last_12_months"),
    # 19 possible sessions are too few to call: 18 absent.
    "newcomer": Expected(19, 0, 18, None, None),
    # G is unauthorised; exceptional leave, religion, travel, medical and interview are authorised: 12 of 40.
    "holiday": Expected(40, 10, 2, True, False),
}


def enrolments() -> Iterator[tuple[str, str, Child, Roll]]:
    """Child id and pupil key of every roll."""
    for number, (child_id, child) in enumerate(CHILDREN.items(), start=1):
        for place, roll in enumerate(child.rolls):
            yield child_id, f"{number}{place:02d}", child, roll


def pupils_file() -> str:
    rows = [
        {
            "school_urn": roll.urn,
            "pupil_key": key,
            "forename": child_id.replace("_", " ").title(),
            "surname": "Sample",
            "date_of_birth": str(child.born),
            "la_code": "999",
            "admission_date": str(roll.admitted),
            "leaving_date": str(roll.left or ""),
            "enrol_status": roll.status,
        }
        for child_id, key, child, roll in enrolments()
    ]
    return csv_text(REGISTERS.by_name["pupils"], rows)


def marks_file(rows: Iterable[tuple[str, str, date, str, str]]) -> str:
    names = ("school_urn", "pupil_key", "session_date", "session", "attendance_code")
    told = [
        dict(zip(names, map(str, row), strict=True), last_changed_at=f"{row[2]}T16:00:00Z")
        for row in rows
    ]
    return csv_text(REGISTERS.by_name["marks"], told)


def marks() -> Iterator[tuple[str, str, date, str, str]]:
    for _, key, _, roll in enrolments():
        for day, codes in roll.days.items():
            for session, code in zip(("AM", "PM"), codes, strict=True):
                yield roll.urn, key, day, session, code


def corrections() -> list[tuple[str, str, date, str, str]]:
    (key,) = (key for child_id, key, _, _ in enrolments() if child_id == "corrected")
    return [("990101", key, AUTUMN, "AM", "I"), ("990101", key, AUTUMN, "AM", "I")]


def people() -> dict[str, list[Mapping[str, Any]]]:
    """Identity as the hub keeps it, and the state of the feeds."""
    told = [
        (child_id, "education_attendance", f"education_attendance|mis|{roll.urn}:{key}", child.born)
        for child_id, key, child, roll in enrolments()
    ]
    told += [
        (name, "school_census_attendance", f"school_census_attendance|census|999:{school}:{upn}", b)
        for name, school, upn, b in CENSUS_PEOPLE
    ]
    told.append(("transferred", "ctf", "ctf|s2s|998:3001:A001000000009", date(2013, 5, 1)))
    return {
        "identity.person_records": [
            {
                "record_key": key,
                "feed": feed,
                "system": key.split("|")[1],
                "role": "child",
                "date_of_birth": born,
                "is_restricted": False,
                "valid_from": "2026-03-30",
            }
            for _, feed, key, born in told
        ],
        "identity.child_membership": [
            {"record_key": key, "child_id": child_id, "link_confidence": 0.99}
            for child_id, _, key, _ in told
        ],
        "identity.children": [
            {"child_id": child_id, "kind": "child"} for child_id in {row[0]: 1 for row in told}
        ],
        "meta.feed_state": [
            {
                "feed": contract.id,
                "agreement_state": "in_force",
                "covered": True,
                "is_late": False,
                **service_facts(contract),
            }
            for contract in CONTRACTS.values()
        ],
        "meta.bank_holidays": [{"date": day} for day in sorted(bank_holidays())],
    }


CENSUS_PEOPLE = [
    ("totals_too_low", "2001", "A001000000001", date(2013, 5, 1)),
    ("no_reasons", "2001", "A001000000002", date(2013, 5, 1)),
    ("left_in_term", "2001", "A001000000003", date(2013, 5, 1)),
    ("left_in_term", "2002", "A001000000003", date(2013, 5, 1)),
    ("impossible", "2002", "A001000000004", date(2013, 5, 1)),
]


def deliver(landing: Landing) -> None:
    feed = "education_attendance"
    landing.file(feed, f"attendance_pupils_999_{STAMP}_001.csv", pupils_file())
    landing.file(feed, f"attendance_marks_999_{STAMP}_001.csv", marks_file(marks()))
    later = STAMP.replace("T03", "T04")
    landing.file(feed, f"attendance_marks_999_{later}_002.csv", marks_file(corrections()))
    here = [
        census_pupil("A001000000001", 60, 2, 1, ("I", 5), ("O", 1)),
        census_pupil("A001000000002", 60, 2, 1),
    ]
    mover = "A001000000003"
    first = census("2001", "SPR", "2026-01-15", here, [census_pupil(mover, 50, 4, 0, ("I", 4))])
    second = census(
        "2002",
        "SPR",
        "2026-01-15",
        [census_pupil(mover, 30, 1, 3), census_pupil("A001000000004", 10, 8, 8)],
        [],
    )
    census_name = "school_census_{}_SPR_20260201T030000Z_001.xml"
    landing.file("school_census_attendance", census_name.format("9992001"), first)
    landing.file("school_census_attendance", census_name.format("9992002"), second)
    landing.file("ctf", f"9983001_CTF_9992001_001_{STAMP}.xml", transfer_file())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder: Path = tmp_path_factory.mktemp("attendance")
    warehouse = Warehouse(folder)
    warehouse.create(people())
    with warehouse.connect() as con:
        feeds.create_empty_raw_tables(con, CONTRACTS)
        landing = Landing(folder / "landing", CONTRACTS, con)
        deliver(landing)
        for delivered in landing.load():
            assert delivered.error is None, str(delivered.error)
    chosen = ("--select", "+attendance", "--indirect-selection", "cautious")
    result = warehouse.dbt("build", *chosen, "--exclude-resource-type", "unit_test")
    assert failures(result) == []
    return warehouse


def measured(built: Warehouse, child_id: str, window: str) -> list[tuple[Any, ...]]:
    return built.rows(
        "SELECT possible_session_count, absent_session_count, authorised_session_count,"
        " unauthorised_session_count, is_persistently_absent, is_severely_absent"
        f" FROM single_view.attendance WHERE child_id = '{child_id}' AND attendance_window = '{window}'"
    )


@pytest.mark.parametrize("child_id", sorted(CHILDREN))
def test_sessions_and_labels_are_those_worked_by_hand(built: Warehouse, child_id: str) -> None:
    expected = EXPECTED[child_id]
    assert measured(built, child_id, expected.window) == [expected.row]


def test_codes_withdrawn_in_august_2024_are_set_aside_with_the_reason(built: Warehouse) -> None:
    assert built.rows(
        "SELECT rule, column_name, count(*) FROM quarantine.rows"
        " WHERE table_name = 'marks' AND rule <> 'duplicate_key' GROUP BY ALL"
    ) == [("code_not_valid_on_date", "attendance_code", 3)]


@pytest.mark.parametrize(
    ("child_id", "expected"),
    [
        # The reasons add up to more than the totals: 5 + 1 = 6 of 60, 10 per cent exactly.
        ("totals_too_low", Expected(60, 5, 1, True, False)),
        # Totals without reasons are taken as they are: 3 of 60.
        ("no_reasons", Expected(60, 2, 1, False, False)),
        # Left one school for another in the term: 50 + 30 possible, 4 + 4 absent of 80, 10 per cent exactly.
        ("left_in_term", Expected(80, 5, 3, True, False)),
    ],
)
def test_the_census_tells_of_its_term(built: Warehouse, child_id: str, expected: Expected) -> None:
    assert measured(built, child_id, "census_term") == [expected.row]


def test_a_census_of_more_absence_than_sessions_tells_nothing(built: Warehouse) -> None:
    assert measured(built, "impossible", "census_term") == []


def test_a_transfer_file_tells_of_its_newest_year_at_all_schools(built: Warehouse) -> None:
    # 100 + 50 possible, 12 + 3 absent: 15 of 150 is 10 per cent exactly; the year before is not added.
    assert measured(built, "transferred", "transferred_year") == [
        Expected(150, 10, 5, True, False).row
    ]
