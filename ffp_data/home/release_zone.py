"""What releases of this hub read, and where its warehouse says whose rights bind them."""

from __future__ import annotations

from ffp_data.home.protected import MUST_NOT_BE_LOCATED
from governance.release import Rights, Zone

SCHEMAS = frozenset({"single_view", "returns", "matching", "timeliness", "statistics", "lists"})
ZONE = Zone(
    SCHEMAS,
    Rights(
        protected=MUST_NOT_BE_LOCATED,
        kept_out="SELECT child_id, purpose, recipient FROM rights.withheld_children",
        unnumbered="SELECT child_id, recipient FROM rights.withheld_numbers",
        members="SELECT record_key, child_id FROM identity.child_membership",
    ),
)
"""Every run writes the tables of rights before its marts; where they are missing, nothing is released."""
