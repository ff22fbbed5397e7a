"""An identity provider for tests: it really publishes keys, checks PKCE and signs tokens, over HTTP on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "hub", "s3cret"
ACCOUNT = {
    "preferred_username": "g.kemble", "name": "G Kemble", "roles": ["FFP.Practitioner"], "groups": ["g-north"],
}  # fmt: skip


class StandIn(ThreadingHTTPServer):
    """The provider. ``claims``: what a test changes in the next token; ``key``: what signs it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.published = RSAKey.generate_key(2048, {"kid": "k1"})
        self.key, self.algorithm = self.published, "RS256"
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def authorize(self, url: str) -> dict[str, str]:
        """What the person does at the provider: consent; gives what the browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, form: dict[str, str], authorization: str | None) -> dict[str, Any] | None:
        """An ID token for a code that this client may use, once, with the verifier of its challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        known = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != f"Basic {known}"
            or challenge != asked["code_challenge"]
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 300,
                  "nonce": asked["nonce"], **ACCOUNT, **self.claims}  # fmt: skip
        header = {"alg": self.algorithm, "kid": "k1"}
        signed = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        here = self.server.issuer
        if self.path == "/.well-known/openid-configuration":
            self._answer({"issuer": here, "authorization_endpoint": f"{here}/authorize",
                          "token_endpoint": f"{here}/token", "jwks_uri": f"{here}/keys"})  # fmt: skip
        elif self.path == "/keys":
            self._answer({"keys": [self.server.published.as_dict(private=False)]})
        else:
            self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
        self._answer(self.server.token(form, self.headers["Authorization"]))

    def _answer(self, document: dict[str, Any] | None) -> None:
        body = json.dumps(document or {"error": "invalid_grant"}).encode()
        self.send_response(200 if document else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests stay quiet."""


@contextmanager
def provider() -> Iterator[StandIn]:
    """A provider that answers until the test is done."""
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
