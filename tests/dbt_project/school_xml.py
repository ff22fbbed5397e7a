"""School census and transfer files of a few pupils, as text."""

from __future__ import annotations


def census_pupil(
    upn: str, possible: int, authorised: int, unauthorised: int, *reasons: tuple[str, int]
) -> str:
    details = "".join(
        f"<SessionDetail><AttendanceReason>{code}</AttendanceReason>"
        f"<AbsenceSessions>{sessions}</AbsenceSessions></SessionDetail>"
        for code, sessions in reasons
    )
    return (
        f"<UPN>{upn}</UPN><Surname>Sample</Surname><Forename>Ada</Forename><DOB>2013-05-01</DOB>"
        f"<Sex>F</Sex><Attendance><TermlyAttendance><SessionsPossible>{possible}</SessionsPossible>"
        f"<SessionsAuthorised>{authorised}</SessionsAuthorised>"
        f"<SessionsUnauthorised>{unauthorised}</SessionsUnauthorised>"
        f"<SessionDetails>{details}</SessionDetails></TermlyAttendance></Attendance>"
    )


def census(estab: str, term: str, day: str, on_roll: list[str], left: list[str]) -> str:
    now = "".join(f"<PupilOnRoll>{pupil}</PupilOnRoll>\n" for pupil in on_roll)
    gone = "".join(f"<PupilNoLongerOnRoll>{pupil}</PupilNoLongerOnRoll>\n" for pupil in left)
    return (
        f"<Message><Header><CollectionDetails><Term>{term}</Term><Year>{day[:4]}</Year>"
        f"<ReferenceDate>{day}</ReferenceDate></CollectionDetails>"
        f"<Source><LEA>999</LEA><Estab>{estab}</Estab></Source></Header>\n<Pupils>"
        f"<PupilsOnRoll>{now}</PupilsOnRoll><PupilsNoLongerOnRoll>{gone}</PupilsNoLongerOnRoll>"
        "</Pupils></Message>\n"
    )


def transfer_file() -> str:
    def year(ends: int, estab: str, possible: int, authorised: int, unauthorised: int) -> str:
        return (
            f"<YearData><Year>{ends}</Year><LEA>998</LEA><Estab>{estab}</Estab>"
            f"<SessionsPossible>{possible}</SessionsPossible>"
            f"<SessionsAuthorised>{authorised}</SessionsAuthorised>"
            f"<SessionsUnauthorised>{unauthorised}</SessionsUnauthorised></YearData>"
        )

    years = (
        year(2025, "3001", 380, 300, 0)
        + year(2026, "3001", 100, 10, 2)
        + year(2026, "3002", 50, 0, 3)
    )
    return (
        "<CTfile><Header><SourceSchool><LEA>998</LEA><Estab>3001</Estab></SourceSchool></Header>"
        "<CTFpupilData><Pupil><UPN>A001000000009</UPN><Surname>Sample</Surname><Forename>Ada</Forename>"
        f"<DOB>2013-05-01</DOB><Attendance>{years}</Attendance></Pupil></CTFpupilData></CTfile>\n"
    )
