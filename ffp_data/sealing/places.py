"""Where a home keeps what belongs to seals."""

from __future__ import annotations

from pathlib import Path

from ffp_data.settings import Home


def custodian_file(home: Home) -> Path:
    """The custodian's public key."""
    return home.keys_dir / "custodian.pem"


def vault_folder(home: Home) -> Path:
    """Parts of the vault; readable with the custodian's private key alone."""
    return home.root / "vault"
