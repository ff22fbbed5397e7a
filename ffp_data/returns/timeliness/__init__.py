"""Timeliness of assessments, conferences and reviews, as a workbook for the council's own managers."""

from __future__ import annotations

from ffp_data.returns.timeliness.figures import NotBuiltError, Standing, standing
from ffp_data.returns.timeliness.workbook import write_timeliness

__all__ = ["NotBuiltError", "Standing", "standing", "write_timeliness"]
