"""What an earlier run released leaves `out/` as soon as the agreements would not release it today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.pipeline.summary import _withdrawn
from ffp_data.releases import publish
from ffp_data.settings import Home, make_demonstration
from governance.manifest import MANIFEST
from governance.release import publish as release

AS_AT = date(2026, 3, 31)
TEAM = "fenmarch-family-help-north"
PURPOSE = "single_view.family_help"
AGREEMENT = "DSA-FHN-01.yaml"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A home with a policy of its own that released two extracts, one of them to the department."""
    made = Run.at(run_id="r1", home=tmp_path / "home", landing=tmp_path, as_at=AS_AT)
    make_demonstration(made.home)
    policy.start_policy(made.home)
    policy.compile_lock(made)
    _release(made, TEAM, PURPOSE, "extracts/team", "single_view.children")
    _release(made, "dfe", "statutory_returns.cin_census", "returns/cin", "returns.cin_children")
    return made


def _release(run: Run, recipient: str, purpose: str, where: str, relation: str) -> None:
    decision = policy.grants(run).release(recipient, purpose)

    def write(part: Path) -> dict[str, int]:
        (part / "rows.csv").write_text("child_id\n", "utf-8")
        return {relation: 1}

    release(
        decision, write, as_at=AS_AT, out=run.home.out / where, keys=run.keys, ledger=run.ledger
    )


def _next_run_with(run: Run, old: str, new: str) -> Run:
    agreement = run.home.root / "policy" / "agreements" / AGREEMENT
    text = agreement.read_text("utf-8")
    assert old in text
    agreement.write_text(text.replace(old, new, 1), "utf-8")
    later = Run.at(run_id="r2", home=run.home.root, landing=run.landing, as_at=AS_AT)
    assert policy.compile_lock(later).problems == []
    return later


def _folders(home: Home) -> list[str]:
    return sorted(path.parent.name for path in home.out.rglob(MANIFEST))


def test_what_is_still_permitted_stays(run: Run) -> None:
    assert publish.withdraw_unpermitted(run) == {}
    assert _folders(run.home) == ["cin", "team"]


@pytest.mark.control("A08")
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("status: live", "status: suspended", "is suspended"),
        ("transform: clear", "transform: pseudonymised", "as it was released"),
        ("surname, given_name,", "surname,", "single_view.children.given_name as it was released"),
    ],
)
def test_a_release_that_its_agreement_no_longer_gives_is_taken_out_and_written_down(
    run: Run, old: str, new: str, reason: str
) -> None:
    later = _next_run_with(run, old, new)
    (told,) = publish.withdraw_unpermitted(later).items()
    assert told[0] == "out/extracts/team"
    assert reason in told[1]
    assert _folders(run.home) == ["cin"], "what others agreed is left alone"
    (event,) = [e["facts"] for e in run.ledger.events() if e["kind"] == "release_withdrawn"]
    assert (event["recipient"], event["purpose"]) == (TEAM, PURPOSE)
    assert reason in event["reason"]
    assert run.ledger.verify() == []
    (line,) = _withdrawn(later)
    assert line.startswith(f"{TEAM} {PURPOSE}, as at 2026-03-31: ")
    assert publish.withdraw_unpermitted(later) == {}, "and it is told once"


@pytest.mark.control("A04")
def test_other_rows_than_today_are_not_permitted_either(run: Run) -> None:
    cohort = policy.grants(run).release(TEAM, PURPOSE).terms["rows"]["cohort"]
    _next_run_with(run, f"cohort: {cohort}", "cohort: everyone_delivered")
    later = _next_run_with(run, "ref: DPIA-2025-02, version: 1", "ref: DPIA-2025-02, version: 2")
    (reason,) = publish.withdraw_unpermitted(later).values()
    assert reason.endswith("gives other rows than were released")


def test_a_recipient_of_whom_no_agreement_speaks_any_more_loses_the_extract(run: Run) -> None:
    (run.home.root / "policy" / "agreements" / AGREEMENT).unlink()
    later = Run.at(run_id="r2", home=run.home.root, landing=run.landing, as_at=AS_AT)
    assert policy.compile_lock(later).problems == []
    (reason,) = publish.withdraw_unpermitted(later).values()
    assert reason == f"no: no agreement gives anything to {TEAM} for {PURPOSE}"


@pytest.mark.control("F06")
def test_a_folder_that_this_hub_did_not_sign_is_named_and_left(run: Run) -> None:
    manifest = run.home.out / "extracts" / "team" / MANIFEST
    manifest.write_text(manifest.read_text("utf-8").replace(TEAM, "someone-else"), "utf-8")
    (told,) = publish.withdraw_unpermitted(run).values()
    assert "left where it is" in told
    assert _folders(run.home) == ["cin", "team"]
