"""What each page of those who manage, govern and run the hub costs: processor milliseconds of one request, one by one.

    python benchmarks/pages/cost.py build/big

FOLDER is what `ffp demo` filled (benchmarks/pages/load.py measures the practitioners' pages under load). The pages are
asked in this process, so that its processor time is theirs, whatever else the machine does; the time between asking
and answer would be of the machine. First a worker of the front door looks at children of others and reports facts as
wrong, so that there is something to show: the home keeps both. Each page is asked ten times: told are the first, which
may work something out for the others, and the median of the rest.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from fastapi.testclient import TestClient

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.hub.machine import machine  # noqa: E402
from ffp_data.settings import Home  # noqa: E402
from ffp_data.web.app import make_app  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "pages_cost.json"
TIMES, LOOKS, REPORTS = 10, 40, 8
_CHILDREN = """
SELECT child_id FROM children WHERE NOT is_restricted AND list_contains(is_open_to, 'child_in_need')
ORDER BY child_id LIMIT ?
"""


class Visitor:
    """A user of the demonstration at a browser, who keeps the form's token of the page before."""

    def __init__(self, client: TestClient, user: str) -> None:
        client.cookies.clear()
        self._client, self._token = client, ""
        self.send("/sign-in", user=user)

    def get(self, path: str) -> str:
        return self._read(self._client.get(path))

    def send(self, path: str, **fields: str) -> str:
        return self._read(self._client.post(path, data={"form_token": self._token, **fields}))

    def _read(self, page: Any) -> str:
        if page.status_code != 200:
            raise RuntimeError(f"{page.url}: {page.status_code}")
        self._token = (re.findall(r'form_token" value="([^"]+)"', page.text) or [""])[-1]
        return str(page.text)


def prepare(client: TestClient, children: list[str]) -> None:
    """Looks at children of others for the manager to read, and reports for the officer and the reviewers."""
    worker = Visitor(client, "front-door")
    for number, child in enumerate(children):
        worker.get(f"/children/{child}")
        worker.send(
            f"/children/{child}/reason", why="call from the school", case_reference=f"FD-{number}"
        )
        if number < REPORTS:
            worker.get(f"/children/{child}/wrong?about=family")
            said = {
                "about": "family",
                "feed": "case_system",
                "words": "the father has another name",
            }
            worker.send(f"/children/{child}/wrong", **said)


def pages(child: str) -> list[tuple[str, str, Callable[[Visitor], str]]]:
    """Name, user and what is asked of every page that is measured."""
    today = datetime.now(UTC).date()
    at = "/governance"
    seen: tuple[tuple[str, str, str], ...] = (
        ("looks of a team, one day", "family-help-manager", f"/team?day={today}"),
        ("lists", "family-help-manager", "/lists"),
        ("one list", "family-help-manager", "/lists/referred_again"),
        ("questions of managers", "ig-officer", "/team/questions"),
        ("reported as wrong", "ig-officer", "/wrong"),
        ("governance", "ig-officer", at),
        ("agreements", "ig-officer", f"{at}/agreements"),
        ("quarter", "programme-lead", "/quarterly/2025-26-Q4"),
        ("one figure", "programme-lead", "/quarterly/2025-26-Q4/figures/FH-1.3"),
        ("programme", "programme-lead", "/programme"),
        ("queue of reviewers", "reviewer", "/review"),
        ("feeds and runs", "data-engineer", "/engineer"),
    )
    sent = (
        ("access log of a child", f"{at}/access", f"{at}/access/child", {"child_id": child}),
        ("access log of a user", f"{at}/access", f"{at}/access/user", {"user": "front-door"}),
        ("explain a birth date", f"{at}/explain", f"{at}/explain",
         {"child_id": child, "attribute": "date_of_birth"}),
        ("disclosures of a child", f"{at}/disclosures", f"{at}/disclosures", {"child_id": child}),
    )  # fmt: skip
    return [
        *((name, user, lambda who, path=path: who.get(path)) for name, user, path in seen),
        *(
            (name, "ig-officer", lambda who, form=form, to=to, said=said: _filled(who, form, to, said))
            for name, form, to, said in sent
        ),
    ]  # fmt: skip


def _filled(who: Visitor, form: str, to: str, said: dict[str, str]) -> str:
    who.get(form)
    return who.send(to, **said)


def measure(home: Home) -> dict[str, Any]:
    """Milliseconds by page; a form counts with the page that it stands on."""
    app, found = make_app(home), {}
    with TestClient(app) as client:
        service = app.state.service
        view = service.view.newest()
        children = [row["child_id"] for row in view.rows(_CHILDREN, [LOOKS])]
        prepare(client, children)
        service.flush()
        for name, user, ask in pages(children[0]):
            who, spent = Visitor(client, user), []
            for _ in range(TIMES):
                begun = time.process_time()
                ask(who)
                spent.append(1000 * (time.process_time() - begun))
            found[name] = {"first": round(spent[0], 1), "then": round(median(spent[1:]), 1)}
        newest = service.access.ledger.last_checkpoint()
        count = view.rows("SELECT count(*) AS n FROM children")[0]["n"]
    return {
        "children": count,
        "ledger_events": newest.count if newest else 0,
        "cpu_milliseconds": found,
    }


def main() -> None:
    """Measure, write, and say."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("folder", type=Path)
    words.add_argument("--out", type=Path, default=RESULTS)
    asked = words.parse_args()
    told = {"machine": machine(), **measure(Home(asked.folder / "home"))}
    asked.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", "utf-8")
    for name, spent in told["cpu_milliseconds"].items():
        sys.stdout.write(
            f"{name:26s} first {spent['first']:7.1f} ms, then {spent['then']:6.1f} ms\n"
        )


if __name__ == "__main__":
    main()
