"""One small partnership, run the whole way once and shared by the tests."""

from __future__ import annotations

import pytest

from tests.end_to_end.commands import Demo, run_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_demo(tmp_path_factory.mktemp("demo"))
