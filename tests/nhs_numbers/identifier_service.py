"""A stand-in for the Department's service Get an Identifier, by its published contract, that fails as told.

Written from DFE-Digital/single-unique-identifier at 03edc9bc: the statuses, the problem documents, the
validation of particulars and the writing of names are the service's own.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ffp_data.nhs_numbers.service import Access

CLIENT_ID, SECRET, API_KEY = "fenmarch", "s3cret-&-long", "key-9"
SCOPE = "get-an-identifier.read"
_POSTCODE = re.compile(r"[A-Z]{1,2}\d{1,2}[A-Z]?\d[A-Z]{2}", re.IGNORECASE)
VALID, INVALID, NOT_PROVIDED = range(3)

Body = dict[str, Any]


@dataclass
class Department:
    """What the national index knows, by (given, family, birth date); `faults` are used up, one a question."""

    url: str = ""
    people: dict[tuple[str, str, str], str] = field(default_factory=dict)
    faults: list[int | str] = field(default_factory=list)
    asked: list[Body] = field(default_factory=list)
    tokens: int = 0

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FFP_IDENTIFIER_ENDPOINT": self.url,
            "FFP_IDENTIFIER_TOKEN_ENDPOINT": f"{self.url}/token",
            "FFP_IDENTIFIER_CLIENT_ID": CLIENT_ID,
            "FFP_IDENTIFIER_CLIENT_SECRET": SECRET,
            "FFP_IDENTIFIER_API_KEY": API_KEY,
        }

    @property
    def access(self) -> Access:
        return Access.from_environment(self.environment)

    def token(self, form: dict[str, list[str]], basic: str | None) -> tuple[int, Body]:
        given = {"client_id": [CLIENT_ID], "client_secret": [SECRET]}
        named = {name: form.pop(name, None) for name in given}
        known = (
            named == given or basic == base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        )
        if not known or form != {"grant_type": ["client_credentials"], "scope": [SCOPE]}:
            return 401, {"error": "invalid_client"}
        self.tokens += 1
        return 200, {"access_token": f"token-{self.tokens}", "token_type": "Bearer"}

    def answer(self, headers: Any, body: bytes) -> tuple[int, Body]:
        if (
            headers["Authorization"] != f"Bearer token-{self.tokens}"
            or headers["x-api-key"] != API_KEY
        ):
            return problem(401, "Unauthorised", "Missing or invalid bearer token.")
        question = json.loads(body)
        if any(not each.get("recordType", "").strip() for each in question.get("metadata", [])):
            return problem(
                400, "Validation error", "RecordType is mandatory for all Metadata entries."
            )
        self.asked.append(question)
        person = question["personSpecification"]
        states = _states(person)
        if any(states[name] != VALID for name in ("Given", "Family", "BirthDate")):
            return problem(400, "Validation error", json.dumps(states))
        number = self.people.get((person["given"], person["family"], person["birthDate"]))
        if number is None:
            return problem(404, "Not Found", "The requested resource was not found.")
        return 200, {"PersonId": number, "GeneralPractitioner": ["Y12345"]}


def _states(person: Body) -> dict[str, int]:
    names = {
        "given": "Given", "family": "Family", "birthDate": "BirthDate", "addressPostalCode": "AddressPostalCode",
        "phone": "Phone", "email": "Email", "gender": "Gender",
    }  # fmt: skip
    states = {name: VALID if person.get(key) else NOT_PROVIDED for key, name in names.items()}
    for key in ("given", "family"):
        if len(person.get(key, "")) > 35:
            states[names[key]] = INVALID
    postcode = person.get("addressPostalCode", "").replace(" ", "")
    if postcode and not _POSTCODE.fullmatch(postcode):
        states["AddressPostalCode"] = INVALID
    return states


def problem(status: int, title: str, detail: str) -> tuple[int, Body]:
    return status, {
        "Type": "about:blank", "Title": title, "Status": status, "Detail": detail, "Instance": "urn:trace:1",
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        department: Department = self.server.department  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            basic = (self.headers["Authorization"] or "").removeprefix("Basic ")
            self._write(*department.token(urllib.parse.parse_qs(body.decode()), basic))
        elif department.faults:
            self._fail(department.faults.pop(0))
        elif self.path == "/v1/get-an-identifier":
            self._write(*department.answer(self.headers, body))
        else:
            self._write(404, None)

    def _fail(self, fault: int | str) -> None:
        if fault == "drop":
            self.close_connection = True
        elif isinstance(fault, int):
            self._write(*problem(fault, "Upstream API Error", "Matching cannot be completed."))
        else:
            self._write(200, json.loads(fault))

    def _write(self, status: int, body: Any) -> None:
        text = b"<html>" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a request line is no part of a test's output."""


@contextmanager
def serving() -> Iterator[Department]:
    """The service on this machine for as long as the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    department = Department(f"http://127.0.0.1:{server.server_port}")
    server.department = department  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield department
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
