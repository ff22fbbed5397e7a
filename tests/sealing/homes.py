"""A small home that was really loaded: deliveries in every format, identifiers in the hub, a release, a log."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from ffp_data import feeds
from ffp_data.home import policy
from ffp_data.home.run import Run
from ffp_data.hub import Hub
from ffp_data.identifiers.nhs_number import check_digit
from ffp_data.identifiers.upn import upn_letter
from ffp_data.pipeline import identify, ingest
from ffp_data.sealing.sieve import spent_key
from ffp_data.settings import Home, make_demonstration
from ffp_data.warehouse import connect
from governance.subjects import KEK_LABEL
from tests.feeds.samples import Landing, csv_text, file_name, record, sample_row, xml_text
from tests.feeds.test_archive_delivery import zipped

CONTRACTS = feeds.load_contracts(feeds.PACKAGED)
FEEDS = ("health_csv", "police_safeguarding", "police_pole", "ctf", "education_attendance")
ANN, BEN, CAT, DAN = range(4)
NAMES = ("Annabel", "Benedict", "Catherine", "Dominic")
SURNAME, BORN = "Zedworthy", "2015-06-01"
AS_AT = date(2026, 4, 30)
STAMP, LATER = "20260401T030000Z", "20260420T030000Z"


def number(child: int) -> str:
    """A valid NHS number of the range for tests."""
    nine = next(n for n in (f"9{child}44{k:05}" for k in range(100)) if check_digit(n) is not None)
    return f"{nine}{check_digit(nine)}"


def health(child: int) -> dict[str, str]:
    return sample_row(
        CONTRACTS["health_csv"],
        CONTRACTS["health_csv"].by_name["children"],
        child,
        local_patient_id=patient(child),
        nhs_number=f"{number(child)[:3]} {number(child)[3:6]} {number(child)[6:]}",
        first_name=NAMES[child],
        last_name=SURNAME,
        date_of_birth=BORN,
    )


def patient(child: int) -> str:
    return f"7300{child}111"


def nominal(child: int) -> str:
    return f"N5500{child}222"


def pole(child: int) -> str:
    return f"57-P9900{child}333"


def contact(child: int, n: int = 0) -> dict[str, str]:
    contract = CONTRACTS["health_csv"]
    own = {"contact_id": f"CT66{child}{n}444", "local_patient_id": patient(child)}
    return sample_row(contract, contract.by_name["contacts"], child, **own)


def make(folder: Path) -> Run:
    """A home with one run: four children, each known to several agencies."""
    home = Home(folder / "home").prepare()
    make_demonstration(home)
    run = Run.at(run_id="first", home=home.root, landing=folder / "landing", as_at=AS_AT)
    deliver(run.landing, STAMP, list(range(4)))
    assert policy.compile_lock(run).problems == []
    load(run)
    _leave_files(run)
    return run


def deliver(landing: Path, stamp: str, children: list[int]) -> None:
    """What the agencies send of these children."""
    out = Landing(landing, CONTRACTS, None)  # type: ignore[arg-type]  # it only writes here
    out.rows("health_csv", "children", [health(c) for c in children], stamp)
    out.rows("health_csv", "contacts", [contact(c, n) for c in children for n in (0, 1)], stamp)
    out.file("police_safeguarding", f"police_51_{stamp}_001.zip", _police(children, stamp))
    out.file("police_pole", f"police_57_sdm_{stamp}_001.json", _pole(children))
    ctf = CONTRACTS["ctf"]
    for c in children:
        row = sample_row(ctf, ctf.by_name["pupils"], c, forename=NAMES[c], surname=SURNAME)
        name = f"999200{c}_CTF_999201{c}_001_{stamp}.xml"
        text = xml_text(ctf, [record(ctf, ctf.by_name["pupils"], row | {"upn": upn(c)})])
        out.file("ctf", name, text)


def upn(child: int) -> str:
    rest = f"99920012600{child}"
    return upn_letter(rest) + rest


def _police(children: list[int], stamp: str) -> bytes:
    contract = CONTRACTS["police_safeguarding"]
    tables = {n: contract.by_name[n] for n in ("persons", "events", "links")}
    rows = {
        "persons": [
            sample_row(
                contract, tables["persons"], c,
                nominal_id=nominal(c), forename=NAMES[c], surname=SURNAME, date_of_birth=BORN,
            )
            for c in children
        ],
        # One event of all, and one of each alone.
        "events": [
            sample_row(contract, tables["events"], 1, event_id=f"EV77{n}555")
            for n in ("all", *children)
        ],
        "links": [
            sample_row(contract, tables["links"], c, nominal_id=nominal(c), event_id=f"EV77{n}555")
            for c in children
            for n in ("all", c)
        ],
    }  # fmt: skip
    members = {file_name(tables[n], stamp): csv_text(tables[n], rows[n]) for n in tables}
    return zipped(members | {"readme.txt": "no table"})


def _pole(children: list[int]) -> str:
    contract = CONTRACTS["police_pole"]
    people = [
        record(
            contract, contract.by_name["persons"],
            sample_row(contract, contract.by_name["persons"], c, person_id=pole(c)),
        )
        for c in children
    ]  # fmt: skip

    def incident(n: str, listed: list[int]) -> dict[str, object]:
        row = sample_row(contract, contract.by_name["incidents"], 1, incident_id=f"57-E88{n}666")
        made = record(contract, contract.by_name["incidents"], row)
        made["relationships"] = {
            "childSubject": {"data": [{"id": pole(c), "type": "person"} for c in listed]}
        }
        return made

    alone = [incident(str(c), [c]) for c in children]
    return json.dumps({"data": [incident("all", children), *alone], "included": people}, indent=1)


def load(run: Run) -> None:
    """Load what is new, and let the hub give identifiers: records of one given name are one child's."""
    for feed in FEEDS:
        ingest.ingest_feed(run, run.contracts[feed])
    identify.assemble(run)
    with connect(run.home) as con:
        keys = con.execute("SELECT record_key FROM identity.person_records ORDER BY 1").fetchall()
        named = [(key, _who(key)) for (key,) in keys]
        clusters = pa.table(
            {"record_id": [k for k, _ in named], "cluster_id": [who for _, who in named]}
        )
        kek = run.keys.key(KEK_LABEL)
        with Hub.open(run.home.hub_url, spent_key=spent_key(run.keys), kek=kek) as hub:
            hub.apply_run(run.run_id, run.as_at, "model", clusters)
            membership = hub.membership()  # noqa: F841 -- read by name
        con.execute("CREATE OR REPLACE TABLE identity.child_membership AS SELECT * FROM membership")
        con.execute(
            "CREATE OR REPLACE TABLE single_view.chronology AS SELECT child_id, record_key,"
            " 'seen' AS what FROM identity.child_membership"
        )


def _who(record_key: str) -> str:
    """Whose record it is; the test knows, linkage is not what is tested."""
    for child in range(10):
        if any(each(child) in record_key for each in (patient, nominal, pole, upn)):
            return str(child)
    return record_key


def child_of(run: Run, child: int) -> str:
    with Hub.open(run.home.hub_url) as hub:
        table = hub.membership()
    key = f"health_csv|RXG|{patient(child)}"
    return str(
        dict(zip(table["record_key"].to_pylist(), table["child_id"].to_pylist(), strict=True))[key]
    )


def next_run(run: Run, run_id: str) -> Run:
    return replace(run, run_id=run_id)


def _leave_files(run: Run) -> None:
    """What other steps leave in a home."""
    root = run.home.root
    (root / "scratch" / "run.log").write_text(f"a line about {number(ANN)}\n")
    history = root / "dagster" / "history"
    history.mkdir(parents=True)
    with closing(sqlite3.connect(history / "runs.db")) as con:
        con.execute("CREATE TABLE event_logs (id INTEGER PRIMARY KEY, event TEXT)")
        texts = [f"problem with {child_of(run, who)}" for who in (ANN, BEN)]
        con.executemany("INSERT INTO event_logs (event) VALUES (?)", [(text,) for text in texts])
        con.commit()
    models = root / "models" / "digest"
    models.mkdir(parents=True)
    sample = [{"left": child_of(run, ANN), "score": 1}, {"left": child_of(run, BEN), "score": 2}]
    (models / "gate.json").write_text(json.dumps({"passed": True, "sample": sample}))
    report = root / "council" / "cin" / "2025-26"
    report.mkdir(parents=True)
    (report / "report.json").write_text(json.dumps([{"child": child_of(run, ANN)}]))
    for name, who in (
        ("v001-aaaaaaaaaaaa", ANN),
        ("v002-bbbbbbbbbbbb", BEN),
        ("v003-cccccccccccc", ANN),
    ):
        version = root / "council" / "versions" / "cin" / "2025-26" / name
        version.mkdir(parents=True)
        (version / "build.json").write_text(
            json.dumps({"version": name, "child": child_of(run, who)})
        )
    signed = root / "council" / "versions" / "cin" / "2025-26" / "v003-cccccccccccc" / "build.json"
    digest = hashlib.sha256(signed.read_bytes()).hexdigest()
    run.ledger.append("return_signed", build_sha256=digest, manifest_sha256="", collection="cin")
