"""A zip is one delivery: all of its members or none, each table of it with its own line in the books."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ffp_data import feeds
from ffp_data.feeds.loading import Terms, load_on
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import STAMP, Landing, csv_text, file_name, record, sample_row

POLICE = CONTRACTS["police_safeguarding"]
PROBATION = CONTRACTS["probation"]
ZIP = f"police_51_{STAMP}_001.zip"


def member(table: str, *numbers: int, **own: str) -> tuple[str, str]:
    declared = POLICE.by_name[table]
    rows = [sample_row(POLICE, declared, number, **own) for number in numbers]
    return file_name(declared), csv_text(declared, rows)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def rows_in(landing: Landing, table: str) -> int:
    ((count,),) = landing.query(f"SELECT count(*) FROM raw.police_safeguarding__{table}")
    return int(count)


def test_the_members_of_a_zip_are_one_delivery(landing: Landing) -> None:
    content = zipped(dict([member("persons", 1, 2), member("events", 1)]) | {"read me.txt": "x"})
    landing.file(POLICE.id, ZIP, content)
    (result,) = landing.load()
    assert (result.status, result.error) == ("loaded", None)
    assert {t.table: t.loaded for t in result.tables} == {"persons": 2, "events": 1}
    books = landing.query("SELECT DISTINCT delivery_id, file_name FROM meta.deliveries ORDER BY 2")
    digest = hashlib.sha256(content).hexdigest()
    assert books == [
        (digest, f"{ZIP}/{file_name(POLICE.by_name['events'])}"),
        (digest, f"{ZIP}/{file_name(POLICE.by_name['persons'])}"),
    ]
    ((notes,),) = landing.query("SELECT DISTINCT notes FROM meta.deliveries")
    assert "members of no table: 1" in notes
    assert "links" in notes.split("tables not sent: ")[1]


def test_the_same_zip_is_loaded_once_and_its_counts_reconcile(landing: Landing) -> None:
    name, text = member("events", 1, 2)
    landing.file(POLICE.id, ZIP, zipped({name: text + text.splitlines()[1] + "\n"}))
    landing.load()
    assert landing.load() == []
    (book,) = feeds.reconcile(landing.con, {POLICE.id: POLICE}).to_pylist()
    assert (book["rows_delivered"], book["rows_loaded"], book["rows_quarantined"]) == (3, 2, 1)
    assert book["is_reconciled"]


def test_a_bad_member_refuses_the_whole_zip_and_is_named(landing: Landing) -> None:
    name, text = member("links", 1)
    bad = text.replace("nominal_id", "nominal_no", 1)
    landing.file(POLICE.id, ZIP, zipped(dict([member("events", 1)]) | {name: bad}))
    (result,) = landing.load()
    assert result.status == "refused"
    assert result.error is not None
    assert (result.error.rule, result.error.file) == ("wrong_header", f"{ZIP}/{name}")
    assert rows_in(landing, "events") == rows_in(landing, "links") == 0
    assert landing.query("SELECT status, file_name FROM meta.deliveries") == [("refused", ZIP)]


def test_two_files_of_one_table_are_refused(landing: Landing) -> None:
    name, text = member("events", 1)
    _, more = member("events", 2)
    landing.file(POLICE.id, ZIP, zipped({name: text, name.replace("_001", "_002"): more}))
    (result,) = landing.load()
    assert result.error is not None
    assert (result.error.rule, rows_in(landing, "events")) == ("archive_member", 0)


def test_a_zip_of_another_feed_is_refused(landing: Landing) -> None:
    landing.file("education_attendance", ZIP, zipped(dict([member("events", 1)])))
    (result,) = landing.load()
    assert result.error is not None
    assert (result.error.rule, result.error.file) == ("unknown_file", ZIP)


def test_a_zip_without_a_time_in_its_name_is_refused(landing: Landing) -> None:
    landing.file(POLICE.id, "police.zip", zipped(dict([member("events", 1)])))
    (result,) = landing.load()
    assert result.error is not None
    assert result.error.rule == "no_time_in_name"


def test_tables_outside_the_agreement_stay_in_the_zip(landing: Landing) -> None:
    landing.file(POLICE.id, ZIP, zipped(dict([member("events", 1), member("links", 1)])))
    columns = [p.name for p in POLICE.by_name["events"].properties if p.name != "narrative"]
    (result,) = landing.load({"events": columns})
    assert [(t.table, t.loaded, t.columns_dropped) for t in result.tables] == [("events", 1, 1)]
    assert rows_in(landing, "links") == 0


def test_records_a_line_come_in_a_zip_too(landing: Landing) -> None:
    table = PROBATION.by_name["persons"]
    line = json.dumps(record(PROBATION, table, sample_row(PROBATION, table)))
    landing.file("probation", f"probation_{STAMP}.zip", zipped({file_name(table): line + "\n"}))
    (result,) = landing.load()
    assert result.error is None
    assert {t.table: t.loaded for t in result.tables}["persons"] == 1


@pytest.mark.parametrize("is_whole", [True, False])
def test_nothing_stays_in_the_scratch_folder(
    landing: Landing, tmp_path: Path, is_whole: bool
) -> None:
    name, text = member("events", 1)
    landing.file(POLICE.id, ZIP, zipped({name: text if is_whole else "no header\n"}))
    (delivery,) = feeds.discover(landing.folder, CONTRACTS, landing.con)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = load_on(landing.con, delivery, POLICE, Terms(scratch=scratch))
    assert result.status == ("loaded" if is_whole else "refused")
    assert list(scratch.iterdir()) == []
