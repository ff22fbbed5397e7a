"""Late rows of the sealed and the erased: kept out of every new delivery before it is loaded.

Of the sealed, what was kept out goes to the vault, for the custodian; without a custodian's key it is dropped.
Of the erased it is dropped: the two have filters of their own, and no row of an erased child comes near
the vault. Either way the ledger has the number of rows and the feed, and nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb

from ffp_data.feeds import Contract
from ffp_data.feeds.landing import Delivery
from ffp_data.home.run import Run
from ffp_data.hub import seals
from ffp_data.hub.database import create_engine, migrate
from ffp_data.sealing.deliveries import Taken, take, take_unread
from ffp_data.sealing.places import custodian_file, vault_folder
from ffp_data.sealing.sieve import Sieve, erased_key, filter_key
from ffp_data.sealing.vault import Custodian, Vault


@dataclass(frozen=True)
class KeptOut:
    """Rows of one delivery that were kept out."""

    feed: str
    rows: int


@dataclass(frozen=True)
class Filters:
    """Who is kept out: the erased first, so that none of their rows is put away."""

    erased: Sieve
    sealed: Sieve

    def __bool__(self) -> bool:
        return bool(self.erased) or bool(self.sealed)


def filters_of(run: Run) -> Filters:
    """The filters as they are now."""
    engine = create_engine(run.home.hub_url)
    try:
        migrate(engine)
        with engine.connect() as connection:
            return Filters(
                Sieve(erased_key(run.keys), seals.erased_tokens(connection)),
                Sieve(filter_key(run.keys), seals.tokens(connection)),
            )
    finally:
        engine.dispose()


def keep_out(
    run: Run,
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    new: Callable[[], Iterable[Delivery]],
    filters: Filters,
) -> list[KeptOut]:
    """Take the rows of the erased and the sealed out of the files of new deliveries of a feed.

    `new` looks what is new, since a file that lost rows is another delivery.
    """

    def look(delivery: Delivery, sieve: Sieve) -> Taken | None:
        return take(con, delivery, contract, run.contracts, sieve, run.home.scratch)

    return _kept_out(run, contract.id, new, filters, look)


def keep_out_strangers(
    run: Run, strangers: Callable[[], Iterable[Delivery]], filters: Filters
) -> list[KeptOut]:
    """The same of what lies in no feed's folder, which goes whole."""
    return _kept_out(run, "", strangers, filters, take_unread)


def _kept_out(
    run: Run,
    feed: str,
    new: Callable[[], Iterable[Delivery]],
    filters: Filters,
    look: Callable[[Delivery, Sieve], Taken | None],
) -> list[KeptOut]:
    told = []
    for sieve, has_vault in ((filters.erased, False), (filters.sealed, True)):
        for delivery in new() if sieve else ():
            if taken := look(delivery, sieve):
                if has_vault:
                    put_away(run, taken, "late")
                taken.apply()
                told.append(KeptOut(feed, taken.count))
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
