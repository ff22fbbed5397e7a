"""The Department's service, standing in on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.nhs_numbers.identifier_service import Department, serving


@pytest.fixture
def department() -> Iterator[Department]:
    with serving() as department:
        yield department
