"""A release that only its recipient can read is taken back unseen when an identity is sealed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffp_data.sealing.others import REMOVED, Finder
from ffp_data.sealing.search import Wanted
from ffp_data.settings import Home
from governance.envelope import make_key, seal_for
from governance.keys import KeyStore
from governance.ledger import Ledger

ABOUT = {"recipient": "a-team", "purpose": "care", "agreement": "DSA-1@1", "as_at": "2026-03-31"}


@pytest.mark.control("B07")
def test_a_sealed_release_may_hold_the_identity_and_is_taken_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    keys = KeyStore(home.keys_dir)
    ledger = Ledger(home.ledger_dir, keys)
    folder = home.out / "extracts" / "a-team" / "2026-03-31"
    folder.mkdir(parents=True)
    (folder / "children.csv").write_text("somebody\n", "ascii")
    seal_for(make_key("x25519")[1], folder, ABOUT, keys.signing_key)
    finder = Finder(home, keys, ledger, Wanted(["an-id"]), ["an-id"])
    (place,) = finder.places()
    assert (place.path, place.fate) == (folder, REMOVED)
    finder.deal_with(place, ["an-id"])
    assert not folder.exists()
    assert list(finder.places()) == []
    assert [event["kind"] for event in ledger.events()] == ["release_withdrawn"]
