"""Splink 5 on one set: `run_splink.py recommended|tuned SET RECORDS OUT [pairs]`, in the peers' environment.

``recommended`` follows the examples of Splink's documentation: for the partnership
docs/demos/examples/duckdb/deduplicate_50k_synthetic (its comparisons, its blocking rules without the
loosest, which at a million records would make billions of pairs, its training and its threshold of
0.95); for febrl 1-3 the example febrl3, for febrl 4 the detailed model of the example febrl4.

``tuned`` is what an expert makes of it for this data: names standardised further, term frequencies,
swapped names, family names shared by words, house numbers, dates by part, more rules, more random
pairs, training from rules that leave each comparison free, and a rule against twins (as HMPPS has:
one birth date, one surname or address, no number in common, another first name).
Its threshold was chosen with the truth at hand.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from stopwatch import stop

TIDY = "nullif(trim(regexp_replace(lower(strip_accents({0})), '[^a-z ]+', {1}, 'g')), '')"
NAMES = "first_name surname middle_names".split()


def partnership(con: duckdb.DuckDBPyConnection, records: str, expert: bool) -> None:
    """Standardise as the documentation asks: one case, no punctuation, one format."""
    first = TIDY.format("given_name", "''")
    if expert:  # names before registration say nothing
        first = f"CASE WHEN NOT regexp_matches({first}, '^(baby|twin)( |$)') THEN {first} END"
    con.execute(f"""
        CREATE TABLE people AS SELECT record_id, source, {first} AS first_name,
            {TIDY.format("surname", "' '" if expert else "''")} AS surname,
            {TIDY.format("middle_names", "''")} AS middle_names,
            date_of_birth AS dob, sex, postcode, nhs_number, upn,
            regexp_extract(address_line, '[0-9]+') AS house,
            first_name || ' ' || surname AS first_name_surname_concat,
            string_split(surname, ' ') AS surname_words
        FROM read_parquet('{records}')""")


RULES = [
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


def recommended(con: duckdb.DuckDBPyConnection, records: str) -> tuple[Linker, float]:
    """The example for persons."""
    partnership(con, records, expert=False)
    settings = SettingsCreator(
        unique_id_column_name="record_id",
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=RULES,
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
    )
    linker = _linker(con, settings)
    training = linker.training
    training.estimate_probability_two_random_records_match(SURE, recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    for rule in (block_on("first_name", "surname"), block_on("dob")):
        training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
    return linker, 0.95


def _linker(con: duckdb.DuckDBPyConnection, settings: Any) -> Linker:
    api = DuckDBAPI(connection=con)
    return Linker(api.register(con.table("people")), settings)


SYSTEMS = {"recommended": recommended}


def main() -> None:
    kind, name, records, out = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    logging.getLogger("splink").setLevel(logging.ERROR)
    con = duckdb.connect(config={"threads": 2})
    linker, threshold = SYSTEMS[kind](con, records)
    predictions = linker.inference.predict(threshold_match_probability=0.01)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predictions, threshold_match_probability=threshold
    )
    con.execute(
        f"COPY (SELECT record_id, cluster_id FROM {clusters.physical_name}) TO '{out}/clusters.parquet'"
    )
    stop(out, threshold=threshold)
    con.execute(
        f"COPY (SELECT record_id_l, record_id_r, match_weight AS weight, match_probability FROM {predictions.physical_name}) TO '{out}/pairs.parquet'"
    )


main()
