"""The timeliness report for the council itself: its own records, read by its own people, and written down.

No organisation but the council gets the file, so there is no release; the agreement under which the
case system comes in must be in force all the same, and the ledger says that the file was made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.returns.timeliness import Standing, write_timeliness
from ffp_data.warehouse import connect

PURPOSE = "statutory_returns.timeliness"
_TABLES = (
    "ssd_cin_episodes",
    "ssd_cin_assessments",
    "ssd_s47_enquiry",
    "ssd_initial_cp_conference",
    "ssd_cp_plans",
    "ssd_cp_reviews",
)


class NotPermittedError(ValueError):
    """The agreement on the case system is not in force; the message is the decision's own words."""


@dataclass(frozen=True)
class TimelinessReport:
    """The file that was written, and what it stands on."""

    file: Path
    standing: Standing
    sha256: str

    def figures(self) -> dict[str, object]:
        return {
            "file": str(self.file),
            "as at": self.standing.as_at.isoformat(),
            "clocks": self.standing.clocks,
            "rules version": self.standing.rules_version,
            "sha256": self.sha256,
        }


def report_timeliness(run: Run, file: Path) -> TimelinessReport:
    """Write the workbook to `file`, readable by its owner alone.

    Raises NotPermittedError, NotBuiltError before the first run, and LeaseLostError for a run that was
    overtaken. The ledger is written before the file takes its name: there is none that it does not know of.
    """
    _require_agreement(run)
    part = file.with_name(f".{file.name}.part")
    try:
        # Open for writing, until the file has its name: no overtaken run comes past the fence, and none
        # overtakes meanwhile.
        with connect(run.home) as con:
            standing = write_timeliness(con, part, run.partnership.name)
            report = TimelinessReport(file, standing, hashlib.sha256(part.read_bytes()).hexdigest())
            run.ledger.append(
                "council_report_written",
                run_id=run.run_id,
                report="timeliness",
                purpose=PURPOSE,
                as_at=standing.as_at.isoformat(),
                clocks=standing.clocks,
                rules_version=standing.rules_version,
                sha256=report.sha256,
            )
            part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return report


def _require_agreement(run: Run) -> None:
    grants = policy.grants(run)
    decisions = [grants.ingest("case_system", table) for table in _TABLES]
    refused = next((each for each in decisions if not each.allowed), None)
    if refused:
        run.ledger.append(
            "council_report_refused",
            run_id=run.run_id,
            report="timeliness",
            purpose=PURPOSE,
            reason=refused.reason,
        )
        raise NotPermittedError(refused.reason)
