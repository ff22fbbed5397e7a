"""Why a cell of the single view is as it is: the row it was taken from, what was not chosen, and who received it.

One opened `Explainer` answers many questions: the books are read once, each question then asks a few small
queries. A person's place that the view hides stays hidden here: no value, key, file name or line of a child who must
not be located is told, whoever asks; feed, table, column, time and agreement are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import duckdb

from ffp_data.access import Access
from ffp_data.home.kept_locks import KeptLocks
from ffp_data.home.protected import MUST_NOT_BE_LOCATED
from ffp_data.home.run import Run
from ffp_data.home.subjects import lists_of
from ffp_data.hub.child_id import canonical
from ffp_data.hub.errors import HubError
from ffp_data.lineage.answers import Explained, Explanation
from ffp_data.lineage.books import OF_BOOKS, Books
from ffp_data.lineage.candidates import Candidates
from ffp_data.lineage.cell import Cell, UnknownAttributeError
from ffp_data.lineage.columns import ColumnLineage
from ffp_data.lineage.graph import current_graph
from ffp_data.lineage.origins import Origins, rule_of, rules
from ffp_data.lineage.rows import Held, Rows
from ffp_data.lineage.silence import STATES, WITHHELD, Silence
from ffp_data.lookups import NotThereError
from ffp_data.lookups.register import Register
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from governance.access import Principal, Right
from governance.policy.compile import Lock


@dataclass
class Explainer:
    """Explains cells of one home's single view, as of its last run."""

    access: Access
    con: duckdb.DuckDBPyConnection
    register: Register
    lineage: ColumnLineage
    books: Books
    rows: Rows
    as_at: date
    hidden: frozenset[str]
    """Who must not be located, as the last run knew it; the register knows of later shields."""

    @cached_property
    def origins(self) -> Origins:
        """Which rows cells are made of."""
        return Origins(self.con, self.lineage)

    @cached_property
    def silence(self) -> Silence:
        """What it means that a cell is empty."""
        return Silence.of_warehouse(self.con, self.lineage)

    @cached_property
    def candidates(self) -> Candidates:
        """What was not chosen, and how records were tied to the child."""
        return Candidates(self.con, self.rows, self.origins)

    def explain(
        self, who: Principal, child_id: str, attribute: str, reason: str | None = None
    ) -> Explanation:
        """The cells of an attribute of a child.

        Raises AccessDeniedError, NotThereError (no such child, or no such row), UnknownAttributeError.
        """
        cell = Cell.named(attribute)
        self._require(cell)
        asked = canonical(child_id)
        # The ledger gets table and column; what picks the row may be a word about a person.
        self.access.gate.read(
            who,
            Right.EXPLAIN,
            subjects=[asked],
            reason=reason,
            attribute=f"{cell.table}.{cell.column}",
        )
        try:
            current = self.register.resolve(child_id)
        except HubError as error:
            raise NotThereError(str(error)) from error
        return self._explained(child_id, current, cell)

    def _require(self, cell: Cell) -> None:
        if cell.column not in self.lineage.columns(cell.relation):
            known = ", ".join(self.lineage.columns(cell.relation))
            raise UnknownAttributeError(f"{cell.table} has no column {cell.column}; it has {known}")

    def _explained(self, asked: str, current: str, cell: Cell) -> Explanation:
        found = self._rows_of(cell, current)
        if not found and not self._is_child(current):
            raise NotThereError(f"{asked}: no child of the single view")
        is_hidden = current in self.hidden or current in self.register.shielded()
        received, unknown = self.books.received(
            cell.relation, cell.column, self._reference(current)
        )
        return Explanation(
            child_id=asked,
            current=current,
            attribute=cell.name,
            as_at=self.as_at,
            cells=[self._cell(cell, row, is_hidden) for row in found] or [self._silent(cell)],
            received_by=received,
            recipients_unknown=unknown,
        )

    def _rows_of(self, cell: Cell, child_id: str) -> list[dict[str, Any]]:
        sql, values = cell.query()
        answer = self.con.execute(sql, [child_id, *values])
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _is_child(self, child_id: str) -> bool:
        query = "SELECT 1 FROM single_view.children WHERE child_id = ?"
        return self.con.execute(query, [child_id]).fetchone() is not None

    def _reference(self, child_id: str) -> str | None:
        return self.access.subjects.keys.known([child_id]).get(child_id)

    def _silent(self, cell: Cell) -> Explained:
        """A row that is not there, such as a flag that is not raised."""
        state = self.silence.of(cell)
        return Explained(
            value=None,
            state=state,
            state_in_words=STATES[state],
            rule=rules().rules[rule_of(cell)],
            taken_from=[],
            others=[],
        )

    def _cell(self, cell: Cell, row: Mapping[str, Any], is_hidden: bool) -> Explained:
        is_hidden = is_hidden or row.get("related_child_id") in self.hidden
        state = self.silence.of_row(cell, row, is_hidden)
        value = None if state == WITHHELD else row[cell.column]
        origins = [] if value is None else self.origins.of(cell, row)
        held = _once(each for origin in origins for each in self.rows.held(origin))
        ties = self.candidates.ties({each.record_key for each in held if each.record_key})
        told = [self.rows.told(each, ties, hidden=is_hidden) for each in held]
        others = [] if value is None else self.candidates.others(cell, row, held)
        return Explained(
            value=_text(value),
            state=state,
            state_in_words=self._words(cell, row, state),
            rule=rules().rules[rule_of(cell)],
            taken_from=told,
            others=[o.model_copy(update={"record_key": None}) for o in others]
            if is_hidden
            else others,
        )

    @staticmethod
    def _words(cell: Cell, row: Mapping[str, Any], state: str) -> str:
        if cell.table == "involvements" and state != WITHHELD:
            return str(row["state_in_words"])
        return STATES[state]


def _once(held: Iterable[Held]) -> list[Held]:
    """Rows that several parts of a value were made of, each once."""
    by_place = {(h.contract.id, h.table.name, h.record_key, h.delivery_id, h.line): h for h in held}
    return list(by_place.values())


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


@contextmanager
def open_explainer(
    home: Home, lineage: ColumnLineage | None = None, access: Access | None = None
) -> Iterator[Explainer]:
    """An explainer of a home's last run. Raises duckdb.IOException while a run writes, LockError.

    `lineage`: of the project and the home's contracts, and `access` to the home, where who asks has them already.
    """
    access, register = access or Access(home), Register.open(home.hub_url)
    run = Run.at(run_id="explain", home=home.root)
    lineage = lineage or ColumnLineage(current_graph(), run.contracts)
    try:
        with connect(home, read_only=True) as con:
            books = Books(
                lists_of(home, access.keys),
                KeptLocks(home, access.keys),
                Lock.read(run.lock_file, access.keys.trusted),
            )
            books.read_deliveries(con)
            books.read_ledger(access.ledger.events(*OF_BOOKS))
            allow = run.partnership.is_synthetic
            rows = Rows.open(con, run.contracts, books, allow_test_numbers=allow)
            hidden = frozenset(c for (c,) in con.execute(MUST_NOT_BE_LOCATED).fetchall())
            yield Explainer(access, con, register, lineage, books, rows, run.as_at, hidden)
    finally:
        register.close()
