"""The only writer under `out/`: it turns an allowed decision into files, and nothing more.

For each table of the decision it selects exactly the agreed columns of the cohort's rows, applies
each column's transform, and sorts the result after pseudonyms are set, so that the order of rows
tells nothing of the hub's identifiers. Parquet, a workbook and a signed manifest are written to a
hidden directory that is renamed when whole. The ledger gets the intention before the rename and
the fact after it, so a crash between the two is seen. Equal input gives equal bytes.
"""

from governance.release.audit import not_released, released_files
from governance.release.errors import ReleaseFailedError, ReleaseRefusedError
from governance.release.extract import WORKBOOK, write_extract
from governance.release.handing_over import Made, hand_over
from governance.release.locked import lock
from governance.release.publishing import Extract, publish, publish_documents
from governance.release.reading import ByPerson, read_agreed, read_by_person
from governance.release.taking_back import why_withdrawn, withdraw
from governance.release.two_phases import settle_all
from governance.release.views import those_kept_out
from governance.release.zone import Rights, Zone

__all__ = [
    "WORKBOOK",
    "ByPerson",
    "Extract",
    "Made",
    "ReleaseFailedError",
    "ReleaseRefusedError",
    "Rights",
    "Zone",
    "hand_over",
    "lock",
    "not_released",
    "publish",
    "publish_documents",
    "read_agreed",
    "read_by_person",
    "released_files",
    "settle_all",
    "those_kept_out",
    "why_withdrawn",
    "withdraw",
    "write_extract",
]
