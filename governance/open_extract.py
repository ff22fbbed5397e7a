"""Stand-alone opener of sealed extracts: shares no code with the package that seals them.

It needs Python and `cryptography` only, so a recipient can run it from a copy of this one file:

    python open_extract.py FOLDER RECIPIENT.key HUB.pem OUT [PASSPHRASE-FILE]

FOLDER holds `extract.ffpx` and `manifest.json` as they were handed over; RECIPIENT.key is the private key
that `ffp extract keygen` made; HUB.pem holds the public keys that the hub signs with; OUT is a folder that
does not exist yet. Before anything is written the signatures of the hub, the hash of all sealed bytes and
the binding of key to manifest must hold. Exit status 0: opened; 1: refused, and nothing is left behind;
2: wrong use. The format is described in docs/sealed-extracts.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

CONTAINER, MANIFEST = "extract.ffpx", "manifest.json"
MAGIC, CONTEXT = b"FFPX0001", b"ffp-data sealed extract 1"
X25519, HYBRID = 1, 2
KEMS = {X25519: hpke.KEM.X25519, HYBRID: hpke.KEM.MLKEM768_X25519}
WRAPPED_BYTES = {X25519: 80, HYBRID: 1168}
ID_BYTES, SIGNATURE_BYTES, TAG_BYTES = 16, 64, 16
PREFIX_BYTES = len(MAGIC) + 1 + ID_BYTES
CHUNK_BYTES = 4 * 1024 * 1024
BLOCK = 1024 * 1024
PEM_BLOCK = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----\n?", re.DOTALL)
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*(/[A-Za-z0-9_][A-Za-z0-9_. -]*)*")


class RefusedError(Exception):
    """Why an extract does not open; tells nothing of what is in it."""


class RecipientKey:
    """A recipient's private key: X25519, or ML-KEM-768 and X25519 together."""

    def __init__(self, pem: bytes, passphrase: bytes | None = None) -> None:
        """Read the PEM blocks of one key; raise RefusedError."""
        try:
            keys: list[Any] = [
                load_pem_private_key(block, passphrase) for block in PEM_BLOCK.findall(pem)
            ]
        except (ValueError, TypeError):
            raise RefusedError("no private key, or a wrong passphrase") from None
        if _are(keys, X25519PrivateKey):
            self.suite, self.private = X25519, keys[0]
        elif _are(keys, MLKEM768PrivateKey, X25519PrivateKey):
            self.suite, self.private = HYBRID, hpke.MLKEM768X25519PrivateKey(*keys)
        else:
            raise RefusedError("not a recipient's private key, as `ffp extract keygen` makes it")
        public = b"".join(key.public_key().public_bytes_raw() for key in keys)
        self.id = hashlib.sha256(bytes([self.suite]) + public).digest()[:ID_BYTES]

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """Return what was wrapped to this key; raise RefusedError."""
        suite = hpke.Suite(KEMS[self.suite], hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
        try:
            return suite.decrypt(wrapped, self.private, info)
        except (InvalidTag, ValueError):
            raise RefusedError("the key of the extract does not open") from None


def _are(keys: list[Any], *kinds: type) -> bool:
    return len(keys) == len(kinds) and all(map(isinstance, keys, kinds))


def hub_keys(pem: bytes) -> list[Ed25519PublicKey]:
    """Return the hub's public keys from PEM; raise RefusedError when there is none."""
    try:
        keys = [load_pem_public_key(block) for block in PEM_BLOCK.findall(pem)]
    except ValueError:
        keys = []
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found or len(found) != len(keys):
        raise RefusedError("no Ed25519 public key of the hub")
    return found


def read_manifest(data: bytes, hub: list[Ed25519PublicKey]) -> dict[str, Any]:
    """Return what the hub signed in manifest.json; raise RefusedError when it did not."""
    try:
        envelope = json.loads(data)
        manifest, signature = envelope["manifest"], bytes.fromhex(envelope["signature"])
        said = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        sealed = manifest["sealed"]
        int(sealed["bytes"]), str(sealed["sha256"])
    except (ValueError, KeyError, TypeError):
        raise RefusedError(f"{MANIFEST}: not the manifest of a sealed extract") from None
    _require_signed(hub, signature, said.encode("utf-8"), MANIFEST)
    return dict(manifest)


def _require_signed(hub: list[Ed25519PublicKey], signature: bytes, said: bytes, name: str) -> None:
    for key in hub:
        try:
            return key.verify(signature, said)
        except InvalidSignature:
            continue
    raise RefusedError(f"{name}: altered, or not signed by this hub")


def open_extract(
    folder: Path, key: RecipientKey, hub: list[Ed25519PublicKey], out: Path
) -> dict[str, Any]:
    """Write the files of a sealed extract into the new folder ``out``; return its manifest.

    Raises RefusedError, and OSError from the disk; then nothing is left behind.
    """
    if out.exists():
        raise RefusedError(f"{out}: is there already; name a new folder")
    part = out.with_name(f".{out.name}.part")
    try:
        said = (folder / MANIFEST).read_bytes()
        manifest = read_manifest(said, hub)
        with (folder / CONTAINER).open("rb") as source:
            data_key = _data_key(source, said, key, hub)
            _require_hash(source, manifest["sealed"])
            part.mkdir(mode=0o700, parents=True)
            _unpack(Chunks(source, data_key), part)
        (part / MANIFEST).write_bytes(said)
        part.rename(out)
    except FileNotFoundError as error:
        raise RefusedError(f"{error.filename}: missing") from None
    except tarfile.TarError:
        raise RefusedError(f"{CONTAINER}: what was sealed is not an archive") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _data_key(
    source: BinaryIO, manifest: bytes, key: RecipientKey, hub: list[Ed25519PublicKey]
) -> bytes:
    """Read the header: whom the extract is for, under which manifest; return the key of its bytes."""
    prefix = source.read(PREFIX_BYTES)
    if len(prefix) != PREFIX_BYTES or not prefix.startswith(MAGIC):
        raise RefusedError(f"{CONTAINER}: not a sealed extract")
    if prefix[len(MAGIC) :] != bytes([key.suite]) + key.id:
        raise RefusedError(f"{CONTAINER}: sealed to another recipient's key")
    signature, wrapped = source.read(SIGNATURE_BYTES), source.read(WRAPPED_BYTES[key.suite])
    bound = CONTEXT + prefix + hashlib.sha256(manifest).digest()
    _require_signed(hub, signature, bound + wrapped, f"{CONTAINER} with this {MANIFEST}")
    return key.unwrap(wrapped, bound)


def _require_hash(source: BinaryIO, sealed: dict[str, Any]) -> None:
    """All bytes after the header must be those that the manifest names; the place stays as it was."""
    start, running, size = source.tell(), hashlib.sha256(), 0
    while block := source.read(BLOCK):
        running.update(block)
        size += len(block)
    if (size, running.hexdigest()) != (sealed["bytes"], sealed["sha256"]):
        raise RefusedError(f"{CONTAINER}: altered or cut")
    source.seek(start)


class Chunks:
    """Reads sealed chunks as one stream of plain bytes; a wrong, moved or missing chunk is refused."""

    def __init__(self, source: BinaryIO, key: bytes) -> None:
        """Begin at the first chunk, where ``source`` stands."""
        self._source, self._cipher = source, AESGCM(key)
        self._number, self._plain, self._at = 0, b"", 0
        self._coming = source.read(CHUNK_BYTES + TAG_BYTES)

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; none at the end."""
        if self._at == len(self._plain) and self._coming:
            self._open_next()
        found = self._plain[self._at : self._at + size]
        self._at += len(found)
        return found

    def _open_next(self) -> None:
        chunk, self._coming = self._coming, self._source.read(CHUNK_BYTES + TAG_BYTES)
        nonce = self._number.to_bytes(11, "big") + bytes([not self._coming])
        try:
            self._plain, self._at = self._cipher.decrypt(nonce, chunk, MAGIC), 0
        except InvalidTag:
            raise RefusedError(f"{CONTAINER}: altered or cut at chunk {self._number}") from None
        self._number += 1


def _unpack(stream: Chunks, folder: Path) -> None:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as archive:  # type: ignore[call-overload]
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            if content is None or not PLAIN_NAME.fullmatch(member.name):
                raise RefusedError(f"{CONTAINER}: holds something other than files")
            path = folder / member.name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as target:
                path.chmod(0o600)
                shutil.copyfileobj(content, target, BLOCK)
    while stream.read(BLOCK):
        pass  # what is behind the archive's end must be whole too


def main(arguments: list[str]) -> int:
    """Command line; see the module's text."""
    if len(arguments) not in (4, 5):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder, own, hub, out = map(Path, arguments[:4])
    try:
        secret = Path(arguments[4]).read_bytes().strip() if len(arguments) > 4 else None
        key = RecipientKey(own.read_bytes(), secret)
        manifest = open_extract(folder, key, hub_keys(hub.read_bytes()), out)
    except (RefusedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{out}: {manifest['agreement']} as at {manifest['as_at']}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
