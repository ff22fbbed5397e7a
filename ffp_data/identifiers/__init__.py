"""Identifiers of people and places in England: normal forms, check digits and traps.

One small module for each identifier, each with ``check(value) -> Result``; values are
never repeated in a result's reason. The same rules are DuckDB macros for whole feeds
(``install_macros``).
"""

from __future__ import annotations

from ffp_data.identifiers.macros import install_macros
from ffp_data.identifiers.result import Result

__all__ = ["Result", "install_macros"]
