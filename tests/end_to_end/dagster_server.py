"""Dagster's own server on a home, spoken to as its pages do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class Server:
    """Dagster's own web server and daemon, spoken to in GraphQL as its pages do."""

    def __init__(self, port: int, log: Path) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"
        self.log = log

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            data: dict[str, Any] = json.load(answer)["data"]
            return data

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False

    def run_whole_graph(self) -> str:
        """Launch the job of all assets, and wait; how it ended."""
        launched = self.ask(
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
        return self._end_of(launched["run"]["runId"])

    def _end_of(self, run_id: str) -> str:
        def status() -> str:
            asked = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
            told: str = self.ask(asked, id=run_id)["runOrError"]["status"]
            return told if told in ENDED else ""

        return wait_until(status, "the run does not end", step=1)


@contextmanager
def served(home: Path, landing: Path, as_at: str) -> Iterator[Server]:
    """`dagster dev` on a home, until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "dagster-dev.log"
    environment = os.environ | {
        "DAGSTER_HOME": str(home / "dagster"),
        "FFP_HOME": str(home),
        "FFP_LANDING": str(landing),
        "FFP_AS_AT": as_at,
    }
    program = Path(sys.executable).with_name("dagster")
    command = [str(program), "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        server = Server(port, log)
        _wait(server.answers, process, log)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its children outlive a polite signal
        process.wait()


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    def is_ready() -> bool:
        assert process.poll() is None, log.read_text("utf-8")
        return ready()

    wait_until(is_ready, f"Dagster does not answer, see {log}", step=0.5)
