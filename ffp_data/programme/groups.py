"""Whether help, and links, fall on one group of children otherwise than on the rest.

Each group is compared with all others whose group is known, not with one group taken for normal. A comparison that
would rest on few children, or on a characteristic of which little is known, says so instead of giving a figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ffp_data.programme.intervals import Estimate, difference, rate_ratio, share
from ffp_data.programme.tables import Compared, Linked

Counts = Mapping[tuple[str, str], int]
"""Children by level and group."""


@dataclass(frozen=True)
class Comparison:
    """How often children of a group are at a level, against all others of a known group.

    ``ratio`` is None where nothing is compared; ``words`` say what was found, or why not.
    """

    characteristic: str
    level: str
    group: str
    cases: int
    children: int
    ratio: Estimate | None
    words: str

    @property
    def per_10_000(self) -> float | None:
        """Cases for 10,000 children of the group."""
        return 10_000 * self.cases / self.children if self.children else None


def compare(
    characteristic: str, counts: Counts, population: Mapping[str, int] | None, rules: Compared
) -> Iterator[Comparison]:
    """Each level and group; ``population`` has the children of each group, else those of the hub."""
    groups = list(dict.fromkeys(group for _, group in counts))
    of_hub = {
        group: sum(
            n for (level, g), n in counts.items() if g == group and level not in rules.left_out
        )
        for group in groups
    }
    among = population or of_hub
    known = [g for g in groups if g not in rules.not_groups and g in among]
    everybody = sum(among.values())
    share_known = sum(among[g] for g in known) / everybody if everybody else 0.0
    for level in rules.levels:
        for group in known:
            others = [g for g in known if g != group]
            cases, of = counts.get((level, group), 0), among[group]
            rest, of_rest = (
                sum(counts.get((level, g), 0) for g in others),
                sum(among[g] for g in others),
            )
            ratio, words = _ratio(cases, of, rest, of_rest, share_known, rules)
            yield Comparison(characteristic, level, group, cases, of, ratio, words)


def _ratio(
    cases: int, of: int, rest: int, of_rest: int, known: float, rules: Compared
) -> tuple[Estimate | None, str]:
    if known < rules.least_known:
        return None, f"not compared: known of {known:.0%} of children only"
    if min(of, of_rest) < rules.smallest_group:
        return None, f"not compared: fewer than {rules.smallest_group} children"
    if cases + rest < rules.smallest_cases:
        return None, f"not compared: fewer than {rules.smallest_cases} at this level"
    if cases > of or rest > of_rest:
        return None, "not compared: more cases than children; look at the population table"
    found = rate_ratio(cases, of, rest, of_rest, rules.confidence)
    return found, _direction(found)


def _direction(ratio: Estimate) -> str:
    if ratio.low > 1:
        return "more often than others"
    return "less often than others" if ratio.high < 1 else "no clear difference"


@dataclass(frozen=True)
class Group:
    """Records of one group: how many, and how many of them are so, by measure."""

    by: str
    group: str
    records: int
    so: Mapping[str, int]

    @property
    def is_known(self) -> bool:
        """Whether it is a group at all."""
        return self.group != "not known"


@dataclass(frozen=True)
class Linkage:
    """How records of a group are linked, against records of all other known groups."""

    by: str
    group: str
    measure: str
    records: int
    share: Estimate
    difference: Estimate | None
    is_warned: bool
    words: str


def monitor(groups: Sequence[Group], rules: Linked) -> Iterator[Linkage]:
    """Every measure of every group that has records."""
    for each in groups:
        if each.records:
            rest = [g for g in groups if g.by == each.by and g.group != each.group and g.is_known]
            yield from (_linkage(each, rest, measure, rules) for measure in rules.measures)


def _linkage(each: Group, rest: Sequence[Group], measure: str, rules: Linked) -> Linkage:
    found = share(each.so[measure], each.records, rules.confidence)
    of_rest = sum(g.records for g in rest)
    if not each.is_known:
        gap, words = None, "group not known"
    elif min(each.records, of_rest) < rules.smallest_group:
        gap, words = None, f"not compared: fewer than {rules.smallest_group} records"
    else:
        so_rest = sum(g.so[measure] for g in rest)
        gap = difference(each.so[measure], each.records, so_rest, of_rest, rules.confidence)
        words = "no clear difference"
    is_warned = (
        gap is not None and is_apart(gap, rules) and (each.by, measure) not in rules.expected
    )
    if gap is not None and is_apart(gap, rules):
        words = f"{'more' if gap.value > 0 else 'less'} often than others"
        words += "" if is_warned else ", as is to be expected"
    return Linkage(each.by, each.group, measure, each.records, found, gap, is_warned, words)


def is_apart(gap: Estimate, rules: Linked) -> bool:
    """Whether a difference is surely one, and large enough to look at."""
    return abs(gap.value) >= rules.least_difference and (gap.low > 0 or gap.high < 0)
