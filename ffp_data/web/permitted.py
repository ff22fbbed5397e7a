"""Whether who is signed in may see a child: the same question on every page that shows one.

A child of the user's own teams is seen without more; for any other a reason is kept for an hour, which the child's page
asks for. The gate writes each look down before anything is read. A sealed identifier is answered like one that was
never issued, an adult's like a child's who is in no view.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi.responses import RedirectResponse, Response

from ffp_data.hub.child_id import parse
from ffp_data.hub.errors import HubError
from ffp_data.single_view.child import UnknownChildError
from ffp_data.single_view.published import Published
from ffp_data.web.caseload import is_own
from ffp_data.web.service import Asker, Service
from governance.access import Right


@dataclass(frozen=True)
class Permitted:
    """A look that was written down; `reason`: why, for a child of others."""

    child_id: str
    view: Published
    reason: str | None
    is_protected: bool
    """Nothing may tell where the child lives, learns or is seen; shields given since the view was made count too."""


def permitted_child(
    service: Service, who: Asker, child_id: str, right: Right | None = None
) -> Permitted | Response:
    """The look, or the way to where it is allowed: the identifier in use, or the form that asks for a reason.

    `right`: what is done with the child, beside seeing it (written down first). Raises AccessDeniedError and
    UnknownChildError.
    """
    current = current_child(service, who, child_id)
    permitted = look(service, who, current, right) if current == child_id else None
    return permitted or RedirectResponse(f"/children/{current}", 303)


def look(
    service: Service, who: Asker, current: str, right: Right | None = None
) -> Permitted | None:
    """The look at a child by the identifier in use; None where a reason must be given first."""
    view = service.view.newest()
    own = is_own(view, who.user, current)
    reason = None if own else service.sessions.reason_for(who.session, current)
    if not own and reason is None:
        return None
    if right is not None:
        service.gate.check(who.principal, right, subjects=[current], reason=reason)
    seen = Right.VIEW if own else Right.VIEW_OFF_CASELOAD
    facts: dict[str, str | None] = {} if right is None else {"act": right.value}
    if not own:
        facts["manager"] = who.user.manager  # who is told
    service.gate.read(who.principal, seen, subjects=[current], reason=reason, **facts)
    return Permitted(current, view, reason, is_protected(service, view, current))


def current_child(service: Service, who: Asker, child_id: str) -> str:
    """The identifier in use of a child in the view; raises UnknownChildError, and AccessDeniedError first of all."""
    service.gate.check(who.principal, Right.VIEW, subjects=[child_id])
    try:
        current = service.register.resolve(parse(child_id))
    except HubError as error:
        service.gate.read(who.principal, Right.VIEW, found=0)
        raise UnknownChildError(child_id) from error
    if not service.view.newest().rows("SELECT 1 FROM children WHERE child_id = ?", [current]):
        service.gate.read(who.principal, Right.VIEW, found=0)
        raise UnknownChildError(child_id)
    return current


def is_protected(service: Service, view: Published, child_id: str) -> bool:
    """Whether a child's place is hidden, as the view or a shield of today says."""
    return child_id in view.protected or child_id in service.register.shielded()
