"""The two copies of an answer: JSON for machines, and a tagged PDF (PDF/UA-1) that is set from that JSON.

The data reach the typesetter as data, never as source, so that no text of a record can be taken for a
command. Files are their owner's alone and whole or absent.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import typst

from ffp_data.printable import UNKNOWN, all_plain
from ffp_data.rights.sar_pack import Pack
from governance.files import replacing

JSON_FILE, PDF_FILE = "subject-access.json", "subject-access.pdf"
_SOURCE = "sar.typ"


def write_copies(pack: Pack, folder: Path) -> tuple[Path, Path]:
    """Write both copies into a folder, which is made for its owner alone. Gives (PDF, JSON)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = pack.model_dump(mode="json")
    text = json.dumps(data, ensure_ascii=False, indent=1)
    with replacing(folder / JSON_FILE) as handle:
        handle.write(text.encode())
    with replacing(folder / PDF_FILE) as handle:
        handle.write(to_pdf(data))
    return folder / PDF_FILE, folder / JSON_FILE


def to_pdf(data: dict[str, Any]) -> bytes:
    """The readable copy of an answer; what its font has no letter for becomes one sign, which it explains."""
    clean = all_plain(data)
    text = json.dumps(clean, ensure_ascii=False)
    clean["has_unknown"] = UNKNOWN in text
    source = resources.files(__package__).joinpath(_SOURCE).read_bytes()
    pdf = typst.compile(
        source,
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        sys_inputs={"pack": json.dumps(clean, ensure_ascii=False)},
    )
    assert isinstance(pdf, bytes), "one document"
    return pdf
