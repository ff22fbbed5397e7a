"""Shared fixtures: a key store of a fixed root key, so that signatures repeat."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from governance.keys import ROOT_KEY_VARIABLE, KeyStore


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyStore:
    monkeypatch.setenv(ROOT_KEY_VARIABLE, base64.b64encode(b"r" * 32).decode())
    return KeyStore(tmp_path / "keys")
