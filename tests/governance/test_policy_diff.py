"""A change of policy is told in words before it counts, and what widens is marked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.home import policy as agreements
from ffp_data.home.kept_locks import ASKED, KeptLocks
from ffp_data.home.run import Run
from ffp_data.pipeline.policy_diff import SideError, compare
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from governance.policy import LockError
from governance.policy.compile import TRANSFORMS
from governance.policy.difference import Change, Difference, difference
from governance.policy.widening import SHOWS, widenings
from tests.governance.policies import AS_AT, NORTH, POLICE, TEAM, copy_policy, locked, rewrite

KEPT = ("DSA-FHN-01", "DSA-POL-01")


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return copy_policy(tmp_path / "before", *KEPT)


@pytest.fixture
def after(tmp_path: Path) -> Path:
    return copy_policy(tmp_path / "after", *KEPT)


def found(before: Path, after: Path) -> Difference:
    return difference(locked(before).data, locked(after).data, ("before", "after"))


def item(agreement: dict[str, Any], column: str) -> dict[str, Any]:
    return next(each for each in agreement["items"] if column in each["columns"])


def only_change(before: Path, after: Path) -> Change:
    (change,) = found(before, after).changes
    return change


@pytest.mark.control("F05")
def test_a_column_that_is_added_is_gained_by_its_recipient(before: Path, after: Path) -> None:
    rewrite(after, NORTH, lambda each: item(each, "surname")["columns"].append("uprn"))
    change = only_change(before, after)
    assert (change.what, change.to, change.columns) == ("gains", TEAM, ("uprn",))
    assert change.widens
    assert change.words() == (
        f"{TEAM} gains single_view.children: uprn (clear, rows of open_to_family_help_north) "
        "for single_view.family_help, under DSA-FHN-01"
    )


@pytest.mark.control("F05")
def test_a_column_that_is_taken_out_is_lost_and_widens_nothing(before: Path, after: Path) -> None:
    rewrite(after, NORTH, lambda each: item(each, "surname")["columns"].remove("postcode"))
    change = only_change(before, after)
    assert (change.what, change.columns, change.widens) == ("loses", ("postcode",), False)
    assert not found(before, after).widens


@pytest.mark.parametrize(
    ("was", "now", "widens"), [("month", "clear", True), ("clear", "month", False)]
)
def test_another_transform_is_one_change_that_widens_when_it_shows_more(
    before: Path, after: Path, was: str, now: str, widens: bool
) -> None:
    for folder, transform in ((before, was), (after, now)):
        rewrite(folder, NORTH, lambda each, to=transform: _alone(each, "date_of_birth", to))
    change = only_change(before, after)
    assert (change.what, change.widens) == ("gets otherwise", widens)
    assert f"{now}, was {was}" in change.words()


def _alone(agreement: dict[str, Any], column: str, transform: str) -> None:
    """Give a column an item of its own with this transform."""
    whole = item(agreement, column)
    whole["columns"].remove(column)
    agreement["items"].append({**whole, "columns": [column], "transform": transform})


def test_every_transform_of_the_policy_has_a_place_among_what_shows_more() -> None:
    assert set(SHOWS) == set(TRANSFORMS)


def test_a_feed_whose_facts_join_the_rows_widens(before: Path, after: Path) -> None:
    rewrite(before, NORTH, lambda each: each["rows"]["feeds"].remove("police_pole"))
    changes = found(before, after).changes
    assert changes
    assert all(each.widens and "with police_pole" in each.words() for each in changes)


def test_what_newly_enters_and_no_longer_enters_is_told(before: Path, after: Path) -> None:
    def swap(each: dict[str, Any]) -> None:
        place = each["excluded"][0]
        each["excluded"].remove(place)
        each["items"].append({**place, "category": "free_text", "columns": place["columns"]})
        each["items"][0]["columns"] = each["items"][0]["columns"][1:]

    lost = locked(before).data["agreements"]["DSA-POL-01"]["terms"]["items"][0]["columns"][0]
    rewrite(after, "charter/CHARTER-2025.yaml", lambda each: each["categories"].append("free_text"))
    rewrite(after, POLICE, swap)
    told = {(each.what, each.to) for each in found(before, after).changes}
    assert told == {("gains", "the hub"), ("loses", "the hub")}
    assert any(lost in each.columns for each in found(before, after).changes)


def test_an_agreement_that_ends_is_told_with_what_its_recipient_loses(before: Path) -> None:
    old, new = locked(before), locked(before, date(2028, 3, 31))
    ended = difference(old.data, new.data, ("2026", "2028"))
    assert not ended.changes
    ended = difference(old.data, _suspended(before).data, ("live", "suspended"))
    (told,) = [each for each in ended.agreements if each.agreement == "DSA-FHN-01"]
    assert "not in force (it is suspended); it was in force" in told.words
    assert {each.what for each in ended.changes} == {"loses"}


def _suspended(directory: Path) -> Any:
    rewrite(directory, NORTH, lambda each: each.update(status="suspended"))
    return locked(directory)


@pytest.mark.control("A10")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda each: item(each, "surname")["columns"].append("uprn"), "uprn is added"),
        (lambda each: each["retention"].update(period="P2M"), "kept for P2M, it was P1M"),
        (lambda each: each["access"].append("duty desk"), "access for duty desk"),
        (lambda each: each["rows"]["feeds"].append("marac"), "facts of marac are added"),
        (
            lambda each: each["rows"].update(cohort="everyone_delivered"),
            "rows are those of everyone_delivered",
        ),
    ],
)
def test_more_under_the_same_dpia_makes_it_stale(
    before: Path, after: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    rewrite(after, NORTH, change)
    (told,) = found(before, after).agreements
    assert any(words in each for each in told.stale)


@pytest.mark.control("A10")
def test_less_or_a_dpia_that_was_asked_again_makes_none_stale(before: Path, after: Path) -> None:
    def asked_again(each: dict[str, Any]) -> None:
        item(each, "surname")["columns"].append("uprn")
        each["dpia"]["version"] += 1

    rewrite(after, NORTH, asked_again)
    rewrite(after, POLICE, lambda each: each["items"][0]["columns"].pop())
    assert not any(each.stale for each in found(before, after).agreements)


def test_equal_policies_give_nothing_to_tell(before: Path, after: Path) -> None:
    nothing = found(before, after)
    assert (nothing.changes, nothing.agreements, nothing.widens) == ((), (), False)
    assert widenings(locked(before).data, locked(after).data, "DSA-FHN-01") == []


# The home: kept locks, DPIAs that were outgrown, and the command.


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A home with a policy of its own."""
    made = Run.at(run_id="r1", home=tmp_path / "home", landing=tmp_path, as_at=AS_AT)
    make_demonstration(made.home)
    copy_policy(made.home.root, *KEPT)
    return made


def widen(run: Run, **dpia: Any) -> None:
    def change(each: dict[str, Any]) -> None:
        item(each, "surname")["columns"].append("uprn")
        each["dpia"].update(dpia)

    rewrite(run.home.root / "policy", NORTH, change)


def released_to_team(run: Run) -> bool:
    decision = agreements.grants(run).release(TEAM, "single_view.family_help")
    return decision.allowed


@pytest.mark.control("A10", "F05")
def test_what_outgrew_its_dpia_is_held_back_until_it_was_asked_again(run: Run) -> None:
    agreements.compile_lock(run)
    assert released_to_team(run)
    widen(run)
    agreements.compile_lock(run)
    assert not released_to_team(run)
    (event,) = [each for each in run.ledger.events() if each["kind"] == "dpia_stale"]
    assert event["facts"]["more"] == ["single_view.children.uprn is added (clear)"]
    rewrite(run.home.root / "policy", NORTH, lambda each: each["dpia"].update(version=2))
    agreements.compile_lock(run)
    assert released_to_team(run)


@pytest.mark.control("A10")
def test_narrowing_holds_nothing_back(run: Run) -> None:
    agreements.compile_lock(run)
    rewrite(
        run.home.root / "policy", NORTH, lambda each: item(each, "upn")["columns"].remove("upn")
    )
    agreements.compile_lock(run)
    assert released_to_team(run)


def test_creeping_growth_is_held_to_what_the_dpia_was_asked_about(run: Run) -> None:
    """Each step alone is small; the DPIA is compared with the first of them."""
    agreements.compile_lock(run)
    widen(run)
    agreements.compile_lock(run)
    rewrite(
        run.home.root / "policy", NORTH, lambda each: item(each, "upn")["columns"].remove("upn")
    )
    agreements.compile_lock(run)
    assert not released_to_team(run)


def test_every_lock_is_kept_and_found_by_the_beginning_of_its_digest(run: Run) -> None:
    digest = agreements.compile_lock(run).digest
    assert digest is not None
    kept = KeptLocks(run.home, run.keys)
    found = kept.find(digest[:12])
    assert found is not None
    assert found.sha256 == digest
    assert kept.find("0" * 64) is None
    assert kept.find("../etc") is None


def test_an_altered_record_of_dpias_is_refused(run: Run) -> None:
    agreements.compile_lock(run)
    path = run.home.locks / ASKED
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":7', 1))
    with pytest.raises(LockError, match="altered"):
        agreements.compile_lock(run)


def test_sides_are_a_lock_a_folder_a_day_a_digest_or_a_revision(run: Run, before: Path) -> None:
    digest = agreements.compile_lock(run).digest
    assert digest is not None
    own = run.home.root / "policy"
    words = ["git", "-C", str(own), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "policy"]):
        subprocess.run([*words, *command], check=True)
    widen(run)
    for side in (str(run.lock_file), str(before), digest[:12], "HEAD"):
        told = compare(run.home, side, AS_AT.isoformat())
        assert [each.columns for each in told.difference.changes] == [("uprn",)]
    with pytest.raises(SideError, match="neither a lock file"):
        compare(run.home, "no-such-thing", AS_AT.isoformat())


def test_a_folder_needs_a_day_where_the_home_has_none(before: Path, tmp_path: Path) -> None:
    with pytest.raises(SideError, match="give --as-at"):
        compare(Home(tmp_path / "nothing"), str(before), str(before))


@pytest.mark.control("F05")
def test_children_are_counted_in_the_warehouse_for_the_cohort(
    run: Run, before: Path, after: Path
) -> None:
    rewrite(after, NORTH, lambda each: item(each, "surname")["columns"].append("uprn"))
    assert compare(run.home, str(before), str(after), AS_AT).children == (None,)
    with connect(run.home) as con:
        con.execute("CREATE SCHEMA IF NOT EXISTS single_view")
        con.execute("CREATE TABLE single_view.children AS SELECT i AS child_id FROM range(9) t(i)")
        con.execute(
            "CREATE TABLE single_view.involvements AS SELECT i AS child_id, 'social_care' AS service,"
            " if(i < 3, 'current', 'historic') AS state, 'Family Help North' AS team FROM range(9) t(i)"
        )
    told = compare(run.home, str(before), str(after), AS_AT)
    assert told.children == (3,)
    assert told.lines()[0].startswith("+ ")
    assert told.lines()[0].endswith(": 3 children")


@pytest.mark.control("F05")
def test_the_command_speaks_to_people_to_machines_and_to_a_proposed_change(
    run: Run, before: Path, after: Path
) -> None:
    rewrite(after, NORTH, lambda each: item(each, "surname")["columns"].append("uprn"))
    words = ["policy", "diff", str(before), str(after), "--as-at", AS_AT.isoformat()]
    words += ["--home", str(run.home.root)]
    plain = CliRunner().invoke(app, words)
    assert plain.exit_code == 0, plain.output
    assert "! DSA-FHN-01 outgrows its DPIA: single_view.children.uprn is added" in plain.stdout
    comment = CliRunner().invoke(app, [*words, "--markdown", "--strict"])
    assert comment.exit_code == 1
    assert f"| + | {TEAM} | gains | `single_view.children`: `uprn` |" in comment.stdout
    machine = CliRunner().invoke(app, [*words, "--json"])
    assert '"widens": true' in machine.stdout
