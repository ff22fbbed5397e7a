"""A feed that the hub has never heard of, added by YAML alone, reaches the single view with its provenance.

The first run is started from Dagster's pages: `dagster dev -w workspace.yaml` loads without a warning, and the
whole graph runs from there. What later days change is built by the same steps in this process; a whole run after
an agreement ended is that of the officer's guide.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ffp_data.home.run import Run
from ffp_data.settings import Home
from ffp_data.warehouse import connect
from tests.end_to_end.commands import ffp
from tests.end_to_end.dagster_server import Server, served
from tests.withdrawal import homes

pytestmark = pytest.mark.slow

YAML = Path(__file__).parent / "young_carers"
DELIVERED = YAML / "young_carers_20260310T030000Z.csv"
DELIVERY = sha256(DELIVERED.read_bytes()).hexdigest()
ORGANISATION = """\
  - id: fenmarch-young-carers
    name: Fenmarch Young Carers
    kind: voluntary
    regime: uk_gdpr
    ico_number: ZA990099
    contacts: {dpo: dpo@youngcarers.fenmarch.example}
"""


@dataclass(frozen=True)
class Hub:
    """A home with contracts and agreements of its own, and a landing folder with the one feed."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    def build(self, day: str) -> None:
        """What a run does before anything leaves, in this process."""
        as_at = date.fromisoformat(day)
        run = Run.at(run_id=day, home=self.home, landing=self.landing, as_at=as_at)
        homes.build(run, homes.steps(run))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(Home.at(self.home), read_only=True) as con:
            return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    hub = Hub(tmp_path_factory.mktemp("new_feed"))
    assert ffp("prepare", "--demo", "--home", hub.home).returncode == 0
    assert ffp("policy", "start", "--home", hub.home).returncode == 0
    (hub.home / "contracts").mkdir()
    shutil.copy(YAML / "young_carers.yaml", hub.home / "contracts")
    shutil.copy(YAML / "DSA-YC-01.yaml", hub.home / "policy" / "agreements")
    _join(hub.home / "policy")
    (hub.landing / "young_carers").mkdir(parents=True)
    shutil.copy(DELIVERED, hub.landing / "young_carers")
    return hub


@pytest.fixture(scope="module")
def server(prepared: Hub) -> Iterator[Server]:
    with served(prepared.home, prepared.landing, "2026-03-15") as server:
        yield server


@pytest.fixture(scope="module")
def ended(server: Server) -> str:
    """How the first run ended."""
    return server.run_whole_graph()


@pytest.fixture(scope="module")
def hub(prepared: Hub, ended: str) -> Hub:
    """After the first run."""
    assert ended == "SUCCESS"
    return prepared


def _join(policy: Path) -> None:
    """The new agency stands among the organisations and has signed the charter."""
    with (policy / "organisations.yaml").open("a", encoding="utf-8") as organisations:
        organisations.write(ORGANISATION)
    charter = policy / "charter" / "CHARTER-2025.yaml"
    party = "\nparties:\n  - fenmarch-young-carers\n"
    text = charter.read_text("utf-8").replace("\nparties:\n", party)
    signature = "  - {org: fenmarch-young-carers, by: Chief Officer, on: 2025-03-24}\n"
    charter.write_text(text + signature, "utf-8")


def test_the_code_location_loads_without_a_warning(server: Server) -> None:
    location = server.ask(
        "{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError "
        "{ __typename } } } } }"
    )["workspaceOrError"]["locationEntries"]
    assert [(e["name"], e["locationOrLoadError"]["__typename"]) for e in location] == [
        ("ffp_data", "RepositoryLocation")
    ]
    ours = [
        line
        for line in server.log.read_text("utf-8").splitlines()
        if "warning" in line.lower() and "SupersessionWarning" not in line
    ]
    assert ours == []


def test_every_asset_has_a_group_an_owner_a_kind_and_a_description(server: Server) -> None:
    nodes = server.ask(
        "{ assetNodes { assetKey { path } groupName description kinds isMaterializable "
        "owners { __typename } } }"
    )["assetNodes"]
    own = [node for node in nodes if node["isMaterializable"]]
    assert len(own) > 40
    bare = [
        "/".join(node["assetKey"]["path"])
        for node in own
        if not (node["groupName"] and node["description"] and node["kinds"] and node["owners"])
    ]
    assert bare == []


def test_the_whole_graph_can_be_materialised_from_the_pages(ended: str) -> None:
    assert ended == "SUCCESS"


CHILDREN = "(SELECT child_id, source_person_id AS number FROM intermediate.int_persons__records)"


def test_its_event_stands_in_the_chronology_with_date_source_delivery_and_line(hub: Hub) -> None:
    events = hub.rows(
        "SELECT number, event_date, event_type, summary, source, delivery_id, line"
        f" FROM single_view.chronology JOIN {CHILDREN} USING (child_id) ORDER BY number"
    )
    kind, source = "young_carer_assessed", "young_carers"
    said = "Young carer's assessment: "
    assert events == [
        (
            "YC1",
            date(2026, 2, 2),
            kind,
            f"{said}support, at Mill House; cares for a parent: yes",
            source,
            DELIVERY,
            2,
        ),
        (
            "YC2",
            date(2025, 11, 3),
            kind,
            f"{said}none, at Mill House; cares for a parent: no",
            source,
            DELIVERY,
            3,
        ),
        # a protected child's place is withheld, the rest is told
        (
            "YC3",
            date(2026, 1, 12),
            kind,
            f"{said}support, at withheld; cares for a parent: yes",
            source,
            DELIVERY,
            4,
        ),
        # YC4 waits: the contract tells of no such event
    ]


def test_its_involvement_stands_in_the_single_view_with_date_source_delivery_and_line(
    hub: Hub,
) -> None:
    spells = hub.rows(
        "SELECT number, state, since, until, contact_name, team, source, delivery_id, line"
        f" FROM single_view.involvements JOIN {CHILDREN} USING (child_id)"
        " WHERE service = 'young_carers' ORDER BY number"
    )
    feed = "young_carers"
    since, past = date(2026, 2, 5), (date(2025, 10, 10), date(2025, 12, 1))
    assert spells == [
        ("YC1", "current", since, None, "Pat Oak", "Mill House", feed, DELIVERY, 2),
        ("YC2", "historic", *past, "Pat Oak", "Mill House", feed, DELIVERY, 3),
        ("YC3", "current", date(2026, 1, 15), None, None, None, feed, DELIVERY, 4),
        ("YC4", "not_shared", None, None, None, None, feed, None, None),
    ]


def test_the_feed_stands_in_the_list_with_its_agreement_and_counts(hub: Hub) -> None:
    listed = json.loads(ffp("feeds", "list", "--home", hub.home, "--json").stdout)
    (row,) = [row for row in listed if row["feed"] == "young_carers"]
    assert row == {
        "feed": "young_carers",
        "contract": "1.0.0",
        "service": "young_carers",
        "agreement": "DSA-YC-01@1",
        "in_force": True,
        "last_delivered": "2026-03-10 03:00:00",
        "state": "fresh",
        "delivered": 4,
        "loaded": 4,
        "quarantined": 0,
        "superseded": 0,
    }


def test_a_late_feed_is_a_state_of_the_single_view_and_one_alert(hub: Hub) -> None:
    hub.build("2026-03-22")
    states = hub.rows(
        "SELECT DISTINCT state, last_known_state FROM single_view.involvements"
        " WHERE service = 'young_carers' AND state <> 'not_shared' ORDER BY ALL"
    )
    assert states == [("late", "current"), ("late", "historic")]
    alerts = (hub.home / "alerts.jsonl").read_text("utf-8").splitlines()
    assert [text for text in alerts if '"feed_late"' in text] == alerts
    assert len(alerts) == 1


def test_an_agreement_that_ends_takes_its_facts_with_it(hub: Hub) -> None:
    agreement = hub.home / "policy" / "agreements" / "DSA-YC-01.yaml"
    text = agreement.read_text("utf-8")
    agreement.write_text(text.replace("status: live", "status: suspended"), "utf-8")
    hub.build("2026-03-24")
    assert hub.rows("SELECT count(*) FROM single_view.chronology") == [(0,)]
    told = hub.rows(
        "SELECT count(*) FROM single_view.involvements WHERE source = 'young_carers' AND state <> 'not_shared'"
    )
    assert told == [(0,)]
