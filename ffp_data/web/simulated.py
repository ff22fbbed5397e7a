"""One withdrawal, simulated in a process of its own: what would go, as JSON on standard output; changes nothing.

Asked for as `python -m ffp_data.web.simulated HOME AGREEMENT STATUS` by `simulations`. It yields the processor to
those who wait for a page. Nothing of any person is in the answer.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import duckdb

_YIELDS = 5
"""Steps of politeness towards the pages' own process."""


def told(home: str, agreement: str, status: str) -> dict[str, Any]:
    """What would go, or the `problem` in words."""
    from ffp_data.home.run import Run  # noqa: PLC0415 - after the process has become polite
    from ffp_data.withdrawal.scope import WithdrawalError  # noqa: PLC0415
    from ffp_data.withdrawal.simulate import simulate  # noqa: PLC0415

    try:
        found = simulate(Run.at(run_id="withdraw", home=home), agreement, status)
    except WithdrawalError as error:
        return {"problem": str(error)}
    except duckdb.IOException:
        return {"problem": "a run is writing; ask again when it has ended"}
    return {"found": found.as_json()}


if __name__ == "__main__":
    os.nice(_YIELDS)
    json.dump(told(*sys.argv[1:4]), sys.stdout)
