"""Each policy file against its JSON Schema, with the line and the meaning of the missing field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from governance.policy.source import Document, Problem

SCHEMA_DIRECTORY = Path(__file__).parent / "schema"


def shape_problems(document: Document, schema: str, data: Any = None) -> Iterator[Problem]:
    """Yield what the schema refuses; ``data`` stands for the document's own when given."""
    instance = document.data if data is None else data
    errors = _validator(schema).iter_errors(instance)
    for error in sorted(
        errors, key=lambda each: (list(map(str, each.absolute_path)), each.message)
    ):
        yield _problem(document, schema, error)


def _problem(document: Document, schema: str, error: ValidationError) -> Problem:
    place = tuple(error.absolute_path)
    name = ".".join(map(str, place)) or "the document"
    violated: Any = error.schema if isinstance(error.schema, dict) else {}
    meaning, remedy = (
        violated.get("description"),
        f"see governance/policy/schema/{schema}.schema.json",
    )
    if error.validator == "required":
        missing = _missing(error)
        meaning = violated.get("properties", {}).get(missing, {}).get("description")
        remedy = f"add {missing}: {meaning}" if meaning else f"add {missing}; {remedy}"
    elif meaning:
        remedy = f"give {meaning}"
    # The only thing that a schema here forbids is what a draft leaves to a person.
    words = "still a draft's TODO" if error.validator == "not" else error.message
    return document.problem("schema", f"{name}: {words}", remedy, *place)


def _missing(error: ValidationError) -> str:
    """The field that this error is about; a document has an error for each that it lacks."""
    wanted: Any = error.validator_value
    return str(next(name for name in wanted if error.message.startswith(repr(name))))


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(
        _inlined(_read(f"{schema}.schema.json")),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@cache
def _read(name: str) -> Any:
    return json.loads((SCHEMA_DIRECTORY / name).read_text("utf-8"))


def _inlined(schema: Any) -> Any:
    """Put each referenced part in its place: following references took half of a check's time."""
    if isinstance(schema, list):
        return [_inlined(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    own = {key: _inlined(value) for key, value in schema.items() if key != "$ref"}
    if "$ref" not in schema:
        return own
    file, _, part = schema["$ref"].partition("#/$defs/")
    return {**_inlined(_read(file)["$defs"][part]), **own}
