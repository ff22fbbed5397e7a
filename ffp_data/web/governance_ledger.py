"""The ledger's state: how far it goes, what was signed last, what others hold of it, and whether it is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ffp_data.rights.disclosure_index import DisclosureIndex
from ffp_data.web.agreed import require
from ffp_data.web.pages import show
from ffp_data.web.service import Checked, Served, Service, Who
from governance.journal_lines import journals
from governance.ledger import CheckpointsStoppedError, ClockWentBackError, Ledger
from governance.ledger_lines import CHECKPOINTS_FILE, Checkpoint

routes = APIRouter(prefix="/ledger")
_NEWEST, _BLOCK = 8, 16_384


@routes.get("")
def state(request: Request, service: Served, who: Who) -> Response:
    """Checkpoints, the newest witness, lines that wait, and what was set aside; nothing is verified yet."""
    require(service, who)
    return show(request, "governance_ledger.html", **_state(service), problems=None)


@routes.post("", dependencies=[Checked])
def verify(request: Request, service: Served, who: Who) -> Response:
    """Verify the whole ledger now."""
    require(service, who)
    problems = [str(problem) for problem in service.access.ledger.verify()]
    return show(request, "governance_ledger.html", **_state(service), problems=problems)


def _state(service: Service) -> dict[str, Any]:
    ledger = service.access.ledger
    return {
        "checkpoint": ledger.last_checkpoint(),
        "checkpoints": list(_newest(ledger)),
        "stopped": _stopped(ledger),
        "witness": _witness(service),
        "waiting": sum(path.stat().st_size > 0 for path in journals(ledger.directory)),
        "set_aside": sorted(path.name for path in ledger.directory.glob("unsigned-*.jsonl")),
    }


def _newest(ledger: Ledger) -> Iterator[Checkpoint]:
    """The newest checkpoints, read from the end of their file."""
    path = ledger.directory / CHECKPOINTS_FILE
    if not path.is_file():
        return
    with path.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - _BLOCK))
        lines = handle.read().split(b"\n")
    whole = lines if size <= _BLOCK else lines[1:]
    for line in [each for each in whole if each][: -_NEWEST - 1 : -1]:
        yield Checkpoint.of(json.loads(line))


def _stopped(ledger: Ledger) -> str | None:
    """Why releases stop, if they do."""
    try:
        ledger.require_fresh()
    except (CheckpointsStoppedError, ClockWentBackError) as error:
        return str(error)
    return None


def _witness(service: Service) -> dict[str, Any] | None:
    """The newest release: its manifest carries a checkpoint, which its recipient holds."""
    with DisclosureIndex(service.home, service.access.ledger).opened() as answers:
        newest = list(answers.releases())[-1:]
    return next(
        ({**event["facts"], "at": event["at"], "number": event["number"]} for event in newest), None
    )
