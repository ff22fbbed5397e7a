"""Ofsted's Annex A: lists 1 to 11 for any inspection date, from an edition file and one query a list."""

from __future__ import annotations

from ffp_data.returns.annex_a.checks import Query, check_lists
from ffp_data.returns.annex_a.edition import Edition, edition_on, editions, rules_version
from ffp_data.returns.annex_a.lists import Filled, fill_lists
from ffp_data.returns.annex_a.tehadc import NothingToShareError, Shared, find_shared, write_shared
from ffp_data.returns.annex_a.workbook import Particulars, write_annex_a

__all__ = [
    "Edition",
    "Filled",
    "NothingToShareError",
    "Particulars",
    "Query",
    "Shared",
    "check_lists",
    "edition_on",
    "editions",
    "fill_lists",
    "find_shared",
    "rules_version",
    "write_annex_a",
    "write_shared",
]
