"""What becomes of the identifiers in use if an assignment were written: pure, for the gate of a model.

Each identifier that has records in the run has one fate: *merged* (it would retire into another),
*split* (it would lose records and live on), *gained* (it would take in records of another),
*unchanged* (it keeps its records; new ones may join). Groups without an identifier would be *issued*
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ffp_data.hub.assignment import Assignment
from ffp_data.hub.state import State


class Fate(StrEnum):
    """What would become of an identifier."""

    UNCHANGED = "unchanged"
    MERGED = "merged"
    SPLIT = "split"
    GAINED = "gained"
    ISSUED = "issued"


@dataclass(frozen=True)
class Outlook:
    """Fate of each identifier with records in the run; groups (sorted records) to be issued one.

    partners: for each identifier that changes, the others that its records go to or come from;
    None stands for a new one.
    """

    fates: Mapping[str, Fate]
    issued: frozenset[tuple[str, ...]]
    partners: Mapping[str, frozenset[str | None]]

    def beyond(self, other: Outlook) -> Outlook:
        """What this one changes and the other does not change in the same way."""
        return Outlook(
            {
                child_id: Fate.UNCHANGED if fate == other.fates.get(child_id) else fate
                for child_id, fate in self.fates.items()
            },
            self.issued - other.issued,
            self.partners,
        )


def outlook(state: State, assignment: Assignment) -> Outlook:
    """What the assignment would make of the state."""
    fates: dict[str, Fate] = {}
    partners: dict[str, set[str | None]] = {}
    for group in assignment.groups:
        for record in group.records:
            before = state.members.get(record)
            if before is None:
                continue
            fates.setdefault(before, Fate.UNCHANGED)
            if before != group.child_id:
                partners.setdefault(before, set()).add(group.child_id)
                fates[before] = Fate.MERGED if before in assignment.retired else Fate.SPLIT
                if group.child_id is not None:
                    partners.setdefault(group.child_id, set()).add(before)
    for child_id in partners:
        if fates.get(child_id) == Fate.UNCHANGED:
            fates[child_id] = Fate.GAINED
    issued = frozenset(group.records for group in assignment.groups if group.child_id is None)
    return Outlook(fates, issued, {child: frozenset(them) for child, them in partners.items()})
