"""The reviewers' commands of `ffp hub`: the queue, a pair side by side, verdicts, undo and its answer, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ffp_data.cli.console import HomeOption, JsonOption, fail, has_run, out, print_json, print_rows

if TYPE_CHECKING:
    from ffp_data.review.desk import Desk, Listed, Waiting, WaitingUndo
    from ffp_data.settings import Home
    from governance.access import Principal

MARKS = {"equal": "=", "differs": "≠", "one side only": "·", "withheld": "withheld"}

ItemArgument = Annotated[int, typer.Argument(help="Number of the item, as in the queue.")]
Reason = Annotated[str, typer.Option(help="Why, in words that a colleague will understand.")]
As = Annotated[
    str | None,
    typer.Option("--as", help="Another reviewer's name; only in a home of made-up people."),
]


class Verdict(StrEnum):
    """A reviewer's verdict on two records."""

    same = "same"
    not_same = "not_same"
    cant_tell = "cant_tell"


def add_to(app: typer.Typer) -> None:
    """Add the commands to `ffp hub`."""
    for name, command in (
        ("queue", queue),
        ("show", show),
        ("decide", decide),
        ("confirm", confirm),
        ("put-back", put_back),
        ("undo", undo),
        ("keep", keep),
        ("undos", undos),
        ("clashes", clashes),
        ("ask", ask),
        ("review-report", review_report),
    ):
        app.command(name)(command)


@contextmanager
def _desk(home: Path | None, name: str | None) -> Iterator[Desk]:
    from ffp_data.hub import HubError
    from ffp_data.pipeline.review_desk import open_desk
    from governance.access import AccessDeniedError

    place = has_run(home)
    try:
        with open_desk(place, _made_up(place, name)) as desk:
            yield desk
    except (HubError, AccessDeniedError) as error:
        raise fail(str(error), 2) from error


def _made_up(home: Home, name: str | None) -> Principal | None:
    """A reviewer of a demonstration; in earnest everybody is who the system says they are."""
    from ffp_data.settings import Partnership
    from governance.access import Principal

    if name is None:
        return None
    if not Partnership.of(home).is_synthetic:
        raise fail("--as works only in a home of made-up people: log in as yourself", 2)
    return Principal(name, "reviewer")


def queue(home: HomeOption = None, json: JsonOption = False, name: As = None) -> None:
    """What waits for you, first things first, and why each item stands where it stands."""
    with _desk(home, name) as desk:
        waiting = desk.queue(_now())
        asked = () if json else desk.undos(_now())
    print_rows("to review", [_line(w, json) for w in waiting], as_json=json)
    if asked:
        print_rows("decisions that somebody asks to take back", [_undo_line(u) for u in asked])


def undos(home: HomeOption = None, json: JsonOption = False, name: As = None) -> None:
    """Decisions of two people that somebody asked to take back, and that stand until another answers."""
    with _desk(home, name) as desk:
        rows = [_undo_line(waiting) for waiting in desk.undos(_now())]
    print_rows("decisions that somebody asks to take back", rows, as_json=json)


def clashes(home: HomeOption = None, json: JsonOption = False, name: As = None) -> None:
    """Open items that contradict a decision, or a rule such as one NHS number for one person."""
    with _desk(home, name) as desk:
        rows = [
            {**_line(w, json), "clash": _list(desk.words_of(w.listed), json)}
            for w in desk.clashes(_now())
        ]
    print_rows("clashes", rows, as_json=json)


def show(
    item: Annotated[
        int | None, typer.Argument(help="An item; else the first that is free.")
    ] = None,
    home: HomeOption = None,
    json: JsonOption = False,
    name: As = None,
) -> None:
    """Two records side by side, reserved for you; evidence follows your first verdict."""
    with _desk(home, name) as desk:
        listed = desk.take(_now(), item)
    if json:
        print_json({"item": listed.item_id, "why_here": list(listed.words), **listed.sheet})
        return
    _print_sheet(listed)
    out.print(
        f"Your first verdict: ffp hub decide {listed.item_id} same|not_same|cant_tell --reason …",
        markup=False,
    )


def decide(
    item: ItemArgument,
    verdict: Annotated[Verdict, typer.Argument(help="Are the two one person?")],
    reason: Reason,
    home: HomeOption = None,
    json: JsonOption = False,
    name: As = None,
) -> None:
    """Write down your first verdict on an item you have looked at; then see the evidence."""
    with _desk(home, name) as desk:
        listed = desk.first_verdict(item, verdict.value, reason, _now())
    if json:
        print_json({"item": item, "first_verdict": verdict.value, "evidence": listed.evidence})
        return
    _print_evidence(listed.evidence)
    out.print(
        f"You said {verdict.value}. Confirm: ffp hub confirm {item}. "
        f"Or change: ffp hub confirm {item} --verdict … --reason …",
        markup=False,
    )


def confirm(
    item: ItemArgument,
    verdict: Annotated[Verdict | None, typer.Option(help="Another verdict than before.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, where the verdict changes.")] = None,
    home: HomeOption = None,
    json: JsonOption = False,
    name: As = None,
) -> None:
    """Your final verdict on an item, after the evidence: the first one again, or another."""
    with _desk(home, name) as desk:
        done = desk.confirm(item, reason, _now(), verdict.value if verdict else None)
    if json:
        print_json({"item": item, "decision": done.decision, "standing": done.standing})
    elif done.decision is None:
        typer.echo(f"item {item}: {done.standing}; nothing binds yet")
    else:
        typer.echo(
            f"decision {done.decision} ({done.verdict}): takes effect in the next run; "
            f"`ffp hub undo {done.decision}` takes it back"
        )


def put_back(item: ItemArgument, home: HomeOption = None, name: As = None) -> None:
    """Give a reserved item back without a verdict."""
    with _desk(home, name) as desk:
        desk.put_back(item, _now())
    typer.echo(f"item {item} is free again")


def undo(decision: int, reason: Reason, home: HomeOption = None, name: As = None) -> None:
    """Take a decision back, two people one that two took; the identifiers of before return in the next run."""
    with _desk(home, name) as desk:
        is_done = desk.undo(decision, reason, _now())
    if is_done:
        typer.echo(f"decision {decision} is taken back from the next run on")
    else:
        typer.echo(
            f"decision {decision} took two people: it stands until another reviewer confirms "
            f"(`ffp hub undo {decision}`) or refuses (`ffp hub keep {decision}`)"
        )


def keep(decision: int, reason: Reason, home: HomeOption = None, name: As = None) -> None:
    """Refuse the undo that somebody asked for: the decision stands."""
    with _desk(home, name) as desk:
        desk.keep(decision, reason, _now())
    typer.echo(f"decision {decision} stands; nobody's undo waits any more")


def ask(
    left: Annotated[str, typer.Argument(help="A record key: feed|system|id.")],
    right: Annotated[str, typer.Argument(help="Another record key.")],
    reason: Reason,
    home: HomeOption = None,
    name: As = None,
) -> None:
    """Ask reviewers to look at two records; the next run puts the pair into the queue."""
    with _desk(home, name) as desk:
        number = desk.ask(left, right, reason, _now())
    typer.echo(f"question {number}: the next run puts the pair into the queue")


def review_report(home: HomeOption = None, json: JsonOption = False, name: As = None) -> None:
    """Figures: how much waits and why, for how long, and how far people agree."""
    with _desk(home, name) as desk:
        figures = desk.report(_now())
    if json:
        print_json(figures)
    else:
        print_rows("review", [{"what": k, "figure": v} for k, v in _flat(figures)])


def _flat(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in figures.items():
        words = f"{before}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{words}: ")
        else:
            yield words, "–" if value is None else str(value)


def _line(waiting: Waiting, as_json: bool) -> dict[str, Any]:
    """Nothing here tells what the model thinks: the first verdict is to be the reviewer's own."""
    return {
        "place": waiting.listed.place,
        "item": waiting.listed.item_id,
        "why_here": _list(waiting.listed.words, as_json),
        "standing": waiting.standing + (", in other hands" if waiting.is_reserved else ""),
        "days": waiting.waits_days,
    }


def _undo_line(waiting: WaitingUndo) -> dict[str, Any]:
    return {
        "decision": waiting.decision.decision_id,
        "verdict": waiting.decision.verdict.value,
        "asked_by": waiting.asked.reviewer,
        "why": waiting.asked.reason,
        "standing": "waits for another than you"
        if waiting.is_own
        else "waits for another reviewer",
        "days": waiting.waits_days,
    }


def _list(words: tuple[str, ...], as_json: bool) -> Any:
    return (
        list(words) if as_json else "; ".join(words) or "nothing of the above; uncertain ones first"
    )


def _print_sheet(listed: Listed) -> None:
    sheet = listed.sheet
    left, right = f"A: {sheet['left']}", f"B: {sheet['right']}"
    rows = [
        {"": row["field"], left: row["left"], " ": MARKS[row["mark"]], right: row["right"]}
        for row in sheet["rows"]
    ]
    print_rows(f"item {listed.item_id}: one person?", rows)
    why = "; ".join(listed.words)
    if why:
        out.print(f"Why here: {why}.", markup=False)


def _print_evidence(evidence: Mapping[str, Any]) -> None:
    together = "one identifier" if evidence["are_together"] else "two identifiers"
    out.print(
        f"Now under {together}. Asked because {'; '.join(evidence['reasons'])}.", markup=False
    )
    if evidence["weight"] is not None:
        out.print(
            f"The model: {evidence['weight']:+.1f} bits, probability {evidence['probability']:.3f}.",
            markup=False,
        )
    if evidence["veto"]:
        out.print(f"Forbidden by: {evidence['veto'].replace('_', ' ')}.", markup=False)
    rows = [
        {"found": c["of"], "says": c["says"], "bits": _bits(c["bits"])}
        for c in evidence["comparisons"]
    ]
    print_rows("what was compared", rows)
    for side, others in (
        ("A", evidence.get("others_left", ())),
        ("B", evidence.get("others_right", ())),
    ):
        rows = [{"feed": o["feed"], "says": ", ".join(o["says"])} for o in others]
        print_rows(f"other records with {side}", rows)
    if evidence["path"]:
        print_rows("how the two came together", evidence["path"])
    for note in evidence["notes"]:
        out.print(note, markup=False)


def _bits(bits: float | None) -> str:
    return "withheld" if bits is None else f"{bits:+.1f}"


def _now() -> datetime:
    return datetime.now(UTC)
