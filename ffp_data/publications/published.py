"""Counts for everybody to read: made of the marts, protected together with all published before, released.

Each publication has an entry in the policy's register `suppression` with its rules. What was published
is kept in the home, as published, and goes into the audit of every later publication, so that nobody
learns of a few people by subtracting one table from another. A publication that is made again and
comes out as before is the same one; otherwise it is the next edition of its day, audited against the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.publications.counting import Counting
from ffp_data.publications.published_counts import PUBLICATIONS, RELATIONS
from ffp_data.publications.published_files import (
    crosstab,
    from_json,
    long_rows,
    to_json,
    with_share,
    write_book,
    write_csv,
)
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.disclosure_control import Published, Rules, Table
from governance.disclosure_control.protect import Protected, protect
from governance.files import replacing
from governance.grants import ReleaseDecision
from governance.release import ReleaseRefusedError, lock, publish
from governance.xlsx import Cell

PURPOSE = "statistics.publication"
TABLES = "tables.json"


@dataclass(frozen=True)
class Publication:
    """A publication that was made or refused: where it lies, its cells and how many are hidden and why."""

    permitted: bool
    reason: str
    folder: Path | None = None
    edition: int = 1
    hidden: Mapping[str, int] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        return {
            "permitted": self.permitted,
            "decision": self.reason,
            "folder": str(self.folder or "nothing written"),
            "edition": self.edition,
            **self.hidden,
        }


def publish_counts(run: Run, name: str) -> Publication:
    """Publish one of `PUBLICATIONS` under `out/published/<name>/<as-at>/`, or say why not.

    Raises DifferentCountsError when what was published before cannot be true with what is counted now.
    """
    grants = policy.grants(run)
    named = sorted({recipient for recipient, _ in grants.recipients(PURPOSE)})
    if len(named) != 1:
        told = ", ".join(named) or "nobody"
        return Publication(False, f"agreements for {PURPOSE} name {told}; one publisher is needed")
    decision = _of_publication(grants.release(named[0], PURPOSE), name)
    terms = grants.suppression(name)
    if terms is None:
        return Publication(
            False, f"suppression.yaml has no rules for {name}, so nothing is counted"
        )
    rules, made = Rules.of(terms), []
    out = run.home.out / "published" / name / run.as_at.isoformat()
    with connect(run.home, read_only=True) as con:

        def write(part: Path) -> dict[str, int]:
            made.append(_protected(con, run, name, decision, terms))
            return _write(part, run, name, terms, rules, made[0].tables)

        try:
            publish(decision, write, as_at=run.as_at, out=out, keys=run.keys, ledger=run.ledger)
        except ReleaseRefusedError as refusal:
            return Publication(False, str(refusal))
    edition = made[0].tables[0].frame.edition if made[0].tables else 1
    return Publication(True, decision.reason, out, edition, _hidden(made[0]))


def _of_publication(decision: ReleaseDecision, name: str) -> ReleaseDecision:
    """The decision on the relations of one publication alone."""
    own = [relation for relation in RELATIONS if relation.startswith(f"statistics.{name}")]
    return replace(decision, items=tuple(i for i in decision.items if i.relation in own))


def _hidden(protected: Protected) -> dict[str, int]:
    return {
        "cells": protected.cells,
        "hidden for themselves": protected.primary,
        "hidden to protect others": protected.secondary,
    }


# Protecting, with all that was published


def _protected(
    con: duckdb.DuckDBPyConnection,
    run: Run,
    name: str,
    decision: ReleaseDecision,
    terms: Mapping[str, Any],
) -> Protected:
    """The tables of today: the edition that stands when they come out as before, else the next."""
    lock(con)
    history = read_history(run.home)
    today = [each for each in history.get(name, ()) if each.frame.as_at == run.as_at.isoformat()]
    newest = max((each.frame.edition for each in today), default=0)
    last = [each for each in today if each.frame.edition == newest]
    published = [each for tables in history.values() for each in tables]
    rules = Rules.of(terms)
    for edition, former in (
        (newest, [each for each in published if each not in last]),
        (newest + 1, published),
    ):
        if edition:
            counting = Counting(
                con,
                ZONE.rights,
                decision.recipient,
                decision.purpose,
                run.as_at,
                run.census_year[0],
                terms,
                edition,
            )
            made = _protect_each(PUBLICATIONS[name](counting), rules, former)
            if edition > newest or list(made.tables) == last:
                return made
    raise AssertionError("the next edition is always made")


def _protect_each(tables: Sequence[Table], rules: Rules, former: Sequence[Published]) -> Protected:
    """Protect tables of one thing together, and those of different things each for itself."""
    things = dict.fromkeys(table.frame.counted for table in tables)
    made = [
        protect([t for t in tables if t.frame.counted == thing], rules, former) for thing in things
    ]
    return Protected(
        tuple(table for each in made for table in each.tables),
        sum(each.cells for each in made),
        sum(each.primary for each in made),
        sum(each.secondary for each in made),
    )


def history_folder(home: Home) -> Path:
    """Where the tables are kept as they were published."""
    return home.root / "published"


def read_history(home: Home) -> dict[str, list[Published]]:
    """Every table that was published, by publication, oldest first."""
    found: dict[str, list[Published]] = {}
    for path in sorted(history_folder(home).glob("*/*.json")):
        found.setdefault(path.parent.name, []).extend(from_json(path.read_bytes()))
    return found


# Writing


def _write(
    part: Path,
    run: Run,
    name: str,
    terms: Mapping[str, Any],
    rules: Rules,
    tables: Sequence[Published],
) -> dict[str, int]:
    """Write the files of a publication, and keep the tables; cells of each relation."""
    sheets: dict[str, list[list[Cell]]] = {}
    counts: dict[str, int] = {}
    for relation, header, rows in _long(tables, rules):
        counts[relation] = len(rows)
        write_csv(part / f"{relation.partition('.')[2]}.csv", header, rows)
    for table in tables:
        sheets[table.frame.name.partition(".")[2]] = crosstab(table, rules)
    notes = list(_notes(run, terms, rules, tables))
    write_book(part / f"{name}.xlsx", str(terms["title"]), notes, sheets)
    content = to_json(tables)
    for place in (part / TABLES, _kept(run, name, tables)):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with replacing(place) as handle:
            handle.write(content)
    return counts


def _long(
    tables: Sequence[Published], rules: Rules
) -> Iterator[tuple[str, Sequence[str], list[tuple[Cell, ...]]]]:
    """Relation, header and rows; the tables of measures are one relation."""
    measures = []
    for table in tables:
        relation, _, measure = table.frame.name.partition(" ")
        if measure:
            measures += [(measure, *row) for row in with_share(table, rules)]
        else:
            yield relation, RELATIONS[relation], long_rows(table, rules)
    if measures:
        relation = "statistics.timeliness"
        yield relation, RELATIONS[relation], measures


def _kept(run: Run, name: str, tables: Sequence[Published]) -> Path:
    edition = tables[0].frame.edition if tables else 1
    return history_folder(run.home) / name / f"{run.as_at.isoformat()}-{edition:03d}.json"


def _notes(
    run: Run, terms: Mapping[str, Any], rules: Rules, tables: Sequence[Published]
) -> Iterator[tuple[str, str]]:
    yield "What this is", f"{terms['title']}: {run.partnership.name}"
    yield "As at", run.as_at.isoformat()
    if tables and tables[0].frame.edition > 1:
        yield "Edition", f"{tables[0].frame.edition}: corrects an earlier one of the same day"
    yield (
        rules.symbol,
        f"hidden: a count from 1 to {rules.hide_to}, or a count from which a hidden one could be worked out",
    )
    yield rules.not_applicable, "not applicable: a share of none"
    yield "Zeros", "every zero is shown" if rules.zeros_shown else "a zero may be hidden too"
    yield "Rounding", f"to {rules.base}" if rules.base > 1 else "none"
    yield "Services", "a child counts under each service at work with it, so services do not add up"
    yield "Areas", "where a child must not be located, no area is counted"
    for source in terms["sources"]:
        yield "Rule", f"{source['says']} ({source['where']}; {source['known']})"
