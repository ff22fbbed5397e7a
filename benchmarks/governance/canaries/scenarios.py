"""What goes wrong: each scenario leaves behind what a fault of its kind leaves behind."""

from __future__ import annotations

import http.cookiejar
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.governance.canaries.place import Place
from ffp_data.warehouse import connect
from tests.canaries.planting import Canaries
from tests.canaries.scanning import Scanner

LATER = "20260402T030000Z"
REPOSITORY = Path(__file__).parents[3]


def bad_deliveries(place: Place) -> int:
    """Files that cannot be read, and values that cannot be: names where dates, numbers and codes should be."""
    pupils = next(place.landing.glob("education_attendance/attendance_pupils_*"))
    rows = pupils.read_text("utf-8-sig").splitlines()
    later = pupils.with_name(pupils.name.replace("20260401T030000Z", LATER))
    later.write_text(
        "\n".join([rows[0], *map(_with_names_in_every_cell, rows[1:20]), *rows[20:]]), "utf-8"
    )
    cut = next(place.landing.glob("health_fhir/*Patient*"))
    text = cut.read_text("utf-8")
    cut.with_name(cut.name.replace("20260401T030000Z", LATER)).write_text(
        text.replace('"resourceType"', '"resourceType" "Zquorvane"', 3) + '{"name": "Zquorvane',
        "utf-8",
    )
    for number, xml in enumerate(sorted(place.landing.glob("ctf/*.xml"))[:2]):
        broken = xml.read_bytes().replace(
            b"<Surname>", b"<Surname><Zquorvane>" if number else b"<Zquorvane &"
        )
        name = xml.name.split("_2025")[0].split("_2026")[0]
        xml.with_name(f"{name}_{LATER}.xml").write_bytes(broken)
    header = next(place.landing.glob("housing/*people*"))
    header.with_name(header.name.replace("20260401T030000Z", LATER)).write_bytes(
        b"Zquorvane,Zquorvbeck\n" + header.read_bytes()
    )
    contacts = next(place.landing.glob("health_csv/*children*"))
    contacts.with_name(contacts.name.replace("20260401T030000Z", LATER)).write_bytes(
        contacts.read_bytes().replace(b"Zquorv", b"Zquorv\xff\xfe\x00")
    )
    code = place.run()
    place.ffp("feeds", "quarantine")
    place.ffp("feeds", "list")
    return code


def _with_names_in_every_cell(row: str) -> str:
    cells = row.split(",")
    return ",".join([*cells[:2], *("Zquorvane" for _ in cells[2:])])


def linkage_fails(place: Place) -> int:
    """A step of the graph meets a value that it cannot read, and the engine's error quotes it."""
    _poison(place, "identity", "case_system__ssd_person")
    return place.run()


def model_fails(place: Place) -> int:
    """A dbt model does: one that reads a column of texts as numbers."""
    project = place.folder / "project"
    shutil.copytree(
        REPOSITORY, project, ignore=shutil.ignore_patterns(".git", ".venv", "build", "target")
    )
    model = project / "dbt_project/models/intermediate/persons/int_persons__records.sql"
    text = model.read_text("utf-8")
    failing = "cast('Zquo' || 'rvane ' || record_key as integer)::varchar"
    model.write_text(
        f"select failing.* replace ({failing} as record_key) from (\n{text}\n) as failing\n",
        "utf-8",
    )
    return place.run(project=project)


def tests_fail(place: Place) -> int:
    """Rows that stand twice fail the tests of dbt."""
    with connect(place.home) as con:
        for (table,) in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw' AND database_name = 'warehouse'"
        ).fetchall():
            con.execute(f'INSERT INTO raw."{table}" SELECT * FROM raw."{table}"')
    return place.run()


def _poison(place: Place, schema: str, table: str) -> None:
    """Put in a table's place a view whose texts cannot be read: the engine's error names the first."""
    with connect(place.home) as con:
        text = con.execute(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
            "AND data_type = 'VARCHAR' AND database_name = 'warehouse'",
            [schema, table],
        ).fetchall()
        con.execute(f'ALTER TABLE {schema}."{table}" RENAME TO "{table}_whole"')
        casts = ", ".join(
            f'CAST(CAST(\'Zquorvane \' || "{c}" AS INTEGER) AS VARCHAR) AS "{c}"' for (c,) in text
        )
        con.execute(
            f'CREATE VIEW {schema}."{table}" AS SELECT * REPLACE ({casts}) FROM {schema}."{table}_whole"'
        )


def release_fails(place: Place) -> int:
    """The place of the extracts is taken by a file."""
    shutil.rmtree(place.home.out)
    place.home.out.mkdir()
    (place.home.out / "extracts").write_text("not a folder", "utf-8")
    (place.home.out / "returns").write_text("not a folder", "utf-8")
    return place.run()


def disk_is_full(place: Place) -> int:
    """No file can grow beyond a size: the warehouse, then everything."""
    return max(place.run(limit=size) for size in (8 << 20, 300 << 10, 4 << 10))


def killed(place: Place) -> int:
    """kill -9 at four moments of a first run."""
    shutil.rmtree(place.home.root)
    place.ffp("prepare", "--demo")
    for seconds in (12, 25, 40, 60):
        code = place.run(killed_after=seconds)
    return code


def _number(place: Place) -> str:
    """One of the planted NHS numbers."""
    return min(n for n in place.canaries.numbers if n.isdigit())


def wrong_words(place: Place) -> int:
    """Commands about children, with wrong input and right, permitted and not."""
    number = _number(place)
    name = ("--given-name", "Zquorva", "--family-name", "Zquorvane")
    place.ffp("identify", *name, "--birth-date", "2016-13-45")
    place.ffp("identify", *name, "--birth-date", "2016-05-04", answers=True)
    place.ffp("identify", "--nhs-number", number, answers=True)
    place.ffp("identify", "--nhs-number", number[:-1])
    many = place.landing / "many.csv"
    many.write_text(f'given_name,family_name,nhs_number\nZquorva,"Zquorvane,{number}\n', "utf-8")
    place.ffp("identify", "--csv", many, "--out", place.home.out / "answers.csv", answers=True)
    place.ffp("explain", "0" * 13, "surname")
    place.ffp("hub", "history", f"Zquorvane-{number}")
    place.ffp("feeds", "accept", "nothing")
    (place.home.root / "access.yaml").write_text("users: {nobody: [viewer]}\n", "utf-8")
    place.ffp("identify", "--nhs-number", number)
    return place.ffp("ledger", "verify")


def linking_fails(place: Place) -> int:
    """`ffp link` on files that are not what its model asks for, and on values that cannot be."""
    model = REPOSITORY / "ffp_data" / "identity" / "person_model.yaml"
    code = 0
    for number, text in enumerate(
        (
            'id,surname,dob\n1,Zquorvane,"Zquorvbeck\n2,Zquorvbeck\n',
            "record_id,source,given_name,family_name,birth_date\nZquorva,Zquorvane,Zquorva,Zquorvane,Zquorvane\n"
            * 3,
        )
    ):
        table = place.landing / f"wrong{number}.csv"
        table.write_text(text, "utf-8")
        for each in (model, table):
            words = ("--model", each, "--out", place.landing / "linked")
            code = place.ffp("link", table, *words, at_home=False)
    return code


def api_fails(place: Place) -> int:
    """Requests that are wrong (401, 404, 422), and one that meets a broken snapshot (500)."""
    number = _number(place)
    place.ffp("access", "token", "tester", "--role", "data_engineer", answers=True)
    (answer,) = (place.folder / "answers").glob("*.stdout")
    token = answer.read_text("utf-8").split()[-1]
    asked = {
        "/children/Zquorvane": None,
        f"/resolve/{number}": None,
        f"/as-of?day={number}": None,
        "/identify": f'{{"given_name": "Zquorva", "family_name": ["Zquorvane"], "nhs_number": "{number}"}}',
        "/identify?x=Zquorvane": '{"Zquorvane',
    }
    with place.serving("api", 8811):
        for who in ("", f"Bearer {token}", f"Bearer Zquorvane{number}"):
            for path, body in asked.items():
                _ask(8811, path, body, who)
        for snapshot in place.home.serving.rglob("*.duckdb"):
            snapshot.write_bytes(b"no snapshot")
        for path, body in asked.items():
            _ask(8811, path, body, f"Bearer {token}")
    return 0


def _ask(port: int, path: str, body: str | None, who: str) -> None:
    headers = {"Content-Type": "application/json", **({"Authorization": who} if who else {})}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=body.encode() if body else None, headers=headers
    )
    with suppress(urllib.error.URLError, ConnectionError):
        urllib.request.urlopen(request, timeout=30).read()


def pages_fail(place: Place) -> int:
    """Pages asked for what is not there, with what may not be, and with names everywhere; then without a view."""
    number = _number(place)
    asked: dict[str, dict[str, str] | None] = {
        "/search": {"text": f"Zquorva Zquorvane {number}"},
        "/children/Zquorvane": None,
        f"/children/{number}?source=Zquorvane&since=Zquorvane": None,
        f"/children/{number}/reason": {"why": "Zquorvane is at risk", "case_reference": number},
        "/governance/disclosures": {"child_id": f"Zquorvane {number}"},
        "/governance/documents/../../Zquorvane": None,
        "/review/Zquorvane": None,
    }
    with place.serving("serve", 8812):
        for broken in (False, True):
            for view in place.home.serving.rglob("*.duckdb") if broken else ():
                view.write_bytes(b"no view")
            for user in ("family-help", "reviewer", "ig-officer"):
                tab = urllib.request.build_opener(
                    urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
                )
                _send(tab, "/sign-in", {"user": user})
                for path, form in asked.items():
                    token = re.search(rb'name="form_token" value="([^"]+)"', _send(tab, "/search"))
                    with_token = {"form_token": token[1].decode() if token else "Zquorvane"}
                    _send(tab, path, form and {**form, **with_token})
    return 0


def _send(
    tab: urllib.request.OpenerDirector, path: str, form: dict[str, str] | None = None
) -> bytes:
    """What a page answers, whatever it is."""
    body = urllib.parse.urlencode(form).encode() if form else None
    try:
        with tab.open(f"http://127.0.0.1:8812{path}", body, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        return error.read()


def erased(place: Place) -> int:
    """A child of many agencies is erased: its numbers may then stand in no file, landing and out included."""
    with connect(place.home, read_only=True) as con:
        row = con.execute(
            "SELECT child_id, count(*) FROM identity.child_membership JOIN identity.children USING (child_id)"
            " WHERE kind = 'child' GROUP BY child_id ORDER BY count(*) DESC, child_id LIMIT 1"
        ).fetchone()
        assert row is not None
        child = row[0]
        numbers = con.execute(
            "SELECT DISTINCT value FROM identity.person_identifiers JOIN identity.child_membership"
            " USING (record_key) WHERE child_id = ? AND is_valid",
            [child],
        ).fetchall()
    who = (
        "--by",
        "a data protection officer",
        "--second",
        "a head of service",
        "--reason",
        "a court's order",
    )
    named = ("--landing", place.landing, "--confirm", child)
    code = place.ffp("erase", child, *who, *named)
    own = Scanner(Canaries("zquorv-none", frozenset(n for (n,) in numbers)))
    for hit in own.files(place.home.root, place.landing):
        place.folder.joinpath("left-after-erasure").open("a").write(
            f"{place.canaries.stem} {hit}\n"
        )
    return code


def plain_run(place: Place) -> int:
    """A second run, with nothing wrong, and what reads the hub afterwards."""
    code = place.run()
    place.ffp("ledger", "verify")
    return code


SCENARIOS: dict[str, Callable[[Place], int]] = {
    each.__name__: each
    for each in (
        plain_run,
        bad_deliveries,
        linkage_fails,
        model_fails,
        tests_fail,
        release_fails,
        disk_is_full,
        wrong_words,
        linking_fails,
        api_fails,
        pages_fail,
        erased,
        killed,
    )
}
