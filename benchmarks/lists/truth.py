"""How right the lists are: each list of a finished home against who truly should stand on it.

    python -m benchmarks.lists.truth --children 1500 --seed 7
    python -m benchmarks.lists.truth --demo build/demo

The truth is told by the partnership that made the files; for clocks and services by the files as delivered, with the
truth's own word on whose record is whose; no link, model or mart of the hub has a part in it (truth.sql). A child of
the hub is the person whom most of its records are of. What is wrong or missed is told apart by whether a link had to do
with it: a child of several persons, or a person of several children. Writes benchmarks/results/lists.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ffp_data.calendar import add_working_days
from ffp_data.lists import load_lists
from ffp_data.settings import Home
from ffp_data.warehouse import connect

RESULT = Path(__file__).resolve().parents[1] / "results" / "lists.json"
SQL = Path(__file__).with_name("truth.sql")
TABLES = ("persons", "involvement", "sessions", "programme_cases")
SOON, ASSESSMENT, CONFERENCE = 5, 45, 15  # working days
AS_AT, LATER = date(2026, 3, 31), date(2026, 4, 10)
JUDGED_LATER = ("due_soon",)
"""Lists whose truth is told by the files and a day; that of others is as of the day of the files."""

_PEOPLE = """
CREATE TEMP TABLE people AS
SELECT child_id, arg_max(person_id, [n, 0]) AS person_id, count(*) > 1 AS is_mixed
FROM (
    SELECT child_id, person_id, count(*) AS n FROM identity.child_membership
    JOIN records USING (record_key) GROUP BY ALL ORDER BY person_id
) GROUP BY child_id
"""
_SPLIT = "SELECT person_id FROM people GROUP BY person_id HAVING count(*) > 1 OR bool_or(is_mixed)"
_ASSESSMENTS = """
SELECT r.person_id, a.cina_assessment_start_date FROM raw.case_system__ssd_cin_assessments AS a
JOIN records AS r USING (record_key)
WHERE a.cina_assessment_start_date <= $as_at AND coalesce(a.cina_assessment_auth_date > $as_at, true)
"""
_ENQUIRIES = """
SELECT r.person_id, e.s47e_s47_start_date FROM raw.case_system__ssd_s47_enquiry AS e
JOIN records AS r USING (record_key)
ANTI JOIN (FROM raw.case_system__ssd_initial_cp_conference WHERE icpc_icpc_date <= $as_at) AS c
    ON e.s47e_s47_enquiry_id = c.icpc_s47_enquiry_id
WHERE e.s47e_s47_start_date <= $as_at AND coalesce(e.s47e_s47_end_date > $as_at, true)
    OR json_extract_string(e.s47e_s47_outcome_json, '$.CP_CONFERENCE_FLAG') IN ('Y', 'y', '1', 'true')
"""


@dataclass(frozen=True)
class Judged:
    """One list: how many should be on it, how many are, and how many of each are wrong or missed."""

    truth: int
    listed: int
    right: int
    wrong: int
    wrong_by_a_link: int
    missed: int
    missed_by_a_link: int
    kept_out: int

    @property
    def precision(self) -> float | None:
        """Share of the listed who should be; None where nobody is listed."""
        return round(self.right / self.listed, 4) if self.listed else None

    @property
    def recall(self) -> float | None:
        """Share of those who should be listed who are; None where nobody should be."""
        return round(1 - self.missed / self.truth, 4) if self.truth else None


def judge(home: Home, truth: Path, as_at: date) -> dict[str, Judged]:
    """Every list of a home, against the truth of the partnership that it was fed with."""
    with connect(home, read_only=True) as con:
        con.execute("USE memory")  # the file is read only; what is made here is temporary
        con.execute("USE warehouse")
        for table in TABLES:
            _load(con, table, truth / f"{table}.csv")
        _load(con, "records", truth / "record_person.csv")
        con.execute("SET VARIABLE as_at = ?::DATE", [as_at])
        con.execute(SQL.read_text("utf-8"))
        con.execute(_PEOPLE)
        should = _by_list(con.execute("FROM should_be_listed").fetchall())
        should["due_soon"] = _due_soon(con, as_at)
        known = {row[0] for row in con.execute("SELECT DISTINCT person_id FROM records").fetchall()}
        listed = con.execute(
            "SELECT list_id, child_id, person_id FROM lists.entries JOIN people USING (child_id)"
        ).fetchall()
        linked = {row[0] for row in con.execute(_SPLIT).fetchall()}
        kept = dict(con.execute("SELECT list_id, kept_out_count FROM lists.lists").fetchall())
    found = _by_list((list_id, (child, person)) for list_id, child, person in listed)
    return {
        rule.id: _judged(should.get(rule.id, set()) & known, found.get(rule.id, set()), linked, kept[rule.id])
        for rule in load_lists()
    }  # fmt: skip


def _load(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    con.execute(
        f"CREATE TEMP TABLE {table} AS FROM read_csv('{path}', all_varchar = true, header = true)"
    )


def _by_list(rows: Iterable[tuple[str, Any]]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for list_id, who in rows:
        found.setdefault(list_id, set()).add(who)
    return found


def _judged(should: set[str], found: set[tuple[str, str]], linked: set[str], kept: int) -> Judged:
    people = {person for _, person in found}
    wrong = [person for _, person in found if person not in should]
    missed = should - people
    return Judged(
        truth=len(should),
        listed=len(found),
        right=len(found) - len(wrong),
        wrong=len(wrong),
        wrong_by_a_link=sum(person in linked for person in wrong),
        missed=len(missed),
        missed_by_a_link=len(missed & linked),
        kept_out=kept,
    )


def _due_soon(con: duckdb.DuckDBPyConnection, as_at: date) -> set[str]:
    """Whose assessment or conference is due within five working days, by the almanac in Python."""
    last, due = add_working_days(as_at, SOON), set()
    for sql, limit in ((_ASSESSMENTS, ASSESSMENT), (_ENQUIRIES, CONFERENCE)):
        for person, start in con.execute(sql, {"as_at": as_at}).fetchall():
            if as_at <= add_working_days(start, limit) <= last:
                due.add(person)
    return due


def table(judged: Mapping[str, Judged]) -> list[str]:
    """The figures as a Markdown table."""
    titles = {rule.id: rule.title for rule in load_lists()}
    head = ("list", "should be", "listed", "wrongly listed", "of them by a link", "missed", "of them by a link",
            "kept out", "precision", "recall")  # fmt: skip
    rows = [
        (titles[name], j.truth, j.listed, j.wrong, j.wrong_by_a_link, j.missed, j.missed_by_a_link, j.kept_out,
         _share(j.precision), _share(j.recall))
        for name, j in judged.items()
    ]  # fmt: skip
    lines = [head, ("---",) + ("---:",) * (len(head) - 1), *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def _share(value: float | None) -> str:
    return "nobody" if value is None else f"{value:.3f}"


def _ffp(*words: object) -> None:
    program = Path(sys.executable).with_name("ffp")
    done = subprocess.run(
        [str(program), *map(str, words)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])


def _run_again(demo: Path, as_at: date) -> None:
    """The same files, read as on a later day: nothing was delivered in between."""
    places = ("--home", demo / "home", "--landing", demo / "partnership" / "landing")
    _ffp("run", *places, "--as-at", as_at)


def _figures(judged: Mapping[str, Judged]) -> dict[str, Any]:
    return {
        name: {**asdict(j), "precision": j.precision, "recall": j.recall}
        for name, j in judged.items()
    }


def main() -> None:
    """Make a partnership, or take a finished one, and judge its lists; one of its own also on the later day."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--demo", type=Path, help="a folder that `ffp demo` made")
    words.add_argument("--children", type=int, default=1500)
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--as-at", type=date.fromisoformat, default=AS_AT)
    words.add_argument("--later", type=date.fromisoformat, default=LATER)
    words.add_argument("--out", type=Path, default=RESULT)
    asked = words.parse_args()
    own = tempfile.TemporaryDirectory() if asked.demo is None else nullcontext(asked.demo)
    with own as place:
        demo = Path(place) / ("" if asked.demo else "demo")
        if asked.demo is None:
            size = ("--children", asked.children, "--seed", asked.seed)
            _ffp("demo", demo, *size, "--as-at", asked.as_at)
        home, truth = Home(demo / "home"), demo / "partnership" / "truth"
        made = (truth / "made_by_ffp_synthesise").read_text("utf-8").strip()
        judged = judge(home, truth, asked.as_at)
        told = {"partnership": made, "lists": _figures(judged)}
        print(*table(judged), sep="\n")
        if asked.demo is None:
            _run_again(demo, asked.later)
            judged = judge(home, truth, asked.later)
            judged = {name: judged[name] for name in JUDGED_LATER}
            told["later"] = {"as_at": asked.later.isoformat(), "lists": _figures(judged)}
            print(f"\nThe same files on {asked.later}:", *table(judged), sep="\n")
    asked.out.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
