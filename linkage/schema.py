"""JSON Schema of a model file, made from the classes that read it, for editors and other programs.

pydantic writes most of it. What the classes accept in a short form (a step that is only its name, a
part of a column as ``{surname: skeleton}``) and "exactly one test" is added here, because it is
checked by code that pydantic cannot see. The schema is no stricter than ``Model`` and less strict in
what ties keys together (a column that a rule names must exist): ``ffp model check`` tells that.
"""

from __future__ import annotations

import json
from typing import Any, get_args

from linkage.model import Model
from linkage.spec import TESTS, Part, Replace
from linkage.standardise import step_names, steps_with_setting

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema as plain data."""
    made = Model.model_json_schema(by_alias=True)
    made["properties"].pop("path", None)
    definitions = made["$defs"]
    definitions["Step"] = _step(definitions)
    definitions["Key"] = _key(definitions["Key"])
    for name in ("Condition", "Level"):
        ways = [*TESTS, *(["all"] if name == "Level" else [])]
        definitions[name]["oneOf"] = [{"required": [way]} for way in ways]
    return {"$schema": DIALECT, **made, "title": "A linkage model"}


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _step(definitions: dict[str, Any]) -> dict[str, Any]:
    """A name alone, or a name with its setting."""
    definitions.setdefault("Replace", Replace.model_json_schema(by_alias=True))
    setting = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
            {"$ref": "#/$defs/Replace"},
        ]
    }
    with_setting = steps_with_setting()
    return {
        "description": "One standardisation step: a name, or one key with its setting.",
        "anyOf": [
            {"enum": [n for n in step_names() if n not in with_setting]},
            {
                "type": "object",
                "properties": dict.fromkeys(with_setting, setting),
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }


def _key(long_form: dict[str, Any]) -> dict[str, Any]:
    """A column, a column with its part, or the same written out."""
    part = {"enum": list(get_args(Part))}
    return {
        "description": long_form.pop("description", ""),
        "anyOf": [
            {"type": "string"},
            long_form,
            {
                "type": "object",
                "additionalProperties": part,
                "propertyNames": {"pattern": "^(?!column$|part$)[a-z][a-z0-9_]{0,47}$"},
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }
