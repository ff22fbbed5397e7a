"""What an old identity is made of: its identifiers, its records, and the numbers agencies know it by.

A number counts only when it is valid and no other person of the hub has it: twins whose numbers were
swapped, or a mother's number on her baby's record, must not take a second person out of the hub.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.identifier_sql import IDENTIFIERS
from ffp_data.feeds.people import KEY_PREFIX
from ffp_data.sealing.sieve import NUMBER, RECORD, Id
from ffp_data.sql_text import literal

_LEAST, _LEAST_BARE = 6, 7
"""Characters of a case id, or a person's, that is looked for everywhere; a shorter one may be anything."""

_DAY = "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"


@dataclass(frozen=True)
class Subject:
    """child_id: as it is in use; child_ids: all that lead to it; cases: ids of what was done for it alone.

    people: name parts and birth dates, each as (given name, surname, ISO date), to search for; shared:
    how many of its numbers another person has too, which therefore are not looked for.
    """

    child_id: str
    child_ids: tuple[str, ...]
    records: tuple[str, ...]
    numbers: tuple[str, ...]
    cases: tuple[str, ...]
    people: tuple[tuple[str, str, str], ...]
    shared: int

    @property
    def words(self) -> tuple[str, ...]:
        """Every text that names this identity and nobody else, as far as the hub can know."""
        return (*self.certain, *self.cases)

    @property
    def certain(self) -> tuple[str, ...]:
        """Those that can mean nothing else. A case id may look like a code of another kind: what is made
        anew by the next run may go for one, what agencies sent may not."""
        return (*self.child_ids, *self.records, *self.numbers)

    @property
    def ids(self) -> set[Id]:
        """What the filter of late rows must know."""
        return {*((RECORD, r) for r in self.records), *((NUMBER, n) for n in self.numbers)}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Subject:
        people = tuple((given, surname, born) for given, surname, born in told["people"])
        words = {k: tuple(told[k]) for k in ("child_ids", "records", "numbers", "cases")}
        return cls(child_id=told["child_id"], **words, people=people, shared=told["shared"])


def gather(
    con: duckdb.DuckDBPyConnection,
    contracts: Mapping[str, Contract],
    child_id: str,
    child_ids: Iterable[str],
    records: Iterable[str],
) -> Subject:
    """The identity as the warehouse of `con` knows it, of the identifiers and records that the hub names."""
    own = sorted(records)
    con.register("_own", pa.table({"record_key": pa.array(own, pa.string())}))
    numbers, shared = _numbers(con)
    cases = sorted({*_bare(con), *(case for c in contracts.values() for case in _cases(con, c))})
    people = _people(con)
    con.unregister("_own")
    answers = answer_keys(own, contracts)
    return Subject(
        child_id, tuple(sorted(child_ids)), (*own, *answers), numbers, tuple(cases), people, shared
    )


def answer_keys(records: Iterable[str], contracts: Mapping[str, Contract]) -> list[str]:
    """Keys under which the NHS number search's results lie: they name the record that was asked about."""
    matcher = contracts.get("sui_matcher")
    if matcher is None:
        return []
    prefix = f"{matcher.id}|{matcher.hub.system}|"
    keys = [(key, re.sub(KEY_PREFIX, "", key)) for key in records]
    asked = [key for key, _ in keys]
    asked += [own for key, own in keys if key.split("|")[0] in ("case_system", "early_help")]
    return sorted(prefix + each for each in asked)


def _numbers(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str, ...], int]:
    """Valid numbers that only this identity's records have; how many another has too."""
    columns = ", ".join(IDENTIFIERS)
    rows = con.execute(
        "WITH said AS (SELECT record_key, value FROM identity.person_identifiers WHERE is_valid"
        f" UNION SELECT record_key, value FROM (UNPIVOT (SELECT record_key, {columns}"
        f" FROM identity.person_records) ON {columns} INTO NAME kind VALUE value))"
        " SELECT value, bool_or(record_key NOT IN (SELECT record_key FROM _own)) FROM said"
        " WHERE value IN (SELECT value FROM said SEMI JOIN _own USING (record_key))"
        " GROUP BY value ORDER BY value"
    ).fetchall()
    return tuple(value for value, others in rows if not others), sum(others for _, others in rows)


def _cases(con: duckdb.DuckDBPyConnection, contract: Contract) -> Iterable[str]:
    """Ids of referrals, assessments, contacts and the like that only this identity's rows bear."""
    for table in contract.tables:
        if not table.record_key:
            continue
        others = [n for n in table.key if n not in table.record_key]
        # One column that tells rows apart is an id; several are a year, a school, a code.
        for name in others if len(others) == 1 else ():
            if table.by_name[name].logical_type != "string":
                continue
            found = con.execute(
                f'SELECT "{name}" FROM {contract.raw_name(table)} WHERE length("{name}") >= {_LEAST}'
                f' AND regexp_matches("{name}", {literal("[0-9]")})'
                f' GROUP BY "{name}" HAVING bool_and(record_key IN (SELECT record_key FROM _own))'
            ).fetchall()
            yield from (case for (case,) in found)


def _bare(con: duckdb.DuckDBPyConnection) -> Iterable[str]:
    """Parts of its records' own ids, such as a pupil's number, that no other record has; no dates."""
    found = con.execute(
        "SELECT part FROM (SELECT record_key, unnest(string_split(source_person_id, ':')) AS part"
        f" FROM identity.person_records) WHERE length(part) >= {_LEAST_BARE}"
        f" AND regexp_matches(part, '[0-9]') AND NOT regexp_full_match(part, {literal(_DAY)})"
        " GROUP BY part HAVING bool_and(record_key IN (SELECT record_key FROM _own))"
    ).fetchall()
    return (part for (part,) in found)


def _people(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str, str], ...]:
    rows: list[tuple[str, str, date]] = con.execute(
        "SELECT DISTINCT trim(given_name), trim(surname), date_of_birth FROM identity.person_records"
        " SEMI JOIN _own USING (record_key)"
        " WHERE given_name IS NOT NULL AND surname IS NOT NULL AND date_of_birth IS NOT NULL"
        " ORDER BY ALL"
    ).fetchall()
    return tuple((given, surname, born.isoformat()) for given, surname, born in rows)
