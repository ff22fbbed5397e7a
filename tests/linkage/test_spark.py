"""Spark gives what DuckDB gives: the same pairs, patterns and clusters, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import linkage
from benchmarks.linkage import families
from linkage import duck, engines
from linkage.cluster import components
from linkage.engine import Grouped
from linkage.linker import link_engine
from tests.linkage.conftest import PERSON_MODEL, SMALL

# PySpark leaves its sockets to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
ROOT = Path(__file__).parents[2]
HOUSEHOLDS = 330  # about 2,500 records


def _missing() -> str | None:
    if find_spec("pyspark") is None:
        return "pyspark is not installed (make spark)"
    return (
        None if shutil.which("java") else "no Java on this machine (scripts/install-system-parts)"
    )


@pytest.fixture(scope="module")
def _spark_is_here() -> None:
    missing = _missing()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="module")
def model() -> linkage.Model:
    """The hub's own model, which has a level of every kind, with fewer random pairs."""
    whole = linkage.Model.from_yaml(PERSON_MODEL)
    fewer = whole.estimation.model_copy(update={"random_pairs": 20_000})
    return whole.model_copy(update={"estimation": fewer})


@pytest.fixture(scope="module")
def records() -> pa.Table:
    """Invented families."""
    return families.make(HOUSEHOLDS, seed=7)[0]


class Running:
    """A Spark engine that this module shares, in folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.scratch, self.cwd = folder / "scratch", folder / "cwd"
        self.stack = ExitStack()
        for path in (self.scratch, self.cwd):
            path.mkdir()

    def open(self, records: pa.Table, model: linkage.Model) -> None:
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.chdir(self.cwd)
        patch.setattr(tempfile, "tempdir", str(self.scratch))
        self.engine = self.stack.enter_context(
            engines.open_engine("spark", records, model, 2, "1GB")
        )

    def files(self) -> list[Path]:
        return [p for p in self.scratch.rglob("*") if p.is_file()]


@pytest.fixture(scope="module")
def running(
    _spark_is_here: None,
    records: pa.Table,
    model: linkage.Model,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """Spark with the families loaded."""
    run = Running(tmp_path_factory.mktemp("spark"))
    with run.stack:
        run.open(records, model)
        yield run


def _equal(a: Grouped, b: Grouped) -> bool:
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in ("pattern", "mask", "count"))


@pytest.mark.slow
def test_spark_groups_the_same_pairs_count_by_count(
    running: Running, records: pa.Table, model: linkage.Model
) -> None:
    spark = running.engine
    with duck.open_engine(records, model) as other:
        assert spark.loaded == other.loaded
        assert spark.rule_sizes() == other.rule_sizes()
        found, expected = spark.patterns(), other.patterns()
        assert expected.count.sum() > 2_000
        assert len(expected.pattern) > 200
        assert _equal(found, expected)
        assert _equal(spark.random_patterns(), other.random_patterns())
        chosen = np.unique(expected.pattern)[::2]
        pairs = other.survivors(chosen)
        assert all(map(np.array_equal, spark.survivors(chosen), pairs))
        left, right, pattern = (a[::-1][:500] for a in pairs)
        assert np.array_equal(spark.compare(left, right), pattern)
        assert np.array_equal(spark.value_counts("surname"), other.value_counts("surname"))
        assert spark.values("surname").to_pylist() == other.values("surname").to_pylist()
        assert spark.collision_probability("sex") == other.collision_probability("sex")
        assert spark.identities().record_ids.equals(other.identities().record_ids)


@pytest.mark.slow
def test_spark_makes_the_same_clusters_and_explains_them_alike(
    running: Running, records: pa.Table, model: linkage.Model
) -> None:
    found, expected = link_engine(running.engine, model), linkage.link(records, model)
    assert found.clusters.equals(expected.clusters)
    assert found.pairs.equals(expected.pairs)
    assert found.report["clusters"] == expected.report["clusters"]


@pytest.mark.slow
def test_what_spark_writes_is_private_and_no_name_can_be_read_in_it(
    running: Running, records: pa.Table
) -> None:
    names = {str(s).lower().encode() for s in records["surname"].unique().to_pylist() if s}
    names = {n for n in names if len(n) > 6}
    assert len(names) > 50
    searched = 0
    for path in (p for p in running.files() if "blockmgr" in str(p)):
        with suppress(FileNotFoundError):  # Spark removes what it no longer needs
            content = path.read_bytes().lower()
            assert not any(name in content for name in names)
            searched += len(content)
    assert searched > 10_000
    (folder,) = running.scratch.glob("linkage-spark-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


ROWS = [
    {
        "id": "a",
        "source": "x",
        "given": "Ann",
        "surname": "Lee",
        "born": "2010-02-01",
        "number": "1",
    },
    {
        "id": "b",
        "source": "y",
        "given": "Ann",
        "surname": "Lee",
        "born": "2010-02-01",
        "number": "1",
    },
    {"id": "c", "source": "y", "given": "Zoë", "surname": None, "born": "not a date", "number": ""},
]


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def _csv(table: pa.Table, folder: Path) -> Path:
    pa.csv.write_csv(table, folder / "records.csv")
    return folder / "records.csv"


def _parquet(table: pa.Table, folder: Path) -> Path:
    pa.parquet.write_table(table, folder / "records.parquet")
    return folder / "records.parquet"


def _coded(table: pa.Table, _: Path) -> pa.Table:
    return pa.table([c.dictionary_encode() for c in table.columns], names=table.column_names)


@pytest.mark.slow
@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("written", [_csv, _parquet, _coded])
def test_files_and_coded_tables_are_read_alike(
    written: Callable[[pa.Table, Path], Any], tmp_path: Path
) -> None:
    source, small = written(_table(ROWS), tmp_path), linkage.Model.from_dict(SMALL)
    told = []
    for name in engines.NAMES:
        with engines.open_engine(name, source, small, 2, None) as engine:
            told.append((engine.loaded, engine.rule_sizes(), engine.values("given").to_pylist()))
    assert told[0] == told[1]


REFUSED = {
    "a missing column": _table(ROWS).drop_columns(["surname"]),
    "an id that occurs twice": _table([*ROWS, ROWS[0], ROWS[1]]),
    "no id": _table([*ROWS, ROWS[0] | {"id": None}]),
    "nothing to compare": _table(
        [{"id": str(i)} | dict.fromkeys(list(ROWS[0])[1:]) for i in range(3)]
    ),
    "no such file": "nowhere.parquet",
    "another kind of file": __file__,
}


@pytest.mark.slow
@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("source", REFUSED.values(), ids=list(REFUSED))
def test_bad_input_is_refused_in_the_same_words(source: Any) -> None:
    small, said = linkage.Model.from_dict(SMALL), []
    for engine in engines.NAMES:
        with pytest.raises(linkage.LinkageError) as error:
            linkage.link(source, small, engine=engine)
        said.append(str(error.value))
    assert said[0] == said[1]


@pytest.mark.slow
def test_components_in_spark_are_those_of_the_arrays(running: Running) -> None:
    from linkage.spark import connected_components  # noqa: PLC0415

    rng = np.random.default_rng(3)
    chain = np.arange(40)
    left = np.concatenate([chain[:-1], rng.integers(40, 400, 200)])
    right = np.concatenate([chain[1:], rng.integers(40, 400, 200)])
    edges = running.engine.spark.createDataFrame(pa.table({"l": left, "r": right}))
    found = connected_components(edges).toArrow()
    labels = components(400, left, right)
    touched = np.unique(np.concatenate([left, right])[np.tile(left != right, 2)])
    assert dict(zip(*(c.to_pylist() for c in found.columns), strict=True)) == dict(
        zip(touched.tolist(), labels[touched].tolist(), strict=True)
    )
    assert found.num_rows == len(touched)


@pytest.mark.slow
def test_nothing_is_left_when_spark_has_ended(running: Running) -> None:
    from pyspark import SparkContext  # noqa: PLC0415

    child = SparkContext._gateway.proc
    assert child.poll() is None
    running.stack.close()
    assert child.poll() is not None
    assert list(running.scratch.iterdir()) == []
    assert list(running.cwd.iterdir()) == []


def test_the_lock_installs_the_spark_that_the_extra_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (named,) = (d for d in project["optional-dependencies"]["spark"] if d.startswith("pyspark"))
    assert f"\n{named} \\\n" in (ROOT / "requirements/spark.txt").read_text(encoding="utf-8")


def _open(name: str) -> AbstractContextManager[Any]:
    return engines.open_engine(name, _table(ROWS), linkage.Model.from_dict(SMALL), 2, None)


def test_without_pyspark_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [m for m in sys.modules if m.split(".")[0] == "pyspark" or "linkage.spark" in m]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delattr(linkage, "spark", raising=False)
    with pytest.raises(linkage.LinkageError, match="'pyspark', which is not installed"):
        _open("spark")


def test_an_unknown_engine_is_named_with_those_there_are() -> None:
    with pytest.raises(linkage.LinkageError, match="no engine 'hive'; there are duckdb and spark"):
        _open("hive")


@pytest.mark.slow
@pytest.mark.usefixtures("_spark_is_here")
def test_without_java_the_error_says_what_to_install(tmp_path: Path) -> None:
    """In a process of its own: where Spark runs already, no Java is looked for."""
    program = (
        "from linkage.spark.session import open_session\nwith open_session(1, None):\n    pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, env={**os.environ, "JAVA_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode != 0
    assert "needs Java, and none is found" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("_spark_is_here")
@pytest.mark.parametrize(
    ("size", "mebibytes"), [("2GB", 2048), ("1.5 GiB", 1536), ("700mb", 700), ("1k", 512)]
)
def test_a_memory_limit_is_read_as_duckdb_writes_it(size: str, mebibytes: int) -> None:
    from linkage.spark.session import _mebibytes  # noqa: PLC0415

    assert _mebibytes(size) == mebibytes
