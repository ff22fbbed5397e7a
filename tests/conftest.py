"""Shared by all tests: generated examples are the same in every run, and no test reaches the network."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.chromium import browser  # noqa: F401 - a fixture for tests of pages
from tests.control_evidence import OPTION, Evidence, remember_controls
from tests.sharing import pytest_xdist_make_scheduler  # noqa: F401 - a hook

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,  # no timed assertion anywhere
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("nightly", parent=settings.get_profile("repeatable"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

gc.set_threshold(20_000, 50, 100)  # as in a run: most objects live to the end

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")

# What `make unit` leaves out beside tests marked slow: whole runs, deliveries loaded one after another, and
# servers of their own.
WHOLE_RUNS = {
    "cli/test_deliveries.py",
    "dbt_project/test_case_systems.py",
    "feeds/test_any_order.py",
    "feeds/test_archive_delivery.py",
    "feeds/test_case_systems.py",
    "feeds/test_every_contract.py",
    "feeds/test_guard.py",
    "feeds/test_health_csv.py",
    "feeds/test_health_fhir.py",
    "feeds/test_housing.py",
    "feeds/test_marac.py",
    "feeds/test_not_in_school.py",
    "feeds/test_order.py",
    "feeds/test_police.py",
    "feeds/test_police_pole.py",
    "feeds/test_prison.py",
    "feeds/test_probation.py",
    "feeds/test_replay.py",
    "feeds/test_signing.py",
    "feeds/test_sql_source.py",
    "feeds/sui/test_nhs_number_answers.py",
    "feeds/sui/test_sui_matcher.py",
    "feeds/test_withdrawing.py",
    "feeds/test_xml_reader.py",
    "feeds/test_youth_justice.py",
    "hostile/test_corpus.py",
    "hub/test_machine.py",
    "linkage/test_families.py",
    "linkage/test_febrl.py",
    "linkage/test_linker.py",
    "pipeline/test_merged_records.py",
    "returns/test_annex_a_lists.py",
    "returns/test_annex_a_release.py",
    "returns/test_annex_a_workbook.py",
    "returns/test_dataflow_build.py",
    "returns/test_dataflow_release.py",
    "returns/test_dataflow_sending.py",
    "returns/test_tehadc.py",
    "returns/test_versions.py",
    "synthetic/test_census.py",
    "synthetic/test_education_feeds.py",
    "synthetic/test_families.py",
    "synthetic/test_feeds.py",
    "synthetic/test_stories.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        path = item.path.relative_to(here)
        is_whole = path.as_posix() in WHOLE_RUNS
        if is_whole or "[postgresql" in item.name or "-postgresql" in item.name:
            item.add_marker(pytest.mark.slow)
        remember_controls(item)


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "write what the tests marked with a control came to into this file"
    parser.addoption(OPTION, type=Path, default=None, help=words)


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption(OPTION)
    if file is not None and not hasattr(
        config, "workerinput"
    ):  # a worker of xdist tells its leader
        config.pluginmanager.register(Evidence(file.absolute()))
