"""Who must not be located: one rule for look-ups, for reviewers and for whoever else shows a person."""

from __future__ import annotations

MUST_NOT_BE_LOCATED = """
SELECT child_id FROM identity.child_membership JOIN identity.person_records USING (record_key)
WHERE is_restricted
UNION SELECT child_id FROM single_view.children WHERE is_restricted
UNION SELECT child_id FROM identity.shielded
ORDER BY child_id
"""
"""SQL of the identifiers, adults' too: a record of theirs is marked, somebody ordered a shield, or the view hides them
since they live with somebody of whom that is so."""

PLACES = ("postcode", "uprn", "address_line", "phone", "email")
"""Columns of person records that tell where somebody is, or lead there."""
