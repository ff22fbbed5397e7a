"""Extracts hold what the decision lists and nothing else, repeat byte for byte, and are recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from governance import policy, release
from governance.grants import Cohort, Grants, ReleaseDecision, ReleaseItem
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.manifest import MANIFEST, read_manifest, verify_files
from governance.release import (
    ReleaseFailedError,
    ReleaseRefusedError,
    Rights,
    Zone,
    publish,
    write_extract,
)

AS_AT = date(2026, 3, 31)
GRANTS = Grants(policy.compile_policy(policy.load(), AS_AT))
DECISION = GRANTS.release("fenmarch-family-help-north", "single_view.family_help")

WAREHOUSE = """
create schema single_view;
create table single_view.children as
select 'C' || i as child_id, if(i = 3, '=cmd|A1', 'Name' || i) as given_name, 'Family' || (i % 4) as surname,
    date '2015-01-01' + i::integer as date_of_birth, 11 as age_years, 'F' as sex,
    '9990000' || (100 + i) as nhs_number, null::varchar as upn, 'XF1 2AB' as postcode,
    ['early_help', 'child_in_need'] as is_open_to, i % 2 = 0 as is_restricted, 'never agreed' as secret
from range(10) t(i);
create table single_view.involvements as
select 'C' || i as child_id, 'social_care' as service, 'social care' as service_label,
    if(i < 6, 'current', 'historic') as state, 'in words' as state_in_words, date '2025-01-01' as since,
    null::date as until, 'case_system' as source, timestamp '2026-03-30 06:00' as as_of,
    'A Worker' as contact_name, '01632 960001' as contact_phone,
    if(i = 5, 'Family Help South', 'Family Help North') as team
from range(10) t(i);
create table single_view.flags as
select 'C' || i as child_id, 'missing_recently' as flag, date '2026-03-01' as since, 'r' as rule_in_words,
    'f' as facts, 'police_safeguarding' as source
from range(2, 8) t(i);
create schema rights;
create table rights.withheld_children (child_id varchar, purpose varchar, recipient varchar);
create table rights.withheld_numbers (child_id varchar, recipient varchar);
create schema raw;
create table raw.case_system__persons as select child_id, surname, postcode from single_view.children;
create schema identity;
create table identity.shielded as select 'C1' as child_id;
create table identity.child_membership as select child_id, 'case|' || child_id as record_key from single_view.children;
"""
ZONE = Zone(
    frozenset({"single_view", "returns"}),
    Rights(
        protected="select child_id from identity.shielded",
        kept_out="select child_id, purpose, recipient from rights.withheld_children",
        unnumbered="select child_id, recipient from rights.withheld_numbers",
        members="select record_key, child_id from identity.child_membership",
    ),
)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(WAREHOUSE)
        yield connection


@pytest.fixture
def ledger(keys: KeyStore, tmp_path: Path) -> Ledger:
    seconds = count()
    return Ledger(
        tmp_path / "ledger", keys.signing_key, lambda: datetime.fromtimestamp(next(seconds), UTC)
    )


def extract(
    con: duckdb.DuckDBPyConnection,
    out: Path,
    keys: KeyStore,
    ledger: Ledger,
    decision: ReleaseDecision = DECISION,
) -> release.Extract:
    return write_extract(con, decision, zone=ZONE, as_at=AS_AT, out=out, keys=keys, ledger=ledger)


def kinds(ledger: Ledger) -> list[str]:
    return [event["kind"] for event in ledger.events()]


@pytest.mark.control("A12", "D02")
def test_an_extract_is_tables_a_workbook_and_a_signed_manifest(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    made = extract(con, tmp_path / "out", keys, ledger)
    assert sorted(each.name for each in made.directory.iterdir()) == [
        "children.parquet",
        "extract.xlsx",
        "flags.parquet",
        "involvements.parquet",
        MANIFEST,
    ]
    assert verify_files(made.directory, keys.public_key) == []
    manifest = read_manifest(made.directory, keys.public_key)
    assert manifest["agreement"] == "DSA-FHN-01@1"
    assert manifest["policy"] == GRANTS.policy
    assert {each["relation"]: each["rows"] for each in manifest["tables"]} == dict(made.rows)


@pytest.mark.control("A03", "A04")
def test_only_agreed_columns_and_only_rows_of_the_cohort_leave(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    """Controls A03 and A04: children of another team, and of the past, are in no file."""
    made = extract(con, tmp_path / "out", keys, ledger)
    assert made.rows == {
        "single_view.children": 5,
        "single_view.involvements": 5,
        "single_view.flags": 3,
    }
    children = pq.read_table(made.directory / "children.parquet")
    agreed = [each.name for each in DECISION.items if each.relation == "single_view.children"]
    assert children.column_names == agreed
    assert "secret" not in agreed
    assert set(children["given_name"].to_pylist()) == {
        "Name0",
        "Name1",
        "Name2",
        "=cmd|A1",
        "Name4",
    }


def test_the_hubs_identifier_is_in_no_file_and_one_pseudonym_joins_the_sheets(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    made = extract(con, tmp_path / "out", keys, ledger)
    columns = [
        pq.read_table(made.directory / f"{name}.parquet")["child_id_pseudonym"].to_pylist()
        for name in ("children", "involvements", "flags")
    ]
    assert set(columns[0]) == set(columns[1]) > set(columns[2])
    assert not {f"C{number}" for number in range(10)} & set(columns[0])


@pytest.mark.control("B02")
def test_another_recipient_purpose_or_year_gets_other_pseudonyms(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    south = dataclasses.replace(DECISION, recipient="fenmarch-family-help-south")
    below = dataclasses.replace(DECISION, purpose="single_view.family_help.handover")
    seen: list[set[str]] = []
    for number, decision in enumerate((DECISION, south, below)):
        made = extract(con, tmp_path / str(number), keys, ledger, decision)
        table = pq.read_table(made.directory / "children.parquet")
        seen.append(set(table["child_id_pseudonym"].to_pylist()))
    assert len(set().union(*seen)) == sum(map(len, seen))


@pytest.mark.control("D08")
def test_the_workbook_opens_with_a_cover_and_holds_no_live_formula(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    made = extract(con, tmp_path / "out", keys, ledger)
    book = load_workbook(made.directory / "extract.xlsx")
    assert book.sheetnames == ["Read first", "children", "involvements", "flags"]
    cover = "\n".join(f"{a}: {b}" for a, b in book["Read first"].iter_rows(values_only=True))
    for said in (
        "DSA-FHN-01@1",
        "fenmarch-family-help-north",
        "1 months",
        "pass it on",
        "24 hours",
    ):
        assert said in cover
    cells = [cell for row in book["children"].iter_rows() for cell in row]
    assert "=cmd|A1" in {cell.value for cell in cells}
    assert "f" not in {cell.data_type for cell in cells}


def test_facts_of_a_feed_that_the_agreement_does_not_name_stay(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    with duckdb.connect() as con:
        con.execute(WAREHOUSE)
        con.execute(
            "insert into single_view.flags select child_id, 'domestic_abuse', since, rule_in_words, facts, x"
            " from single_view.flags, (values ('marac'), ('police_safeguarding, marac'), ('probation')) s (x)"
            " where child_id = 'C2'"
        )
        made = extract(con, tmp_path / "out", keys, ledger)
    told = pq.read_table(made.directory / "flags.parquet").column("source").to_pylist()
    assert set(told) == {"police_safeguarding", "probation"}


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_rows(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    first = extract(con, tmp_path / "first", keys, ledger)
    with duckdb.connect() as shuffled:
        shuffled.execute(WAREHOUSE)
        for table in ("children", "involvements", "flags"):
            shuffled.execute(
                f"create or replace table single_view.{table} as "
                f"from single_view.{table} order by hash(child_id)"
            )
        second = extract(shuffled, tmp_path / "second", keys, ledger)
    names = {each.name for each in first.directory.iterdir()} - {MANIFEST}
    for name in names:
        assert (first.directory / name).read_bytes() == (second.directory / name).read_bytes()
    manifests = [read_manifest(each.directory, keys.public_key) for each in (first, second)]
    for manifest in manifests:
        manifest.pop(
            "witness", None
        )  # the ledger's newest checkpoint, which the first release moved on
    assert manifests[0] == manifests[1]


def test_a_new_extract_replaces_the_old_one_whole(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    out = tmp_path / "out"
    extract(con, out, keys, ledger)
    (out / "left_behind.txt").write_text("from an earlier version", "utf-8")
    extract(con, out, keys, ledger)
    assert verify_files(out, keys.public_key) == []
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.control("F06", "D05")
def test_intention_and_fact_are_in_the_ledger_without_a_persons_data(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    made = extract(con, tmp_path / "out", keys, ledger)
    begun, intended, released = ledger.events()
    assert [each["kind"] for each in (begun, intended, released)] == [
        "release_begun",
        "release_intended",
        "released",
    ]
    assert released["facts"]["manifest"] == made.manifest_sha256
    assert released["facts"]["rows"]["single_view.children"] == 5
    written = str(list(ledger.events()))
    for personal in ("Name1", "Family1", "9990000", "XF1", "A Worker"):
        assert personal not in written
    assert ledger.verify() == []


@pytest.mark.control("A01")
def test_a_denied_decision_writes_nothing_but_the_refusal(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    denied = GRANTS.release("a-newspaper", "single_view")
    with pytest.raises(ReleaseRefusedError, match="no agreement gives anything to a-newspaper"):
        extract(con, tmp_path / "out", keys, ledger, denied)
    assert not (tmp_path / "out").exists()
    assert kinds(ledger) == ["release_refused"]


def with_item(column: str, transform: str) -> ReleaseDecision:
    item = ReleaseItem("single_view.children", column, f"{column}_x", transform, "operational")
    everyone = Cohort("everyone_delivered", "everyone", "child_id", None)
    return dataclasses.replace(DECISION, items=(item,), cohort=everyone)


TRANSFORMS = {
    ("date_of_birth", "clear"): date(2015, 1, 1),
    ("date_of_birth", "month"): "2015-01",
    ("date_of_birth", "year"): 2015,
    ("postcode", "district"): "XF1",
    ("upn", "flag"): False,
    ("postcode", "flag"): True,
    ("is_restricted", "flag"): False,
    ("is_open_to", "clear"): "early_help; child_in_need",
    ("upn", "pseudonymised"): None,
}


@pytest.mark.control("A03")
@pytest.mark.parametrize(("column", "transform"), TRANSFORMS)
def test_a_transform_gives(
    column: str,
    transform: str,
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    keys: KeyStore,
    ledger: Ledger,
) -> None:
    made = extract(con, tmp_path / "out", keys, ledger, with_item(column, transform))
    values = pq.read_table(made.directory / "children.parquet").column(0).to_pylist()
    assert len(values) == 10
    assert values[0] == TRANSFORMS[column, transform]


def test_every_transform_of_the_policy_is_tested() -> None:
    assert {transform for _, transform in TRANSFORMS} == set(policy.compile.TRANSFORMS)


def test_a_table_or_column_that_the_warehouse_lacks_is_named(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    with pytest.raises(
        ReleaseFailedError, match=r"names shoe_size, which single_view\.children lacks"
    ):
        extract(con, tmp_path / "out", keys, ledger, with_item("shoe_size", "clear"))
    with duckdb.connect() as empty, pytest.raises(ReleaseFailedError, match="build it first"):
        extract(empty, tmp_path / "out", keys, ledger)
    assert not (tmp_path / "out").exists()


def test_files_of_another_shape_are_signed_and_recorded_alike(
    tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    decision = GRANTS.release("dfe", "statutory_returns.cin_census")

    def write(part: Path) -> dict[str, int]:
        (part / "cin.xml").write_text("<Message/>", "utf-8")
        (part / "reports").mkdir()
        (part / "reports" / "findings.json").write_text("[]", "utf-8")
        return {"returns.cin_children": 3}

    made = publish(decision, write, as_at=AS_AT, out=tmp_path / "cin", keys=keys, ledger=ledger)
    assert verify_files(made.directory, keys.public_key) == []
    signed = read_manifest(made.directory, keys.public_key)["files"]
    assert [each["name"] for each in signed] == ["cin.xml", "reports/findings.json"]
    assert kinds(ledger)[-2:] == ["release_intended", "released"]
    with pytest.raises(ReleaseRefusedError, match=r"does not give single_view\.children"):
        publish(
            decision,
            lambda part: write(part) | {"single_view.children": 1},
            as_at=AS_AT,
            out=tmp_path / "wide",
            keys=keys,
            ledger=ledger,
        )
    assert not (tmp_path / "wide").exists()


def test_a_writer_that_fails_leaves_the_old_extract_and_no_trace(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    old = extract(con, tmp_path / "out", keys, ledger)

    def fail(part: Path) -> dict[str, int]:
        (part / "half.csv").write_text("half", "utf-8")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        publish(DECISION, fail, as_at=AS_AT, out=tmp_path / "out", keys=keys, ledger=ledger)
    assert verify_files(old.directory, keys.public_key) == []
    assert [each.name for each in tmp_path.iterdir() if "part" in each.name] == []


TAMPERINGS = ["alter", "remove", "add", "manifest", "no manifest", "not json"]


@pytest.mark.control("D02")
@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_changed_extract_does_not_verify(
    how: str, con: duckdb.DuckDBPyConnection, tmp_path: Path, keys: KeyStore, ledger: Ledger
) -> None:
    out = extract(con, tmp_path / "out", keys, ledger).directory
    if how == "alter":
        (out / "flags.parquet").write_bytes((out / "flags.parquet").read_bytes() + b" ")
    elif how == "remove":
        (out / "flags.parquet").unlink()
    elif how == "add":
        (out / "more.csv").write_text("x", "utf-8")
    elif how == "manifest":
        text = (out / MANIFEST).read_text("utf-8")
        (out / MANIFEST).write_text(text.replace('"onward":"none"', '"onward":"free"'), "utf-8")
    elif how == "no manifest":
        (out / MANIFEST).unlink()
    else:
        (out / MANIFEST).write_text("[]", "utf-8")
    (finding,) = verify_files(out, keys.public_key)
    assert str(out) in finding
