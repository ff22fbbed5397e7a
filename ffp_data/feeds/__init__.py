"""Agency feeds: contracts as data, readers for each format, quarantine, and loading exactly once.

    contracts = load_contracts()
    for delivery in discover(landing, contracts, con):
        result = load(con, delivery, contracts.get(delivery.feed), allowed, contracts)
    assemble_identity(con, contracts, allow_test_numbers=True)

See docs/feeds.md. To read the code, in this order:

- what a contract may say: `vocabulary`, `contract_table`, `declared` (facts), `snapshots`, `contract`;
  `contract_rules` between its keys; `code_list`; `registry` reads the files and tells line and key;
- what lies there: `landing`, `file_facts`, `signing`, `archive`;
- one file into rows of text (`source`): `header` and `csv_reader`; `ndjson_reader`, `json_document`,
  `fhir_bundle` and `json_path`; `xml_reader`; `single_file` chooses among them;
- a case system's drop: `drop`, `case_system` (profiles), `mapped`, `sql_source` (pulls one);
- `reading` takes a delivery apart; `columns` and `stage` give its rows types;
- into the warehouse: `tables`, `superseding` (which rows hold), `guard`, `writing`, `books`, `loading`;
  `replay` reads again or takes back, `withdrawing` empties what no agreement covers any more;
- what rows mean: `people`, `person_sql`, `identifier_sql`, `relationship_sql`, `assertions`, `identity`;
  `facts`;
- for people: `reports`; `sample`, `infer` and `draft` for a new feed. `errors` is everywhere.
"""

from __future__ import annotations

from ffp_data.feeds.case_system import check_profiles, narrowed
from ffp_data.feeds.code_list import CodeList
from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Property, Table
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.facts import build_facts
from ffp_data.feeds.identity import assemble_identity
from ffp_data.feeds.landing import (
    Delivery,
    delivery_at,
    discover,
    discover_feed,
    discover_strangers,
)
from ffp_data.feeds.loading import DeliveryResult, TableResult, load
from ffp_data.feeds.registry import PACKAGED, check_contracts, code_lists, load_contracts
from ffp_data.feeds.reports import (
    Freshness,
    faults,
    freshness,
    freshness_of,
    quarantine_report,
    reconcile,
)
from ffp_data.feeds.tables import create_empty_raw_tables
from ffp_data.feeds.vocabulary import parse_duration

__all__ = [
    "PACKAGED",
    "CodeList",
    "Contract",
    "Delivery",
    "DeliveryResult",
    "FeedError",
    "Freshness",
    "Property",
    "Table",
    "TableResult",
    "assemble_identity",
    "build_facts",
    "check_contracts",
    "check_profiles",
    "code_lists",
    "create_empty_raw_tables",
    "delivery_at",
    "discover",
    "discover_feed",
    "discover_strangers",
    "faults",
    "freshness",
    "freshness_of",
    "load",
    "load_contracts",
    "narrowed",
    "parse_duration",
    "quarantine_report",
    "reconcile",
]
