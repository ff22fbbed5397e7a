"""Things in the landing folder that are no plain file with a plain name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.corpus import GOOD, HEADER, STAMP, Case, file, loaded, refused

CONTENT = f"{HEADER}\n{GOOD}\n".encode()
NAME = f"people_{STAMP}.csv"


def cases() -> Iterator[Case]:
    builds: dict[str, tuple[Callable[[Path], object], str]] = {
        "a link to another file": (_link_to_file, "not_a_file"),
        "a link to a folder": (lambda at: (at / NAME).symlink_to("/"), "not_a_file"),
        "a link to nothing": (lambda at: (at / NAME).symlink_to("nowhere"), "not_a_file"),
        "a pipe": (lambda at: os.mkfifo(at / NAME), "not_a_file"),
        "a folder called csv": (lambda at: (at / NAME).mkdir(), "unknown_file"),
        "a name of bytes that are no text": (_raw_name, "unknown_file"),
        "a name with a line end": (file(f"people_a\nb_{STAMP}.csv", CONTENT), "unknown_file"),
        "a name without time": (file("people_latest.csv", CONTENT), "no_time_in_name"),
        "a day that is none in the name": (
            file("people_20261399T030000Z.csv", CONTENT),
            "no_time_in_name",
        ),
        "a file of a program": (file("run.exe", b"MZ" + bytes(500)), "unknown_file"),
        "a name that ends in blanks": (file(f"people_{STAMP}.csv  ", CONTENT), "unknown_file"),
    }
    for name, (build, rule) in builds.items():
        yield refused(name, "sheet", build, rule)
    yield loaded(
        "SQL in the name", "sheet", file(f"people_'; DROP TABLE x; --_{STAMP}.csv", CONTENT), 1
    )
    yield loaded("a glob in the name", "sheet", file(f"people_[a-z]*{{1}}_{STAMP}.csv", CONTENT), 1)


def _link_to_file(folder: Path) -> None:
    outside = folder.parent.parent / "another agency.csv"
    outside.write_bytes(CONTENT)
    (folder / NAME).symlink_to(outside)


def _raw_name(folder: Path) -> None:
    name = os.fsencode(folder) + b"/people_\xff\xfe_" + STAMP.encode() + b".csv"
    with open(name, "wb") as out:  # noqa: PTH123 -- a name that is no text
        out.write(CONTENT)
