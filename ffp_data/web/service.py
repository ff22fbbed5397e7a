"""What every page shares, and who is asking for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Form, Request

from ffp_data.access import Access
from ffp_data.home.pending import require_none
from ffp_data.kept import Kept
from ffp_data.lookups.register import Register
from ffp_data.review.desk import Desk
from ffp_data.settings import Home, NoPartnershipError, Partnership
from ffp_data.single_view.published import View
from ffp_data.web.limits import Limiter
from ffp_data.web.oidc import Provider
from ffp_data.web.session import COOKIE, Session, Sessions
from ffp_data.web.simulations import Simulations
from ffp_data.web.users import User, principal
from governance.access import Gate, Principal


@dataclass(frozen=True)
class Service:
    """One home, open for reading."""

    home: Home
    access: Access
    users: Mapping[str, User]
    view: View
    register: Register
    gate: Gate
    sessions: Sessions
    is_synthetic: bool
    provider: Provider | None
    desk: Callable[[Principal], Desk]
    """A reviewer's desk; its acts are on disk in the ledger before they bind."""
    kept: Kept
    simulations: Simulations
    flush: Callable[[], None] = lambda: None
    """Brings what pages wrote down into the ledger now, for whoever reads it next."""
    searches: Limiter = field(default_factory=lambda: Limiter(per_minute=30, burst=30))
    copies: Limiter = field(default_factory=lambda: Limiter(per_minute=6, burst=10))
    sign_ins: Limiter = field(default_factory=lambda: Limiter(per_minute=10, burst=20))

    @cached_property
    def partnership(self) -> Partnership:
        """Whose hub it is, and what they chose; raises NoPartnershipError."""
        return Partnership.of(self.home)

    @property
    def linked_only(self) -> bool:
        """Whether search shows only whom two agencies know already, and one's own children."""
        try:
            return self.partnership.linked_only
        except NoPartnershipError:  # nothing was ever run here, so there is nobody to find
            return True

    def name_of(self, key: str) -> str:
        """Somebody as people read it: a user whom these pages know by name, else the name they sign in with."""
        user = self.users.get(key)
        return user.name if user else key

    @property
    def is_demonstration(self) -> bool:
        """Whether anybody may sign in as somebody made up."""
        return self.is_synthetic and self.provider is None


@dataclass(frozen=True)
class Asker:
    """Who is signed in."""

    key: str
    user: User
    session: Session

    @property
    def principal(self) -> Principal:
        """As the gate knows them."""
        return principal(self.key, self.user)


def service_of(request: Request) -> Service:
    """The service; raises SealUnfinishedError while records are being sealed."""
    service: Service = request.app.state.service
    require_none(service.home)
    return service


Served = Annotated[Service, Depends(service_of)]


def asker_of(request: Request, service: Served) -> Asker:
    """Who asks; raises SignInNeededError."""
    session = service.sessions.find(request.cookies.get(COOKIE))
    request.state.asker = asker = Asker(session.key, session.user, session)
    return asker


Who = Annotated[Asker, Depends(asker_of)]


def checked_form(service: Served, who: Who, form_token: Annotated[str, Form()] = "") -> None:
    """Let a form pass once; raises FormRefusedError."""
    service.sessions.use(who.session, form_token)


Checked = Depends(checked_form)
