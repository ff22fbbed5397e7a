"""What is read from a file, as a model: a key that nobody knows is a fault, and nothing changes it once it is read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A file or a part of one. Raises pydantic's ValidationError, which names the place of each fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)
