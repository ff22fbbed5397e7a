"""Each recipient is told what became of the identifiers they hold, in their own pseudonyms and no other's."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffp_data.hub import Hub, HubError
from ffp_data.lookups.changes import Told, changes_since
from ffp_data.lookups.register import Register
from governance.envelope import make_key, seal_for
from governance.keys import KeyStore
from governance.manifest import read_manifest, write_manifest
from governance.pseudonym import pseudonym_key, pseudonymise

ABOUT = {"purpose": "single_view.family_help", "agreement": "DSA-1@1", "as_at": "2026-01-01"}


class Story:
    """A hub of single-record children whose clusters a test sets run by run, and what was released."""

    def __init__(self, folder: Path) -> None:
        self.url, self.out = f"sqlite:///{folder / 'hub.db'}", folder / "out"
        self.keys = KeyStore(folder / "keys")
        self._runs = 0

    def run(self, *clusters: str) -> dict[str, str]:
        """One run with these clusters of one-letter records; gives the child of each record."""
        self._runs += 1
        rows = [(record, cluster) for cluster in clusters for record in cluster]
        table = pa.table({"record_id": [r for r, _ in rows], "cluster_id": [c for _, c in rows]})
        with Hub.open(self.url) as hub:
            day = date(2026, 1, self._runs)
            hub.apply_run(f"run {self._runs}", day, "model 1", table, allow_large_change=True)
            found = hub.membership()
        return dict(
            zip(found["record_key"].to_pylist(), found["child_id"].to_pylist(), strict=True)
        )

    def token(self, recipient: str, child_id: str, epoch: str = "2026") -> str:
        key = pseudonym_key(self.keys, recipient, ABOUT["purpose"], epoch)
        (token,) = pseudonymise(key, [child_id])
        assert token
        return token

    def release(self, recipient: str, *child_ids: str, transform: str = "pseudonymised") -> None:
        """What `governance.release` leaves, of one table."""
        is_clear = transform == "clear"
        folder = self.out / "extracts" / recipient / ABOUT["as_at"]
        folder.mkdir(parents=True)
        name = "child_id" if is_clear else "child_id_pseudonym"
        held = [c if is_clear else self.token(recipient, c) for c in child_ids]
        pq.write_table(pa.table({name: held}), folder / "children.parquet")
        columns = [{"relation": "single_view.children", "name": name, "transform": transform}]
        tables = [{"relation": "single_view.children", "rows": len(held), "columns": columns}]
        facts = {**ABOUT, "recipient": recipient, "epoch": "2026", "tables": tables}
        write_manifest(folder, facts, self.keys.signing_key)

    def told(
        self, since: str, released: list[dict[str, Any]] | None = None, recipient: str | None = None
    ) -> Told:
        register = Register.open(self.url)
        try:
            return changes_since(register, self.out, self.keys, since, released or [], recipient)
        finally:
            register.close()


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


@pytest.mark.control("B12")
def test_a_merge_is_told_to_who_holds_the_identifier_that_went(story: Story) -> None:
    before = story.run("a", "b", "c")
    story.release("north", before["a"], before["b"])
    story.release("south", before["c"])
    after = story.run("ab", "c")
    told = story.told("run 1")
    (change,) = told.changes
    gone = ({before["a"], before["b"]} - {after["a"]}).pop()
    assert (change.recipient, change.what) == ("north", ["merged"])
    assert change.old == story.token("north", gone)
    assert change.new == [story.token("north", after["a"])]
    assert story.told("run 2").changes == []


def test_a_split_tells_both_parts_and_a_later_return_to_one_is_told_too(story: Story) -> None:
    before = story.run("ab", "c")
    story.release("north", before["a"])
    after = story.run("a", "b", "c")
    (change,) = story.told("run 1").changes
    assert change.what == ["split"]
    own, other = before["a"], ({after["a"], after["b"]} - {before["a"]}).pop()
    assert change.old == story.token("north", own)
    assert change.new == [story.token("north", own), story.token("north", other)]


@pytest.mark.control("B02")
def test_two_recipients_cannot_join_what_they_are_told(story: Story) -> None:
    before = story.run("a", "b")
    for recipient in ("north", "south"):
        story.release(recipient, before["a"], before["b"])
    story.run("ab")
    north, south = story.told("run 1").changes
    assert {north.recipient, south.recipient} == {"north", "south"}
    assert not {north.old, *north.new} & {south.old, *south.new}
    (alone,) = story.told("run 1", recipient="south").changes
    assert alone == south


def test_who_holds_identifiers_in_clear_is_told_in_clear(story: Story) -> None:
    before = story.run("a", "b")
    story.release("council", before["a"], before["b"], transform="clear")
    after = story.run("ab")
    (change,) = story.told("run 1").changes
    assert change.new == [after["a"]]
    assert change.old in before.values()


def test_a_sealed_release_is_named_as_one_that_nobody_here_can_read(story: Story) -> None:
    before = story.run("a", "b")
    story.release("east", before["a"], before["b"])
    folder = story.out / "extracts" / "east" / ABOUT["as_at"]
    facts = read_manifest(folder, story.keys.trusted)
    story.run("ab")
    assert len(story.told("run 1").changes) == 1
    _, public = make_key("x25519")
    told = {name: value for name, value in facts.items() if name not in ("files", "format")}
    (folder / "manifest.json").unlink()
    seal_for(public, folder, told, story.keys.signing_key)
    columns = [{"name": "child_id_pseudonym", "transform": "pseudonymised"}]
    found = story.told("run 1", [{**ABOUT, "recipient": "east", "columns": columns}])
    assert found.changes == []
    assert found.cannot_say == ["east, single_view.family_help, as at 2026-01-01"]


def test_a_release_that_lies_here_no_longer_is_named(story: Story) -> None:
    story.run("a")
    columns = [{"name": "child_id_pseudonym", "transform": "pseudonymised"}]
    gone = {**ABOUT, "recipient": "east", "columns": columns}
    assert story.told("run 1", [gone]).cannot_say == [
        "east, single_view.family_help, as at 2026-01-01"
    ]
    without = {**gone, "columns": [{"name": "surname", "transform": "clear"}]}
    assert story.told("run 1", [without]).cannot_say == []


def test_a_run_that_the_hub_does_not_know_is_refused(story: Story) -> None:
    story.run("a")
    with pytest.raises(HubError, match="no run"):
        story.told("yesterday")
