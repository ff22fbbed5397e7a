"""Late rows of sealed identities: kept out of every new delivery before it is loaded.

What was kept out goes to the vault, for the custodian; without a custodian's key it is dropped. Either way
the ledger has the number of rows and the feed, and nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from ffp_data.feeds import Contract
from ffp_data.feeds.landing import Delivery
from ffp_data.hub import seals
from ffp_data.hub.database import create_engine, migrate
from ffp_data.pipeline.run import Run
from ffp_data.sealing.deliveries import Taken, take, take_unread
from ffp_data.sealing.places import custodian_file, vault_folder
from ffp_data.sealing.sieve import Sieve, filter_key
from ffp_data.sealing.vault import Custodian, Vault


@dataclass(frozen=True)
class KeptOut:
    """Rows of one delivery that were kept out."""

    feed: str
    rows: int


def sieve_of(run: Run) -> Sieve:
    """The filter as it is now."""
    engine = create_engine(run.home.hub_url)
    try:
        migrate(engine)
        with engine.connect() as connection:
            return Sieve(filter_key(run.keys), seals.tokens(connection))
    finally:
        engine.dispose()


def keep_out(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    contracts: Mapping[str, Contract],
    new: Iterable[Delivery],
    sieve: Sieve,
) -> list[KeptOut]:
    """Take the rows of sealed identities out of the files of new deliveries of a feed."""
    told = []
    for delivery in new:
        if taken := take(con, delivery, contract, contracts, sieve, run.home.scratch):
            put_away(run, taken, "late")
            taken.apply()
            told.append(KeptOut(contract.id, taken.count))
    return told


def keep_out_strangers(run: Run, strangers: Iterable[Delivery], sieve: Sieve) -> list[KeptOut]:
    """The same of what lies in no feed's folder, which goes whole."""
    told = []
    for delivery in strangers:
        if taken := take_unread(delivery, sieve):
            put_away(run, taken, "late")
            taken.apply()
            told.append(KeptOut("", taken.count))
    return told


def put_away(run: Run, taken: Taken, group: str) -> None:
    """Put what leaves a delivery into the vault, if there is a custodian; again gives the same part."""
    if not custodian_file(run.home).is_file():
        return
    key = run.keys.key("seal/vault-names")
    name = hmac.digest(key, f"{group}|{taken.delivery.delivery_id}".encode(), "sha256").hex()[:32]
    vault = Vault(vault_folder(run.home), Custodian.read(custodian_file(run.home)))
    vault.put(
        {
            "feed": taken.delivery.feed,
            "file": taken.delivery.file_name,
            "pieces": list(taken.pieces),
        },
        f"{group}-{name}",
    )
