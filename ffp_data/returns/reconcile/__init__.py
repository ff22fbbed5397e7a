"""Hold a return against what it was made of, the single view and the version before; keep what was answered."""

from __future__ import annotations

from ffp_data.returns.reconcile.differences import Basis, Reconciliation, reconcile
from ffp_data.returns.reconcile.figures import Change, changes
from ffp_data.returns.reconcile.queries import (
    NotAQueriesFileError,
    Query,
    Reason,
    Reasons,
    queries_of,
    read_queries,
    write_queries,
)
from ffp_data.returns.reconcile.workbook import write_reconciliation

__all__ = [
    "Basis",
    "Change",
    "NotAQueriesFileError",
    "Query",
    "Reason",
    "Reasons",
    "Reconciliation",
    "changes",
    "queries_of",
    "read_queries",
    "reconcile",
    "write_queries",
    "write_reconciliation",
]
