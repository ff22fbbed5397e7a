"""Which cells are hidden for what they say themselves, before any can be worked out from others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from governance.disclosure_control.rules import Rules
from governance.disclosure_control.table import Frame, Key, Published, Table


def primary(table: Table, rules: Rules, former: Sequence[Published]) -> set[Key]:
    """Return the cells that are small, dominated, full, or a few people away from a published one."""
    return {
        *_small(table, rules),
        *_dominated(table, rules),
        *(_full(table) if rules.full_cells_hidden else ()),
        *(key for each in former for key in _differenced(table, rules, each)),
    }


def _small(table: Table, rules: Rules) -> Iterator[Key]:
    for key, count in table.counts.items():
        people = table.people.get(key, (count, 0))[0]
        if rules.is_small(count) or rules.is_small(people):
            yield key


def _dominated(table: Table, rules: Rules) -> Iterator[Key]:
    for key, (_, largest) in table.people.items():
        if table.counts[key] and largest > rules.dominance * table.counts[key]:
            yield key


def _full(table: Table) -> Iterator[Key]:
    """Everybody of a group under one code of a sensitive dimension: the table tells it of each of them."""
    for at, dimension in enumerate(table.frame.dimensions):
        if dimension.sensitive:
            for total, parts, _ in table.frame.lines():
                if (
                    total[at] in dimension.parts
                    and total[:at] == parts[0][:at]
                    and total[at + 1 :] == parts[0][at + 1 :]
                ):
                    yield from (
                        key for key in parts if 0 < table.counts[key] == table.counts[total]
                    )


def _differenced(table: Table, rules: Rules, former: Published) -> Iterator[Key]:
    """Cells whose change since a published table is the count of a few people, or was hidden there.

    Of tables that count since one day the change is a count of people itself; of an earlier edition of
    this table, or one so near that it is taken for one, it is those who were added or taken out. Where
    both are rounded, the change itself is told to within a base on either side, and hides nothing.
    """
    if follows(table.frame, former.frame) or follows(former.frame, table.frame):
        for key, seen in _in_common(table.frame, former):
            if seen is not None and _is_few_away(table.counts[key], seen, rules, former):
                yield key
    elif corrects(table.frame, former.frame, rules):
        for key, seen in _in_common(table.frame, former):
            if seen is None or _is_few_away(table.counts[key], seen, rules, former):
                yield key


def _is_few_away(count: int, seen: int, rules: Rules, former: Published) -> bool:
    return min(rules.base, former.base) == 1 and rules.is_small(abs(count - seen))


def _in_common(frame: Frame, former: Published) -> Iterator[tuple[Key, int | None]]:
    seen = {former.frame.cell(key)[3]: count for key, count in former.cells.items()}
    for key in frame.all_keys():
        conditions = frame.cell(key)[3]
        if conditions in seen:
            yield key, seen[conditions]


def follows(frame: Frame, former: Frame) -> bool:
    """Whether both count from one day on, the former less far."""
    return (
        frame.since is not None
        and (frame.counted, frame.since) == (former.counted, former.since)
        and former.as_at < frame.as_at
    )


def corrects(frame: Frame, former: Frame, rules: Rules) -> bool:
    """Whether a table tells again what the former told, or of a day too near to it."""
    if frame.counted != former.counted or follows(frame, former) or follows(former, frame):
        return False
    if (frame.as_at, frame.edition) == (former.as_at, former.edition):
        return False
    apart = abs((date.fromisoformat(frame.as_at) - date.fromisoformat(former.as_at)).days)
    return apart < rules.days_between
