"""What is known of a child is checked field by field; an error names field, rule and remedy, never a value."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from pydantic import ValidationError

from ffp_data.lookups import Demographics
from ffp_data.lookups.batch import problem_of
from ffp_data.lookups.demographics import COLUMNS, FIELDS
from linkage import Model
from linkage.catalogue import Standardiser

TEXT = [name for name, field in Demographics.model_fields.items() if name != "sex"]


def test_every_field_is_a_column_that_the_linkage_model_reads() -> None:
    assert set(COLUMNS) == set(Demographics.model_fields)
    assert len(FIELDS) == len(COLUMNS)


@given(st.dictionaries(st.sampled_from(TEXT), st.text(max_size=20)))
def test_any_text_is_read_or_refused_and_what_is_read_has_no_control_character(
    fields: dict[str, str],
) -> None:
    try:
        known = Demographics.model_validate(fields)
    except ValidationError as error:
        named = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        event(f"refused {len(named)} fields")
        _require_all_named(named, problem_of(error))
        return
    for value in known.record().values():
        assert value
        assert value.isprintable()


def _require_all_named(fields: set[str], told: str) -> None:
    assert all(name in told for name in fields)


@given(st.text(min_size=4, max_size=20).filter(lambda t: t.strip() and not t.isdigit()))
def test_an_error_never_repeats_the_value(text: str) -> None:
    marked = f"Zz{text}9"
    with pytest.raises(ValidationError) as refused:
        Demographics.model_validate({"nhs_number": marked, "upn": marked, "birth_date": marked})
    assert marked not in problem_of(refused.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nhs_number", "9990000019"),
        ("upn", "A00000000000"),
        ("postcode", "XF1"),
        ("postcode", "ZZ99 3VZ"),
        ("birth_date", "04/05/2016"),
        ("birth_date", "1066-10-14"),
        ("sex", "male"),
        ("uprn", "12a"),
        ("given_name", "x" * 201),
        ("given_name", "No\u0000ah"),
        ("given_name", "No\u202eah"),
    ],
)
def test_what_cannot_be_a_value_is_refused_by_its_field(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Demographics.model_validate({field: value})
    assert problem_of(refused.value).startswith(f"{field}: ")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Demographics.model_validate({"surname": "Quarrington"})


def test_empty_text_is_a_field_that_is_not_known() -> None:
    assert Demographics.model_validate({"given_name": " ", "upn": ""}).given == []


def test_a_child_is_born_or_expected() -> None:
    with pytest.raises(ValidationError, match="born or expected"):
        Demographics.model_validate(
            {"birth_date": "2026-01-01", "expected_birth_date": "2026-05-01"}
        )


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_no_text_breaks_out_of_the_query_that_standardises_it(text: str) -> None:
    found = _STANDARDISER.values({"phone": text, "email": text})
    digits = "".join(c for c in text if c in "0123456789")
    if not digits:
        assert "phone" not in found
    assert "email" not in found or isinstance(found["email"], str)


_MODEL = Path(str(resources.files("ffp_data").joinpath("identity", "person_model.yaml")))
_STANDARDISER = Standardiser(Model.from_yaml(_MODEL))
