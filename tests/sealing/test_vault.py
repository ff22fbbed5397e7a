"""Only the custodian's private key opens the vault, and it never lies in the hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffp_data.sealing.vault import Custodian, CustodianKey, Vault, VaultError

CONTENT = {"rows": ["P1,Ann,2015-01-02"], "feed": "health_csv"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("keys")
    CustodianKey.make().write(folder / "private.pem", folder / "public.pem", "a passphrase")
    return folder / "private.pem", folder / "public.pem"


def test_what_the_public_half_closes_the_private_half_opens(
    keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    name = Vault(tmp_path / "vault", Custodian.read(public)).put(CONTENT)
    part = tmp_path / "vault" / f"{name}.vault"
    assert CustodianKey.read(private, "a passphrase").open(part) == CONTENT
    assert b"Ann" not in part.read_bytes()
    assert part.stat().st_mtime % 86400 == 0, "the day, not the time"


def test_the_private_key_is_its_owner_s_and_needs_its_passphrase(keys: tuple[Path, Path]) -> None:
    private, public = keys
    assert private.stat().st_mode & 0o777 == 0o600
    assert CustodianKey.read(private, "a passphrase").public.fingerprint == (
        Custodian.read(public).fingerprint
    )
    for wrong in (None, "another"):
        with pytest.raises(VaultError, match="passphrase"):
            CustodianKey.read(private, wrong)


def test_another_key_and_a_changed_part_do_not_open(
    keys: tuple[Path, Path], tmp_path: Path
) -> None:
    private, public = keys
    vault = Vault(tmp_path, Custodian.read(public))
    part = tmp_path / (vault.put(CONTENT) + ".vault")
    with pytest.raises(VaultError, match="another key"):
        CustodianKey.make().open(part)
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)
    with pytest.raises(VaultError, match="changed"):
        CustodianKey.read(private, "a passphrase").open(part)


def test_a_key_is_never_written_over(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, _ = keys
    before = private.read_bytes()
    with pytest.raises(FileExistsError):
        CustodianKey.make().write(private, tmp_path / "public.pem", None)
    assert private.read_bytes() == before
    assert not (tmp_path / "public.pem").exists(), "no public half without its private half"


@pytest.mark.parametrize("text", ["", "no key at all", "-----BEGIN X-----\n-----END X-----\n" * 2])
def test_what_is_no_key_is_told_so(text: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(VaultError, match="public key"):
        Custodian.read(tmp_path / "file")
    with pytest.raises(VaultError, match="private key"):
        CustodianKey.read(tmp_path / "file")
