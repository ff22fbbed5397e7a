"""`dagster dev -w workspace.yaml` loads without a warning, and the whole graph runs from its pages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Demo, ffp

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE = 300  # seconds until the server answers or a run ends; a limit, not an expectation


class Server:
    """Dagster's own web server and daemon, spoken to in GraphQL as its pages do."""

    def __init__(self, port: int, log: Path) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self.log = log

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
            return data

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("pages") / "home"
    assert ffp("prepare", "--demo", "--home", home).returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "dagster-dev.log"
    environment = os.environ | {
        "DAGSTER_HOME": str(home / "dagster"),
        "FFP_HOME": str(home),
        "FFP_LANDING": str(demo.landing),
        "FFP_AS_AT": "2026-03-31",
    }
    program = Path(sys.executable).with_name("dagster")
    command = [str(program), "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        pages = Server(port, log)
        _wait(pages.answers, process, log)
        yield pages
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its children outlive a polite signal
        process.wait()


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


def test_the_whole_graph_can_be_materialised_from_the_pages(server: Server) -> None:
    launched = server.ask(
        "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) "
        "{ __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }",
        p={
            "selector": {
                "repositoryLocationName": "ffp_data",
                "repositoryName": "__repository__",
                "pipelineName": "whole_graph",
            },
            "runConfigData": {},
            "mode": "default",
        },
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    deadline = time.monotonic() + PATIENCE
    status = ""
    while time.monotonic() < deadline and status not in ("SUCCESS", "FAILURE", "CANCELED"):
        time.sleep(1)
        answer = server.ask(
            "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
        )
        status = answer["runOrError"]["status"]
    assert status == "SUCCESS"


def _wait(ready: Any, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if ready():
            return
        assert process.poll() is None, log.read_text("utf-8")
        time.sleep(0.5)
    raise AssertionError(f"Dagster did not answer:\n{log.read_text('utf-8')}")
