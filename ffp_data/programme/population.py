"""How many children live in the partnership, by group: as a file of the home with its source, where there is one.

The hub knows only children whom some service told it of. A rate for a group is better of all children who live there;
whoever has a table of them (from a census, or a school census) puts it into `population.yaml` of the home.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import yaml
from pydantic import Field, NonNegativeInt

from ffp_data.settings import Home
from ffp_data.strict import Strict

FILE = "population.yaml"
OF_HUB = "children of whom any service told this hub, without those who have turned 18"


class Population(Strict):
    """Children by characteristic and group, and where that is from."""

    source: str = Field(min_length=5)
    as_at: date
    children: Mapping[str, Mapping[str, NonNegativeInt]]

    @property
    def words(self) -> str:
        """What the denominators are."""
        return f"children who live here ({self.source}, {self.as_at.isoformat()})"


def population_of(home: Home) -> Population | None:
    """The table of a home, or None. Raises pydantic's ValidationError on one that does not hold."""
    path = home.root / FILE
    if not path.is_file():
        return None
    return Population.model_validate(yaml.safe_load(path.read_text("utf-8")))
