"""What became of identifiers, against truth: churn, wrong merges, wrong splits.

A child's identifier, as one who receives it sees it, is the one that most of the child's records carry.
From one run to the next only records that both know are looked at, so that a new record changes nothing
by itself. Of a child whose identifier is another than before, the change is

- a *true merge* where the new identifier was mainly the child's before: the records of one child had two
  identifiers, and one had to go;
- a *true split* where the old identifier was another's as well: two children had one identifier, the other
  one keeps it, and one of them had to change;
- *churn* otherwise: nothing in truth asked for it. Some of it is *taken for another*: the child was joined to
  somebody else, whose identifier survived; that is linkage's error, which the assignment can't see.

A child may keep the identifier and still lose a record to another one. Such records are counted too:
*moved wrongly* is a record that left an identifier that was mainly its person's for one that was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations

Members = Mapping[str, str]
"""The identifier of each record."""


@dataclass(frozen=True)
class Changes:
    """Children of two runs, and those of them whose identifier changed, by kind."""

    known: int
    churned: frozenset[str]
    true_merges: frozenset[str]
    true_splits: frozenset[str]
    moved_wrongly: int
    taken_for_another: int

    @property
    def churn(self) -> float:
        """Share of the children."""
        return len(self.churned) / max(1, self.known)


def changes(
    before: Members, after: Members, person_of: Mapping[str, str], children: Collection[str]
) -> Changes:
    """Compare two runs. person_of: the truth by record; children: the persons to look at."""
    both = [r for r in before if r in after]
    old, new = _counts(before, both, person_of), _counts(after, both, person_of)
    holders = _holders(before, person_of)
    main = {person: _main(ids) for person, ids in old.items()}
    kept = {person: _main(ids, main[person]) for person, ids in new.items()}
    known = [person for person in main if person in children]
    kinds = {
        person: _kind(person, main, kept, holders)
        for person in known
        if main[person] != kept[person]
    }
    by_kind = {
        kind: frozenset(p for p, k in kinds.items() if k == kind)
        for kind in ("churn", "merge", "split")
    }
    wrongly = sum(
        _moved_wrongly(person_of[r], before[r], after[r], holders)
        for r in both
        if before[r] != after[r] and person_of[r] in children
    )
    taken = sum(kept[person] in holders for person in by_kind["churn"])
    return Changes(len(known), by_kind["churn"], by_kind["merge"], by_kind["split"], wrongly, taken)


def _moved_wrongly(person: str, old: str, new: str, holders: Mapping[str, Counter[str]]) -> bool:
    right_before = _main(holders[old]) == person
    return right_before and not (new in holders and _main(holders[new]) == person)


def _kind(
    person: str,
    main: Mapping[str, str],
    kept: Mapping[str, str],
    holders: Mapping[str, Counter[str]],
) -> str:
    old, new = main[person], kept[person]
    if new in holders and _main(holders[new]) == person:
        return "merge"
    if any(other != person and kept.get(other) == old for other in holders[old]):
        return "split"
    return "churn"


def _counts(
    members: Members, records: Collection[str], person_of: Mapping[str, str]
) -> dict[str, Counter[str]]:
    """How many of each person's records carry each identifier."""
    found: dict[str, Counter[str]] = {}
    for record in records:
        found.setdefault(person_of[record], Counter())[members[record]] += 1
    return found


def _holders(members: Members, person_of: Mapping[str, str]) -> dict[str, Counter[str]]:
    """How many records of each person each identifier has."""
    found: dict[str, Counter[str]] = {}
    for record, name in members.items():
        found.setdefault(name, Counter())[person_of[record]] += 1
    return found


def _main(counts: Mapping[str, int], rather: str | None = None) -> str:
    """The most frequent; of equals the preferred one, then the least."""
    return min(counts, key=lambda name: (-counts[name], name != rather, name))


@dataclass(frozen=True)
class Errors:
    """merged: pairs of persons, a child among them, with a common identifier; split: children with several."""

    merged: frozenset[tuple[str, str]]
    split: frozenset[str]


def errors(members: Members, person_of: Mapping[str, str], children: Collection[str]) -> Errors:
    """What is wrong in one run."""
    merged = {
        pair
        for persons in _holders(members, person_of).values()
        if len(persons) > 1
        for pair in combinations(sorted(persons), 2)
        if pair[0] in children or pair[1] in children
    }
    counts = _counts(members, list(members), person_of)
    split = {p for p, ids in counts.items() if len(ids) > 1 and p in children}
    return Errors(frozenset(merged), frozenset(split))
