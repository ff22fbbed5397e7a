"""Lets a model go live: only one that passed, against the hub, the live model and the limits of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ffp_data.home.run import Run, sole_run
from ffp_data.hub import Hub
from ffp_data.identity.live_model import model_path
from ffp_data.identity.model_limits import read_limits
from ffp_data.identity.model_store import Live, ModelError, ModelStore, file_digest, read_model


def go_live(run: Run, digest: str, *, by: str, reason: str, facts: Mapping[str, Any]) -> Live:
    """Make a kept model the live one; no run may be under way. ``facts`` go to the ledger.

    Raises ModelError, with file, rule and remedy, for a model that did not pass or whose gate is no
    longer about what is there.
    """
    store = ModelStore(run.home)
    with sole_run(run.home, lambda: None):
        kept, live = store.load(digest), store.live()
        gate = store.gate(kept.digest)
        before = live.digest if live else None
        if gate is None:
            raise ModelError(kept.folder, "not_tried: the gate has not seen it", "ffp model try")
        file = kept.folder / "gate.json"
        if not gate["passed"]:
            rules = ", ".join(breach["rule"] for breach in gate["breaches"])
            raise ModelError(file, f"model_not_passed: {rules}", "mend the model and try it again")
        with Hub.open(run.home.hub_url) as hub:
            last = hub.last_run()
        stale = {
            "another model is live": gate["compared_with_digest"] != before,
            "another run was made": gate["after_run"] != last,
            "the limits are others": gate["limits"]["digest"] != read_limits(run.home).digest,
        }
        if changed := [words for words, is_so in stale.items() if is_so]:
            remedy = f"ffp model try {kept.folder / 'model.yaml'}"
            raise ModelError(file, f"stale_gate: since then {', '.join(changed)}", remedy)
        next_live = Live(
            digest=kept.digest,
            configured=file_digest(read_model(model_path(run))),
            is_first_fit=False,
            by=by,
            reason=reason,
            before=before,
        )
        run.ledger.append(
            "model_live",
            **facts,
            model=kept.version,
            before=gate["compared_with"],
            limits=gate["limits"]["digest"],
        )
        store.set_live(next_live)
    return next_live
