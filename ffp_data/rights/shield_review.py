"""Before anybody gets access: each partner looks through its children for those who must not be located.

ContactPoint opened to users and shielded afterwards. Here no extract is made and no token for the API is
given in a hub of real people until somebody has written down, for each organisation that sends to it, that
its children were looked through and their shields are in. Made-up people need no shield.
"""

from __future__ import annotations

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub.orders import OrderError

_EVENT = "shields_reviewed"


def record(run: Run, partner: str, by: str) -> None:
    """Write down that a partner's children were looked through. Raises OrderError."""
    givers = policy.grants(run).givers
    if partner not in givers:
        raise OrderError(f"{partner}: sends nothing; they who do are {', '.join(sorted(givers))}")
    if not by.strip():
        raise OrderError("a review needs somebody who answers for it: give --by")
    run.ledger.append(_EVENT, partner=partner, by=by)


def lacking(run: Run) -> list[str]:
    """Partners whose children nobody has looked through; none in a hub of made-up people."""
    if run.partnership.is_synthetic:
        return []
    told = {e["facts"]["partner"] for e in run.ledger.events(_EVENT)}
    return sorted(policy.grants(run).givers - told)


def refusal(run: Run) -> str | None:
    """Why nobody may have access yet, in words; None when everybody's children were looked through."""
    partners = lacking(run)
    if not partners:
        return None
    return (
        f"no: nobody has written down that the children of {', '.join(partners)} were looked through for"
        " those to be shielded; do so: ffp shield review PARTNER --by WHO"
    )
