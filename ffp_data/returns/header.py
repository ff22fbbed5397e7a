"""The header of a return. Its time stamp is passed in, so that a rebuild gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from ffp_data.returns.layout import end_year

SOFTWARE = "FFP data hub"


@dataclass(frozen=True)
class Header:
    """Header values of one return. `written_at` goes into DateTime; it is never the clock."""

    collection: str
    census_year: int
    reference_date: date
    lea: str
    written_at: datetime
    serial_no: str = "001"
    software_code: str = SOFTWARE
    release: str | None = None

    @classmethod
    def for_year(cls, collection: str, year: str, lea: str, written_at: datetime) -> Header:
        """Header of a collection year such as '2025-26', reference date 31 March."""
        ends = end_year(year)
        return cls(collection, ends, date(ends, 3, 31), lea, written_at)

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Header:
        """The header that `as_dict` gave."""
        days = {"reference_date": date.fromisoformat(kept["reference_date"])}
        times = {"written_at": datetime.fromisoformat(kept["written_at"])}
        return cls(**{**kept, **days, **times})

    def values(self) -> dict[str, str | None]:
        """Column of the header table to its text."""
        return {
            "collection": self.collection,
            "year": str(self.census_year),
            "reference_date": self.reference_date.isoformat(),
            "source_level": "L",
            "lea": self.lea,
            "software_code": self.software_code,
            "release": self.release,
            "serial_no": self.serial_no,
            "date_time": self.written_at.replace(tzinfo=None).isoformat(timespec="seconds"),
        }

    def as_dict(self) -> dict[str, str | int | None]:
        """For the manifest: every field as JSON."""
        return {
            k: v if isinstance(v, int) or v is None else str(v) for k, v in asdict(self).items()
        }
