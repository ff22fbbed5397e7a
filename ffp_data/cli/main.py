"""`ffp`: the commands of the hub, grouped by the person who uses them."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from ffp_data.cli import (
    access,
    documents,
    extract,
    feeds,
    governance,
    hub,
    keys,
    ledger,
    lineage,
    linkage,
    lists,
    lookups,
    model,
    orders,
    private,
    programme,
    publish,
    quarterly,
    reports,
    retention,
    returns,
    rights,
    run,
    serve,
    sharing,
    take_away,
    withdraw,
)
from ffp_data.cli.console import fail
from ffp_data.error_words import careful


class Commands(TyperGroup):
    """The commands; a fault that a person can mend is one line on standard error, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Exit, Abort, TyperException):
            raise  # said already, or about to be: the errors of the hub need not be loaded for it
        except Exception as error:
            if isinstance(error, _mendable()):
                raise fail(str(error)) from error
            raise careful(error) from None


def _mendable() -> tuple[type[Exception], ...]:
    import duckdb

    from ffp_data.access import AccessConfigError
    from ffp_data.home.pending import SealUnfinishedError
    from ffp_data.home.run import NoDayError
    from ffp_data.hub import LeaseHeldError, LeaseLostError, StorageError
    from ffp_data.settings import NoPartnershipError
    from governance.access import AccessDeniedError
    from governance.keys import RootKeyError
    from governance.ledger import (
        CheckpointsStoppedError,
        FactsUnreadableError,
        LedgerDamagedError,
    )
    from governance.policy import PolicyError
    from governance.policy.compile import LockError

    return (
        duckdb.IOException,
        AccessConfigError,
        AccessDeniedError,
        CheckpointsStoppedError,
        FactsUnreadableError,
        LeaseHeldError,
        LeaseLostError,
        NoDayError,
        NoPartnershipError,
        RootKeyError,
        LedgerDamagedError,
        LockError,
        PolicyError,
        SealUnfinishedError,
        StorageError,
    )


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # a traceback may not print a person's data
    help="Families First data hub: agency files in; one identifier for each child, one view and the "
    "statutory returns out; every crossing decided by a sharing agreement and written down.\n\n"
    "Start with [bold]ffp demo build/demo[/bold], then [bold]ffp run --help[/bold].",
)
run.add_to(app)
withdraw.add_to(app)
linkage.add_to(app)
model.add_to(linkage.model_app)
lookups.add_to(app)
lineage.add_to(app)
app.command("serve")(serve.serve)
orders.add_to(app)
rights.add_to(app)
retention.add_to(app)
sharing.add_to(app)
take_away.add_to(app)
app.add_typer(access.app, name="access")
app.add_typer(extract.app, name="extract")
app.add_typer(feeds.app, name="feeds")
app.add_typer(hub.app, name="hub")
app.add_typer(keys.app, name="keys")
app.add_typer(lists.app, name="lists")
app.add_typer(private.app, name="private")
app.add_typer(programme.app, name="programme")
app.add_typer(publish.app, name="publish")
app.add_typer(quarterly.app, name="quarterly")
app.add_typer(reports.app, name="reports")
app.add_typer(returns.app, name="returns")
app.add_typer(documents.app, name="governance")
app.add_typer(governance.policy_app, name="policy")
app.add_typer(ledger.app, name="ledger")

if __name__ == "__main__":
    app()
