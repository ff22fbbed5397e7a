"""Sealed extracts: they open whole, for their recipient, with their manifest, or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from governance import envelope, open_extract
from governance.container import (
    CONTAINER,
    HYBRID_SUITE,
    PREFIX_BYTES,
    SIGNATURE_BYTES,
    WRAPPED_BYTES,
    X25519_SUITE,
)
from governance.envelope import (
    SUITES,
    PublicKey,
    RecipientKeyError,
    make_key,
    seal_for,
)
from governance.manifest import MANIFEST, read_manifest, verify_files
from governance.open_extract import RecipientKey, RefusedError

HUB = Ed25519PrivateKey.generate()
FACTS = {"agreement": "DSA-007@3", "as_at": "2026-03-31", "recipient": "a-team"}
SMALL_CHUNK = 4096
FILES = {
    "children.parquet": secrets.token_bytes(3 * SMALL_CHUNK),
    "sheets/extract.xlsx": b"x" * 700,
}


@dataclass(frozen=True)
class Sealed:
    """A sealed extract of FILES and the key that opens it."""

    folder: Path
    key: RecipientKey

    @property
    def container(self) -> Path:
        return self.folder / CONTAINER

    def opened(self, **instead: object) -> dict[str, bytes]:
        """The files that come out; nothing may be left where they would lie when it is refused."""
        out = self.folder.with_name("opened")
        try:
            key = instead.get("key", self.key)
            open_extract.open_extract(self.folder, key, [HUB.public_key()], out)  # type: ignore[arg-type]
            return {
                path.relative_to(out).as_posix(): path.read_bytes()
                for path in out.rglob("*")
                if path.is_file() and path.name != MANIFEST
            }
        finally:
            left = sorted(each.name for each in self.folder.parent.glob("*opened*"))
            shutil.rmtree(out, ignore_errors=True)
            assert left in ([], ["opened"])

    def is_refused(self) -> bool:
        before = sorted(self.folder.parent.iterdir())
        with pytest.raises(RefusedError):
            self.opened()
        return sorted(self.folder.parent.iterdir()) == before


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks without megabytes; both sides have their own constant."""
    monkeypatch.setattr(envelope, "CHUNK_BYTES", SMALL_CHUNK)
    monkeypatch.setattr(open_extract, "CHUNK_BYTES", SMALL_CHUNK)


def sealed(folder: Path, suite: str = X25519_SUITE) -> Sealed:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    pem, public = make_key(suite)
    seal_for(public, folder, FACTS, HUB)
    return Sealed(folder, RecipientKey(pem))


@pytest.fixture(params=SUITES)
def extract(request: pytest.FixtureRequest, tmp_path: Path) -> Sealed:
    return sealed(tmp_path / "extract", request.param)


def flipped(path: Path, place: int, bit: int = 0) -> Iterator[None]:
    """Flip one bit of a file while the caller looks, then put it back."""
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        for changed in (byte ^ (1 << bit), byte):
            file.seek(place)
            file.write(bytes([changed]))
            file.flush()
            yield


@pytest.mark.control("D01")
def test_the_recipient_gets_every_file_as_it_was_and_the_folder_holds_no_other(
    extract: Sealed,
) -> None:
    assert extract.opened() == FILES
    assert sorted(path.name for path in extract.folder.iterdir()) == [CONTAINER, MANIFEST]
    told = (extract.folder / MANIFEST).read_text("utf-8")
    assert not any(hashlib.sha256(content).hexdigest() in told for content in FILES.values())


@pytest.mark.control("D01", "D02")
def test_one_flipped_bit_of_header_wrapped_key_or_signature_keeps_it_shut(extract: Sealed) -> None:
    suite = read_manifest(extract.folder, HUB.public_key())["sealed"]["suite"]
    header = PREFIX_BYTES + SIGNATURE_BYTES + WRAPPED_BYTES[suite]
    for place in range(header):
        flips = flipped(extract.container, place, place % 8)
        next(flips)
        assert extract.is_refused(), place
        next(flips)
    assert extract.opened() == FILES


@pytest.mark.control("D02")
def test_one_flipped_bit_of_the_manifest_keeps_it_shut(tmp_path: Path) -> None:
    extract = sealed(tmp_path / "extract")
    for place in range((extract.folder / MANIFEST).stat().st_size):
        flips = flipped(extract.folder / MANIFEST, place, place % 7)
        next(flips)
        assert extract.is_refused(), place
        next(flips)
    assert extract.opened() == FILES


@pytest.mark.control("D01")
def test_one_flipped_bit_of_the_sealed_bytes_keeps_it_shut(tmp_path: Path) -> None:
    extract = sealed(tmp_path / "extract")
    start = PREFIX_BYTES + SIGNATURE_BYTES + WRAPPED_BYTES[X25519_SUITE]
    size = extract.container.stat().st_size
    for place in [*range(start, size, 61), size - 1]:
        flips = flipped(extract.container, place, place % 8)
        next(flips)
        assert extract.is_refused(), place
        next(flips)


@pytest.mark.control("D01")
@pytest.mark.parametrize("hash_holds", [False, True], ids=["as found", "hash of the bytes forged"])
@pytest.mark.parametrize(
    "attack", ["cut", "cut at a chunk", "add", "swap", "repeat", "drop", "borrow"]
)
def test_cut_moved_repeated_or_borrowed_chunks_keep_it_shut(
    attack: str, hash_holds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once as found, and once as if the hash of all bytes held: chunks must refuse by themselves."""
    one, other = sealed(tmp_path / "a"), sealed(tmp_path / "b")
    start = PREFIX_BYTES + SIGNATURE_BYTES + WRAPPED_BYTES[X25519_SUITE]
    header, *chunks = _chunks(one.container.read_bytes(), start)
    _, *theirs = _chunks(other.container.read_bytes(), start)
    assert len(chunks) > 4
    last = chunks[-1]
    changed = {
        "cut": [*chunks[:-1], last[:-1]],
        "cut at a chunk": chunks[:-1],
        "add": [*chunks, last],
        "swap": [chunks[1], chunks[0], *chunks[2:]],
        "repeat": [chunks[0], chunks[0], *chunks[2:]],
        "drop": [chunks[0], *chunks[2:]],
        "borrow": [chunks[0], theirs[1], *chunks[2:]],
    }[attack]
    one.container.write_bytes(header + b"".join(changed))
    if hash_holds:
        monkeypatch.setattr(open_extract, "_require_hash", lambda *_: None)
    assert one.is_refused()


def _chunks(data: bytes, start: int) -> list[bytes]:
    size = SMALL_CHUNK + open_extract.TAG_BYTES
    return [data[:start], *(data[at : at + size] for at in range(start, len(data), size))]


@pytest.mark.control("D01")
def test_it_opens_for_no_other_recipient_and_with_no_other_manifest(tmp_path: Path) -> None:
    one, other = sealed(tmp_path / "a"), sealed(tmp_path / "b")
    with pytest.raises(RefusedError, match="another recipient"):
        one.opened(key=other.key)
    shutil.copy(other.folder / MANIFEST, one.folder / MANIFEST)
    assert one.is_refused()


@pytest.mark.control("D02")
def test_an_older_release_for_the_same_recipient_does_not_pass_for_a_newer_one(
    tmp_path: Path,
) -> None:
    pem, public = make_key(X25519_SUITE)
    releases = []
    for day in ("2026-03-31", "2026-06-30"):
        folder = tmp_path / day
        folder.mkdir()
        (folder / "children.parquet").write_bytes(day.encode())
        seal_for(public, folder, {**FACTS, "as_at": day}, HUB)
        releases.append(Sealed(folder, RecipientKey(pem)))
    old, new = releases
    shutil.copy(old.container, new.container)
    assert new.is_refused()
    shutil.copy(old.folder / MANIFEST, new.folder / MANIFEST)
    assert new.opened() == old.opened()  # both files of the old one: its manifest says its day


@pytest.mark.control("D02")
def test_what_another_hub_signed_is_refused(tmp_path: Path) -> None:
    pem, public = make_key(X25519_SUITE)
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "children.parquet").write_bytes(b"forged")
    seal_for(public, tmp_path / "extract", FACTS, Ed25519PrivateKey.generate())
    assert Sealed(tmp_path / "extract", RecipientKey(pem)).is_refused()


@pytest.mark.control("D13")
def test_a_key_of_the_hybrid_never_opens_what_was_sealed_without_mlkem(tmp_path: Path) -> None:
    """Downgrade: the X25519 half alone must not do, nor a header that claims the other suite."""
    pem, public = make_key(HYBRID_SUITE)
    half = PublicKey(X25519_SUITE, public.raw[-32:])
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "children.parquet").write_bytes(b"x")
    seal_for(half, tmp_path / "extract", FACTS, HUB)
    assert Sealed(tmp_path / "extract", RecipientKey(pem)).is_refused()


@pytest.mark.control("D13")
def test_a_recipient_with_a_hybrid_key_always_gets_the_hybrid(tmp_path: Path) -> None:
    for suite in SUITES:
        made = sealed(tmp_path / suite, suite)
        assert read_manifest(made.folder, HUB.public_key())["sealed"]["suite"] == suite


def test_the_hub_finds_a_changed_container_without_the_recipients_key(extract: Sealed) -> None:
    assert verify_files(extract.folder, HUB.public_key()) == []
    size = extract.container.stat().st_size
    for place in (0, PREFIX_BYTES, PREFIX_BYTES + SIGNATURE_BYTES, size - 1):
        flips = flipped(extract.container, place)
        next(flips)
        assert len(verify_files(extract.folder, HUB.public_key())) == 1, place
        next(flips)
    (extract.folder / "more.txt").write_text("x", "ascii")
    extract.container.unlink()
    assert len(verify_files(extract.folder, HUB.public_key())) == 2


@pytest.mark.control("D01", "D02")
@pytest.mark.parametrize("passphrase", [None, b"correct horse"])
def test_the_opener_works_from_a_copy_of_its_one_file(
    passphrase: bytes | None, tmp_path: Path
) -> None:
    pem, public = make_key(HYBRID_SUITE, passphrase)
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "children.parquet").write_bytes(b"x" * 10_000_000)
    with pytest.MonkeyPatch.context() as real_size:
        real_size.setattr(envelope, "CHUNK_BYTES", 4 * 1024 * 1024)
        seal_for(public, tmp_path / "extract", FACTS, HUB)
    shutil.copy(str(open_extract.__file__), tmp_path / "open_extract.py")
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "hub.pem").write_bytes(HUB.public_key().public_bytes(*form))
    (tmp_path / "recipient.key").write_bytes(pem)
    (tmp_path / "secret").write_bytes(b"correct horse\n")
    secret = ["secret"] if passphrase else []
    command = ["open_extract.py", "extract", "recipient.key", "hub.pem", "out", *secret]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    done = run()
    assert (done.returncode, done.stdout) == (0, "out: DSA-007@3 as at 2026-03-31\n")
    assert (tmp_path / "out" / "children.parquet").read_bytes() == b"x" * 10_000_000
    shutil.rmtree(tmp_path / "out")
    os.truncate(tmp_path / "extract" / CONTAINER, 6_000_000)
    done = run()
    assert (done.returncode, done.stderr) == (1, f"{CONTAINER}: altered or cut\n")
    assert not (tmp_path / "out").exists()


def test_a_wrong_passphrase_and_a_foreign_key_are_told_apart_from_damage() -> None:
    pem, _ = make_key(X25519_SUITE, b"right")
    for secret in (b"wrong", None):
        with pytest.raises(RefusedError, match="passphrase"):
            RecipientKey(pem, secret)
    two = make_key(X25519_SUITE)[0] * 2
    with pytest.raises(RefusedError, match="keygen"):
        RecipientKey(two)


@pytest.mark.parametrize("suite", SUITES)
def test_a_public_key_survives_its_line_of_text(suite: str) -> None:
    pem, public = make_key(suite)
    assert PublicKey.parse(f" {public.text}\n") == public
    assert RecipientKey(pem).id == public.id
    assert b"PRIVATE" in pem
    assert "PRIVATE" not in public.text


def _mistype(text: str) -> str:
    return text[:20] + ("A" if text[20] != "A" else "B") + text[21:]


@pytest.mark.parametrize(
    "spoil",
    [
        _mistype,
        lambda text: text[:-3],
        lambda text: text.replace("x25519", "mlkem768-x25519"),
        lambda text: text.partition(":")[2],
        lambda _: PublicKey(X25519_SUITE, bytes(32)).text,
        lambda _: "",
    ],
    ids=["mistyped", "cut", "another suite", "no suite", "a point of low order", "empty"],
)
def test_a_malformed_public_key_is_refused(spoil: Callable[[str], str]) -> None:
    _, public = make_key(X25519_SUITE)
    with pytest.raises(RecipientKeyError):
        PublicKey.parse(spoil(public.text))


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", ".ssh", "link"])
def test_a_hostile_archive_writes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only whoever has the hub's signing key could make one; the opener does not rely on that."""

    def write(target: BinaryIO, key: bytes, *_: object) -> dict[str, object]:
        sealer = envelope._Sealer(target, key)
        with tarfile.TarFile(fileobj=sealer, mode="w") as archive:  # type: ignore[arg-type]
            member = tarfile.TarInfo(name)
            member.type = tarfile.SYMTYPE if name == "link" else tarfile.REGTYPE
            member.linkname = "/etc/passwd" if name == "link" else ""
            archive.addfile(member)
        return sealer.finish()

    monkeypatch.setattr(envelope, "_write_body", write)
    made = sealed(tmp_path / "extract")
    with pytest.raises(RefusedError, match="other than files"):
        made.opened()
