"""Discovery end to end: what the hub finds from tokens, what it may ask for, what it cannot see."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import linkage
from linkage.duck import open_engine
from linkage.private.discover import Matched, answer, ask, match
from linkage.private.engine import TokenEngine
from linkage.private.secret import Secret
from linkage.private.settings import Discovery
from linkage.private.tokenise import tokenise
from tests.linkage.private_town import SECRET, discovery, town


@pytest.fixture(scope="module")
def tokens() -> dict[str, pa.Table]:
    return {name: tokenise(t, discovery(), SECRET, name) for name, t in town()[0].items()}


@pytest.fixture(scope="module")
def found(tokens: dict[str, pa.Table]) -> Matched:
    return match(list(tokens.values()), discovery())


def test_the_hub_asks_for_nearly_all_shared_children_and_hardly_for_others(found: Matched) -> None:
    records, person = town()
    known = {n: {person[r] for r in t["record_key"].to_pylist()} for n, t in records.items()}
    shared = known["health"] & known["school"]
    clear = answer(records["health"], discovery(), SECRET, "health", ask(found.clusters, "health"))
    asked = {person[r] for r in clear["record_key"].to_pylist()}
    assert len(asked & shared) >= 0.9 * len(shared)
    assert len(asked - shared) <= 0.02 * len(asked)
    assert found.report["sources"]["health"]["matched"] == clear.num_rows < len(known["health"])


def test_tokens_carry_no_value_of_any_record(tokens: dict[str, pa.Table]) -> None:
    records = town()[0]["health"]
    values = {
        str(v) for c in ("record_key", "given_name", "surname", "postcode", "nhs_number")
        for v in records[c].drop_null().to_pylist() if len(str(v)) > 3
    }  # fmt: skip
    sent = tokens["health"]
    everything = sent.schema.metadata[b"ffp-linkage-tokens"].decode() + str(
        [sent[c].to_pylist() for c in sent.column_names]
    )
    assert values.isdisjoint(re.findall(r"[^\s'\",\[\]]+", everything))
    assert {str(f.type) for f in sent.schema} <= {
        "string", "uint64", "list<item: uint64>", "fixed_size_binary[32]"
    }  # fmt: skip


def test_sex_goes_out_only_mixed_with_the_date_of_birth(tokens: dict[str, pa.Table]) -> None:
    dates = len(town()[0]["health"]["date_of_birth"].unique())
    assert len(tokens["health"]["value_sex__by0"].unique()) > dates / 2


def test_tokens_of_another_secret_are_refused_with_the_reason(tokens: dict[str, pa.Table]) -> None:
    other = tokenise(town()[0]["school"], discovery(), Secret(b"x" * 32), "school")
    with pytest.raises(linkage.LinkageError, match="made with another secret"):
        match([tokens["health"], other], discovery())


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"epoch": "2026-q3"}, "of epoch 2026-q2"), ({"hashes": 11}, "made with other parameters")],
)
def test_tokens_of_other_parameters_are_refused_with_the_reason(
    tokens: dict[str, pa.Table], change: dict[str, object], reason: str
) -> None:
    settings = discovery().settings.model_copy(update=change)
    here = Discovery(settings=settings, linkage=discovery().linkage)
    with pytest.raises(linkage.LinkageError, match=reason):
        match(list(tokens.values()), here)


def test_a_token_file_that_was_changed_is_refused(tokens: dict[str, pa.Table]) -> None:
    health, school = tokens["health"], tokens["school"]
    with pytest.raises(linkage.LinkageError, match=r"other columns .* \(rule_0\)"):
        match([health.drop_columns(["rule_0"]), school], discovery())
    with pytest.raises(linkage.LinkageError, match="occurs more than once"):
        match([pa.concat_tables([health, health.slice(0, 1)]), school], discovery())
    with pytest.raises(linkage.LinkageError, match="two files of tokens have one source"):
        match([health, health.slice(0, 0)], discovery())


def test_tests_of_equality_give_the_same_patterns_as_on_clear_records() -> None:
    """The engine of clear records is the oracle: only similarities may differ."""
    content: dict[str, Any] = {
        "name": "equal", "version": "1", "record_id": "record_key",
        "columns": {
            "given": {"from": "given_name", "steps": ["lower"], "domain": "name"},
            "surname": {"steps": ["lower"], "domain": "name"},
            "former": {"from": "other_surname", "steps": ["lower"], "domain": "name"},
            "born": {"from": "date_of_birth", "type": "date"},
            "postcode": {"steps": ["postcode"]},
        },
        "blocking": [
            {"equal": ["surname", {"born": "year"}]},
            {"equal": [{"given": "skeleton"}, "postcode"]},
            {"equal": ["surname"], "with": ["given"]},
        ],
        "comparisons": [
            {"name": "given", "levels": [{"exact": "given"}, {"swapped": ["given", "surname"]},
             {"same_part": {"column": "given", "part": "skeleton"}},
             {"shares_word": {"column": "given", "min_letters": 3}}]},
            {"name": "surname", "levels": [{"exact": "surname"},
             {"name": "alias", "alias": {"of": "surname", "in": "former"}}]},
            {"name": "born", "levels": [{"exact": "born"}, {"day_month_swapped": "born"}]},
            {"name": "place", "columns": ["postcode"], "levels": [
             {"name": "both", "all": [{"exact": "postcode"}, {"exact": "surname"}]}]},
        ],
    }  # fmt: skip
    model = linkage.Model.from_dict(content)
    parameters = {
        "name": "t",
        "version": "1",
        "epoch": "e",
        "model": "m.yaml",
        "smallest_domain": 0,
    }
    equality = Discovery.from_dict(parameters, Path("t.yaml"), model)
    tables = [tokenise(t, equality, SECRET, name) for name, t in town()[0].items()]
    with open_engine(pa.concat_tables(town()[0].values()), model) as clear:
        expected, sizes = clear.patterns(), clear.rule_sizes()
    engine = TokenEngine(tables, equality)
    found = engine.patterns()
    for name in ("pattern", "mask", "count"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    # Keyed ids come in an order of their own, so only the record that stands for a block differs.
    assert [replace(s, member=None) for s in engine.rule_sizes()] == [
        replace(s, member=None) for s in sizes
    ]
    assert len(found.pattern) > 10


def test_an_answer_is_refused_when_the_records_are_not_those_that_were_tokenised(
    found: Matched,
) -> None:
    fewer = town()[0]["health"].slice(0, 5)
    with pytest.raises(linkage.LinkageError, match="asked ids are of no record here"):
        answer(fewer, discovery(), SECRET, "health", ask(found.clusters, "health"))


def test_a_source_that_nobody_matched_cannot_be_asked(found: Matched) -> None:
    with pytest.raises(linkage.LinkageError, match="no tokens of 'police'"):
        ask(found.clusters, "police")


def test_tokens_do_not_depend_on_the_order_of_the_records(tokens: dict[str, pa.Table]) -> None:
    records = town()[0]["school"]
    backwards = records.take(list(reversed(range(records.num_rows))))
    assert tokenise(backwards, discovery(), SECRET, "school").equals(tokens["school"])


def test_a_file_of_any_usual_separator_gives_the_tokens_of_the_table(
    tokens: dict[str, pa.Table], tmp_path: Path
) -> None:
    file = tmp_path / "records.csv"
    pyarrow.csv.write_csv(
        town()[0]["health"], file, pyarrow.csv.WriteOptions(delimiter=";", quoting_style="needed")
    )
    assert tokenise(file, discovery(), SECRET, "health").equals(tokens["health"])


def test_filters_of_too_many_records_under_one_salt_are_refused() -> None:
    settings = discovery().settings.model_copy(update={"largest_group": 3})
    crowded = Discovery(settings=settings, linkage=discovery().linkage)
    with pytest.raises(linkage.LinkageError, match="records have filters under one salt"):
        tokenise(town()[0]["health"], crowded, SECRET, "health")


def test_a_column_of_few_values_is_refused_unless_it_is_salted() -> None:
    salt = {k: v for k, v in discovery().settings.salt.items() if k != "sex"}
    settings = discovery().settings.model_copy(update={"salt": salt})
    open_sex = Discovery(settings=settings, linkage=discovery().linkage)
    with pytest.raises(linkage.LinkageError, match=r"'sex' .* has only 2 values"):
        tokenise(town()[0]["health"], open_sex, SECRET, "health")
