"""Root key from environment or file, derived keys, and refusals that say what to do."""

from __future__ import annotations

import base64
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from governance.keys import ROOT_KEY_VARIABLE, KeyStore, RootKeyError

FILES = [".lock", "keyring.json", "root.id", "root.key"]


@pytest.fixture(autouse=True)
def _no_root_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOT_KEY_VARIABLE, raising=False)


def test_first_use_makes_a_root_key_only_its_owner_can_read(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys")
    assert (tmp_path / "keys" / "root.key").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == FILES


def test_a_second_store_on_the_same_directory_derives_the_same_keys(tmp_path: Path) -> None:
    first, second = KeyStore(tmp_path), KeyStore(tmp_path)
    assert first.key("archive") == second.key("archive")
    assert first.warehouse_key == second.warehouse_key
    assert first.public_key.public_bytes_raw() == second.public_key.public_bytes_raw()


def test_first_users_at_the_same_moment_end_with_one_root_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        derived = list(pool.map(lambda _: KeyStore(tmp_path / "keys").key("archive"), range(40)))
    assert len(set(derived)) == 1
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == FILES


@pytest.mark.control("D03")
def test_each_purpose_has_its_own_key(keys: KeyStore) -> None:
    purposes = ["archive", "warehouse/duckdb", "sign/ed25519", "fingerprint", "archive "]
    assert len({keys.key(purpose) for purpose in purposes}) == len(purposes)


def test_a_home_from_before_the_book_keeps_every_derived_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HKDF by hand (RFC 5869): a changed derivation would lose every existing archive."""
    monkeypatch.setenv(ROOT_KEY_VARIABLE, base64.b64encode(b"r" * 32).decode())
    pseudo_random = hmac.digest(b"ffp-data/governance/keys/1", b"r" * 32, "sha256")
    name = hmac.digest(pseudo_random, b"fingerprint\x01", "sha256").hex()[:16]
    (tmp_path / "root.id").write_text(name + "\n", "ascii")
    for keys in (KeyStore(tmp_path), KeyStore(tmp_path)):
        for purpose in ("archive", "warehouse/duckdb", "sign/ed25519", "seal/filter"):
            by_hand = hmac.digest(pseudo_random, purpose.encode() + b"\x01", "sha256")
            assert keys.key(purpose) == by_hand
    assert keys.key("archive").hex().startswith("60fc44f4bd66c9cf")


def test_two_homes_under_one_root_have_no_key_in_common(keys: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "other")
    assert keys.opened.root == other.opened.root
    purposes = ["warehouse/duckdb", "sign/ed25519", "seal/filter", "anything"]
    assert {keys.key(p) for p in purposes}.isdisjoint({other.key(p) for p in purposes})


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_KEY_VARIABLE, base64.b64encode(bytes(32)).decode())
    KeyStore(tmp_path)
    assert not (tmp_path / "root.key").exists()


@pytest.mark.control("D03")
def test_another_root_key_than_before_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeyStore(tmp_path)
    monkeypatch.setenv(ROOT_KEY_VARIABLE, base64.b64encode(bytes(32)).decode())
    with pytest.raises(RootKeyError, match="restore the root key"):
        KeyStore(tmp_path)


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"short").decode(), ""])
def test_a_malformed_root_key_is_refused_without_showing_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOT_KEY_VARIABLE, text)
    with pytest.raises(RootKeyError, match="give 32 random bytes in base64") as raised:
        KeyStore(tmp_path)
    assert not text or text not in str(raised.value)


@pytest.mark.control("D03")
def test_a_root_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    KeyStore(tmp_path)
    (tmp_path / "root.key").chmod(0o644)
    with pytest.raises(RootKeyError, match="chmod 600"):
        KeyStore(tmp_path)


def test_a_key_without_purpose_is_refused(keys: KeyStore) -> None:
    with pytest.raises(ValueError, match="purpose"):
        keys.key("")


def test_no_secret_shows_in_the_representation(keys: KeyStore) -> None:
    assert keys.key("archive").hex() not in repr(keys)
    assert repr(keys).startswith("KeyStore(")


def test_the_public_key_is_written_as_pem(keys: KeyStore, tmp_path: Path) -> None:
    keys.write_public_key(tmp_path / "hub.pem")
    assert load_pem_public_key((tmp_path / "hub.pem").read_bytes()) == keys.public_key
