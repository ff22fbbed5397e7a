"""`ffp serve`: the pages, on this machine alone unless told otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from ffp_data.cli.console import HomeOption, fail, has_run

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    home: HomeOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
) -> None:
    """Serve the pages: my children, search and one child (docs/pages.md).

    A home of made-up people signs in without a password; it is served on the loopback address only.
    """
    place = has_run(home)
    from ffp_data.api.server import run_server
    from ffp_data.settings import is_synthetic
    from ffp_data.web.app import make_app
    from ffp_data.web.oidc import FILE, Provider
    from ffp_data.web.users import UsersConfigError, load_users

    try:
        load_users(place)
        provider = Provider.of(place)
    except UsersConfigError as error:
        raise fail(str(error), 2) from error
    if provider is None and not is_synthetic(place):
        raise fail(f"{place.root / FILE}: missing; say there how people sign in (docs/pages.md)", 2)
    if provider is None and host not in _LOOPBACK:
        raise fail(
            f"{host}: the demonstration asks for no password and is served on 127.0.0.1 only", 2
        )
    typer.echo(f"http://{host}:{port}")
    names = _LOOPBACK if provider is None else (provider.host, *_LOOPBACK)
    run_server(make_app(place, names), host, port)
