"""Who agrees to an erasure: in a home of real people somebody who shows a token, not a name that was typed.

Both names of an erasure are typed by one user of the operating system, so a name alone is no second person. The
token is one of `ffp access token`, in the name that was typed and in a role that may erase; who agrees types it.
What it can't show: whoever may make tokens could make one in another's name. That stands in the ledger
(`token_made`, with who made it and when), and is to be looked at beside `erasure_agreed`.
"""

from __future__ import annotations

from collections.abc import Callable

from ffp_data.access import Access, os_user
from ffp_data.rights.erasure import Ordered
from ffp_data.sealing.removal import SealError
from ffp_data.settings import is_synthetic
from governance.access import Right


def require_second(access: Access, ordered: Ordered, show_token: Callable[[], str]) -> None:
    """Let an erasure pass that two people want; in a home of made-up people two names are enough.

    Raises SealError, and tells the ledger of the refusal, for a token that is nobody's in force, another's than the
    second's, or of a role that may not erase, and where the second is who runs the command.
    """
    ordered.require()
    if is_synthetic(access.home):
        return
    why = _why_not(access, ordered.second.strip(), show_token)
    if why:
        access.ledger.append("erasure_refused", who=os_user(), second=ordered.second, why=why)
        raise SealError(
            f"{ordered.second} does not agree: {why}. Who agrees has a token of their own: "
            f"ffp access token {ordered.second} --role ROLE, a role that may erase"
        )
    access.ledger.append("erasure_agreed", who=os_user(), by=ordered.by, second=ordered.second)


def _why_not(access: Access, second: str, show_token: Callable[[], str]) -> str | None:
    if second.casefold() == os_user().casefold():
        return "who runs the command can't be the second person"
    token, problem = access.tokens.find(show_token().strip())
    if token is None or problem:
        return f"the token is {problem}"
    if token.name.casefold() != second.casefold():
        return "the token is another's"
    if not access.roles.may(token.principal, Right.ERASE):
        return f"the token's role, {token.role}, may not erase"
    return None
