"""The closing tables of a run."""

from __future__ import annotations

import duckdb
import pytest

from ffp_data.pipeline.summary import _returns_lack, print_summary


def test_a_narrow_terminal_cuts_no_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = "/srv/" + "families-first/" * 12 + "out"
    nothing = ("feeds", "linkage", "returns", "extracts", "refused", "held", "returns_lack")
    print_summary(
        {
            **{kind: [] for kind in (*nothing, "withdrawn", "not_read", "model_waits")},
            "person_records": 2,
            "people": {"child": 1},
            "seconds": {"feeds loaded": 86.4, "queue for reviewers": 0.4},
            "as_at": "2026-03-31",
            "places": {"returns and extracts": path},
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert any(line.strip() == f"returns and extracts {path}" for line in lines)
    assert any(line.split() == ["queue", "for", "reviewers", "0"] for line in lines)


def test_a_return_is_told_to_lack_the_files_that_were_not_let_in() -> None:
    con = duckdb.connect()
    con.execute("CREATE SCHEMA meta")
    con.execute(
        "CREATE TABLE meta.deliveries AS FROM (VALUES ('1', 'plans.csv', 'early_help'),"
        " ('2', 'plans.csv', 'early_help'), ('3', 'night.zip', 'police'))"
        " AS d(delivery_id, file_name, feed)"
    )
    con.execute(
        "CREATE TABLE meta.feed_state AS FROM (VALUES ('early_help', true), ('police', false))"
        " AS f(feed, is_for_returns)"
    )
    unread = {("1", "plans.csv"), ("3", "night.zip")}
    assert _returns_lack(con, unread) == ["plans.csv (early_help): they were made without it"]
    assert _returns_lack(con, {("3", "night.zip")}) == []
