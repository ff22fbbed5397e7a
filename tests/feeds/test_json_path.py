"""The path language, compiled and run."""

from __future__ import annotations

import json

import duckdb
import pytest

from ffp_data.feeds.json_path import check_path, scalar

DOCUMENT = {
    "id": "7",
    "empty": None,
    "participant": [{"actor": {"reference": "Location/1"}}, {"actor": {"reference": "Patient/2"}}],
    "name": [{"family": "A", "given": ["B", "C"]}],
    "identifier": [
        {
            "system": "https://x.org/a.b/nhs",
            "value": "1",
            "extension": [{"url": "u/v", "code": "ok"}],
        },
        {"system": "it's", "value": "2"},
    ],
}

PATHS = {
    "id": "7",
    "empty": None,
    "name[0].family": "A",
    "name[0].given[1]": "C",
    "name[1].family": None,
    "name.family": None,
    "identifier[system=https://x.org/a.b/nhs].value": "1",
    "identifier[system=https://x.org/a.b/nhs].extension[url=u/v].code": "ok",
    "identifier[system=it's].value": "2",
    "identifier[system=other].value": None,
    "id[system=a].value": None,
    "identifier[value!=1].value": "2",
    "identifier[none!=1].value": "1",
    "identifier[system~s&value=2].value": "2",
    "identifier[system~x.org&value=2].value": None,
    "participant[actor.reference~Patient/].actor.reference": "Patient/2",
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_a_path_leads_to_its_value(path: str, expected: str | None) -> None:
    sql = f"SELECT {scalar(path, 'doc')} FROM (SELECT ?::JSON AS doc)"
    assert duckdb.execute(sql, [json.dumps(DOCUMENT)]).fetchone() == (expected,)


def test_a_path_climbs_out_of_an_element() -> None:
    sql = f"SELECT {scalar('../id', 'doc', 'e')}, {scalar('b', 'doc', 'e')} FROM (SELECT ?::JSON AS doc, ?::JSON AS e)"
    assert duckdb.execute(sql, ['{"id": 1, "b": 2}', '{"id": 3, "b": 4}']).fetchone() == ("1", "4")


@pytest.mark.parametrize("path", ["a..b", "a[", "a[x]", "[=1]", "a b", "a.", "'", "a]; DROP"])
def test_other_text_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        check_path(path)
