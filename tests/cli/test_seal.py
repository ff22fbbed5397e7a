"""The custodian's commands: asked for twice, never over a key, and a seal of the wrong child can be mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.sealing.places import custodian_file, vault_folder
from tests.sealing.homes import ANN, LATER, child_of, deliver, load, make, next_run

pytestmark = pytest.mark.slow  # a whole seal


def test_the_custodian_seals_opens_and_mends(tmp_path: Path) -> None:
    run = make(tmp_path)
    child, key, at = child_of(run, ANN), tmp_path / "private.pem", ("--home", str(run.home.root))

    def ffp(*words: str, typed: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(app, ["hub", *words], input=typed)
        return done.exit_code, done.output

    assert ffp("custodian-key", str(run.home.root / "k.pem"), *at)[0] == 2, "not in the home"
    assert ffp("custodian-key", str(key), *at)[0] == 0
    assert ffp("custodian-key", str(tmp_path / "other.pem"), *at)[0] == 2, "there is one"
    assert custodian_file(run.home).is_file()

    named = ("--by", "c", "--reason", "order 7", "--landing", str(run.landing), *at)
    code, said = ffp("seal", *named, typed=f"{child}\n0000000000000\n")
    assert (code, "nothing was sealed" in said) == (2, True)
    assert child_of(run, ANN) == child
    code, said = ffp("seal", *named, typed=f"{child}\n{child}\n")
    assert code == 0
    assert child not in said, "what was typed is not shown, and the report names nobody"
    code, never = ffp("seal", "0000000000000", "--confirm", "0000000000000", *named)
    assert (code, "never issued" in never) == (2, True)

    code, opened = ffp("open-vault", str(vault_folder(run.home)), "--key", str(key))
    parts = [json.loads(line) for line in opened.splitlines()]
    (part,) = [each["part"] for each in parts if "identity" in each]
    mend = ("--key", str(key), "--by", "c", "--reason", "the wrong one", *at)
    assert ffp("let-in", str(vault_folder(run.home) / part), *mend)[0] == 0
    deliver(run.landing, LATER, [ANN])
    load(next_run(run, "third"))
    assert child_of(run, ANN) not in ("", child), "the child is back, as a new one"
