"""Transfer files, the census and the list of children not in school agree with the registers they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from lxml import etree

from ffp_data.feeds import code_lists
from ffp_data.synthetic.feed_school_census import latest
from tests.synthetic.conftest import AS_AT, Made, read_csv

CODES = code_lists()["attendance_code"].values


def class_of(code: str) -> str:
    entry = CODES.get(code, {})
    return (
        "" if isinstance(entry, str) or "valid_to" in entry else entry.get("statistical_class", "")
    )


def files(made: Made, feed: str, pattern: str = "*.xml") -> list[Path]:
    return sorted((made.folder / "landing" / feed).glob(pattern))


def read(path: Path) -> etree._Element:
    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("cp1252").encode()
    return etree.fromstring(content)


def told(element: etree._Element, path: str) -> int:
    return int(element.findtext(path) or 0)


def autumn_marks(made: Made) -> dict[tuple[str, str], Counter[str]]:
    """Sessions of the census's term by school and pupil key and by class, as corrected."""
    newest: dict[tuple[str, ...], str] = {}
    census = latest(AS_AT)
    first, last = str(census.first), str(census.told[-1].days[-1])
    for path in sorted(
        files(made, "education_attendance", "attendance_marks_*.csv"), key=lambda p: p.name[-24:]
    ):
        for row in read_csv(path):
            key = (row["school_urn"], row["pupil_key"], row["session_date"], row["session"])
            if first <= row["session_date"] <= last:
                newest[key] = row["attendance_code"]
    counts: dict[tuple[str, str], Counter[str]] = {}
    for (urn, pupil, *_), code in newest.items():
        counts.setdefault((urn, pupil), Counter())[class_of(code)] += 1
    return counts


def test_the_census_that_is_collected_tells_of_the_term_before() -> None:
    assert latest(date(2026, 3, 31)).term == "SPR"
    assert latest(date(2026, 3, 31)).day == date(2026, 1, 15)
    assert latest(date(2026, 1, 20)).term == "AUT"  # the January files are not collected yet
    assert {d.month for t in latest(date(2026, 7, 1)).told for d in t.days} == {1, 2, 3}


def test_possible_sessions_of_the_census_are_those_of_the_registers(made: Made) -> None:
    marks = autumn_marks(made)
    pupils = made.feed("education_attendance", "attendance_pupils_*.csv")
    by_upn = {
        (p["laestab"], p["upn"]): marks.get((p["school_urn"], p["pupil_key"]), Counter())
        for p in pupils
        if p["upn"]
    }
    compared = wrong = 0
    for path in files(made, "school_census_attendance"):
        root = read(path)
        laestab = f"{root.findtext('.//Source/LEA')}{root.findtext('.//Source/Estab')}"
        for pupil in root.iter("PupilOnRoll", "PupilNoLongerOnRoll"):
            term = pupil.find("Attendance/TermlyAttendance")
            known = by_upn.get((laestab, pupil.findtext("UPN") or ""))
            if term is None or known is None:
                continue
            possible = sum(
                known[c] for c in ("present", "approved_activity", "authorised", "unauthorised")
            )
            compared += 1
            wrong += told(term, "SessionsPossible") != possible
    assert compared > 500
    assert wrong <= compared // 100  # two stays at one school are one pupil of its census


def test_reasons_add_up_to_the_totals_unless_planted(made: Made) -> None:
    planted = {
        f["source_person_id"]
        for f in made.truth("planted_faults")
        if f["fault"] == "totals_too_low"
    }
    found = set()
    for path in files(made, "school_census_attendance"):
        root = read(path)
        school = f"{root.findtext('.//Source/LEA')}:{root.findtext('.//Source/Estab')}"
        for pupil in root.iter("PupilOnRoll", "PupilNoLongerOnRoll"):
            term = pupil.find("Attendance/TermlyAttendance")
            if term is None or term.find("SessionDetails") is None:
                continue
            reasons = sum(told(d, "AbsenceSessions") for d in term.iter("SessionDetail"))
            total = told(term, "SessionsAuthorised") + told(term, "SessionsUnauthorised")
            if reasons != total:
                found.add(f"{school}:{pupil.findtext('UPN')}")
    assert found
    assert found <= planted


def test_some_schools_give_no_reasons_and_every_file_says_it_is_utf8(made: Made) -> None:
    census = files(made, "school_census_attendance")
    assert any(b"<SessionDetails>" not in path.read_bytes() for path in census)
    assert all(b'encoding="UTF-8"' in path.read_bytes()[:60] for path in census)


def transferred(made: Made) -> Iterator[tuple[etree._Element, etree._Element]]:
    for path in files(made, "ctf"):
        root = read(path)
        for pupil in root.iter("Pupil"):
            yield root, pupil


def test_transfer_files_are_few_and_come_in_both_generations(made: Made) -> None:
    pupils = made.feed("education_attendance", "attendance_pupils_*.csv")
    moved = list(transferred(made))
    assert 0.01 * len(pupils) < len(moved) < 0.12 * len(pupils)
    versions = {root.findtext("Header/CTFversion") for root, _ in moved}
    assert versions == {"23.0", "25.0"}
    for root, pupil in moved:
        is_old = root.findtext("Header/CTFversion") == "23.0"
        assert (pupil.find("Gender") is not None) == is_old
        assert ("," in (pupil.findtext(".//AttendanceMarks") or "")) != is_old


def test_a_year_of_a_transfer_file_adds_up(made: Made) -> None:
    for _, pupil in transferred(made):
        for year in pupil.iter("YearData"):
            absent = told(year, "SessionsAuthorised") + told(year, "SessionsUnauthorised")
            assert told(year, "SessionsPossible") == told(year, "SessionsAttended") + absent


def test_children_not_in_school_are_few_and_hardly_ever_on_a_roll(made: Made) -> None:
    rows = made.feed("not_in_school", "not_in_school_*.csv", "cp1252")
    kinds = Counter(row["status_type"] for row in rows)
    assert 0 < kinds["CME"] < kinds["EHE"] < 0.03 * 1_200
    person = {r["record_key"]: r["person_id"] for r in made.truth("record_person")}
    pupils = made.feed("education_attendance", "attendance_pupils_*.csv")
    on_roll = {
        person.get(f"education_attendance|mis|{p['school_urn']}:{p['pupil_key']}")
        for p in pupils
        if not p["leaving_date"]
    }
    listed = [person.get(f"not_in_school|ews|{row['record_id']}") for row in rows]
    both = [p for p in listed if p and p in on_roll]
    assert len(both) < len(listed) // 4
    assert all(row["start_date"] <= AS_AT.isoformat() for row in rows)
