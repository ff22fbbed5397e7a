"""The fast way and the exact way of reading CSV give the same rows, lines and faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffp_data import feeds
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import STAMP, Landing, csv_text, file_name, sample_row

POLICE = CONTRACTS["police_safeguarding"]
MISSING = POLICE.by_name["missing"]
HEADER = csv_text(MISSING, []).strip()
GOOD = csv_text(MISSING, [sample_row(POLICE, MISSING)]).splitlines()[1]

_ODD = st.sampled_from(
    [
        GOOD + ",,",
        GOOD + ",x",
        "E1,N1",
        "",
        ",,,,,,,",
        "x" * 40,
        GOOD.replace("HIGH", "high"),
        GOOD.replace("HIGH", "none"),
    ]
)
_LINES = st.lists(
    st.one_of(st.integers(1, 30).map(lambda n: GOOD.replace("Sample1", f"E{n}")), _ODD), max_size=30
)


def load(folder: Path, content: str) -> tuple[Any, ...]:
    """Everything that a delivery of `content` leaves in the warehouse."""
    with duckdb.connect(config={"threads": "1"}) as con:
        contracts = {POLICE.id: POLICE}
        feeds.create_empty_raw_tables(con, contracts)
        landing = Landing(folder, contracts, con)
        landing.file(POLICE.id, file_name(MISSING), content)
        (result,) = landing.load()
        return (
            result.status,
            str(result.error),
            landing.query("SELECT * FROM raw.police_safeguarding__missing ORDER BY _line"),
            landing.query("SELECT * FROM quarantine.rows ORDER BY line"),
            landing.query('SELECT * FROM quarantine."values" ORDER BY line'),
            landing.query("SELECT * FROM meta.deliveries"),
        )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=_LINES, newline=st.sampled_from(["\n", "\r\n"]), whole=st.booleans())
def test_both_ways_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], newline: str, whole: bool
) -> None:
    content = newline.join([HEADER, *lines]) + (newline if whole else "")
    fast = load(tmp_path, content)
    with monkeypatch.context() as patch:
        patch.setattr("ffp_data.feeds.csv_reader._fast_rows", lambda *_: None)
        exact = load(tmp_path, content)
    assert fast == exact


def test_lines_are_right_in_a_file_of_many_blocks(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """DuckDB reads large files in parallel blocks; rows set aside in any of them must not shift the rest."""
    count, broken = 600_000, {5, 299_999, 300_001, 599_990}
    lines = [
        f"E{n}" if n in broken else f"E{n},N{n},2025-09-03T09:15:00Z,,HIGH,HOME,,true"
        for n in range(2, count + 2)
    ]
    landing = Landing(tmp_path, {POLICE.id: POLICE}, con)
    landing.file(POLICE.id, f"police_51_missing_{STAMP}_001.csv", "\n".join([HEADER, *lines, ""]))
    (result,) = landing.load()
    assert (result.rows_loaded, result.rows_quarantined) == (count - len(broken), len(broken))
    assert {line for (line,) in landing.query("SELECT line FROM quarantine.rows")} == broken
    shifted = "SELECT count(*) FROM raw.police_safeguarding__missing WHERE event_id <> 'E' || _line"
    assert landing.query(shifted) == [(0,)]
