"""The Families First Partnership quarterly collection: counted from cases, typed by the programme's lead, signed.

Items, definitions and colours are data (`items.yaml`, `settings.yaml`). For a quarter, each counted item is first a
list of who and what counts and what is left out, with why (`counting`, SQL in `sql/`); figures are counts of that
list, so that each opens to its children (`figures`). Typed items are kept by quarter and version (`entries`).
`progress` and `checks` say how the figures stand. Every build is kept (`ffp_data.releases.quarterly`).
"""

from __future__ import annotations

from ffp_data.quarterly.counting import Counted, Lines, count_quarter
from ffp_data.quarterly.items import Item, Items, Kpi, Settings, load_items, load_settings
from ffp_data.quarterly.quarters import NotAQuarterError, Quarter

__all__ = [
    "Counted",
    "Item",
    "Items",
    "Kpi",
    "Lines",
    "NotAQuarterError",
    "Quarter",
    "Settings",
    "count_quarter",
    "load_items",
    "load_settings",
]
