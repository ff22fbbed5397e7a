"""Two partners' records of one invented town, for the tests of discovery."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.linkage import families
from linkage.private.secret import Secret
from linkage.private.settings import Discovery

PARAMETERS = Path(__file__).parents[2] / "ffp_data/identity/discovery_tokens.yaml"
SECRET = Secret(b"0123456789abcdef" * 2)
PARTNERS = {"health": "health_fhir", "school": "education_attendance"}


@cache
def discovery() -> Discovery:
    """The hub's own parameters."""
    return Discovery.from_yaml(PARAMETERS)


@cache
def town() -> tuple[dict[str, pa.Table], dict[str, str]]:
    """Records of each partner, and the person of each record."""
    records, truth = families.make(200)
    tables = {name: records.filter(pc.equal(records["feed"], f)) for name, f in PARTNERS.items()}
    return tables, dict(
        zip(*(truth[c].to_pylist() for c in ("record_id", "person_id")), strict=True)
    )
