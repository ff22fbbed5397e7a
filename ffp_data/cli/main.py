"""`ffp`: the commands of the hub, grouped by the person who uses them."""

from __future__ import annotations

import typer

from ffp_data.cli import feeds, governance, hub, linkage, returns, run

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # a traceback may not print a person's data
    help="Families First data hub: agency files in; one identifier for each child, one view and the "
    "statutory returns out; every crossing decided by a sharing agreement and written down.\n\n"
    "Start with [bold]ffp demo build/demo[/bold], then [bold]ffp run --help[/bold].",
)
run.add_to(app)
linkage.add_to(app)
app.add_typer(feeds.app, name="feeds")
app.add_typer(hub.app, name="hub")
app.add_typer(returns.app, name="returns")
app.add_typer(governance.policy_app, name="policy")
app.add_typer(governance.ledger_app, name="ledger")

if __name__ == "__main__":
    app()
