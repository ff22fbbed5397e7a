"""What the pages keep of their users: when somebody last looked at a child, and what somebody reports as wrong."""

from __future__ import annotations

from datetime import date, timedelta

from ffp_data.kept import looks, wrong
from ffp_data.kept.database import Kept, file_of
from ffp_data.kept.looks import Look
from ffp_data.settings import Home
from governance.keys import KeyStore

LOOKS_KEPT_DAYS = 365
"""How long a look is kept: whoever looks again later reads a page as if for the first time anyway. Our choice."""

__all__ = ["Kept", "Look", "tidy"]


def tidy(home: Home, keys: KeyStore, as_at: date, reports_kept_days: int) -> None:
    """Forget what is older than it may be; to be called at the end of a run. Makes no file where there is none."""
    if not file_of(home).is_file():
        return
    kept = Kept.open(home, keys)
    try:
        looks.forget_before(kept, as_at - timedelta(days=LOOKS_KEPT_DAYS))
        wrong.forget(kept, as_at, reports_kept_days)
    finally:
        kept.close()
