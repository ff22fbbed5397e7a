"""Agency feeds: contracts as data, readers for each format, quarantine, and loading exactly once.

    contracts = load_contracts()
    for delivery in discover(landing, contracts, con):
        result = load(con, delivery, contracts.get(delivery.feed), allowed, contracts)
    assemble_identity(con, contracts, allow_test_numbers=True)

See docs/feeds.md.
"""

from __future__ import annotations

from ffp_data.feeds.case_system import CaseSystem, case_systems, narrowed
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
    "CaseSystem",
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
    "case_systems",
    "check_contracts",
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
