"""The programme's profile of a home, for those who read it without the pages."""

from __future__ import annotations

from ffp_data.programme.profile import Profile, read_profile
from ffp_data.settings import Home
from ffp_data.single_view.published import View


def profile_of(home: Home) -> Profile:
    """The profile as the newest run published it; raises NothingPublishedError."""
    view = View(home).newest()
    return read_profile(view.rows, view.as_at)
