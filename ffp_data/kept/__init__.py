"""What the pages keep of their users: when somebody last looked at a child, and what somebody reports as wrong."""

from ffp_data.kept.database import FILE, Kept
from ffp_data.kept.looks import Look

__all__ = ["FILE", "Kept", "Look"]
