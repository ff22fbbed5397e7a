"""Something is wrong here: a practitioner tells the owner of a fact, and the owner's officer reads and answers it.

Which feed a report is about is chosen from those that the child's page names, so that it reaches whoever can mend it;
a doubt about whose records these are goes to the reviewers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from ffp_data.kept import wrong
from ffp_data.kept.wrong import LONGEST, REVIEWERS, Said
from ffp_data.single_view.published import Published
from ffp_data.single_view.words import day, feeds_of, group_words, source_words
from ffp_data.web.agreed import LOCK, agreed_in
from ffp_data.web.pages import show
from ffp_data.web.permitted import Permitted, permitted_child
from ffp_data.web.references import by_reference
from ffp_data.web.service import Asker, Checked, Served, Service, Who
from governance.access import Right

routes = APIRouter()
_LEAST = 10
"""Letters of a report that says anything."""
_TABLES = ("involvements", "flags", "chronology", "family_members", "attendance", "child_clocks")
_SOURCES = f"""
WITH asked AS (SELECT ?::VARCHAR AS child_id)
SELECT DISTINCT feed FROM (SELECT unnest(string_split(source, ', ')) AS feed FROM (
    {" UNION ".join(f"SELECT source FROM {table} SEMI JOIN asked USING (child_id)" for table in _TABLES)}
    UNION SELECT unnest([date_of_birth_source, sex_source, nhs_number_source, upn_source, address_source,
                         school_source]) FROM children SEMI JOIN asked USING (child_id)
)) WHERE feed <> '' ORDER BY feed
"""


@dataclass(frozen=True)
class _Form:
    """What was chosen and typed so far."""

    about: str = ""
    feed: str = ""
    words: str = ""


@routes.get("/children/{child_id}/wrong")
def ask(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    about: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The form: what is wrong, who said it, and how it should be."""
    permitted = permitted_child(service, who, child_id, Right.REPORT_WRONG)
    if not isinstance(permitted, Permitted):
        return permitted
    return _show(request, permitted, _Form(about if about in group_words() else ""))


@routes.post("/children/{child_id}/wrong", dependencies=[Checked])
def tell(
    request: Request,
    service: Served,
    who: Who,
    child_id: str,
    about: Annotated[str, Form(max_length=40)] = "",
    feed: Annotated[str, Form(max_length=80)] = "",
    words: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Keep the report; what it says is in no ledger."""
    service.copies.take(who.key)
    permitted = permitted_child(service, who, child_id, Right.REPORT_WRONG)
    if not isinstance(permitted, Permitted):
        return permitted
    form = _Form(about, feed, words.strip())
    if error := _problem(form, _sources(permitted)):
        return _show(request, permitted, form, error)
    made, said = date.fromisoformat(permitted.view.as_at), Said(who.user.name, form.words)
    subjects = service.access.subjects
    wrong.report(service.kept, subjects, permitted.child_id, about, feed, said, made)
    service.gate.append(
        "reported_wrong", who=who.key, role=who.user.role, about=about, feed=feed,
        subjects=subjects.references([permitted.child_id]),
    )  # fmt: skip
    return show(
        request,
        "wrong_told.html",
        child_id=permitted.child_id,
        to=_to(feed, feeds_of(permitted.view)),
        days=service.partnership.reports_kept_days,
    )


@routes.get("/wrong")
def waiting(request: Request, service: Served, who: Who) -> Response:
    """Reports that wait: for reviewers those of identities, for the officer those of data, with whom to tell."""
    right = _right(service, who)
    view = service.view.newest()
    wrong.forget(
        service.kept, date.fromisoformat(view.as_at), service.partnership.reports_kept_days
    )
    found = wrong.waiting(
        service.kept, service.access.subjects, for_reviewers=right is Right.QUEUE,
        by_reference=lambda: by_reference(view, service.access),
    )  # fmt: skip
    service.gate.read(
        who.principal, right, subjects=[each.child_id for each in found], list="reported_wrong"
    )
    feeds, contacts = feeds_of(view), contacts_of(service, view)
    shown = [
        {
            "report": each,
            "about": group_words().get(each.about, each.about),
            "to": _to(each.feed, feeds),
            "contact": contacts.get(each.feed),
            "made": day(each.made),
        }
        for each in found
    ]
    return show(request, "wrong.html", shown=shown)


@routes.post("/wrong/{report_id}/answered", dependencies=[Checked])
def answered(request: Request, service: Served, who: Who, report_id: int) -> Response:
    """Remove a report that its owner has answered."""
    right = _right(service, who)
    service.gate.append(
        "answered_wrong", who=who.key, role=who.user.role, right=right.value, report=report_id
    )
    if not wrong.answer(service.kept, report_id):
        words = "It was answered before, or its time is up."
        return show(request, "refused.html", 404, title="No such report", words=words)
    return RedirectResponse("/wrong", 303)


def contacts_of(service: Service, view: Published) -> dict[str, str]:
    """Whom to write to of each feed: the agency's name and mailbox, as its agreement has them."""
    if not (service.home.root / LOCK).is_file():
        return {}
    organisations = agreed_in(service.home).lock.data["organisations"]
    agencies = {feed: known["agency"] for feed, known in feeds_of(view).items()}
    return {
        feed: f"{organisations[agency]['name']}, {organisations[agency]['contacts']['dpo']}"
        for feed, agency in agencies.items()
        if agency in organisations
    }


def _right(service: Service, who: Asker) -> Right:
    """The right by which somebody reads reports; raises AccessDeniedError."""
    right = Right.QUEUE if service.gate.roles.may(who.principal, Right.QUEUE) else Right.EXPLAIN
    service.gate.check(who.principal, right)
    return right


def _sources(permitted: Permitted) -> list[str]:
    return [row["feed"] for row in permitted.view.rows(_SOURCES, [permitted.child_id])]


def _to(feed: str, feeds: Mapping[str, Mapping[str, Any]]) -> str:
    return "the reviewers" if feed == REVIEWERS else source_words(feeds, feed)


def _problem(form: _Form, sources: list[str]) -> tuple[str, str] | None:
    if form.about not in group_words():
        return "about", "Choose what is wrong"
    if form.feed not in (REVIEWERS, *sources):
        return "feed", "Choose who says it"
    if not _LEAST <= len(form.words) <= LONGEST:
        return "words", f"Say what is wrong in {_LEAST} to {LONGEST} letters"
    return None


def _show(
    request: Request, permitted: Permitted, form: _Form, error: tuple[str, str] | None = None
) -> Response:
    feeds = feeds_of(permitted.view)
    return show(
        request,
        "wrong_form.html",
        400 if error else 200,
        child_id=permitted.child_id,
        groups=group_words(),
        sources={each: source_words(feeds, each) for each in _sources(permitted)},
        reviewers=REVIEWERS,
        form=form,
        error=error,
        longest=LONGEST,
    )
