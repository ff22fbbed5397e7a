"""Every page of the application with what it takes, read from the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts


@dataclass(frozen=True)
class Page:
    """A method and an address, with the names of what may be sent to it."""

    method: str
    path: str
    in_path: tuple[str, ...] = ()
    in_query: tuple[str, ...] = ()
    in_form: tuple[str, ...] = ()
    typed: tuple[str, ...] = field(default=(), compare=False)
    """Those of the path that must be a number."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def address(self, **values: object) -> str:
        """Where it is, with these in its path."""
        return self.path.replace(":path}", "}").format(**values)


def pages_of(app: FastAPI) -> list[Page]:
    """Every page, in the order in which it is asked; files of `/static` are none."""
    found = []
    for each in iter_route_contexts(app.routes):
        route = each.original_route
        if isinstance(route, APIRoute):
            taken = list(_dependants(route.dependant))
            found += [
                Page(
                    method,
                    str(each.path),
                    tuple(p.name for d in taken for p in d.path_params),
                    tuple(p.name for d in taken for p in d.query_params),
                    tuple(p.name for d in taken for p in d.body_params),
                    tuple(
                        p.name
                        for d in taken
                        for p in d.path_params
                        if p.field_info.annotation is int
                    ),
                )
                for method in sorted(each.methods or ())
            ]
    return found


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _dependants(each)
