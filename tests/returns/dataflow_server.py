"""A stand-in for DfE's endpoint: keeps the published contract, remembers what it took, fails as told.

It merges what it gets by its own rules (an element is known by the `*_id` that it carries, null takes
a value away, `purge: true` takes an element away), without the product's code.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ffp_data.returns.dataflow.client import Access
from tests.waiting import PATIENCE

PATH = "/children_social_care_data/999/children"
CLIENT_ID, SECRET, SCOPE, SUPPLIER_KEY = "hub", "s3cret-&-long", "flow/.default", "supplier-9"
RECEIPT = "2026-03-31_04:00:00.000000_{:08d}-0000-4000-8000-000000000000"

Fault = int | str
"""What to do instead of answering: a status, or
drop (no answer), hang (until the end), lost (taken, but the answer never arrives), garbage or short (false answers)."""


@dataclass
class Department:
    """What the stand-in knows and did. `faults` and `token_faults` are used up, one a request."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    token_faults: list[Fault] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    limit: int = 100
    retry_after: str | None = None
    tokens: int = 0
    valid_from: int = 1
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    requests: int = 0
    elsewhere: int = 0
    taken: int = 0
    holds: dict[str, dict[str, Any]] = field(default_factory=dict)
    ends: threading.Event = field(default_factory=threading.Event)

    @property
    def access(self) -> Access:
        return Access.from_environment(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FFP_DATAFLOW_ENDPOINT": self.url,
            "FFP_DATAFLOW_TOKEN_ENDPOINT": f"{self.url}/token",
            "FFP_DATAFLOW_CLIENT_ID": CLIENT_ID,
            "FFP_DATAFLOW_CLIENT_SECRET": SECRET,
            "FFP_DATAFLOW_SCOPE": SCOPE,
            "FFP_DATAFLOW_SUPPLIER_KEY": SUPPLIER_KEY,
        }

    def token(self, form: dict[str, list[str]]) -> tuple[int, Any]:
        expected = {
            "grant_type": ["client_credentials"],
            "client_id": [CLIENT_ID],
            "client_secret": [SECRET],
            "scope": [SCOPE],
        }
        if form != expected:
            return 401, {"error": "invalid_client"}
        self.tokens += 1
        return 200, {"access_token": f"token-{self.tokens}", "expires_in": 3599}

    def children(self, headers: Any, body: bytes) -> tuple[int, Any]:
        if not self._known(headers["Authorization"]):
            return 401, {"error": "token"}
        if headers["SupplierKey"] != SUPPLIER_KEY:
            return 403, {"error": "key"}
        batch = json.loads(body)
        if headers["Content-Type"] != "application/json" or not isinstance(batch, list):
            return 400, {"error": "a list as JSON"}
        if len(batch) > self.limit:
            return 413, {"error": "too many"}
        if wrong := [at for at, each in enumerate(batch) if self._wrong(each)]:
            return 400, {"errors": [f"[{at}] of {batch[at].get('la_child_id')}" for at in wrong]}
        self.batches.append(batch)
        return 200, [self._take(each) for each in batch]

    def _known(self, authorization: str | None) -> bool:
        valid = range(self.valid_from, self.tokens + 1)
        return authorization in {f"Bearer token-{number}" for number in valid}

    def _wrong(self, child: Any) -> bool:
        numbered = isinstance(child, dict) and isinstance(child.get("la_child_id"), str)
        if not numbered or not isinstance(child.get("purge"), bool):
            return True
        return child["la_child_id"] in self.refuses or (
            not child["purge"] and "child_details" not in child
        )

    def _take(self, child: dict[str, Any]) -> str:
        number = child["la_child_id"]
        if child["purge"]:
            self.holds.pop(number, None)
        else:
            self.holds[number] = merged(self.holds.get(number, {}), child)
        self.taken += 1
        return RECEIPT.format(self.taken)


def merged(held: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """What is held after a change."""
    after = dict(held)
    for name, value in change.items():
        if value is None or value == [] or (isinstance(value, dict) and value.get("purge")):
            after.pop(name, None)
        elif isinstance(value, dict):
            after[name] = merged(held.get(name, {}), value)
        elif isinstance(value, list) and (key := _own_id(value)):
            after[name] = _merged_list(held.get(name, []), value, key)
            if not after[name]:
                del after[name]
        else:
            after[name] = value
    return after


def _own_id(elements: list[Any]) -> str | None:
    first = elements[0]
    names = [name for name in first if name.endswith("_id")] if isinstance(first, dict) else []
    return next((name for name in names if name != "worker_id"), None)


def _merged_list(held: list[Any], change: list[Any], key: str) -> list[Any]:
    after = {each[key]: each for each in held}
    for each in change:
        if each.get("purge"):
            after.pop(each[key], None)
        else:
            after[each[key]] = merged(after.get(each[key], {}), each)
    return [after[number] for number in sorted(after)]


class _Server(ThreadingHTTPServer):
    department: Department
    daemon_threads = False  # all answered before the server is gone


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.department.elsewhere += 1  # only a redirect that was followed comes so
        self._write(404, {})

    def do_POST(self) -> None:
        department = self.server.department
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            self._answer(department.token_faults, lambda: self._token(body))
        elif self.path == PATH:
            department.requests += 1
            self._answer(department.faults, lambda: department.children(self.headers, body))
        else:
            department.elsewhere += 1
            self._write(404, {})

    def _token(self, body: bytes) -> tuple[int, Any]:
        return self.server.department.token(urllib.parse.parse_qs(body.decode()))

    def _answer(self, faults: list[Fault], work: Any) -> None:
        fault = faults.pop(0) if faults else None
        if fault == "hang":
            self.server.department.ends.wait(PATIENCE)
        if fault in ("drop", "hang"):
            return
        if isinstance(fault, int):
            self._write(fault, {"error": "as told"})
            return
        status, told = work()
        if fault == "short":
            told = told[:-1]
        if fault != "lost":
            self._write(status, "no list" if fault == "garbage" else told)

    def _write(self, status: int, told: Any) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if 300 <= status < 400:
            self.send_header("Location", f"{self.server.department.url}/elsewhere")
        if self.server.department.retry_after and status >= 400:
            self.send_header("Retry-After", self.server.department.retry_after)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def department() -> Iterator[Department]:
    """A running stand-in on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.department = Department(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.department
    finally:
        server.department.ends.set()
        server.shutdown()
        thread.join()
        server.server_close()
