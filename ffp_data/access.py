"""Who uses the commands, in which role: the user of the operating system, as `access.yaml` says.

    users:
      asmith: [reviewer, data_engineer]

Whoever has several roles acts in the one that suits the act. A home of made-up people that has no
such file lets everybody do everything; a home of real people then lets nobody.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from functools import cached_property

import yaml
from pydantic import ValidationError

from ffp_data.home.pending import require_none
from ffp_data.home.subjects import HubSubjects
from ffp_data.settings import Home, is_synthetic
from ffp_data.strict import Strict
from governance.access import Gate, Principal, Right, Roles, TokenBook, load_roles
from governance.access.roles import ROLES_FILE
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.policy import DEMO_DIRECTORY


class AccessConfigError(ValueError):
    """`access.yaml` can't be read, or names a role that is not in the register."""


class Users(Strict):
    """The file `access.yaml`."""

    users: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Access:
    """Roles, users and tokens of one home, and the gate of its reads."""

    home: Home

    @cached_property
    def roles(self) -> Roles:
        """The register of the partnership's own policy, else the packaged one."""
        own = self.home.root / "policy"
        return load_roles(own if (own / ROLES_FILE).is_file() else DEMO_DIRECTORY)

    @cached_property
    def tokens(self) -> TokenBook:
        return TokenBook(self.home.tokens_file)

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.home.keys_dir)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.home.ledger_dir, self.keys)

    @cached_property
    def subjects(self) -> HubSubjects:
        """What stands for people in the ledger."""
        subjects = HubSubjects(self.home.hub_url, self.keys)
        subjects.prepare()
        return subjects

    @cached_property
    def gate(self) -> Gate:
        """The gate for commands: each answer is on disk before it is given. Shut while a seal is under way."""
        require_none(self.home)
        return Gate(self.roles, self.subjects, self.ledger.append)

    def user(self, right: Right, *also: Right, reason: str | None = None) -> Principal:
        """The user of the operating system, in the role that suits best of those with the right.

        Best is one that asks for no reason where none is given, then one with most of the rights that
        the answer could use too (``also``), then the first. Without the right they come in their first
        role, or in none, and the gate refuses them. Raises AccessConfigError.
        """
        name = os_user()
        own = [Principal(name, role) for role in self._roles_of(name)]
        able = [principal for principal in own if self.roles.may(principal, right)]

        def cost(principal: Principal) -> tuple[bool, int]:
            asks = not reason and self.roles.needs_reason(principal, right)
            return asks, -sum(self.roles.may(principal, other) for other in also)

        return min(able, key=cost) if able else (own or [Principal(name, "")])[0]

    def _roles_of(self, name: str) -> tuple[str, ...]:
        if not self.home.access_file.is_file():
            return tuple(self.roles.by_id) if is_synthetic(self.home) else ()
        named = _read(self.home).users.get(name, ())
        if unknown := sorted(set(named) - self.roles.by_id.keys()):
            raise AccessConfigError(
                f"{self.home.access_file}: {name}: no role {', '.join(unknown)}; "
                f"roles are {', '.join(self.roles.by_id)}"
            )
        return named


def os_user() -> str:
    """The user that the process belongs to; never what an environment variable claims."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run as a number without a name
        return f"uid-{number}"


def _read(home: Home) -> Users:
    try:
        return Users.model_validate(yaml.safe_load(home.access_file.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise AccessConfigError(f"{home.access_file}: {error}") from error
