"""Statutory returns: layouts, rules and profiles as data; readers, writers and validators."""

from __future__ import annotations

from ffp_data.returns.build import ReturnResult, build_return
from ffp_data.returns.findings import Finding
from ffp_data.returns.header import Header
from ffp_data.returns.layout import LayoutError
from ffp_data.returns.reports import to_json, write_report
from ffp_data.returns.schema import xml_schema
from ffp_data.returns.validate import validate, validate_file

__all__ = [
    "Finding",
    "Header",
    "LayoutError",
    "ReturnResult",
    "build_return",
    "to_json",
    "validate",
    "validate_file",
    "write_report",
    "xml_schema",
]
