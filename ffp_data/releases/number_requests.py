"""The children whose NHS number the council may look for, as the SUI Matcher takes them, and asking for them.

A release like any other: an agreement names the columns, the file lies below `out/` with its signed
manifest, and the ledger has both. The columns bear the names that the matcher's default mapping knows
(DFE-Digital/SUI_Matcher, CsvMappingConfig); `Id` comes back in its results and leads to the record.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.home import policy
from ffp_data.home.release_zone import ZONE
from ffp_data.home.run import Run
from ffp_data.nhs_numbers.asking import Asked, Asking, ask_for, read_questions
from ffp_data.releases.publish import ReleaseOutcome, record_failure
from ffp_data.warehouse import connect
from governance.files import replacing
from governance.grants import ReleaseDecision
from governance.release import (
    ReleaseFailedError,
    ReleaseRefusedError,
    publish,
    read_agreed,
)

DEPARTMENT = "dfe"
ASK_AGAIN = 30
"""Days until the service is asked again for a record that it did not find."""
PURPOSE = "identity_matching.nhs_number"
RELATION = "matching.nhs_number_requests"
HEADERS = {
    "record_key": "Id",
    "given_name": "GivenName",
    "surname": "Surname",
    "date_of_birth": "DOB",
    "gender": "Gender",
    "postcode": "PostCode",
}


@dataclass(frozen=True)
class AskOutcome:
    """What was released and what was answered; no asking where no agreement permits it."""

    released: ReleaseOutcome
    asking: Asking | None


def release_requests(run: Run, recipient: str | None = None) -> ReleaseOutcome:
    """Write `children.csv` under `out/nhs_number_requests/<recipient>/<day>/`, or say why not.

    Without a recipient it is the council's own matcher: whom agreements name for the purpose beside the
    Department.
    """
    grants = policy.grants(run)
    if recipient is None:
        named = sorted({who for who, _ in grants.recipients(PURPOSE)} - {DEPARTMENT})
        if len(named) != 1:
            told = ", ".join(named) or "nobody"
            return ReleaseOutcome(
                False, f"agreements for {PURPOSE} name {told}; one matcher is needed"
            )
        (recipient,) = named
    decision = grants.release(recipient, PURPOSE)
    out = run.home.out / "nhs_number_requests" / recipient / run.as_at.isoformat()
    asked: list[str] = []
    with connect(run.home) as con:

        def write(part: Path) -> dict[str, int]:
            count = _write(con, run, decision, part / "children.csv")
            asked.extend(each.record_key for each in read_questions(part / "children.csv"))
            return {RELATION: count}

        try:
            made = publish(
                decision,
                write,
                as_at=run.as_at,
                out=out,
                keys=run.keys,
                ledger=run.ledger,
                keep_list=lambda: run.subject_lists.keep({RELATION: asked}),
            )
        except ReleaseRefusedError as refusal:
            return ReleaseOutcome(False, str(refusal))
        except ReleaseFailedError as problem:
            return record_failure(run, decision, problem)
    return ReleaseOutcome(True, decision.reason, out, dict(made.rows))


def ask_service(run: Run, service: Asked, now: datetime, most: int | None = None) -> AskOutcome:
    """Release the children under the agreement with the Department, then ask its service for each.

    `most` limits the questions of this call. Records asked for in the last `ASK_AGAIN` days are passed over.
    """
    released = release_requests(run, DEPARTMENT)
    if not released.permitted or released.folder is None:
        return AskOutcome(released, None)
    lately = _asked_lately(run, now.date())
    questions = [
        each
        for each in read_questions(released.folder / "children.csv")
        if each.record_key not in lately
    ]
    asking = ask_for(questions[:most], service, run.landing, now)
    run.ledger.append("nhs_numbers_asked", run_id=run.run_id, **asking.counts, left=asking.left)
    return AskOutcome(released, asking)


def _asked_lately(run: Run, today: date) -> set[str]:
    with connect(run.home) as con:
        rows = con.execute(_ASKED_LATELY, [today - timedelta(days=ASK_AGAIN)]).fetchall()
    return {record_key for (record_key,) in rows}


_ASKED_LATELY = "SELECT DISTINCT record_id FROM raw.sui_matcher__answers WHERE asked_on > ?"


def _write(con: duckdb.DuckDBPyConnection, run: Run, decision: ReleaseDecision, path: Path) -> int:
    """What leaves of the relation as CSV, in the order of its keys; how many rows it is.

    A record whose own number is left out for the recipient could not be answered, and is not asked for.
    """
    _require_all(decision)
    agreed = read_agreed(con, decision, zone=ZONE, key=b"", as_at=run.as_at)[RELATION]
    rows = [row for row in agreed.table.to_pylist() if row["record_key"] is not None]
    with replacing(path) as handle:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADERS.values())
        writer.writerows([row[name] for name in HEADERS] for row in _by_key(rows))
        handle.write(text.getvalue().encode("utf-8"))
    return len(rows)


def _by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["record_key"]))


def _require_all(decision: ReleaseDecision) -> None:
    """The search needs every column as it is; an agreement on less is not overrun."""
    given = {i.column for i in decision.items if i.relation == RELATION and i.transform == "clear"}
    if lacking := sorted(set(HEADERS) - given):
        raise ReleaseFailedError(
            f"{decision.agreement} does not give {', '.join(lacking)} as they are, without which the"
            " search finds nobody; amend the agreement"
        )
