"""Who signs in to the pages, in which role, and which children are theirs.

A user's children are those whom a team or a worker of theirs helps now, as the single view says it; nobody keeps a
second list. Real users
come from the council's identity provider (`oidc`); `users.yaml` in the home, or the packaged ones, are made up for a
demonstration.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ffp_data.settings import Home, is_synthetic
from governance.access import Principal

FILE = "users.yaml"


class UsersConfigError(ValueError):
    """`users.yaml` or `sign_in.yaml` can't be read."""


class User(BaseModel):
    """Somebody who may sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="As the person reads it.")
    role: str = Field(description="A role of roles.yaml.")
    teams: tuple[str, ...] = Field((), description="Teams whose children are this user's.")
    workers: tuple[str, ...] = Field((), description="How case systems name this user.")
    manager: str | None = Field(None, description="Who is told of looks at children of others.")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    users: dict[str, User]


def load_users(home: Home) -> Mapping[str, User]:
    """Users by the name they sign in with; raises UsersConfigError."""
    own = home.root / FILE
    if own.is_file():
        return _read(own.read_text("utf-8"), own)
    if not is_synthetic(home):
        return {}
    packaged = resources.files(__package__).joinpath("demo_users.yaml")
    return _read(packaged.read_text("utf-8"), Path(str(packaged)))


def principal(key: str, user: User) -> Principal:
    """The user as the gate knows them."""
    return Principal(key, user.role)


def _read(text: str, where: Path) -> Mapping[str, User]:
    try:
        return _File.model_validate(yaml.safe_load(text)).users
    except (ValidationError, yaml.YAMLError) as error:
        raise UsersConfigError(f"{where}: {error}") from error
