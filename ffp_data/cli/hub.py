"""Identifiers: what became of one, what a reviewer decides, and the list of who carries which."""

from __future__ import annotations

import typer

from ffp_data.cli import lookups, review, seal

app = typer.Typer(no_args_is_help=True, help="Identifiers: history, look-ups and decisions.")
lookups.add_to_hub(app)
review.add_to(app)
seal.add_to(app)
