"""The engineer's pages: how feeds and runs fare, which model links, what the disk holds. Nobody's data.

Everything here is a count, a name of ours or a time: rules and columns are named, values never. What needs scripts
(Dagster's pages, dbt's documentation) is named with its address and not served from here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse, Response

from ffp_data.identity.model_report import markdown
from ffp_data.identity.model_store import ModelStore
from ffp_data.pipeline.review_desk import read_queue
from ffp_data.serving.operations import FEED_FIGURES, HUB_FIGURES, QUARANTINED, RETURNS_LACK
from ffp_data.settings import Home, Partnership
from ffp_data.single_view.published import Published
from ffp_data.single_view.words import day
from ffp_data.web.pages import show
from ffp_data.web.runs import ENDED_WELL, failed_checks, failed_steps, newest_runs
from ffp_data.web.service import Served, Service, Who
from governance.access import Right
from linkage.run_report import moved_rows, parameter_rows

routes = APIRouter(prefix="/engineer")
_BAR = 150
"""Pixels of the longest bar, on either side of the middle."""
_PARTS = {
    "the warehouse": "warehouse.duckdb",
    "the register of identifiers": "hub.db",
    "the ledger": "ledger",
    "what pages and look-ups read": "serving",
    "what was delivered": "landing",
    "what leaves": "out",
    "what the council keeps": "council",
    "linkage models": "models",
    "Dagster's history": "dagster",
    "scratch, safe to delete between runs": "scratch",
}
_STATES = ("Late", "Never delivered", "Not let in", "In time")
"""What an engineer should see first stands first."""


@routes.get("")
def overview(request: Request, service: Served, who: Who) -> Response:
    """Feeds, runs, checks, model, hub and disk on one page."""
    service.gate.read(who.principal, Right.OPERATE, page="overview")
    view, home = service.view.newest(), service.home
    runs = newest_runs(home)
    newest = runs[0].run_id if runs else ""
    feeds = _feeds(view)
    return show(
        request, "engineer.html", view=view, as_at=day(date.fromisoformat(view.as_at)), feeds=feeds, runs=runs,
        attention=[f for f in feeds if f["state"] in _STATES[:2] or f["refused"] or f["held"]],
        lacks=view.rows(f"FROM {RETURNS_LACK}"),
        quarantined=view.rows(f"FROM {QUARANTINED}"), checks=failed_checks(home, newest),
        steps=failed_steps(home, newest), ended_well=ENDED_WELL, model=_model(home),
        figures={row["what"]: row["count"] for row in view.rows(f"FROM {HUB_FIGURES}")},
        waiting=len(read_queue(home)), disk=_disk(home), dagster=_dagster(service),
    )  # fmt: skip


@routes.get("/model")
def model(request: Request, service: Served, who: Who) -> Response:
    """What the live model weighs, as it was learnt."""
    service.gate.read(who.principal, Right.OPERATE, page="model")
    found = _model(service.home)
    if found is None:
        raise HTTPException(404)
    kept = ModelStore(service.home).load(found["live"].digest)
    rows = [
        *parameter_rows(kept.fitted.parameters),
        *moved_rows(kept.model, kept.fitted.parameters),
    ]
    return show(request, "engineer_model.html", model=found, rows=_with_bars(rows))


@routes.get("/model/gate")
def gate_report(service: Served, who: Who) -> Response:
    """What the gate found of the live model, as it was written; counts alone."""
    service.gate.read(who.principal, Right.OPERATE, page="gate")
    found = _model(service.home)
    if found is None or found["gate"] is None:
        raise HTTPException(404)
    return PlainTextResponse(markdown(found["gate"]), media_type="text/markdown; charset=utf-8")


def _feeds(view: Published) -> list[dict[str, Any]]:
    """Every feed with its state, those that need somebody first."""
    rows = [
        {**row, **{n: row[n] or 0 for n in _COUNTS}, "state": _state(row)}
        for row in view.rows(f"FROM {FEED_FIGURES}")
    ]
    return sorted(rows, key=lambda row: (_STATES.index(row["state"]), row["feed"]))


_COUNTS = (
    "deliveries", "refused", "held", "rows_delivered", "rows_loaded", "rows_quarantined", "rows_superseded",
)  # fmt: skip


def _state(row: Mapping[str, Any]) -> str:
    late, never, shut, fresh = _STATES
    if row["agreement_state"] != "in_force":
        return shut
    if row["last_delivered_at"] is None:
        return never
    return late if row["is_late"] else fresh


def _model(home: Home) -> dict[str, Any] | None:
    """The live model: name, how many records it was learnt from, who let it go live; None before the first run."""
    store = ModelStore(home)
    live = store.live()
    if live is None:
        return None
    kept = store.load(live.digest)
    return {
        "live": live,
        "version": kept.version,
        "records": kept.fitted.records,
        "gate": store.gate(live.digest),
    }


def _with_bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    longest = max((abs(row["weight_bits"]) for row in rows), default=0) or 1
    return [
        {
            **row,
            "width": round(_BAR * abs(row["weight_bits"]) / longest),
            "is_for": row["weight_bits"] > 0,
        }
        for row in rows
    ]


def _disk(home: Home) -> dict[str, Any]:
    """What each part of the home takes, in bytes, and what the disk has left."""
    free = shutil.disk_usage(home.root)
    parts = [(words, sum(_sizes(home.root / name))) for words, name in _PARTS.items()]
    return {"parts": parts, "free": free.free, "total": free.total}


def _sizes(path: Path) -> Iterator[int]:
    if path.is_file():
        yield path.stat().st_size
        return
    for each in path.rglob("*"):
        try:
            yield each.stat().st_size if each.is_file() else 0
        except FileNotFoundError:  # a run tidies while we count
            continue


def _dagster(service: Service) -> str | None:
    return Partnership.of(service.home).dagster
