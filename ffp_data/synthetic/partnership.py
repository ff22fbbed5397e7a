"""Make the synthetic partnership: unit by unit (people, their stories, each agency's records of
them), then the agencies' files and the truth. The same children, seed and as-at date give the same
bytes; the first families stay the same when more children are asked for. Files are written beside
the target and moved in place at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from ffp_data.synthetic import places, truth
from ffp_data.synthetic.case_dialects import systems
from ffp_data.synthetic.feed_case_system import CaseSystem
from ffp_data.synthetic.feed_ctf import TransferFiles
from ffp_data.synthetic.feed_early_help import EarlyHelpModule
from ffp_data.synthetic.feed_education import Education
from ffp_data.synthetic.feed_health_csv import HealthCsv
from ffp_data.synthetic.feed_health_fhir import HealthFhir
from ffp_data.synthetic.feed_housing import Housing
from ffp_data.synthetic.feed_marac import Marac
from ffp_data.synthetic.feed_not_in_school import NotInSchool
from ffp_data.synthetic.feed_police import Police
from ffp_data.synthetic.feed_police_pole import PolicePole
from ffp_data.synthetic.feed_prison import Prison
from ffp_data.synthetic.feed_probation import Probation
from ffp_data.synthetic.feed_school_census import SchoolCensus
from ffp_data.synthetic.feed_sui_matcher import SuiMatcher
from ffp_data.synthetic.feed_youth_justice import YouthJustice
from ffp_data.synthetic.households import make_unit
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.people import Family, Member
from ffp_data.synthetic.scene import Scene, Truth
from ffp_data.synthetic.stories import tell
from ffp_data.synthetic.writing import Landing

MARKER = "truth/made_by_ffp_synthesise"
MAX_CHILDREN = 300_000  # as many units as serials allow, with room to spare


class OutputInUseError(FileExistsError):
    """The target folder holds something that this program did not make."""


@dataclass(frozen=True)
class Summary:
    """What was made. rows: feed -> table -> rows delivered, bad ones included; persons: all in truth, adults too."""

    files: int
    rows: dict[str, dict[str, int]]
    persons: int
    children: int
    records: int


class Feed(Protocol):
    """An agency: sees unit after unit, then writes its files."""

    def add(self, scene: Scene) -> None: ...

    def write(self, landing: Landing, as_at: date) -> None: ...


def synthesise(
    out: Path,
    children: int,
    seed: int,
    as_at: date,
    progress: Callable[[str], None] | None = None,
    case_system: str = "systemc",
) -> Summary:
    """Write `out`/landing and `out`/truth for a partnership of `children` children known up to `as_at`.

    progress: called now and then with what is being done, in words. A folder that an earlier run
    made is replaced. case_system: the system that the council's drop comes out of. Raises
    OutputInUseError when `out` holds anything else, ValueError for a number of children outside 1 to
    300,000 or a case system that no drop can be written as, CalendarRangeError for a date beyond the
    bank holidays held.
    """
    if not 1 <= children <= MAX_CHILDREN:
        raise ValueError(f"--children {children}: must be between 1 and {MAX_CHILDREN:,}")
    if case_system not in systems():
        raise ValueError(f"--case-system {case_system}: is none of {', '.join(systems())}")
    out = out.resolve()
    _check_target(out)
    tell_user = progress or (lambda _words: None)
    book, people = Truth(), truth.People()
    # Prisons hold the sentences that probation told of, and the conference the incidents of the police.
    police, probation = Police(book), Probation(book)
    # The census, the transfer files and the list of children on no roll are made from the schools' registers.
    schools = Education(book, seed)
    case, early = CaseSystem(book, case_system), EarlyHelpModule(book)
    feeds: tuple[Feed, ...] = (
        schools, HealthFhir(book), HealthCsv(book), police, probation, case, early,
        Prison(book, probation), YouthJustice(book), Housing(book), Marac(book, police),
        SchoolCensus(book, schools), TransferFiles(book, schools), NotInSchool(book, schools), PolicePole(book),
        SuiMatcher(book, seed, case, early),
    )  # fmt: skip
    for scene in scenes(children, seed, as_at):
        people.add(scene)
        for feed in feeds:
            feed.add(scene)
        if scene.unit.number % 64 == 0:
            tell_user(f"made {people.children:,} of {children:,} children")
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    landing = Landing(part / "landing")
    for feed in feeds:
        tell_user(f"writing {type(feed).__name__}")
        feed.write(landing, as_at)
    truth.write(part / "truth", people, book, schools.sessions(as_at))
    (part / MARKER).write_text(f"children {children}, seed {seed}, as at {as_at}\n", "utf-8")
    shutil.rmtree(out, ignore_errors=True)
    part.rename(out)
    return Summary(
        landing.files, landing.rows, len(people.persons), people.children, len(book.records)
    )


def scenes(children: int, seed: int, as_at: date) -> Iterator[Scene]:
    """Yield units with their stories until there are exactly `children` children."""
    number = made = 0
    while made < children:
        unit = make_unit(stream(f"{seed}/{number}/people"), number, as_at, children - made)
        stories = {
            family.family_id: tell(stream(f"{seed}/{number}/story/{n}"), family, as_at)
            for n, family in enumerate(unit.families)
        }
        yield _in_placements(Scene(unit, stories, seed))
        made += unit.children
        number += 1


def _in_placements(scene: Scene) -> Scene:
    """Move looked-after children to their foster home from the day they came into care."""
    foster = places.other_home(scene.unit.number * 4 + 3)

    def place(member: Member) -> Member:
        if member.role != "child" or member.person.unborn:
            return member
        stays = (
            need.care for need in scene.needs(member.person) if need.care and not need.care.end
        )
        care = next(stays, None)
        if care is None:
            return member
        return replace(member, home=foster, before=member.home, moved_on=care.start, in_home=False)

    def settle(family: Family) -> Family:
        return replace(family, members=tuple(place(member) for member in family.members))

    return replace(
        scene, unit=replace(scene.unit, families=tuple(map(settle, scene.unit.families)))
    )


def _check_target(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise OutputInUseError(f"{out}: is a file; give the name of a folder to make")
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise OutputInUseError(
            f"{out}: holds files that ffp synthesise did not make; give an empty folder or another name"
        )
