"""Families that go wrong in practice, one by one, inside an invented town, with the hub's own model."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import linkage
from benchmarks.linkage import families

ENDINGS = ("worth", "ingham", "stead", "combe", "by", "grave", "low", "mere", "wick", "hurst")
GIVEN_ENDINGS = ("ric", "wyn", "mund", "ifer", "bert")
HOME = {"surname": "Wetherby", "postcode": "XF77 1AA"}
BORN = dt.date(2014, 3, 9)
FEEDS = ("case_system", "health_fhir", "education_attendance", "police_safeguarding", "probation")


def child(given: str | None, **changed: Any) -> dict[str, Any]:
    """A record of a child of one household; what a test says replaces what it does not care about."""
    row = {"given_name": given, "date_of_birth": BORN, "sex": "M", "role": "child"}
    return row | HOME | changed


def adult(given: str, **changed: Any) -> dict[str, Any]:
    """A record of an adult of the same household."""
    return child(given) | {"date_of_birth": dt.date(1985, 7, 21), "role": "adult"} | changed


ELSEWHERE = {"postcode": "XG55 2ZZ"}
NHS = [{"nhs_number": n} for n in ("9990000018", "9990000026", "9990000034")]

# Names for each family: nobody in the town has them, and no two families share them.
SURNAMES = [a + b for a in ("Ash", "Birk", "Cold", "Dun", "Elm", "Fair", "Gar") for b in ENDINGS]
GIVEN = [a + b for a in ("Ald", "Bren", "Cor", "Ed", "Fen", "Hal", "Os") for b in GIVEN_ENDINGS]

# Each family: its records, and which of them (by position) are one person in the end.
FAMILIES: dict[str, tuple[list[dict[str, Any]], list[set[int]]]] = {
    "one child in two feeds": ([child("Rowan"), child("Rowan")], [{0, 1}]),
    "twins": ([child("Rowan"), child("Jasper"), child("Rowan"), child("Jasper")], [{0, 2}, {1, 3}]),
    "twins with names alike": (
        [
            child("Jayden", birth_order=1),
            child("Jaden", birth_order=2),
            child("Jaden", birth_order=2),
        ],
        [{0}, {1, 2}],
    ),
    "twins with holding names": (
        [child("Twin 1"), child("Twin 2"), child("Rowan", birth_order=1)],
        [{0, 2}, {1}],
    ),
    "a letter wrong in a short name": ([child("Kim"), child("Kir")], [{0, 1}]),
    "one NHS number on twins whose names begin alike": (
        [child("Isla", **NHS[0]), child("Isabella", birth_order=2, **NHS[0])],
        [{0}, {1}],
    ),
    "siblings of different ages": (
        [child("Rowan"), child("Jasper", date_of_birth=dt.date(2016, 5, 2))] * 2,
        [{0, 2}, {1, 3}],
    ),
    "one NHS number on two siblings born on one day": (
        [child("Rowan", **NHS[0]), child("Jasper", **NHS[0])],
        [{0}, {1}],
    ),
    "a sibling's NHS number in one feed": (
        [child("Rowan", **NHS[1]), child("Jasper", date_of_birth=dt.date(2016, 5, 2), **NHS[1])],
        [{0}, {1}],
    ),
    "one NHS number on two strangers": (
        [child("Rowan", **NHS[2]), adult("Edith", surname="Blythe", **NHS[2], **ELSEWHERE)],
        [{0}, {1}],
    ),
    "two valid NHS numbers": ([child("Rowan", **NHS[0]), child("Rowan", **NHS[1])], [{0}, {1}]),
    "two valid NHS numbers and a record between them": (
        [child("Rowan", **NHS[0]), child("Rowan", **NHS[1]), child("Rowan")],
        [],
    ),
    "a pupil number and a new surname and address": (
        [
            child("Rowan", upn="A001000999999"),
            child("Rowan", surname="Blythe", upn="A001000999999", **ELSEWHERE),
        ],
        [{0, 1}],
    ),
    "a former pupil number": (
        [
            child("Rowan", upn="A001000999998"),
            child("Rowan", upn="B001000999997", former_upn="A001000999998", **ELSEWHERE),
        ],
        [{0, 1}],
    ),
    "day and month swapped": (
        [child("Rowan"), child("Rowan", date_of_birth=dt.date(2014, 9, 3))],
        [{0, 1}],
    ),
    "a new surname that is known": (
        [child("Rowan"), child("Rowan", surname="Blythe", other_surname="Wetherby")],
        [{0, 1}],
    ),
    "a preferred first name": (
        [child("Rowan"), child("Skye", other_given_name="Rowan")],
        [{0, 1}],
    ),
    "names in the other order": (
        [child("Rowan"), child("Wetherby", surname="Rowan")],
        [{0, 1}],
    ),
    "names in the other order, one mistyped": (
        [child("Hamza", surname="Choudhury"), child("Chaudhry", surname="Hamza")],
        [{0, 1}],
    ),
    "a double surname": ([child("Rowan"), child("Rowan", surname="Wetherby-Blythe")], [{0, 1}]),
    "a short form": ([child("Thomas"), child("Tom")], [{0, 1}]),
    "spellings of one name": (
        [child("Muhammad", surname="Iqbal"), child("Mohamed", surname="Iqbal")],
        [{0, 1}],
    ),
    "accents and apostrophes": (
        [child("Zoë", surname="O’Wetherby"), child("ZOE", surname="OWETHERBY")],
        [{0, 1}],
    ),
    "no identifier, moved": ([child("Rowan"), child("Rowan", postcode="XG66 3BB")], [{0, 1}]),
    "no identifier, no postcode": ([child("Rowan"), child("Rowan", postcode=None)], [{0, 1}]),
    "no birth date, same address": ([child("Rowan"), child("Rowan", date_of_birth=None)], [{0, 1}]),
    "a son with his father's name": (
        [child("Rowan"), adult("Rowan"), child("Rowan"), adult("Rowan")],
        [{0, 2}, {1, 3}],
    ),
    "an adult without identifiers": ([adult("Edith"), adult("Edith", role=None)], [{0, 1}]),
    "a newborn's holding name": (
        [child("Baby", **NHS[0]), child("Rowan", **NHS[0])],
        [{0, 1}],
    ),
    "an unborn child in two feeds": (
        [
            child("Unborn", date_of_birth=None, expected_birth_date=dt.date(2026, 7, 1), sex=None),
            child(None, date_of_birth=None, expected_birth_date=dt.date(2026, 7, 4), sex=None),
        ],
        [{0, 1}],
    ),
    "an unborn child and a birth elsewhere": (
        [
            child("Unborn", date_of_birth=None, expected_birth_date=dt.date(2026, 7, 1), sex=None),
            child("Rowan", date_of_birth=dt.date(2026, 7, 1), **ELSEWHERE),
        ],
        [{0}, {1}],
    ),
    "an unborn child and an elder sibling": (
        [
            child("Unborn", date_of_birth=None, expected_birth_date=dt.date(2026, 7, 1), sex=None),
            child("Rowan", date_of_birth=dt.date(2025, 6, 1)),
        ],
        [{0}, {1}],
    ),
    "names that only resemble, nothing else": (
        [
            child("Rowan"),
            child("Rowan", surname="Blythe", date_of_birth=dt.date(2012, 1, 30), **ELSEWHERE),
        ],
        [{0}, {1}],
    ),
    "a son with his father's name, and no feed says which is the adult": (
        [child("Rowan", role=None, uprn="7001"), adult("Rowan", role=None, uprn="7001")],
        [{0}, {1}],
    ),
}


def _rows() -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """All families' records, each family in a surname and place of its own, and their record keys."""
    rows, keys = [], {}
    for number, (name, (records, _)) in enumerate(FAMILIES.items()):
        keys[name] = [f"{FEEDS[i % len(FEEDS)]}|f{number:02d}|{i}" for i in range(len(records))]
        for position, (key, record) in enumerate(zip(keys[name], records, strict=True)):
            row = record | {"record_key": key, "feed": key.split("|")[0], "system": "f"}
            own = {
                "Wetherby": SURNAMES[number],
                "Blythe": SURNAMES[-1 - number],
                "Rowan": GIVEN[number],
            }
            for column in ("surname", "other_surname", "given_name", "other_given_name"):
                for old, new in own.items():
                    row[column] = (row.get(column) or "").replace(old, new) or None
            row["postcode"] = (row["postcode"] or "").replace("XF77", f"XF{60 + number}") or None
            if row.get("nhs_number"):
                row["nhs_number"] = f"{row['nhs_number'][:4]}{number:03d}{row['nhs_number'][7:]}"
            rows.append(row | {"line": position})
    return rows, keys


@pytest.fixture(scope="module")
def town(person_model: linkage.Model) -> tuple[linkage.LinkResult, dict[str, list[str]], pa.Table]:
    """An invented town with the families in it, linked."""
    records, truth = families.make(350, seed=11)
    rows, keys = _rows()
    everyone = pa.concat_tables([records, families.table(rows)])
    return linkage.link(everyone, person_model), keys, truth


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_comes_out_as_it_is(
    name: str, town: tuple[linkage.LinkResult, dict[str, list[str]], pa.Table]
) -> None:
    result, keys, _ = town
    cluster = {r["record_id"]: r["cluster_id"] for r in result.clusters.to_pylist()}
    found: dict[str, set[int]] = {}
    for position, key in enumerate(keys[name]):
        found.setdefault(cluster[key], set()).add(position)
    expected = FAMILIES[name][1]
    if expected:
        assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    else:
        assert cluster[keys[name][0]] != cluster[keys[name][1]]


def test_nobody_outside_joins_a_family(
    town: tuple[linkage.LinkResult, dict[str, list[str]], pa.Table],
) -> None:
    result, keys, _ = town
    family = {key: name for name, own in keys.items() for key in own}
    by_cluster: dict[str, set[str | None]] = {}
    for row in result.clusters.to_pylist():
        by_cluster.setdefault(row["cluster_id"], set()).add(family.get(row["record_id"]))
    assert [names for names in by_cluster.values() if len(names) > 1] == []


def test_a_forbidden_pair_is_still_shown_to_reviewers_with_its_reason(
    town: tuple[linkage.LinkResult, dict[str, list[str]], pa.Table],
) -> None:
    result, keys, _ = town
    pairs = result.pairs.to_pylist()
    shown = {frozenset((p["record_id_l"], p["record_id_r"])): p["veto"] for p in pairs}
    assert shown[frozenset(keys["two valid NHS numbers"])] == "different_nhs_numbers"
    siblings = keys["one NHS number on two siblings born on one day"]
    assert shown[frozenset(siblings)] == "another_first_name"


def test_the_town_is_linked_well_and_no_tradition_is_left_behind(
    town: tuple[linkage.LinkResult, dict[str, list[str]], pa.Table],
) -> None:
    result, _, truth = town
    quality = linkage.evaluate(result.clusters, truth, by="tradition")
    assert quality["pairwise"]["precision"] > 0.995
    assert quality["pairwise"]["recall"] > 0.97
    recalls = [g["b_cubed"]["recall"] for g in quality["by"].values()]
    assert max(recalls) - min(recalls) < 0.03
    assert [w for w in result.report["warnings"] if "rough" not in w] == []


def test_twins_are_never_joined_with_each_other(
    town: tuple[linkage.LinkResult, dict[str, list[str]], pa.Table],
) -> None:
    result, _, truth = town
    quality = linkage.evaluate(result.clusters, truth, by="kind")["by"]["twin"]
    assert quality["b_cubed"]["precision"] > 0.99
