"""Statutory returns: layouts, rules and profiles as data; readers, writers and validators."""
