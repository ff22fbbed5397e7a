"""The one exception that this package raises on purpose; its text says what to change."""

from __future__ import annotations


class LinkageError(Exception):
    """A model, an input or a rule that cannot be used, and what to do about it.

    The text names files, columns, keys and record ids, never a value of a record: it may be logged.
    """
