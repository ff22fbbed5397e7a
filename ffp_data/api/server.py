"""Starts the API: one process of uvicorn, on the loopback address unless told otherwise.

Requests are not logged: the ledger is the log of reads, and a line of an access log would be a second,
unguarded one. What goes wrong is logged by its place in the code, without values.
"""

from __future__ import annotations

import gc
import logging
import sys
import traceback

import uvicorn
from fastapi import FastAPI

from ffp_data.api.app import make_app
from ffp_data.settings import Home

SWITCH_SECONDS = 0.00005
"""How long a thread may hold Python's lock: short, so that a look-up by identifier overtakes a search."""


class _PlacesOnly(logging.Formatter):
    """A traceback without the message of the error, which may quote a value."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        error = sys.exc_info()[1] if not isinstance(ei, tuple) else ei[1]
        if error is None:
            return ""
        lines = traceback.format_tb(error.__traceback__)
        return "".join([*lines, type(error).__name__])


def serve(home: Home, host: str, port: int) -> None:
    """Serve the API until stopped."""
    run_server(make_app(home), host, port)


def run_server(app: FastAPI, host: str, port: int) -> None:
    """Serve an application until stopped; its log names places in the code, never values."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # modules stay: looking through them for garbage held an answer up for 74 ms
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlacesOnly("%(levelname)s %(message)s"))
    logging.getLogger("uvicorn").addHandler(handler)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        log_level="info",
        server_header=False,
    )
    uvicorn.Server(config).run()
