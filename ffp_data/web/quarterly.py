"""The programme lead's pages: a quarter by expectation, whose each figure is, what is typed, and the signature.

Figures and lists are those of a kept build, so that a page read twice says the same; what is typed counts from the next
build. Whoever opens a figure reads identifiers and days, no place and no name; each child listed is written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.quarterly import Item, Kpi, NotAQuarterError, Quarter, load_items
from ffp_data.quarterly.entries import LONGEST, NotAnEntryError, answers_to, fields_of
from ffp_data.quarterly.figures import Rate
from ffp_data.quarterly.report import figure_in_words, parts_in_words, rate_in_words
from ffp_data.releases.kept_quarters import (
    CHECKED,
    LINES,
    KeptQuarters,
    NoBuildError,
    read_lines,
    standing,
)
from ffp_data.releases.quarterly_entries import EntryBook
from ffp_data.returns.versions import Version
from ffp_data.web.pages import show
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter(prefix="/quarterly")
TABLES = {1: "Family Help", 2: "Multi-agency child protection", 3: "Family networks"}
COLOURS = {"green": "green", "amber": "yellow", "red": "red", "grey": "grey"}
MOST = 500
"""Lines of one list on a page; the whole is the command's."""


@routes.get("")
def newest(service: Served, who: Who, request: Request) -> Response:
    """The newest quarter that was built, or how one is."""
    service.gate.check(who.principal, Right.QUARTERLY)
    built = KeptQuarters(service.home).quarters()
    if not built:
        return _nothing(
            request, "No quarter is built yet. The next run builds one, or: ffp quarterly build."
        )
    return RedirectResponse(f"/quarterly/{built[0].name}", 303)


@routes.get("/{name}")
def quarter(request: Request, service: Served, who: Who, name: str) -> Response:
    """All items of a quarter."""
    service.gate.check(who.principal, Right.QUARTERLY)
    found = _found(service, name)
    if found is None:
        return _nothing(request, "No such quarter is built.")
    asked, version = found
    service.gate.read(who.principal, Right.QUARTERLY)
    kept, record, items = KeptQuarters(service.home), version.record, load_items()
    with EntryBook.open(service.home) as book:
        typed = book.newest(asked)
    versions = kept.versions(asked)
    signed = kept.signatures(service.access.ledger, asked)
    return show(
        request, "quarterly.html", quarter=asked, record=record, version=version, tables=TABLES, colours=COLOURS,
        items=items, told={each["id"]: each for each in record["told"]["items"]}, typed=typed,
        since={i: e for i, e in typed.items() if record["entries"].get(i, {}).get("version") != e.version},
        rates=_rates(record["told"]["beside"]),
        built=kept.quarters(), versions=versions, signed=signed, may_enter=_may(service, who, Right.QUARTERLY_ENTER),
        may_sign=_may(service, who, Right.QUARTERLY_SIGN), fields_of=fields_of, figure_in_words=figure_in_words,
        parts_in_words=parts_in_words,
    )  # fmt: skip


def _rates(beside: list[dict[str, Any]]) -> list[tuple[Kpi, str]]:
    """Each figure of ours with its words; one that the build did not have yet is left out."""
    told = {each["id"]: each for each in beside}
    return [
        (kpi, rate_in_words(Rate(kpi.id, **{name: told[kpi.id][name] for name in _RATE}), kpi.unit))
        for kpi in load_items().kpis
        if kpi.id in told
    ]


_RATE = ("numerator", "denominator", "value", "low", "high", "note")


@routes.get("/{name}/figures/{item}")
def figure(request: Request, service: Served, who: Who, name: str, item: str) -> Response:
    """Who and what stands behind a figure, and what is left out of it."""
    service.gate.check(who.principal, Right.QUARTERLY)
    found, items = _found(service, name), load_items()
    titles = {each.id: each.title for each in items.items} | {
        each.id: each.title for each in items.kpis
    }
    if found is None or item not in titles:
        return _nothing(request, "No such figure.")
    asked, version = found
    lines = [line for line in _lines(version, LINES, item) if line["item"] == item]
    lines, gone = _standing(service, lines)
    _told(service, who, lines)
    shown = {
        "counts": [line for line in lines if line["why_not"] is None],
        "left_out": [line for line in lines if line["why_not"] is not None],
    }
    return show(
        request, "quarterly_figure.html", quarter=asked, title=titles[item], item=item, version=version, gone=gone,
        most=MOST, **shown,
    )  # fmt: skip


@routes.get("/{name}/checks/{check}")
def checked(request: Request, service: Served, who: Who, name: str, check: str) -> Response:
    """Whom a check is about."""
    service.gate.check(who.principal, Right.QUARTERLY)
    found = _found(service, name)
    about = (
        next((c for c in found[1].record["checks"] if c["name"] == check), None) if found else None
    )
    if found is None or about is None:
        return _nothing(request, "No such check.")
    rows = [row for row in _lines(found[1], CHECKED, check) if row["check"] == check]
    rows, gone = _standing(service, rows)
    _told(service, who, rows)
    return show(
        request,
        "quarterly_check.html",
        quarter=found[0],
        about=about,
        rows=rows,
        gone=gone,
        most=MOST,
    )


@routes.get("/{name}/changes")
def changes(request: Request, service: Served, who: Who, name: str) -> Response:
    """What changed from the last but one build to the newest, child by child."""
    service.gate.check(who.principal, Right.QUARTERLY)
    found = _found(service, name)
    if found is None:
        return _nothing(request, "No such quarter is built.")
    asked, version = found
    kept = KeptQuarters(service.home)
    earlier = kept.versions(asked)[:-1]
    rows = kept.compare(earlier[-1], version) if earlier else []
    rows, gone = _standing(service, rows)
    _told(service, who, rows)
    return show(
        request, "quarterly_changes.html", quarter=asked, rows=rows, gone=gone, version=version,
        earlier=earlier[-1] if earlier else None, most=MOST,
    )  # fmt: skip


@routes.get("/{name}/entries/{item}")
def entry_form(request: Request, service: Served, who: Who, name: str, item: str) -> Response:
    """What is typed of an item, every version, and the form for the next."""
    service.gate.check(who.principal, Right.QUARTERLY_ENTER)
    return _form(request, service, name, item, None, {})


def typed_fields(
    answer: Annotated[str, Form(max_length=60)] = "",
    day: Annotated[str, Form(max_length=20)] = "",
    text: Annotated[str, Form(max_length=2 * LONGEST)] = "",
    target: Annotated[str, Form(max_length=10)] = "",
) -> dict[str, str]:
    """The fields of an entry as they were typed."""
    return {"answer": answer, "day": day, "text": text, "target": target}


Typed = Annotated[dict[str, str], Depends(typed_fields)]


@routes.post("/{name}/entries/{item}", dependencies=[Checked])
def enter(
    request: Request, service: Served, who: Who, name: str, item: str, typed: Typed
) -> Response:
    """Keep what was typed as the next version."""
    gate = service.access.gate  # on disk before it counts
    gate.check(who.principal, Right.QUARTERLY_ENTER)
    asked, items = _quarter(name), load_items()
    if asked is None or item not in items.by_id:
        return _nothing(request, "No such item.")
    try:
        with EntryBook.open(service.home) as book:
            book.enter(gate, who.principal, items, items.by_id[item], asked, typed)
    except NotAnEntryError as error:
        return _form(request, service, name, item, str(error), typed)
    return RedirectResponse(f"/quarterly/{asked.name}/entries/{item}", 303)


@routes.post("/{name}/sign", dependencies=[Checked])
def sign(request: Request, service: Served, who: Who, name: str) -> Response:
    """Put the asker's name to the newest build."""
    gate = service.access.gate
    gate.check(who.principal, Right.QUARTERLY_SIGN)
    asked = _quarter(name)
    if asked is None:
        return _nothing(request, "No such quarter.")
    try:
        KeptQuarters(service.home).sign(
            gate, who.principal, asked, service.access.keys.trusted, name=who.user.name
        )
    except NoBuildError as problem:
        return show(request, "refused.html", 409, title="Not signed", words=f"{problem}.")
    return RedirectResponse(f"/quarterly/{asked.name}", 303)


def _form(
    request: Request,
    service: Service,
    name: str,
    item: str,
    error: str | None,
    typed: dict[str, str],
) -> Response:
    asked, items = _quarter(name), load_items()
    found: Item | None = items.by_id.get(item)
    if asked is None or found is None or not fields_of(found):
        return _nothing(request, "Nothing is typed of this.")
    with EntryBook.open(service.home) as book:
        history = book.all(asked, item)
    return show(
        request, "quarterly_entry.html", 200 if error is None else 422, quarter=asked, item=found, error=error,
        fields=fields_of(found), answers=answers_to(found, items), history=history[::-1], longest=LONGEST,
        typed={"answer": "", "day": "", "text": "", "target": ""} | typed,
    )  # fmt: skip


def _found(service: Service, name: str) -> tuple[Quarter, Version] | None:
    asked = _quarter(name)
    try:
        return (asked, KeptQuarters(service.home).newest(asked)) if asked else None
    except NoBuildError:
        return None


def _quarter(name: str) -> Quarter | None:
    try:
        return Quarter.parse(name)
    except NotAQuarterError:
        return None


def _lines(version: Version, name: str, holding: str) -> list[dict[str, Any]]:
    """Rows of a build; none where they were taken out because somebody in them was sealed or erased."""
    try:
        return read_lines(version, name, holding)
    except NoBuildError:
        return []


def _standing(service: Service, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    return standing(rows, service.register.in_use)


def _told(service: Service, who: Asker, rows: Iterable[dict[str, Any]]) -> None:
    named = sorted({row["child_id"] for row in rows if row["child_id"]})
    service.gate.read(who.principal, Right.QUARTERLY, subjects=named)


def _may(service: Service, who: Asker, right: Right) -> bool:
    return service.gate.roles.may(who.principal, right)


def _nothing(request: Request, words: str) -> Response:
    return show(request, "refused.html", 404, title="Nothing to show", words=words)
