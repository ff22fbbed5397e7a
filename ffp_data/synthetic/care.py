"""What children's services do with a family: facts as frozen records. A story is told once for
a family, as a run of phases that never overlap (targeted early help, then need, then early help
again), and each child of the case takes part."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Assessment:
    """Child and family (or early help) assessment; `done` None while it runs."""

    start: date
    done: date | None
    factors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Enquiry:
    """Section 47 enquiry. `conference_on` may be later than the as-at date: then it is still to come."""

    start: date
    end: date | None
    target: date
    conference_due: bool
    conference_on: date | None = None


@dataclass(frozen=True, slots=True)
class ProtectionPlan:
    """Child protection plan, from the day of its conference."""

    start: date
    end: date | None
    first_category: str
    latest_category: str
    reviews: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Care:
    """A period of being looked after."""

    start: date
    end: date | None
    end_reason: str
    legal_status: str


@dataclass(frozen=True, slots=True)
class Need:
    """An episode of need: one referral and what followed."""

    referral: date
    source: str
    nfa: bool
    primary_need: str
    closed: date | None
    reason: str
    assessments: tuple[Assessment, ...] = ()
    plans: tuple[tuple[date, date | None], ...] = ()
    enquiry: Enquiry | None = None
    transfer_conference: date | None = None
    protection: ProtectionPlan | None = None
    care: Care | None = None


@dataclass(frozen=True, slots=True)
class EarlyHelp:
    """A period of targeted early help, with its plan and lead practitioner."""

    referral: date
    source: str
    start: date
    end: date | None
    reason: str
    primary_need: str
    route: str
    assessment: Assessment
    organisation: str
    role: str
    agency: str
    qualified: bool
    second_lead_from: date | None = None


@dataclass(frozen=True)
class Story:
    """The case of one family. `children` are the person ids who take part; empty when there is no case."""

    scenario: str = "none"
    children: tuple[str, ...] = ()
    contacts: tuple[tuple[date, str], ...] = ()
    phases: tuple[Need | EarlyHelp, ...] = ()
    group_decision: tuple[date, ...] = field(default_factory=tuple)

    @property
    def needs(self) -> list[Need]:
        """Episodes of need, in order."""
        return [p for p in self.phases if isinstance(p, Need)]

    @property
    def early_help(self) -> list[EarlyHelp]:
        """Periods of targeted early help, in order."""
        return [p for p in self.phases if isinstance(p, EarlyHelp)]
