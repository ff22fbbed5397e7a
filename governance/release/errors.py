"""What a release raises: refused by the agreements, or permitted and impossible."""

from __future__ import annotations


class ReleaseRefusedError(Exception):
    """An extract that no agreement permits, or that asks for more than the decision holds."""


class ReleaseFailedError(Exception):
    """A permitted extract that cannot be made, because the warehouse lacks what was agreed."""
