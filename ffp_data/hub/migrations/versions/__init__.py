"""Versions, in order of their number."""
