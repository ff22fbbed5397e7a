"""The invented partnership of the benchmarks: its truth is whole, its size is free, its bytes are fixed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import linkage
from benchmarks.linkage import partnership, sets
from ffp_data.identifiers import nhs_number, upn
from ffp_data.identifiers.result import Result

SIZE = 3_000


@pytest.fixture(scope="module")
def made() -> tuple[pa.Table, pa.Table]:
    """A small partnership: (records, truth)."""
    return partnership.make(SIZE)


def test_there_are_exactly_as_many_records_as_asked_for_each_with_its_truth(
    made: tuple[pa.Table, pa.Table],
) -> None:
    records, truth = made
    assert records.num_rows == truth.num_rows == len(records["record_id"].unique()) == SIZE
    assert records["record_id"].equals(truth["record_id"])


def test_a_larger_partnership_begins_with_the_same_records(
    made: tuple[pa.Table, pa.Table], tmp_path: Path
) -> None:
    partnership.write(2 * SIZE, tmp_path, processes=1)
    assert pq.read_table(tmp_path / "records.parquet").slice(0, SIZE).equals(made[0])
    assert pq.read_table(tmp_path / "truth.parquet").slice(0, SIZE).equals(made[1])


def in_test_range(value: str) -> Result:
    """The check of NHS numbers, those kept for tests allowed."""
    return nhs_number.check(value, allow_test_numbers=True)


def test_every_number_is_valid_and_of_one_person(made: tuple[pa.Table, pa.Table]) -> None:
    records, truth = made
    for column, check in (("nhs_number", in_test_range), ("upn", upn.check)):
        known = records[column].drop_null().unique().to_pylist()
        assert len(known) > 500
        assert [value for value in known if check(value).normalised != value] == []
        people = records.append_column("person_id", truth["person_id"]).group_by(
            [column, "person_id"]
        )
        numbers = people.aggregate([]).drop_null()
        # A person has one number; a sibling's is written down now and then.
        assert numbers.num_rows - len(numbers["person_id"].unique()) < 0.01 * len(known)


def test_twins_are_two_children_of_one_family_born_on_one_day(
    made: tuple[pa.Table, pa.Table],
) -> None:
    records, truth = made
    joined = truth.append_column("born", records["date_of_birth"])
    twins = joined.filter(pc.equal(joined["kind"], "twin"))
    people = twins.group_by("family_id").aggregate([("person_id", "count_distinct")])
    assert set(people["person_id_count_distinct"].to_pylist()) <= {1, 2}
    assert 0.01 < twins.num_rows / SIZE < 0.06


def test_the_doorstep_variant_writes_worse_of_the_same_children(
    made: tuple[pa.Table, pa.Table],
) -> None:
    records, truth = partnership.make(SIZE, doorstep=True)
    assert records["nhs_number"].null_count > made[0]["nhs_number"].null_count
    assert records["date_of_birth"].null_count > 10 * made[0]["date_of_birth"].null_count
    assert set(truth["ethnic_group"].to_pylist()) == set(made[1]["ethnic_group"].to_pylist())


def test_every_rule_for_a_nation_is_an_identifier_or_has_a_place_or_both_names_and_the_date(
    tmp_path: Path,
) -> None:
    model = linkage.Model.from_yaml(sets.nation_model(tmp_path))
    for rule in model.blocking:
        keys = {(key.column, key.part) for key in rule.equal}
        columns = {column for column, _ in keys}
        whole = {("date_of_birth", None)} <= keys and {"given_name", "surname"} <= columns
        assert columns & {"nhs_number", "upn", "postcode"} or whole, rule.name


@pytest.mark.parametrize("name", ["febrl5", "partnership", "partnership-100", "doorstep-1g"])
def test_a_set_that_does_not_exist_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no set is called"):
        sets.prepare(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
