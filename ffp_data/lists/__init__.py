"""Early-warning lists: children whom a rule of the programme names. A rule is words and SQL; none weighs a child."""

from ffp_data.lists.checking import Finding, check
from ffp_data.lists.entries import entries, of_place, overview, states
from ffp_data.lists.rules import EarlyWarning, RuleError, find_list, load_lists, sql_of

__all__ = [
    "EarlyWarning",
    "Finding",
    "RuleError",
    "check",
    "entries",
    "find_list",
    "load_lists",
    "of_place",
    "overview",
    "sql_of",
    "states",
]
