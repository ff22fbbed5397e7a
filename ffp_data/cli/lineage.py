"""`ffp explain` and `ffp who`: where a value comes from, and who could see and did see a column."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from ffp_data.cli.console import (
    HomeOption,
    JsonOption,
    ReasonToAsk,
    fail,
    has_run,
    out,
    print_json,
    print_rows,
)

if TYPE_CHECKING:
    from ffp_data.lineage.answers import Explained, Explanation, Row
    from ffp_data.lineage.who import DidSee, WhoAnswer


def add_to(top: typer.Typer) -> None:
    """Put both commands at the top level."""
    top.command()(explain)
    top.command()(who)


def explain(
    child_id: str,
    attribute: Annotated[
        str,
        typer.Argument(
            help="date_of_birth, involvements.<service>.<column>, flags.<flag>, "
            "attendance.<window>.<column>, chronology.<day>.<type>, family_members.<who>.<column>"
        ),
    ],
    reason: ReasonToAsk = None,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Why a value of the single view is as it is: record, feed, file, line, agreement, rule, and who received it.

    Exit status: 0 explained, 2 no such child or attribute.
    """
    from ffp_data.lineage.cell import UnknownAttributeError
    from ffp_data.lineage.explain import open_explainer
    from ffp_data.lookups import NotThereError
    from governance.access import Right

    with open_explainer(has_run(home)) as opened:
        who = opened.access.user(Right.EXPLAIN, reason=reason)
        try:
            answer = opened.explain(who, child_id, attribute, reason)
        except (NotThereError, UnknownAttributeError) as error:
            raise fail(str(error), 2) from error
    if json:
        print_json(answer.model_dump(mode="json"))
        return
    for cell in answer.cells:
        _tell(answer, cell)
    _tell_recipients(answer)


def who(
    column: Annotated[
        str,
        typer.Argument(
            help="feed.table.column, or a column of a table: single_view.children.postcode"
        ),
    ],
    indirect: Annotated[
        bool, typer.Option("--indirect", help="List columns that it only chooses, too.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Who could see a column under the agreements in force, and who did, by the ledger. Exit 1: did and could not."""
    from ffp_data.access import Access
    from ffp_data.home.kept_locks import KeptLocks
    from ffp_data.home.run import Run
    from ffp_data.lineage.columns import ColumnLineage, UnknownColumnError
    from ffp_data.lineage.graph import current_graph
    from ffp_data.lineage.who import Who
    from governance.policy.compile import Lock

    access = Access(has_run(home))
    run = Run.at(run_id="who", home=access.home.root)
    asked = Who(
        ColumnLineage(current_graph(), run.contracts),
        Lock.read(run.lock_file, access.keys.public_key),
        access.roles,
        KeptLocks(access.home, access.keys).find,
    )
    try:
        answer = asked.ask(column, access.ledger.events())
    except UnknownColumnError as error:
        raise fail(str(error), 2) from error
    if json:
        print_json(answer.model_dump(mode="json"))
    else:
        could = [each.model_dump() for each in answer.could if indirect or each.way == "direct"]
        did = [_done(each) for each in answer.did if indirect or each.way == "direct"]
        print_rows(f"could see {column}", could)
        print_rows(f"did see {column}", did)
        if not indirect:
            _tell_indirect(answer)
        if not answer.beyond:
            _say("nobody saw it without a grant that was in force then")
    if answer.beyond:
        told = (
            f"{each.who} saw {each.column} for {each.purpose} without a grant"
            for each in answer.beyond
        )
        raise fail(() if json else told)


def _tell_indirect(answer: WhoAnswer) -> None:
    """Of whom only the choice of other values rests on the column: how many, by recipient."""
    counts = Counter(each.who for each in answer.could if each.way == "indirect")
    if counts:
        listed = ", ".join(f"{who} {number}" for who, number in sorted(counts.items()))
        _say(
            f"columns that it only helps to choose, filter or join (--indirect lists them): {listed}"
        )


def _done(each: DidSee) -> dict[str, object]:
    days = f"{each.first:%Y-%m-%d}" + (
        "" if each.first == each.last else f" to {each.last:%Y-%m-%d}"
    )
    told = each.model_dump(exclude={"first", "last"})
    return {**told, "when": days}


def _tell(answer: Explanation, cell: Explained) -> None:
    moved = "" if answer.child_id == answer.current else f" (asked as {answer.child_id})"
    _say(f"{answer.attribute} of {answer.current}{moved}, as at {answer.as_at}")
    _say(f"  value   {'–' if cell.value is None else cell.value}")
    _say(f"  state   {cell.state.replace('_', ' ')}: {cell.state_in_words}")
    _say(f"  rule    {cell.rule}")
    for row in cell.taken_from:
        _tell_row(row)
    if cell.others:
        _say(f"  chosen over {len(cell.others)} others")
        for other in cell.others:
            when = f" as of {other.as_of}" if other.as_of else ""
            whose = f", record {other.record_key}" if other.record_key else ""
            _say(f"    {other.feed}{when}: says {other.says}{whose}")


def _tell_row(row: Row) -> None:
    count = "" if row.rows == 1 else f", {row.rows:,} rows counted"
    _say(f"  from    feed {row.feed}, table {row.table}{count}")
    if row.record_key:
        _say(f"          record {row.record_key}")
    for column in row.columns:
        value = "" if column.value is None else f" = {column.value}"
        name = "" if column.as_sent == column.column else f", sent as {column.as_sent}"
        _say(f"          column {column.column}{name}{value}")
    if row.received:
        line = "" if row.line is None else f", line {row.line}"
        _say(
            f"          file {row.file_name or 'withheld'}{line}, received {row.received:%Y-%m-%d %H:%M}"
        )
    if row.agreed:
        _say(f"          let in by {row.agreed.agreement}")
        for item in row.agreed.items:
            _say(f"            {item}")
    if row.tie:
        weight = "" if row.tie.weight is None else f", weight {row.tie.weight:.1f}"
        _say(f"          tied to the child since {row.tie.since}: {row.tie.words}{weight}")


def _tell_recipients(answer: Explanation) -> None:
    if not answer.received_by:
        _say(
            "received by nobody" + ("" if not answer.recipients_unknown else ", as far as is known")
        )
    for each in answer.received_by:
        _say(
            f"received by {each.recipient} on {each.released_at:%Y-%m-%d} for {each.purpose} under "
            f"{each.agreement}, {each.transform} as {each.name}"
        )
    if answer.recipients_unknown:
        _say(f"  {answer.recipients_unknown} releases of the column do not say whom they held")


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
