"""A synthetic partnership: families, their lives over a year, the files that each agency would
send about them, and the truth."""

from __future__ import annotations

from ffp_data.synthetic.partnership import OutputInUseError, Summary, synthesise

__all__ = ["OutputInUseError", "Summary", "synthesise"]
