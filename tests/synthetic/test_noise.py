"""Faults of records go together, and strike harder where names are written in more than one way."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ffp_data.synthetic.names import traditions, variants
from ffp_data.synthetic.noise import Origin, origin, part_variant, plain, see, typo
from ffp_data.synthetic.numbers import stream
from ffp_data.synthetic.partnership import scenes
from ffp_data.synthetic.xml import document
from tests.synthetic.conftest import AS_AT, Made

NAMES = st.text(st.characters(categories=["L"]), min_size=1, max_size=15)


@given(NAMES, st.integers(0, 10**6))
def test_a_typo_is_small_and_spares_the_first_letter(name: str, seed: int) -> None:
    slipped = typo(stream(seed), name)
    assert slipped[0] == name[0]
    assert abs(len(slipped) - len(name)) <= 1


@given(NAMES)
def test_plain_letters_stay_as_they_are(name: str) -> None:
    assert plain(plain(name)) == plain(name)
    assert plain("Łukasz Ąćę") == "Lukasz Ace"


def test_a_letter_that_a_system_lacks_never_stops_a_census() -> None:
    """Among 100,000 children somebody has a letter that has no plain form either."""
    assert b"<name>Zo? Zo\xeb</name>" in document("name", {"name": "Zoε Zoë"}, "cp1252").replace(
        b"\n", b""
    )


def test_variants_are_mutual() -> None:
    assert "Mohammed" in variants("transliteration", "MUHAMMAD")
    assert "Muhammad" in variants("transliteration", "mohammed")
    assert part_variant(stream(1), "Xyzzy") == "Xyzzy"


def test_the_records_of_a_family_in_a_feed_share_an_origin() -> None:
    """Old addresses come by family, not by child: siblings' records agree on them far more than chance would."""
    together = apart = 0
    for scene in scenes(1500, 5, AS_AT):
        for family in scene.unit.families:
            movers = [m for m in family.children if m.before and m.in_home]
            if len(movers) < 2:
                continue
            rng = stream(scene.unit.number)
            source = origin(rng, "health_fhir", family.moved_on, AS_AT)
            old = {see(rng, source, m).address == m.before for m in movers}
            together += len(old) == 1
            apart += len(old) > 1
    assert together > 20
    assert apart == 0


def test_a_hurried_origin_makes_more_slips_than_a_calm_one() -> None:
    (scene, *_) = scenes(3, 5, AS_AT)
    member = scene.unit.families[0].children[0]
    slips: Counter[bool] = Counter()
    for hurried in (False, True):
        source = Origin("health_fhir", 5.0 if hurried else 1.0, hurried, False, AS_AT, AS_AT)
        rng = stream(1)
        slips[hurried] = sum(
            bool(
                {"typo_given", "typo_surname", "birth_date_digit"}
                & set(see(rng, source, member).operators)
            )
            for _ in range(2_000)
        )
    assert slips[True] > 3 * slips[False] > 0


def test_records_carry_the_surname_of_their_day() -> None:
    for scene in scenes(600, 5, AS_AT):
        for _, member in scene.unit.each():
            person = member.person
            if person.former and person.renamed_on:
                assert person.name_on(person.renamed_on) == person.name
                assert person.name_on(person.renamed_on - timedelta(days=1)) == person.former
                return
    raise AssertionError("nobody changed a name")


def test_names_that_are_transliterated_vary_more(made: Made) -> None:
    tradition = {p["person_id"]: p["name_tradition"] for p in made.truth("persons")}
    varied: dict[str, list[bool]] = defaultdict(list)
    for row in made.truth("record_person"):
        varied[tradition[row["person_id"]]].append("transliteration" in row["operators"])
    share = {name: sum(found) / len(found) for name, found in varied.items()}
    assert share["pakistani"] > 10 * max(share["english"], 0.001)


def test_every_kind_of_fault_appears_in_the_records(made: Made) -> None:
    seen = {
        operator for row in made.truth("record_person") for operator in row["operators"].split()
    }
    wanted = {
        "transliteration", "typo_given", "typo_surname", "nickname", "accent_lost", "upper_case", "no_middle_name",
        "day_month_swap", "birth_date_digit", "former_address", "former_surname", "address_layout", "postcode_missing",
        "holding_name", "duplicate_record", "no_nhs_number", "no_birth_date", "swap_given_family", "restricted",
    }  # fmt: skip
    assert wanted <= seen


def test_naming_rules_hold_for_their_tradition() -> None:
    polish, somali = traditions()["polish"], traditions()["somali"]
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for scene in scenes(2500, 9, AS_AT):
        for family, member in scene.unit.each():
            person = member.person
            if person.is_child and person.tradition in ("polish", "somali"):
                father = next(
                    (m.person for m in family.members if m.person.person_id == person.father_id),
                    None,
                )
                found[person.tradition].append((person.name.surname, person.sex))
                if person.tradition == "somali" and father and not person.former:
                    assert person.name.middle == father.name.given
    assert not [s for s, sex in found[polish.code] if sex == "F" and s.endswith("ski")]
    assert [s for s, sex in found[polish.code] if sex == "F" and s.endswith("ska")]
    assert found[somali.code]


def test_addresses_follow_the_move() -> None:
    for scene in scenes(400, 5, AS_AT):
        for _, member in scene.unit.each():
            if member.before and member.moved_on:
                assert member.address_on(member.moved_on) == member.home
                assert member.address_on(date(2000, 1, 1)) == member.before
                return
    raise AssertionError("nobody moved")
