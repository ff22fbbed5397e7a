"""Which person model a run links with: the live one with its kept fit, never one that nobody let go live.

The first run fits the configured model and keeps it live: there is nothing to compare it with. From
then on neither another file nor other records change a weight. Where the partnership's own model file
is another than the live one the run refuses; where only the packaged file is another (a newer release
of this software), the run goes on with the live one and says so, for nobody asked for the change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import linkage
from ffp_data.home.run import Run
from ffp_data.hub import Hub, Rules
from ffp_data.identity.model_store import (
    FIRST_FIT,
    LIVE,
    Live,
    ModelError,
    ModelStore,
    file_digest,
    read_model,
    rules_digest,
    version_of,
)

_KEPT = re.compile(r" [0-9a-f]{12}$")  # a version with the digest of a kept fit
REFIT_BEYOND = 2.0
"""Records now against those of a first fit, as a factor, from which a fit should be made anew."""


@dataclass(frozen=True)
class Chosen:
    """What to link with; without ``fitted`` the run learns. ``waiting``: what somebody should do."""

    model: linkage.Model
    fitted: linkage.Fitted | None = None
    version: str | None = None
    waiting: str = ""


def model_path(run: Run) -> Path:
    """The partnership's own linkage model, else the packaged one."""
    own = run.partnership.linkage_model
    if own:
        return run.home.root / own
    return Path(str(resources.files("ffp_data").joinpath("identity", "person_model.yaml")))


def choose_model(run: Run) -> Chosen:
    """The live model, or the configured one where none is live yet; raises ModelError."""
    store = ModelStore(run.home)
    live = store.live()
    if live is None:
        _refuse_if_lost(run, store)
        return Chosen(read_model(model_path(run)))
    kept = store.load(live.digest)
    gate = store.gate(live.digest)
    if live.is_first_fit:
        pass
    elif gate is None or not gate["passed"]:
        raise ModelError(
            store.folder / live.digest,
            f"model_not_passed: {kept.version} is live, but did not pass the gate",
            f"ffp model try {kept.folder / 'model.yaml'}, or make a model live that passed",
        )
    return Chosen(kept.model, kept.fitted, kept.version, _waiting(run, live, kept.rules_digest))


def _refuse_if_lost(run: Run, store: ModelStore) -> None:
    """No model is live, and yet the hub was assigned with one: it is not for a run to fit another."""
    with Hub.open(run.home.hub_url) as hub:
        last = hub.last_model()
    if last and _KEPT.search(last):
        raise ModelError(
            store.folder / LIVE,
            f"model_lost: the hub's last run used {last}, which is not here",
            "restore models/ from the backup, or let a new fit pass the gate: ffp model try --refit",
        )


def _waiting(run: Run, live: Live, rules: str) -> str:
    """Words where the configured file is not the live model's; refuses the partnership's own."""
    path = model_path(run)
    configured = read_model(path)
    if rules_digest(configured) == rules or file_digest(configured) == live.configured:
        return ""
    if run.partnership.linkage_model:
        raise ModelError(
            path,
            f"model_not_passed: this is not the model that is live ({live.digest})",
            f"ffp model try {path}, then ffp model golive; or name the live model's file again",
        )
    return f"a newer packaged model waits: ffp model try {path}; until then {live.digest} is used"


def advice(chosen: Chosen, records: int) -> str:
    """What somebody should do about the live model, in words; empty where nothing."""
    if chosen.waiting or chosen.fitted is None:
        return chosen.waiting
    learnt_from = chosen.fitted.records
    if records > REFIT_BEYOND * learnt_from:
        return (
            f"the live model was fitted on {learnt_from:,} records, there are {records:,} now:"
            " ffp model try --refit"
        )
    return ""


def keep_first_fit(run: Run, model: linkage.Model, fitted: linkage.Fitted | None) -> str:
    """Make the first fit live, and give its version; that of the file alone where nothing was learnt."""
    if fitted is None:
        return version_of(model, "unfitted")
    store = ModelStore(run.home)
    kept = store.keep(model, fitted)
    store.set_live(
        Live(
            digest=kept.digest,
            configured=file_digest(model),
            is_first_fit=True,
            by="first run",
            reason=FIRST_FIT,
            run_id=run.run_id,
        )
    )
    run.ledger.append(
        "model_live",
        model=kept.version,
        rules=kept.rules_digest,
        by="first run",
        reason=FIRST_FIT,
        run_id=run.run_id,
    )
    return kept.version


def hub_rules(model: linkage.Model) -> Rules:
    """The hub joins and breaks at the thresholds of the model that scored the pairs."""
    return Rules(join=model.thresholds.join, break_=model.thresholds.break_)
