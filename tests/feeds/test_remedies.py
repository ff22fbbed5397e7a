"""A value that is set aside says what would be right: ways to write a day, codes, and where all of them stand."""

from __future__ import annotations

from ffp_data.feeds.registry import code_lists
from ffp_data.feeds.remedies import SHOWN, own_remedies
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, sample_row

EARLY_HELP = CONTRACTS["early_help"]
TABLE = EARLY_HELP.by_name["persons"]


def remedies(landing: Landing, **wrong: str) -> dict[str, str]:
    """The remedy by column, of one row of early help with these values."""
    landing.rows("early_help", TABLE.name, [sample_row(EARLY_HELP, TABLE, 1, **wrong)])
    landing.load()
    both = "SELECT column_name, remedy FROM quarantine.{}"
    found = landing.con.execute(f"{both.format('rows')} UNION ALL {both.format('values')}")
    return dict(found.fetchall())


def test_a_wrong_day_is_told_the_ways_of_the_contract_to_write_one(landing: Landing) -> None:
    assert remedies(landing, date_of_birth="31.02.2020")["date_of_birth"] == (
        "send a day that exists, written as DD/MM/YYYY or YYYY-MM-DD (date_formats in the contract early_help)"
    )


def test_an_unknown_code_is_told_the_codes_or_a_few_of_them_and_their_list(
    landing: Landing,
) -> None:
    told = remedies(landing, sex="girl", upn_unknown="nowhere")
    assert told["sex"] == (
        "send M, F or U (codes of sex in the contract early_help), or ask for the code to be added"
    )
    few = "send one of 10 codes such as UN1, UN2, UN3, UN4, UN5, UN6"
    assert told["upn_unknown"].startswith(f"{few} (list upn_unknown in ffp_data/feeds/codes.yaml)")


def test_every_remedy_names_ways_that_its_contract_takes() -> None:
    count = 0
    for contract in CONTRACTS.values():
        for table in contract.tables:
            for column, rule, text in own_remedies(contract, table):
                prop = next(each for each in table.properties if each.name == column)
                count += 1
                assert "%" not in text
                if rule == "unknown_code":
                    listed = isinstance(prop.codes, str)
                    codes = code_lists()[prop.codes].values if listed else prop.codes
                    assert all(code in text for code in list(codes)[:SHOWN])
    assert count > 100
