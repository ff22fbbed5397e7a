"""What models read may be kept between runs; a forbidden read never passes because of what was kept."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import kept_reads
from governance.build_gate import (
    Examined,
    FeedTable,
    Free,
    Gate,
    Model,
    Pool,
    Refusal,
    Stored,
    Table,
    examined,
)
from governance.kept_reads import KeptReads, key_of
from governance.policy.compile import Lock
from governance.readset import Column, UnreadableQueryError

RAW: Table = ("raw", "child")
COLUMNS = {
    RAW: {"id": "INTEGER", "name": "VARCHAR", "note": "VARCHAR"},
    ("raw", "codes"): {"c": "VARCHAR"},
}
STORED: dict[Table, Stored] = {
    RAW: FeedTable("school", "child", {"name": "name", "note": "note"}),
    ("raw", "codes"): Free(),
}
SPINE = Model(("spine", "child"), "select id, name from raw.child", (), False)
MART = Model(("mart", "child"), "select * from spine.child", ("census",))
MODELS = (SPINE, MART)


def lock(*columns: str, purpose: str = "census") -> Lock:
    item = {"feed": "school", "table": "child", "columns": list(columns), "purposes": [purpose]}
    terms = {"direction": "inbound", "status": "active", "purposes": [purpose], "items": [item]}
    return Lock({"agreements": {"DSA-1": {"terms": terms}}})


def ask(folder: Path, models: tuple[Model, ...] = MODELS, given: Lock | None = None) -> list[Refusal]:  # fmt: skip
    gate = Gate(given or lock("name"), STORED)
    return gate.refusals(models, COLUMNS, KeptReads(folder).examined)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many models the engine was really asked about, one entry each time."""
    counted: list[int] = []

    def counting(*about: object) -> Examined:
        counted.append(len(about[0]))  # type: ignore[arg-type]
        return examined(*about)  # type: ignore[arg-type]

    monkeypatch.setattr(kept_reads, "examined", counting)
    return counted


@pytest.fixture
def kept(tmp_path: Path, asked: list[int]) -> Path:
    """The file in which the clean project's reads were kept."""
    assert ask(tmp_path) == []
    (file,) = tmp_path.iterdir()
    asked.clear()
    return file


def test_an_unchanged_project_is_not_examined_again(kept: Path, asked: list[int]) -> None:
    assert ask(kept.parent) == []
    assert asked == []


def test_what_was_kept_is_what_the_engine_said(kept: Path, asked: list[int]) -> None:
    solid = frozenset(STORED)
    assert KeptReads(kept.parent).examined(MODELS, COLUMNS, solid) == examined(
        MODELS, COLUMNS, solid
    )
    assert asked == []


@pytest.mark.control("A02")
@pytest.mark.parametrize("given", [lock(), lock("note"), lock("name", purpose="marketing")])
def test_an_agreement_that_ended_stops_the_build_though_the_reads_are_kept(
    kept: Path, asked: list[int], given: Lock
) -> None:
    refused = ask(kept.parent, given=given)
    assert ("mart.child", "raw.child.name") in {(each.model, each.source) for each in refused}
    assert asked == []


@pytest.mark.control("A02")
@pytest.mark.parametrize(
    ("changed", "source"),
    [
        ((replace(SPINE, sql="select id, note as name from raw.child"), MART), "raw.child.note"),
        ((replace(SPINE, sql="from raw.child"), MART), "raw.child.note"),
        ((SPINE, replace(MART, sql="select note from raw.child")), "raw.child.note"),
        ((SPINE, replace(MART, sql="from query('select note from raw.child')")), "raw.child.note"),
        ((SPINE, MART, Model(("mart", "more"), "select note from raw.child", ("census",))), "raw.child.note"),
        ((SPINE, replace(MART, language="python")), "by python"),
        ((SPINE, replace(MART, besides=("drop table raw.child",))), "by a hook"),
        ((SPINE, replace(MART, purposes=("marketing",))), "raw.child.name"),
        ((SPINE, replace(MART, purposes=())), "anything"),
    ],
)  # fmt: skip
def test_a_model_that_changed_is_refused_as_if_nothing_were_kept(
    kept: Path, changed: tuple[Model, ...], source: str
) -> None:
    refused = ask(kept.parent, changed)
    assert source in {each.source for each in refused}
    assert refused == Gate(lock("name"), STORED).refusals(changed, COLUMNS)


@pytest.mark.control("A02")
def test_a_model_whose_text_is_the_same_is_refused_when_what_it_stands_on_changes(
    tmp_path: Path,
) -> None:
    unseen = replace(MART, sql="from query('from spine.child')")  # no parser of names sees the view
    assert ask(tmp_path, (SPINE, unseen)) == []
    wider = replace(SPINE, sql="select id, name, note from raw.child")
    assert "mart.child" in {each.model for each in ask(tmp_path, (wider, unseen))}


def test_all_that_the_answer_hangs_on_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    solid = frozenset(STORED)
    turned = {RAW: dict(reversed(COLUMNS[RAW].items())), ("raw", "codes"): {"c": "VARCHAR"}}
    typed = {**COLUMNS, ("raw", "codes"): {"c": "INTEGER"}}
    keys = {
        "as it is": key_of(MODELS, COLUMNS, solid),
        "models turned": key_of(MODELS[::-1], COLUMNS, solid),
        "one more": key_of((*MODELS, MART), COLUMNS, solid),
        "columns turned": key_of(MODELS, turned, solid),
        "another type": key_of(MODELS, typed, solid),
        "a door": key_of(MODELS, COLUMNS, solid | {SPINE.table}),
    }
    with monkeypatch.context() as patch:
        patch.setattr("governance.kept_reads.duckdb.__version__", "another")
        keys["engine"] = key_of(MODELS, COLUMNS, solid)
    with monkeypatch.context() as patch:
        patch.setattr(kept_reads, "_programs", lambda: ["another"])
        keys["programs"] = key_of(MODELS, COLUMNS, solid)
    assert len(set(keys.values())) == len(keys)
    assert keys["as it is"] == key_of(MODELS, COLUMNS, solid)


@given(data=st.data())
def test_a_file_with_any_byte_changed_counts_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    said = KeptReads(folder).examined(MODELS, COLUMNS, frozenset(STORED))
    (file,) = folder.iterdir()
    whole = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    file.write_bytes(whole[: data.draw(st.sampled_from([place, len(whole)]))])
    key = key_of(MODELS, COLUMNS, frozenset(STORED))
    assert kept_reads._believed(file, key) is None
    assert KeptReads(folder).examined(MODELS, COLUMNS, frozenset(STORED)) == said
    assert kept_reads._believed(file, key) is not None, "what was damaged is kept anew"


@pytest.mark.control("A02")
def test_the_file_of_another_project_counts_as_none(tmp_path: Path, kept: Path) -> None:
    changed = (SPINE, replace(MART, sql="select note from raw.child"))
    key = key_of(changed, COLUMNS, frozenset(STORED))
    kept.rename(tmp_path / f"columns-read-{key[0]}")
    assert ask(tmp_path, changed) != []


@pytest.mark.control("A02")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_could_write_counts_as_none(
    kept: Path, asked: list[int], mode: int
) -> None:
    kept.chmod(mode)
    assert ask(kept.parent) == []
    assert asked == [len(MODELS)]
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_link_counts_as_none(tmp_path: Path, kept: Path, asked: list[int]) -> None:
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    assert ask(tmp_path) == []
    assert asked == [len(MODELS)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_counts_as_none(kept: Path, asked: list[int]) -> None:
    os.chown(kept, 65534, -1)
    assert ask(kept.parent) == []
    assert asked == [len(MODELS)]


@pytest.mark.parametrize("sql", ["select * from 'a.csv'", "select x from nowhere", "no query"])
def test_a_project_with_a_model_that_cannot_be_examined_is_examined_each_time(
    tmp_path: Path, asked: list[int], sql: str
) -> None:
    models = (SPINE, replace(MART, sql=sql))
    first = ask(tmp_path, models)
    assert first
    assert ask(tmp_path, models) == first
    assert asked == [2, 2]
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_the_engine_could_not_read_says_so_when_its_columns_are_asked_for() -> None:
    error = UnreadableQueryError("a file")
    seen = Examined((), {"a": frozenset({Column("raw", "codes", "c")}), "b": error})
    assert seen.columns_of("a") == {Column("raw", "codes", "c")}
    with pytest.raises(UnreadableQueryError, match="a file"):
        seen.columns_of("b")


def test_a_pool_is_asked_for_its_door_though_the_reads_are_kept(tmp_path: Path) -> None:
    closed: dict[Table, Stored] = {**STORED, RAW: Pool(frozenset({"id"}), {})}
    assert ask(tmp_path) == []
    refused = Gate(lock("name"), closed).refusals(MODELS, COLUMNS, KeptReads(tmp_path).examined)
    assert [each.source for each in refused] == ["raw.child.name"]
