"""What a release may read at all, and what people's rights take from every release.

The relations of rights are SELECTs, so that they hold whatever wrote them: who must not be located, who
is kept out of a purpose or from a recipient, and which child a record belongs to. They stand beside
the agreement and above it: no agreement can name them away.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rights:
    """SELECTs over stored relations, each read anew in every release."""

    protected: str
    """child_id: must not be located; whatever tells of a place is empty for them."""
    kept_out: str
    """child_id, purpose, recipient: no row is released; a NULL means any.

    A purpose covers those below it, and the wider ones that would carry it.
    """
    unnumbered: str
    """child_id, recipient: numbers that name the child are left out; a NULL means any recipient."""
    members: str
    """record_key, child_id: for relations whose rows are records."""


@dataclass(frozen=True)
class Zone:
    """The schemas that releases read, and the rights that bind them.

    Deliveries, identities and quarantine are in other schemas, so neither an agreement nor a cohort
    reaches them from here.
    """

    schemas: frozenset[str]
    rights: Rights
