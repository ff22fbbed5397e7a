"""Splink 5 on one set, in the peers' environment: `run_splink.py recommended|tuned SET RECORDS OUT`.

``recommended`` follows the examples of Splink's documentation. Persons: deduplicate_50k_synthetic
(its comparisons, its blocking rules without those that would make billions of pairs of a million
records, its training, its threshold of 0.95; expectation-maximisation is held to ten million pairs).
febrl 1-3: the example febrl3. febrl 4: the detailed model of the example febrl4, linking two files.

``tuned`` is what an expert makes of it for the partnership: names standardised further, levels for
swapped and shared names, dates by part, house numbers, blocking on consonants as well, training from
three rules, and after scoring a rule against twins after the fashion of HMPPS (one birth date, no
number in common, another first name: not one person). Its threshold was chosen with the truth at hand.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.clustering import cluster_pairwise_predictions_at_threshold
from stopwatch import stop


@dataclass(frozen=True)
class Setup:
    """How to make the tables, the model, the training and the join."""

    prepare: Callable[[duckdb.DuckDBPyConnection, str], list[str]]  # names of the tables it made
    settings: SettingsCreator
    sure: list[Any]
    recall: float
    train: list[Any]
    random_pairs: float
    threshold: float
    forbidden: str = "false"  # SQL over the scored pairs


def words(column: str, space: str) -> str:
    """Lower case, no accents, no punctuation."""
    return f"nullif(trim(regexp_replace(lower(strip_accents({column})), '[^a-z ]+', '{space}', 'g')), '')"


def consonants(column: str) -> str:
    """The first letter and the consonants after it, none twice in a row."""
    rest = f"regexp_replace(substr({column}, 2), '[aeiouyhw ]', '', 'g')"
    return f"nullif(substr({column}, 1, 1) || {rest}, '')"


def plain_people(con: duckdb.DuckDBPyConnection, records: str) -> list[str]:
    """Standardised as the documentation asks: one case, no punctuation, one format."""
    con.execute(f"""
        CREATE TABLE people AS SELECT record_id, {words("given_name", "")} AS first_name,
            {words("surname", "")} AS surname, {words("middle_names", "")} AS middle_names,
            date_of_birth AS dob, sex, postcode, nhs_number, upn,
            first_name || ' ' || surname AS first_name_surname_concat
        FROM read_parquet('{records}')""")
    return ["people"]


def tidy_people(con: duckdb.DuckDBPyConnection, records: str) -> list[str]:
    """As an expert would: names before registration are missing, house numbers and consonants apart."""
    first = f"CASE WHEN NOT regexp_matches(lower(given_name), '^(baby|twin)( |$)') THEN {words('given_name', '')} END"
    con.execute(f"""
        CREATE TABLE people AS SELECT record_id, {first} AS first_name,
            {words("surname", " ")} AS surname, {words("middle_names", "")} AS middle_names,
            date_of_birth AS dob, sex, nullif(regexp_extract(address_line, '[0-9]+'), '') AS house,
            CASE WHEN regexp_matches(postcode, '^[A-Z]+[0-9]+ ') THEN postcode END AS postcode,
            nhs_number, upn, {consonants("first_name")} AS first_key,
            {consonants("surname")} AS surname_key, string_split(surname, ' ') AS surname_words,
            strftime(dob, '%Y-%m-%d') AS dob_text
        FROM read_parquet('{records}')""")
    return ["people"]


PERSON_RULES = [
    block_on("nhs_number"),
    block_on("upn"),
    block_on("first_name", "surname"),
    block_on("surname", "dob"),
    block_on("first_name", "dob"),
    block_on("postcode", "first_name"),
    block_on("postcode", "surname"),
    block_on("postcode", "dob"),
]
SURE = [
    block_on("nhs_number"),
    block_on("upn"),
    block_on("first_name", "surname", "dob"),
    block_on("substr(first_name,1,2)", "surname", "dob", "postcode"),
]


def recommended() -> Setup:
    """The documentation's example for persons."""
    return Setup(
        prepare=plain_people,
        settings=SettingsCreator(
            unique_id_column_name="record_id",
            link_type="dedupe_only",
            blocking_rules_to_generate_predictions=PERSON_RULES,
            comparisons=[
                cl.ForenameSurnameComparison(
                    "first_name",
                    "surname",
                    forename_surname_concat_col_name="first_name_surname_concat",
                ),
                cl.DateOfBirthComparison("dob", input_is_string=False),
                cl.PostcodeComparison("postcode"),
                cl.ExactMatch("middle_names").configure(term_frequency_adjustments=True),
                cl.ExactMatch("sex"),
                cl.ExactMatch("nhs_number"),
                cl.ExactMatch("upn"),
            ],
        ),
        sure=SURE,
        recall=0.8,
        train=[block_on("first_name", "surname"), block_on("dob")],
        random_pairs=1e7,
        threshold=0.95,
    )


def _first_name() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="first_name",
        comparison_levels=[
            cll.NullLevel("first_name"),
            cll.ExactMatchLevel("first_name", term_frequency_adjustments=True),
            cll.ColumnsReversedLevel("first_name", "surname", symmetrical=True),
            cll.JaroWinklerLevel("first_name", 0.92),
            cll.JaroWinklerLevel("first_name", 0.85),
            cll.ExactMatchLevel("first_key"),
            cll.CustomLevel("first_name_l = middle_names_r OR middle_names_l = first_name_r"),
            cll.CustomLevel("substr(first_name_l,1,3) = substr(first_name_r,1,3)"),
            cll.ElseLevel(),
        ],
    )


def _surname() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="surname",
        comparison_levels=[
            cll.NullLevel("surname"),
            cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
            cll.ColumnsReversedLevel("first_name", "surname", symmetrical=True),
            cll.ArrayIntersectLevel("surname_words", min_intersection=1),
            cll.JaroWinklerLevel("surname", 0.9),
            cll.ExactMatchLevel("surname_key"),
            cll.ElseLevel(),
        ],
    )


def _birth() -> cl.CustomComparison:
    swapped = (
        "day(dob_l) = month(dob_r) AND month(dob_l) = day(dob_r) AND year(dob_l) = year(dob_r)"
    )
    return cl.CustomComparison(
        output_column_name="dob",
        comparison_levels=[
            cll.NullLevel("dob"),
            cll.ExactMatchLevel("dob"),
            cll.CustomLevel(swapped),
            cll.DamerauLevenshteinLevel("dob_text", 1),
            cll.AbsoluteDateDifferenceLevel(
                "dob", input_is_string=False, threshold=1, metric="month"
            ),
            cll.CustomLevel("year(dob_l) = year(dob_r)"),
            cll.ElseLevel(),
        ],
    )


def _address() -> cl.CustomComparison:
    return cl.CustomComparison(
        output_column_name="postcode",
        comparison_levels=[
            cll.NullLevel("postcode"),
            cll.And(cll.ExactMatchLevel("postcode"), cll.ExactMatchLevel("house")),
            cll.ExactMatchLevel("postcode"),
            cll.CustomLevel("split_part(postcode_l,' ',1) = split_part(postcode_r,' ',1)"),
            cll.ElseLevel(),
        ],
    )


def tuned() -> Setup:
    """An expert's."""
    return Setup(
        prepare=tidy_people,
        settings=SettingsCreator(
            unique_id_column_name="record_id",
            link_type="dedupe_only",
            blocking_rules_to_generate_predictions=[
                *PERSON_RULES,
                block_on("first_key", "dob"),
                block_on("surname_key", "dob"),
                block_on("first_key", "surname_key", "year(dob)"),
                block_on("first_key", "surname_key", "postcode"),
                "l.first_name = r.surname AND l.surname = r.first_name AND year(l.dob) = year(r.dob)",
            ],
            comparisons=[
                _first_name(),
                _surname(),
                cl.ExactMatch("middle_names").configure(term_frequency_adjustments=True),
                _birth(),
                cl.ExactMatch("sex"),
                _address(),
                cl.ExactMatch("nhs_number"),
                cl.ExactMatch("upn"),
            ],
        ),
        sure=SURE,
        recall=0.85,
        train=[
            block_on("dob", "sex"),
            block_on("first_name", "surname"),
            block_on("postcode", "first_name"),
        ],
        random_pairs=1e7,
        threshold=0.999,
        forbidden=(
            "gamma_first_name = 0 AND gamma_dob = 5 AND gamma_nhs_number <> 1 AND gamma_upn <> 1"
        ),
    )


def _febrl(con: duckdb.DuckDBPyConnection, records: str, where: str, table: str) -> str:
    text = ", ".join(
        f"nullif(trim({c}), '') AS {c}"
        for c in ("given_name", "surname", "street_number", "address_1", "state", "postcode")
    )
    con.execute(f"""
        CREATE TABLE {table} AS SELECT rec_id, {text}, trim(date_of_birth) AS date_of_birth,
            trim(soc_sec_id) AS soc_sec_id
        FROM read_parquet('{records}') WHERE {where}""")
    return table


FEBRL_SURE = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
FEBRL_BIRTH = cl.DateOfBirthComparison(
    "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True
)
TURNED = "l.given_name = r.surname and l.surname = r.given_name"


def febrl_one_file() -> Setup:
    """The documentation's example febrl3."""
    rules = ["soc_sec_id", "given_name", "surname", "date_of_birth", "postcode"]
    return Setup(
        prepare=lambda con, records: [_febrl(con, records, "true", "people")],
        settings=SettingsCreator(
            unique_id_column_name="rec_id",
            link_type="dedupe_only",
            blocking_rules_to_generate_predictions=[block_on(rule) for rule in rules],
            comparisons=[
                cl.NameComparison("given_name"),
                cl.NameComparison("surname"),
                FEBRL_BIRTH,
                cl.DamerauLevenshteinAtThresholds("soc_sec_id", [2]),
                cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
                cl.ExactMatch("postcode").configure(term_frequency_adjustments=True),
            ],
        ),
        sure=[*FEBRL_SURE, f"{TURNED} and l.date_of_birth = r.date_of_birth"],
        recall=0.9,
        train=[block_on("date_of_birth"), block_on("postcode")],
        random_pairs=1e6,
        threshold=0.95,
    )


def febrl_two_files() -> Setup:
    """The detailed model of the documentation's example febrl4."""
    return Setup(
        prepare=lambda con, records: [
            _febrl(con, records, f"rec_id {like} '%-org'", table)
            for like, table in (("LIKE", "originals"), ("NOT LIKE", "duplicates"))
        ],
        settings=SettingsCreator(
            unique_id_column_name="rec_id",
            link_type="link_only",
            blocking_rules_to_generate_predictions=[
                block_on("given_name", "surname"),
                TURNED,
                block_on("date_of_birth"),
                block_on("soc_sec_id"),
                block_on("state", "address_1"),
                block_on("street_number", "address_1"),
                block_on("postcode"),
            ],
            comparisons=[
                cl.NameComparison("given_name"),
                cl.NameComparison("surname"),
                FEBRL_BIRTH,
                cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
                cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
                cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(
                    term_frequency_adjustments=True
                ),
            ],
        ),
        sure=FEBRL_SURE,
        recall=0.8,
        train=[block_on("date_of_birth"), block_on("postcode")],
        random_pairs=1e7,
        threshold=0.99,
    )


def setup(kind: str, name: str) -> Setup:
    """The set-up of a kind (recommended, tuned) for a set."""
    if name == "febrl4":
        return febrl_two_files()
    if name.startswith("febrl"):
        return febrl_one_file()
    return {"recommended": recommended, "tuned": tuned}[kind]()


def train(linker: Linker, how: Setup) -> None:
    """As all examples do: the prior, u by random pairs, m by expectation-maximisation."""
    training = linker.training
    training.estimate_probability_two_random_records_match(how.sure, recall=how.recall)
    training.estimate_u_using_random_sampling(max_pairs=how.random_pairs, seed=1)
    for rule in how.train:
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=1e7
        )


def main() -> None:
    kind, name, records, out = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    logging.getLogger("splink").setLevel(logging.ERROR)
    how = setup(kind, name)
    con = duckdb.connect(config={"threads": 2})
    api = DuckDBAPI(connection=con)
    tables = [api.register(con.table(table)) for table in how.prepare(con, records)]
    linker = Linker(tables if len(tables) > 1 else tables[0], how.settings)
    train(linker, how)
    scored = linker.inference.predict(threshold_match_probability=0.01).physical_name
    key = "rec_id" if name.startswith("febrl") else "record_id"
    con.execute(
        f"CREATE TABLE edges AS SELECT {key}_l AS l, {key}_r AS r, match_weight AS weight,"
        f" match_probability FROM {scored} WHERE NOT ({how.forbidden})"
    )
    nodes = " UNION ALL ".join(f"SELECT {key} FROM {table.physical_name}" for table in tables)
    clusters = cluster_pairwise_predictions_at_threshold(
        api.register(con.sql(nodes)),
        api.register(con.table("edges")),
        api,
        node_id_column_name=key,
        edge_id_column_name_left="l",
        edge_id_column_name_right="r",
        threshold_match_probability=how.threshold,
    ).physical_name
    con.execute(
        f"COPY (SELECT {key} AS record_id, cluster_id FROM {clusters}) TO '{out}/clusters.parquet'"
    )
    stop(out, threshold=how.threshold)
    con.execute(
        f"COPY (SELECT l AS record_id_l, r AS record_id_r, weight FROM edges) TO '{out}/pairs.parquet'"
    )


main()
