"""Early-warning lists: children whom a rule of the programme names. A rule is words and SQL; none weighs a child."""

from ffp_data.lists.rules import EarlyWarning, RuleError, find_list, load_lists, sql_of

__all__ = ["EarlyWarning", "RuleError", "find_list", "load_lists", "sql_of"]
