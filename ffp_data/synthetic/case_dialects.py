"""The same drop as another case system would write it: its own tables and columns, its way of dates,
codes and numbers, and the faults that its extract is known for (data-to-insight/ssd-data-model; which
system does what stands in `feeds/case_systems/`). Nothing is added to what the council knows; what a
system cannot carry is left out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from ffp_data.feeds.case_system import ColumnMap, Lookup, Profile, TableMap, find_profile

Rows = list[dict[str, str]]
Files = dict[str, Rows]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST = 4000  # characters of an outcome column, after which the extract cuts
_BROKEN_SHARE = 0.05
# Mosaic writes these as whole numbers (ssd_ddl_reference_mosaic.csv: int, numeric(9)).
_NUMBERED = re.compile(r"(referral|s47_enquiry|s47|cp_plan|cp_review)_id$")
_PADDED = {"cine_cin_primary_need_code": 3, "clae_cla_primary_need_code": 3, "pers_send_flag": 5}


def systems() -> tuple[str, ...]:
    """The systems that a drop can be written as."""
    return ("systemc", *_WRITERS)


def dress(
    system: str, tables: Files, rng: Random, delivered: str, headers: Callable[[str], Sequence[str]]
) -> dict[str, tuple[list[str], Rows]]:
    """Header and rows by file as `system` writes them; `delivered`: the day of the drop, ISO.

    `headers` gives the dataset's header of a table, for tables without a row. KeyError for a system
    that no drop can be written as.
    """
    profile = find_profile(system)
    if profile is None:
        raise KeyError(system)
    known = {name: rows for name, rows in tables.items() if name not in profile.absent}
    files = _WRITERS[system](profile, known, rng, delivered)
    written = {
        n: (list(dict.fromkeys(c for r in rows for c in r)), rows)
        for n, rows in files.items()
        if rows
    }
    for name in (name for name, rows in known.items() if not rows):
        blank = _WRITERS[system](
            profile, {name: [dict.fromkeys(headers(name), "")]}, rng, delivered
        )
        file, (row, *_) = next(iter(blank.items()))
        written.setdefault(file, (list(row), []))
    return written


def csv_bytes(rows: Rows, header: list[str]) -> bytes:
    """The file of a table; every row has the keys of `header`."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _mosaic(profile: Profile, tables: Files, rng: Random, delivered: str) -> Files:
    numbers: dict[str, str] = {}
    files: Files = {}
    for name, rows in tables.items():
        mapping = profile.tables.get(name, TableMap.model_validate({"status": "evidenced"}))
        files[f"dbo.{name.upper()}"] = [
            _stamped(
                _renamed(_numbered(_expected(r, delivered), numbers), mapping, profile, name),
                ".000",
            )
            for r in rows
        ]
    for row in files.get("dbo.SSD_PERSON", ()):
        row["pers_common_child_id"] = row.pop("pers_single_unique_id")
        row["pers_death_date"] = row["pers_death_date"] or "1900-01-01 00:00:00.000"
    for row in files.get("dbo.SSD_CIN_EPISODES", ()):
        _break(row, rng)
    return files


def _eclipse(profile: Profile, tables: Files, rng: Random, delivered: str) -> Files:
    files: Files = {}
    for name, rows in tables.items():
        flags = {c for row in rows for c in row} & _booleans(rows)
        files[f"public.{name}"] = [
            _padded(_flagged(_stamped(_expected(row, delivered), ""), flags)) for row in rows
        ]
    return files


def _azeus(profile: Profile, tables: Files, rng: Random, delivered: str) -> Files:
    files: Files = {}
    for name, rows in tables.items():
        mapping = profile.tables.get(name)
        if mapping is None or mapping.from_ is None:
            files[name] = rows
            continue
        own = files.setdefault(mapping.from_, [])
        for row in rows:
            own.append(_own_row(mapping, row))
            for lookup_name, lookup in mapping.lookups.items():
                _look_up(files, mapping, lookup_name, lookup, own[-1], row)
    return files


_WRITERS: Mapping[str, Callable[[Profile, Files, Random, str], Files]] = {
    "azeus": _azeus,
    "eclipse": _eclipse,
    "mosaic": _mosaic,
}


def _expected(row: dict[str, str], delivered: str) -> dict[str, str]:
    """An unborn child's expected day stands in the column of the birth date, as systems without another have it."""
    if row.get("pers_expected_dob", "") > delivered:
        return row | {"pers_dob": row["pers_expected_dob"], "pers_expected_dob": ""}
    return row


def _numbered(row: dict[str, str], numbers: dict[str, str]) -> dict[str, str]:
    """Whole numbers in place of keys, the same for the same key."""
    return {
        name: numbers.setdefault(value, str(len(numbers) + 1))
        if value and _NUMBERED.search(name)
        else value
        for name, value in row.items()
    }


def _renamed(
    row: dict[str, str], mapping: TableMap, profile: Profile, table: str
) -> dict[str, str]:
    """Columns by the system's own names, without those that its extract lacks or looks up."""
    names = {name: column.column or "" for name, column in mapping.columns.items()}
    return {
        names.get(name, name): value
        for name, value in row.items()
        if f"{table}.{name}" not in profile.absent and "." not in names.get(name, "")
    }


def _stamped(row: dict[str, str], fraction: str) -> dict[str, str]:
    """Days as a database exports them."""
    return {n: f"{v} 00:00:00{fraction}" if _DAY.fullmatch(v) else v for n, v in row.items()}


def _booleans(rows: Rows) -> set[str]:
    """Columns that hold nothing but 1 and 0."""
    names = {name for row in rows for name in row if not name.endswith("_id")}
    return {
        n
        for n in names
        if {row[n] for row in rows} - {""} and {row[n] for row in rows} <= {"", "0", "1"}
    }


def _flagged(row: dict[str, str], flags: set[str]) -> dict[str, str]:
    return {n: {"1": "t", "0": "f"}.get(v, v) if n in flags else v for n, v in row.items()}


def _padded(row: dict[str, str]) -> dict[str, str]:
    return {n: v.ljust(_PADDED.get(n, 0)) if v else v for n, v in row.items()}


def _break(row: dict[str, str], rng: Random) -> None:
    """Comments that nobody escaped, and now and then a text that was cut."""
    chance = rng.random()
    if chance < _BROKEN_SHARE and row["cine_referral_outcome_json"]:
        comments = 'said "no"' if chance < _BROKEN_SHARE / 2 else "word " * 900
        whole = row["cine_referral_outcome_json"][:-1] + f', "COMMENTS": "{comments}"}}'
        row["cine_referral_outcome_json"] = whole[:_LONGEST]


def _own_row(mapping: TableMap, row: dict[str, str]) -> dict[str, str]:
    own = {column: words[0] for column, words in mapping.when.items()}
    for header, column in mapping.columns.items():
        own |= _as_sent(column, row.get(header, ""))
    return own | _case_of(row)


def _as_sent(column: ColumnMap, value: str) -> dict[str, str]:
    """What the system's own columns hold for a value of the dataset."""
    if column.date is not None:
        parts = value.split("-") if value else ["", "", ""]
        return {name: part.lstrip("0") for name, part in zip(column.date, parts, strict=True)}
    if column.json_ is not None:
        document = json.loads(value or "{}")
        return {name: str(document.get(key, "")) for key, name in column.json_.items()}
    if column.column is None or "." in column.column:
        return {}
    spoken = {_plain(said): word for word, said in column.values.items()}
    return {column.column: spoken.get(_plain(value), value)}


def _plain(said: str) -> str:
    return {"1": "Y", "0": "N"}.get(said, said)


def _case_of(row: dict[str, str]) -> dict[str, str]:
    """The case that a plan or a worker hangs on: one for each referral."""
    referral = row.get("cinp_referral_id") or row.get("invo_referral_id")
    return {"CASE_ID": f"C{referral}"} if referral else {}


def _look_up(
    files: Files,
    mapping: TableMap,
    name: str,
    lookup: Lookup,
    own: dict[str, str],
    row: dict[str, str],
) -> None:
    """Add the row of the other file that says what `row` says; a case episode is told with its referral."""
    if lookup.file == "CASE_EPISODE" and "cine_referral_id" not in row:
        return
    places = {header: column.column or "" for header, column in mapping.columns.items()}
    found = {
        place.removeprefix(f"{name}."): row[header]
        for header, place in places.items()
        if place.startswith(f"{name}.") and row[header] not in ("", "SSD_SUI")
    }
    if not found and lookup.file != "CASE_EPISODE":
        return
    key = {there: own[here] for here, there in lookup.match.items()}
    found |= key | {column: words[0] for column, words in lookup.when.items()}
    if lookup.file == "SVC_USR_ID":
        found["ID_ID"] = f"{name}{own['SVC_USR_REF_NO']}"
    if lookup.file == "CASE_EPISODE":
        found |= {"CASE_ID": f"C{own['REF_ID']}", "SVC_USR_REF_NO": own["SVC_USR_REF_NO"]}
        found["START_DT"] = own["REF_DT"]
    files.setdefault(lookup.file, []).append(found)
