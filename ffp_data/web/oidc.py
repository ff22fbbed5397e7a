"""Signing in with the council's own accounts: OpenID Connect, the code flow with PKCE.

`sign_in.yaml` in the home names the provider and says which of its roles is which of ours, and which of its groups is
which team; nothing about a provider stands in code. The ID token must be signed by a key that the provider
publishes, be meant for this hub, be fresh, and carry the nonce of the very sign-in that it answers (OpenID Connect
Core 1.0, 3.1.3.7). What is wrong with a token is logged as a rule, never as its content.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ffp_data.https import SettingsError, require_https
from ffp_data.settings import Home
from ffp_data.web.users import User, UsersConfigError

FILE, SECRET = "sign_in.yaml", "FFP_OIDC_CLIENT_SECRET"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures by a published key; never `none`, nor one by a shared secret."""

PENDING_SECONDS, _PENDING = 600, 1_000
_TIMEOUT = 10


class SignInFailedError(Exception):
    """The provider's answer is no sign-in; the message names the rule that it breaks."""


class OidcSettings(BaseModel):
    """The file `sign_in.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(
        description="As https://login.example/tenant/v2.0, without a slash at the end."
    )
    client_id: str
    redirect: str = Field(
        description="Where the provider sends people back: https://hub.example/sign-in/done."
    )
    user_claim: str = "preferred_username"
    name_claim: str = "name"
    role_claim: str = "roles"
    roles: Mapping[str, str] = Field(
        description="The provider's role -> a role of roles.yaml; the first that fits."
    )
    team_claim: str = "groups"
    teams: Mapping[str, str] = Field(
        {}, description="The provider's group -> a team, as case systems name it."
    )
    managers: Mapping[str, str] = Field(
        {}, description="A team -> who is told of its looks at children of others, as they sign in."
    )

    @field_validator("issuer", "redirect")
    @classmethod
    def _is_https(cls, value: str) -> str:
        try:
            require_https("the address", value)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return value


@dataclass(frozen=True)
class Pending:
    """A sign-in under way: what its answer must match."""

    nonce: str
    verifier: str
    browser: str
    until: float


class Provider:
    """The identity provider of a home; safe for several threads."""

    def __init__(self, settings: OidcSettings, secret: str | None) -> None:
        """Asks the provider for nothing yet."""
        self.settings, self._secret = settings, secret
        self._lock = threading.Lock()
        self._pending: dict[str, Pending] = {}

    @classmethod
    def of(cls, home: Home) -> Provider | None:
        """The provider that a home names; None for none. Raises UsersConfigError."""
        own = home.root / FILE
        if not own.is_file():
            return None
        try:
            settings = OidcSettings.model_validate(yaml.safe_load(own.read_text("utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            raise UsersConfigError(f"{own}: {error}") from error
        return cls(settings, os.environ.get(SECRET))

    @property
    def host(self) -> str:
        """The name under which people reach these pages."""
        return str(urlsplit(self.settings.redirect).hostname)

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        """The provider's own description (OpenID Connect Discovery 1.0)."""
        found = self._fetch(f"{self.settings.issuer}/.well-known/openid-configuration")
        if found.get("issuer") != self.settings.issuer:
            raise SignInFailedError("the provider calls itself by another name than sign_in.yaml")
        return found

    def begin(self, browser: str) -> str:
        """Begin a sign-in for a browser; gives the address to send it to."""
        pending = Pending(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(48),
            browser,
            time.monotonic() + PENDING_SECONDS,
        )
        with self._session() as session:
            url, state = session.create_authorization_url(
                self._document["authorization_endpoint"],
                code_verifier=pending.verifier,
                nonce=pending.nonce,
            )
        with self._lock:
            now = time.monotonic()
            self._pending = {s: p for s, p in self._pending.items() if p.until > now}
            while len(self._pending) >= _PENDING:
                del self._pending[next(iter(self._pending))]
            self._pending[state] = pending
        return str(url)

    def finish(self, browser: str, state: str, code: str) -> tuple[str, User]:
        """Who has signed in: the name for the ledger, and the user. Raises SignInFailedError."""
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or pending.until < time.monotonic():
            raise SignInFailedError("no sign-in of that state is under way")
        if not secrets.compare_digest(pending.browser, browser):
            raise SignInFailedError("another browser began this sign-in")
        return self._user(self._claims(self._token(code, pending), pending))

    def _token(self, code: str, pending: Pending) -> str:
        try:
            with self._session() as session:
                answer = session.fetch_token(
                    self._document["token_endpoint"],
                    code=code,
                    code_verifier=pending.verifier,
                    timeout=_TIMEOUT,
                )
            return str(answer["id_token"])
        except (AuthlibBaseError, requests.RequestException, KeyError, ValueError):
            raise SignInFailedError("the provider gave no token for the code") from None

    def _claims(self, token: str, pending: Pending) -> Mapping[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": pending.nonce},
        )
        try:
            keys = KeySet.import_key_set(self._fetch(self._document["jwks_uri"]))  # type: ignore[arg-type]
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            wanted.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise SignInFailedError(f"the token breaks a rule: {type(error).__name__}") from None
        return decoded.claims

    def _user(self, claims: Mapping[str, Any]) -> tuple[str, User]:
        ours = self.settings
        key, held = claims.get(ours.user_claim), claims.get(ours.role_claim) or ()
        role = next((role for theirs, role in ours.roles.items() if theirs in held), None)
        if not key or role is None:
            raise SignInFailedError("the account has no role in this hub")
        groups = claims.get(ours.team_claim) or ()
        teams = tuple(team for group, team in ours.teams.items() if group in groups)
        name = str(claims.get(ours.name_claim) or key)
        manager = next((ours.managers[team] for team in teams if team in ours.managers), None)
        return str(key), User(name=name, role=role, teams=teams, workers=(name,), manager=manager)

    def _session(self) -> OAuth2Session:
        return OAuth2Session(
            self.settings.client_id,
            self._secret,
            scope="openid profile",
            redirect_uri=self.settings.redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if self._secret else "none",
        )

    def _fetch(self, url: str) -> dict[str, Any]:
        try:
            answer = requests.get(url, timeout=_TIMEOUT, allow_redirects=False)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError):
            raise SignInFailedError("the provider does not answer") from None
        return found
