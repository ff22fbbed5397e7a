"""Rows about people in the case system: who they are, where they live, their numbers, disabilities,
family and mother, and the workers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from random import Random

from ffp_data.synthetic.case_rows import STAFF, TEAMS, Rows
from ffp_data.synthetic.noise import Sighting
from ffp_data.synthetic.people import Family, Member, Person, shift
from ffp_data.synthetic.places import Address
from ffp_data.synthetic.rates import rates
from ffp_data.synthetic.scene import LOCAL_SPACE, local_id
from ffp_data.synthetic.school_age import upn_unknown

KEY = 11
DISABILITIES = ("LD", "BEH", "AUT", "COMM", "MOB", "PC", "HEAR", "VIS", "CON", "INC", "HAND", "DDA")
DISABLED_SHARE = 0.13  # DfE, Characteristics of children in need: about one in eight
JOBS = ("Social Worker", "Social Worker", "Senior Social Worker", "Family Help Practitioner")
SURNAMES = (
    "Ashby",
    "Bright",
    "Carew",
    "Dunmore",
    "Ellery",
    "Farrow",
    "Garland",
    "Hart",
    "Ingham",
    "Jessop",
    "Kemble",
    "Lacey",
)
WINDOW = date(
    2019, 1, 1
)  # no address or family membership is dated earlier: the system was new then


def case_number(person: Person, record: int = 0) -> str:
    """Return the case system's number of a person; `record` 1 is the second number of the same person."""
    return str(LOCAL_SPACE + local_id(person.serial, KEY, record))


def family_number(family: Family) -> str:
    """Return the case system's number of a family."""
    return f"FAM{family.family_id[1:]}"


def person_row(number: str, seen: Sighting, person: Person) -> dict[str, object]:
    """Return a row of ssd_person without UPN; the single identifier is mostly a placeholder, as upstream."""
    return {
        "pers_person_id": number, "pers_forename": seen.given, "pers_surname": seen.surname, "pers_sex": seen.sex,
        "pers_ethnicity": person.ethnicity, "pers_dob": seen.birth, "pers_upn": "", "pers_upn_unknown": "",
        "pers_single_unique_id": "SSD_SUI" if person.serial % 4 else seen.nhs, "pers_send_flag": "SSD_PH",
    }  # fmt: skip


def pupil_columns(rng: Random, person: Person, as_at: date) -> dict[str, object]:
    """Return the UPN, held for most children of five and over, or the reason for none."""
    held = person.age(as_at) >= 5 and rng.random() < rates("case_system")["upn_held"]
    upn = person.upn if held else ""
    return {"pers_upn": upn, "pers_upn_unknown": upn_unknown(person, upn, as_at)}


def unborn_columns(family: Family, person: Person, expected: date) -> dict[str, object]:
    """Return the columns of a child before birth: no name, no date of birth, sex U, the mother's surname."""
    mother = next(
        (m.person for m in family.members if m.person.person_id == person.mother_id), person
    )
    return {
        "pers_forename": "Unborn", "pers_surname": mother.name.surname, "pers_sex": "U", "pers_dob": None,
        "pers_expected_dob": expected, "pers_upn": "", "pers_upn_unknown": "UN1", "pers_single_unique_id": "",
    }  # fmt: skip


def add_address(rows: Rows, number: str, seen: Sighting, member: Member) -> None:
    """Add the address as the record has it, and the earlier one when the move is known."""
    moved = member.moved_on if member.before and seen.address == member.home else None
    began = moved or shift(member.moved_on or max(member.person.birth, WINDOW), -400)
    known: list[tuple[Address, str, date, date | None]] = [
        (seen.address, seen.postcode, began, None)
    ]
    if moved and member.before:
        known.append((member.before, member.before.postcode, shift(moved, -400), moved))
    for order, (address, postcode, start, end) in enumerate(known):
        packed = {
            "ROOM": "", "FLOOR": "", "FLAT": address.flat, "BUILDING": "", "HOUSE": address.house,
            "STREET": address.street,
            "TOWN": address.town, "UPRN": address.uprn if order == 0 else "", "EASTING": "", "NORTHING": "",
        }  # fmt: skip
        row = {
            "addr_table_id": f"AD{number}{order}", "addr_person_id": number, "addr_address_type": "Main address",
            "addr_address_start_date": start, "addr_address_end_date": end, "addr_address_postcode": postcode,
            "addr_address_json": json.dumps(packed),
        }  # fmt: skip
        rows.setdefault("ssd_address", []).append(row)


def add_nhs_number(rng: Random, rows: Rows, number: str, seen: Sighting, person: Person) -> None:
    """Add the NHS number to the linked identifiers of most people."""
    if seen.nhs and rng.random() < rates("case_system")["nhs_number_held"]:
        row = {
            "link_table_id": f"LI{number}", "link_person_id": number, "link_identifier_type": "NHS Number",
            "link_identifier_value": seen.nhs, "link_valid_from_date": person.birth,
        }  # fmt: skip
        rows.setdefault("ssd_linked_identifiers", []).append(row)


def add_disability(rng: Random, rows: Rows, number: str) -> None:
    """Add the disability codes of a child, NONE for most."""
    disabled = rng.random() < DISABLED_SHARE
    codes = (
        sorted(set(rng.choices(DISABILITIES, k=rng.choice((1, 1, 2, 3))))) if disabled else ["NONE"]
    )
    rows["ssd_disability"] = [
        {"disa_table_id": f"DI{number}{n}", "disa_person_id": number, "disa_disability_code": code}
        for n, code in enumerate(codes)
    ]


def family_rows(family: Family, present: Sequence[Member]) -> Rows:
    """Return the rows of the family's members that the case system knows."""
    rows, fam = Rows(), family_number(family)
    adults = {m.person.person_id for m in present if m.role != "child"}
    for member in present:
        number = case_number(member.person)
        unborn = member.person.unborn
        known_from = family.moved_on if family.from_outside else max(member.person.birth, WINDOW)
        rows.setdefault("xt_family_members", []).append(
            {"fam_id": fam, "person_id": number, "relationship": member.role.replace("_", "-"),
             "from": None if unborn else known_from, "to": family.left_on if member.in_home else None,
             "lives_in_home": member.in_home}
        )  # fmt: skip
        if member.in_home:
            row = {
                "fami_table_id": f"FM{fam}{number}",
                "fami_family_id": fam,
                "fami_person_id": number,
            }
            rows.setdefault("ssd_family", []).append(row)
        if member.role == "child" and member.person.mother_id in adults:
            mother = case_number(family.member(member.person.mother_id).person)
            rows.setdefault("ssd_mother", []).append(
                {"moth_table_id": f"MO{number}", "moth_person_id": mother, "moth_childs_person_id": number,
                 "moth_childs_dob": None if unborn else member.person.birth}
            )  # fmt: skip
    return rows


def workers() -> list[dict[str, object]]:
    """Return the rows of ssd_professionals: three in four are social workers."""
    return [
        {
            "prof_professional_id": f"PR{1001 + n}", "prof_staff_id": f"S{5000 + n}",
            "prof_professional_name": f"{'ABCDEFGHIJ'[n % 10]} {SURNAMES[n % len(SURNAMES)]}",
            "prof_social_worker_registration_no": f"SW9{n:05d}" if n % 4 != 3 else "",
            "prof_agency_worker_flag": n % 6 == 0, "prof_professional_job_title": JOBS[n % 4],
            "prof_professional_caseload": 12 + n % 9, "prof_professional_department": TEAMS[n % len(TEAMS)],
            "prof_full_time_equivalency": 1 if n % 5 else 0.6,
        }
        for n in range(STAFF)
    ]  # fmt: skip
