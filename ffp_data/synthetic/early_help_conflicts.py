"""Where the early help module contradicts the case system, put in on purpose: what the pre-match of
the two returns has to find. A conflict is a function on what the module is told of one child: it
returns the same with the contradiction in it, or None when the child's story gives no room for one.
Conflicts take turns, so that even a small partnership has several kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from ffp_data.synthetic.care import EarlyHelp, Need
from ffp_data.synthetic.people import Person

EVERY = 4  # early help children of the year that the case system knows as well
APART_DAYS = 60  # from a step that is not there to any other; a pre-match looks 30 days around


@dataclass(frozen=True)
class Told:
    """A child, its episodes of the module, its needs of the case system, and columns that differ."""

    person: Person
    year_start: date
    as_at: date
    episodes: tuple[EarlyHelp, ...]
    needs: tuple[Need, ...]
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> EarlyHelp:
        """The child's last episode of early help."""
        return self.episodes[-1]

    def ending(self, end: date | None, reason: str) -> Told:
        """The same, but the last episode ended like this."""
        return replace(
            self, episodes=(*self.episodes[:-1], replace(self.last, end=end, reason=reason))
        )


def _left_open_when_stepped_up(t: Told) -> Told | None:
    end = t.last.end
    if end is None or not any(
        end <= need.referral and (need.closed is None or need.closed > need.referral)
        for need in t.needs
    ):
        return None
    return t.ending(None, "")


def _step_up_that_none_received(t: Told) -> Told | None:
    end = t.last.end
    if end is None or end < t.year_start or t.last.reason in ("T2", "T3", "T4"):
        return None
    begun = [n.referral for n in t.needs]
    begun += [n.protection.start for n in t.needs if n.protection]
    if any(abs((end - day).days) <= APART_DAYS for day in begun):
        return None
    return t.ending(end, "T2")


def _other_ethnicity(t: Told) -> Told | None:
    if t.person.ethnicity in ("REFU", "NOBT") or not t.needs:
        return None
    other = "WOTH" if t.person.ethnicity != "WOTH" else "MOTH"
    return replace(t, columns={"ethnicity": other})


def _other_sex(t: Told) -> Told | None:
    other = {"F": "M", "M": "F"}.get(t.person.sex)
    return replace(t, columns={"sex": other}) if other and t.needs else None


@dataclass(frozen=True)
class Conflict:
    """One kind of conflict: the table where it shows, what plants it, and what finds it."""

    name: str
    table: str
    plant: Callable[[Told], Told | None]
    explains: str


CONFLICTS = (
    Conflict("left_open_on_step_up", "episodes", _left_open_when_stepped_up, "TE015"),
    Conflict("step_up_without_referral", "episodes", _step_up_that_none_received, "TE016"),
    Conflict("ethnicity_not_as_in_case_system", "persons", _other_ethnicity, "conflict:Ethnicity"),
    Conflict("sex_not_as_in_case_system", "persons", _other_sex, "conflict:Sex"),
)


@dataclass
class Planter:
    """Plants conflicts in turn: the kinds waiting longest are tried first."""

    waiting: list[Conflict] = field(default_factory=lambda: list(CONFLICTS))
    children: int = 0

    def plant(self, told: Told) -> tuple[Told, Conflict | None]:
        """Plant the first waiting conflict that fits in every fourth child; say which."""
        self.children += 1
        if self.children % EVERY:
            return told, None
        for conflict in self.waiting:
            planted = conflict.plant(told)
            if planted is not None:
                self.waiting.remove(conflict)
                self.waiting.append(conflict)
                return planted, conflict
        return told, None
