"""Signatures of agencies that sign: who sent this file, and is it the file that they sent?

Beside the file lies `<file>.sig` (beside a drop's manifest, `manifest.yaml.sig`): JSON with a small
manifest (name and SHA-256 of the file, its rows, the agency) and an Ed25519 signature over the canonical
JSON of that manifest (RFC 8032; keys sorted, no spaces, UTF-8). The agency's public keys lie in the
partnership's home as `partner-keys/<agency>.pem`; while an agency changes its key, the file holds both.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path

import duckdb
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import ConfigDict, Field, ValidationError

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.errors import FeedError
from ffp_data.feeds.file_facts import sha256
from ffp_data.feeds.landing import MANIFEST, SIGNATURE, Delivery, delivery_at
from ffp_data.feeds.reading import read_delivery
from ffp_data.feeds.stage import Staged
from ffp_data.strict import Strict
from governance.canonical import canonical_bytes

_LARGEST = 64 << 10
_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


class SignedManifest(Strict):
    """What the agency says it sent. `rows` counts records, without those that stand in lists of others."""

    model_config = ConfigDict(strict=True)

    agency: str
    file: str
    rows: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class _Signature(Strict):
    model_config = ConfigDict(strict=True)

    manifest: SignedManifest
    signature: str


def verify(
    delivery: Delivery, contract: Contract, partner_keys: Path | None
) -> SignedManifest | None:
    """What the agency signed, when the contract asks for it and all of it is true; None when unsigned.

    Raises FeedError: unsigned, signature, no_partner_key, signed_other_file, signed_other_agency,
    changed_in_transit.
    """
    if contract.hub.signed == "none" or delivery.problem is not None:
        return None
    target = _target(delivery.path)
    side = _beside(target)
    if not side.is_file():
        if contract.hub.signed == "optional":
            return None
        remedy = f"deliver {side.name} beside the file (ffp feeds sign makes it)"
        raise FeedError("unsigned", "the file is not signed", remedy, file=delivery.file_name)
    told = _read(side)
    keys = _public_keys(contract.hub.agency, partner_keys, side)
    if not any(_holds(key, told) for key in keys):
        message = f"no key of {contract.hub.agency} made this signature"
        remedy = "have the agency sign again with its own key"
        raise FeedError("signature", message, remedy, file=side.name)
    _compare(told.manifest, contract, target, delivery)
    return told.manifest


def check_rows(delivery: Delivery, signed: SignedManifest, staged: list[Staged]) -> None:
    """Raises FeedError signed_rows for another number of rows than was signed.

    A drop's own manifest, which is what was signed, says the rows of each table; and where an agreement
    lets only some tables in, the others are not counted.
    """
    is_whole = set(delivery.tables) == {one.table.name for one in staged}
    if delivery.tables and is_whole and _rows(staged) != signed.rows:
        raise FeedError(
            "signed_rows",
            f"the file has {_rows(staged)} rows, {signed.rows} were signed",
            "have the agency sign the file that it sends",
            file=delivery.file_name,
        )


def sign(path: Path, agency: str, rows: int, key: Ed25519PrivateKey) -> Path:
    """Writes the signature beside a file, or beside a drop's manifest; its path."""
    target = _target(path)
    manifest = SignedManifest(agency=agency, file=_name(target), rows=rows, sha256=sha256(target))
    signature = base64.b64encode(key.sign(canonical_bytes(manifest.model_dump()))).decode()
    side = _beside(target)
    told = _Signature(manifest=manifest, signature=signature)
    side.write_text(json.dumps(told.model_dump(), indent=2) + "\n", "utf-8")
    return side


def sign_as(path: Path, contract: Contract, key: Ed25519PrivateKey) -> Path:
    """Signs a delivery as the agency of the feed, with its rows counted under the contract.

    Raises FeedError when the hub would refuse the file.
    """
    delivery = delivery_at(path, contract, {contract.id: contract})
    with duckdb.connect(config={"temp_file_encryption": "true"}) as con:
        staged = read_delivery(con, delivery, contract, None, {})
    return sign(path, contract.hub.agency, _rows(staged), key)


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The agency's own key from a PEM file; raises FeedError no_signing_key."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise _no_signing_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_signing_key(path)
    return key


def _rows(staged: list[Staged]) -> int:
    return sum(one.delivered for one in staged if not one.table.explode)


def _target(path: Path) -> Path:
    """What is signed: a file, or the manifest of a drop, which names every other file by its hash."""
    return path / MANIFEST if path.is_dir() else path


def _beside(target: Path) -> Path:
    return target.with_name(target.name + SIGNATURE)


def _name(target: Path) -> str:
    return f"{target.parent.name}/{MANIFEST}" if target.name == MANIFEST else target.name


def _read(side: Path) -> _Signature:
    remedy = "have the agency sign the file again"
    try:
        if side.stat().st_size > _LARGEST:
            raise FeedError("signature", "too long for a signature", remedy, file=side.name)
        return _Signature.model_validate_json(side.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(str(step) for step in first["loc"]) or None
        raise FeedError("signature", first["msg"], remedy, file=side.name, column=column) from error


def _public_keys(agency: str, folder: Path | None, side: Path) -> list[Ed25519PublicKey]:
    path = folder / f"{agency}.pem" if folder else None
    blocks = _PEM.findall(path.read_bytes()) if path and path.is_file() else []
    try:
        keys = [load_pem_public_key(block) for block in blocks]
    except ValueError as error:
        raise _no_partner_key(agency, side) from error
    known = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not known:
        raise _no_partner_key(agency, side)
    return known


def _holds(key: Ed25519PublicKey, told: _Signature) -> bool:
    try:
        signature = base64.b64decode(told.signature, validate=True)
        key.verify(signature, canonical_bytes(told.manifest.model_dump()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _compare(told: SignedManifest, contract: Contract, target: Path, delivery: Delivery) -> None:
    if told.agency != contract.hub.agency:
        message = f"{told.agency} signed, the feed is of {contract.hub.agency}"
        remedy = "deliver the file to the feed of the agency that made it"
        raise FeedError("signed_other_agency", message, remedy, file=delivery.file_name)
    if told.file != _name(target):
        message = f"{told.file} was signed, not this file"
        remedy = "deliver the file under the name that was signed, with its own signature"
        raise FeedError("signed_other_file", message, remedy, file=delivery.file_name)
    if told.sha256 != sha256(target):
        message = "the file is not the one that was signed"
        remedy = "deliver the file and its signature again"
        raise FeedError("changed_in_transit", message, remedy, file=delivery.file_name)


def _no_partner_key(agency: str, side: Path) -> FeedError:
    message = f"no public Ed25519 key of {agency} is here"
    remedy = f"put the agency's key into partner-keys/{agency}.pem of the home"
    return FeedError("no_partner_key", message, remedy, file=side.name)


def _no_signing_key(path: Path) -> FeedError:
    message = "no Ed25519 private key in PEM"
    remedy = "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem"
    return FeedError("no_signing_key", message, remedy, file=path.name)
