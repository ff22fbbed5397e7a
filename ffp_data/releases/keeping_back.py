"""Returns that are not released since a source is missing, and the word of a person that one is released nevertheless.

What was released before stands. The word holds for one release, of whoever has the right, with the reason; it stands
in the ledger before anything leaves. Each run asks anew: once the source is in, the return is released by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ffp_data.home.lacking import lacks_of_returns
from ffp_data.home.run import Run
from governance.grants import ReleaseDecision

KEPT_BACK, NEVERTHELESS = "return_kept_back", "return_released_nevertheless"


@dataclass(frozen=True)
class Nevertheless:
    """Who lets a return go that lacks something, in which role, and why. Whether they may, the gate has said."""

    who: str
    role: str
    reason: str


def why_kept_back(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    decision: ReleaseDecision,
    collection: str,
    nevertheless: Nevertheless | None = None,
) -> str | None:
    """Why a return is not released now, or None; either way the ledger has it where something is missing.

    Of a release that the agreements refuse anyway nothing is said here.
    """
    lacks = lacks_of_returns(run, con) if decision.allowed else []
    if not lacks:
        return None
    facts = {
        "run_id": run.run_id,
        "collection": collection,
        "recipient": decision.recipient,
        "purpose": decision.purpose,
        "lacks": [{"feed": each.feed, "file": each.file} for each in lacks],
    }
    if nevertheless:
        run.ledger.append(NEVERTHELESS, **facts, **vars(nevertheless))
        return None
    run.ledger.append(KEPT_BACK, **facts)
    told = " ".join(each.words for each in lacks)
    return (
        f"not released, and what was released before stands; it would be made without {told} To release"
        " it nevertheless, give --nevertheless REASON."
    )
