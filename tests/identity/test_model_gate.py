"""The fit is kept, and a model goes live only through its gate."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from typer.testing import CliRunner, Result

from benchmarks.linkage import families
from ffp_data.cli.main import app
from ffp_data.hub import Hub
from ffp_data.hub.database import create_engine
from ffp_data.hub.models import Base
from ffp_data.identity import live_model
from ffp_data.identity.live_model import choose_model, model_path
from ffp_data.identity.model_gate import go_live
from ffp_data.identity.model_report import markdown, page
from ffp_data.identity.model_sample import HIDDEN, PLACES
from ffp_data.identity.model_store import LIVE, KeptModel, ModelError, ModelStore
from ffp_data.identity.model_trial import Trial, try_model
from ffp_data.warehouse import connect
from tests.pipeline.town import Town

FACTS = {"who": "e.engineer", "reason": "tried and read"}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town.make(tmp_path_factory.mktemp("town") / "home", households=150)


@pytest.fixture
def town(first: Town, tmp_path: Path) -> Town:
    return first.copy(tmp_path / "home")


@dataclass
class Tried:
    """A town with a candidate that passed and one that did not."""

    town: Town
    passed: Trial
    failed: Trial

    def copy(self, folder: Path) -> Tried:
        return Tried(self.town.copy(folder), self.passed, self.failed)


@pytest.fixture(scope="module")
def once(first: Town, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    town = first.copy(tmp_path_factory.mktemp("tried") / "home")
    protected = [r for r in town.records.values() if r["surname"] and r["surname"][0] in "ABCDEFG"]
    for record in protected:
        record["is_restricted"] = True
    town.write_records()
    rows, truth = hub_rows(town), town.home.root / "truth"
    passed = try_model(town.at(), candidate(town), truth=truth)
    failed = try_model(town.at(), reckless(town), truth=truth)
    assert hub_rows(town) == rows  # a trial writes nothing to the hub
    return Tried(town, passed, failed)


@pytest.fixture
def tried(once: Tried, tmp_path: Path) -> Tried:
    return once.copy(tmp_path / "home")


def candidate(town: Town, name: str = "own.yaml", **changed: object) -> Path:
    """The packaged model with some keys changed, in the home."""
    content = yaml.safe_load(model_path(town.at()).read_text("utf-8"))
    path = town.home.root / name
    path.write_text(
        yaml.safe_dump(content | {"version": "next"} | changed, sort_keys=False), "utf-8"
    )
    return path


def reckless(town: Town) -> Path:
    """Neither first names nor birth dates, and no veto: a family comes together."""
    own = {
        "comparisons": [
            {"name": "surname", "levels": [{"exact": "surname"}]},
            {"name": "address", "columns": ["postcode"], "levels": [{"exact": "postcode"}]},
            {"name": "nhs_number", "levels": [{"exact": "nhs_number"}]},
        ],
        "vetoes": [],
        "thresholds": {"join": 0.2, "break": 0.1, "review": 0.01},
    }
    return candidate(town, "reckless.yaml", **own)


def accept(town: Town, trial: Trial) -> None:
    go_live(town.at(), trial.kept.digest, by="e.engineer", reason="tried and read", facts=FACTS)


def hub_rows(town: Town) -> str:
    """A digest of every row of the hub."""
    engine = create_engine(town.home.hub_url)
    digest = hashlib.sha256()
    with engine.connect() as connection:
        for name, table in sorted(Base.metadata.tables.items()):
            if sa.inspect(engine).has_table(name):
                rows = sorted(map(repr, connection.execute(sa.select(table))))
                digest.update(repr((name, rows)).encode())
    engine.dispose()
    return digest.hexdigest()


def weights(town: Town) -> dict[tuple[str, str], float]:
    with connect(town.home, read_only=True) as con:
        query = "SELECT record_id_l, record_id_r, match_weight FROM identity.link_pairs"
        return {(left, right): weight for left, right, weight in con.execute(query).fetchall()}


def test_the_first_run_fits_the_model_and_lets_it_go_live_by_itself(first: Town) -> None:
    live = ModelStore(first.home).live()
    assert live is not None
    assert (live.is_first_fit, live.run_id) == (True, "run-1")
    told = [e["facts"] for e in first.events() if e["kind"] == "model_live"]
    assert [t["model"].split()[-1] for t in told] == [live.digest]
    with Hub.open(first.home.hub_url) as hub:
        event = hub.history(next(iter(first.ids().values())))[0]
    assert event.model_version == f"person 2026-03-31 {live.digest}"


@pytest.mark.slow
def test_no_later_record_changes_a_weight(town: Town) -> None:
    """The fit of the first run is used: how common a name is now does not matter to two records."""
    before, version = weights(town), choose_model(town.at()).version
    newcomers, _ = families.make(60, seed=5)
    for record in newcomers.to_pylist():
        town.deliver(record | {"record_key": record["record_key"].replace("|x|", "|y|")})
    town.run()
    after = weights(town)
    assert before.keys() <= after.keys()
    assert all(abs(before[pair] - after[pair]) < 1e-9 for pair in before)
    assert choose_model(town.at()).version == version


def test_the_same_records_again_write_nothing(town: Town) -> None:
    rows, live = hub_rows(town), ModelStore(town.home).live()
    _, assigned = town.run("again")
    assert assigned.summary.unchanged_since == "run-1"
    assert (hub_rows(town), ModelStore(town.home).live()) == (rows, live)


def test_the_fit_is_no_plain_text_and_a_damaged_one_is_refused(town: Town) -> None:
    store = ModelStore(town.home)
    live = store.live()
    assert live is not None
    kept = store.load(live.digest)
    sealed = kept.folder / "fit.sealed"
    assert b"smith" not in sealed.read_bytes().lower()
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="cannot be read"):
        choose_model(town.at())
    listed = CliRunner().invoke(app, ["model", "list", "--json", "--home", str(town.home.root)])
    assert "cannot be read" in json.loads(listed.stdout)[0]["model"]


@pytest.mark.slow
def test_the_partnerships_own_file_is_refused_until_it_passed(town: Town) -> None:
    path = candidate(town)
    partnership = town.home.root / "partnership.yaml"
    partnership.write_text(partnership.read_text("utf-8") + "linkage_model: own.yaml\n", "utf-8")
    with pytest.raises(ModelError) as refused:
        choose_model(town.at())
    assert refused.value.file == str(path)
    assert refused.value.rule.startswith("model_not_passed")
    assert f"ffp model try {path}" in refused.value.remedy
    accept(town, try_model(town.at()))
    assert choose_model(town.at()).model.version == "next"


def test_a_newer_packaged_file_waits_while_the_live_model_goes_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = candidate(town)
    monkeypatch.setattr(live_model, "model_path", lambda _run: path)
    chosen = choose_model(town.at())
    assert chosen.model.version == "2026-03-31"
    assert f"ffp model try {path}" in chosen.waiting
    linked, _ = town.run()
    assert not linked.checks()["live_model_is_up_to_date"].passed


def test_a_trial_says_what_would_become_of_every_identifier_and_how_sure_it_is(
    once: Tried,
) -> None:
    assert once.passed.passed, once.passed.gate["breaches"]
    changes = once.passed.gate["changes"]
    assert set(changes) >= {"child", "adult"}
    for counts in changes.values():
        fates = ("unchanged", "gained", "merged", "split")
        assert sum(counts[fate] for fate in fates) == counts["identifiers"]
    labels = {(row["column"], row["measure"]) for row in once.passed.gate["quality"]}
    assert {("ethnicity", "recall"), ("sex", "precision"), ("age", "recall")} <= labels


def test_a_reckless_model_lies_beyond_its_limits_and_does_not_go_live(tried: Tried) -> None:
    broken = {(breach["rule"], breach["of"]) for breach in tried.failed.gate["breaches"]}
    assert ("too_many_merged", "child") in broken
    assert any(rule == "precision_falls" for rule, _ in broken)
    before = ModelStore(tried.town.home).live()
    with pytest.raises(ModelError, match="model_not_passed"):
        accept(tried.town, tried.failed)
    assert ModelStore(tried.town.home).live() == before


def test_a_live_model_that_did_not_pass_stops_the_run(tried: Tried) -> None:
    """Somebody writes the pointer by hand."""
    pointer = ModelStore(tried.town.home).folder / LIVE
    forged = json.loads(pointer.read_text("utf-8"))
    forged |= {"digest": tried.failed.kept.digest, "is_first_fit": False}
    pointer.write_text(json.dumps(forged), "utf-8")
    with pytest.raises(ModelError, match="did not pass the gate"):
        tried.town.run()


def test_a_model_that_passed_decides_from_the_next_run_and_the_ledger_says_who_and_why(
    tried: Tried,
) -> None:
    accept(tried.town, tried.passed)
    linked, _ = tried.town.run()
    assert linked.model == tried.passed.kept.version
    told = [e["facts"] for e in tried.town.events() if e["kind"] == "model_live"][-1]
    assert (told["model"], told["who"]) == (linked.model, "e.engineer")
    assert told["reason"] == "tried and read"


def test_a_gate_is_stale_once_another_run_was_made(tried: Tried) -> None:
    newcomer = {"record_key": "probation|f|new", "feed": "probation", "surname": "Newcomer"}
    tried.town.deliver(newcomer)
    tried.town.run()
    with pytest.raises(ModelError, match="stale_gate: since then another run was made"):
        accept(tried.town, tried.passed)


def test_a_partnership_sets_limits_of_its_own_and_a_gate_under_others_is_stale(
    tried: Tried,
) -> None:
    town, trial = tried.town, tried.passed
    packaged = yaml.safe_load(
        (Path(live_model.__file__).parents[1] / "identity/model_limits.yaml").read_text("utf-8")
    )
    own = town.home.root / "model_limits.yaml"
    own.write_text(yaml.safe_dump(packaged | {"version": "ours", "more_clashes": 0}), "utf-8")
    with pytest.raises(ModelError, match="the limits are others"):
        accept(town, trial)
    own.write_text("version: ours\n", "utf-8")
    with pytest.raises(ModelError, match="not the limits of the gate"):
        accept(town, trial)


@pytest.mark.slow
def test_a_fit_that_the_software_can_no_longer_read_is_made_anew_through_the_gate(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade that changes the form of fits must not leave a hub without a way on."""
    store = ModelStore(town.home)
    live = store.live()
    assert live is not None
    load = ModelStore.load

    def upgraded(self: ModelStore, digest: str) -> KeptModel:
        if digest == live.digest:
            raise ModelError("fit", "not the parameters of a fit", "ffp model try --refit")
        return load(self, digest)

    monkeypatch.setattr(ModelStore, "load", upgraded)
    with pytest.raises(ModelError, match="ffp model try --refit"):
        choose_model(town.at())
    for record in list(town.records.values())[:1]:
        record["given_name"] = "Newname"  # else the new fit is the old one
    town.write_records()
    trial = try_model(town.at(), refit=True)
    assert trial.gate["compared_with"].startswith("the hub as it is")
    assert trial.passed, trial.gate["breaches"]
    accept(town, trial)
    town.run()


@pytest.mark.slow
def test_a_lost_model_is_not_replaced_by_a_run(town: Town) -> None:
    shutil.rmtree(ModelStore(town.home).folder)
    with pytest.raises(ModelError, match="model_lost") as lost:
        town.run()
    assert lost.value.file.endswith("models/live.json")
    trial = try_model(town.at(), refit=True)
    assert trial.passed, trial.gate["breaches"]
    accept(town, trial)
    linked, _ = town.run()
    assert linked.model == trial.kept.version


@pytest.mark.slow
def test_a_refit_is_a_candidate_and_never_live_by_itself(town: Town) -> None:
    for key in sorted(town.records)[::4]:
        del town.records[key]
    town.run()
    before = ModelStore(town.home).live()
    trial = try_model(town.at(), refit=True)
    assert before is not None
    assert trial.kept.digest != before.digest
    assert ModelStore(town.home).live() == before


def test_a_candidate_without_a_change_is_refused(town: Town) -> None:
    with pytest.raises(ModelError, match="this is the live model"):
        try_model(town.at())


def test_the_report_tells_of_nobody(once: Tried) -> None:
    for trial in (once.passed, once.failed):
        report = markdown(trial.gate) + json.dumps(trial.gate)
        assert not [key for key in once.town.records if key in report]
        assert not {child for child in once.town.ids().values() if child in report}


def test_the_sample_hides_where_the_protected_live(once: Tried) -> None:
    protected = {k for k, r in once.town.records.items() if r["is_restricted"]}
    hidden = [
        case["records"]
        for case in once.failed.cases
        if any(row["postcode"] == HIDDEN for row in case["records"])
    ]
    assert hidden
    assert {row[p] for rows in hidden for row in rows for p in PLACES} == {HIDDEN}
    shown = page(once.failed.kept.version, once.failed.cases)
    open_keys = {r["record_key"] for case in once.failed.cases for r in case["records"]}
    assert open_keys > {HIDDEN}
    assert not protected & open_keys
    assert not [key for key in protected if key in shown]


def test_the_sample_is_kept_encrypted_and_can_be_dropped(tried: Tried) -> None:
    store, trial = ModelStore(tried.town.home), tried.failed
    assert store.cases(trial.kept.digest) == trial.cases
    surname = next(r["surname"] for case in trial.cases for r in case["records"] if r["surname"])
    sealed = store.folder / trial.kept.digest / "sample.sealed"
    assert surname.encode() not in sealed.read_bytes()
    assert sealed in store.drop_samples()
    with pytest.raises(ModelError, match="no sample is kept"):
        store.cases(trial.kept.digest)


@pytest.mark.slow
def test_the_commands_try_show_and_let_go_live(tried: Tried) -> None:
    town = tried.town
    told = len(town.events())

    def ffp(*words: str) -> Result:
        return CliRunner().invoke(app, ["model", *words, "--home", str(town.home.root)])

    again = ffp("try", str(town.home.root / "own.yaml"), "--json")
    assert again.exit_code == 0, again.output
    digest = json.loads(again.stdout)["digest"]
    report = Path(json.loads(again.stdout)["report"])
    assert report.read_text("utf-8").startswith("# Gate of person next")
    sheet = town.home.root / "sample.html"
    assert ffp("sample", digest, "--out", str(sheet)).exit_code == 0
    refused = ffp("golive", tried.failed.kept.digest, "--reason", "x")
    assert refused.exit_code == 2
    assert "model_not_passed" in refused.stderr
    assert "no such model is kept" in ffp("golive", "ffff", "--reason", "x").stderr
    assert ffp("golive", digest[:6], "--reason", "agreed").exit_code == 0
    live = [row["model"] for row in json.loads(ffp("list", "--json").stdout) if row["live"]]
    assert live == [f"person next {digest}"]
    kinds = [event["kind"] for event in town.events()][told:]
    assert kinds == ["model_tried", "read", "model_live"]
