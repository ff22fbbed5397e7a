"""A sealed file gives back its bytes, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import seal as sealing
from governance.seal import SealBrokenError, open_sealed, read_sealed, seal

KEY = b"k" * 32
OVERHEAD = 16


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sealing, "CHUNK_BYTES", 64)
    return 64 + OVERHEAD


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 1000])
def test_what_was_sealed_is_what_opens(size: int, small_chunks: int, tmp_path: Path) -> None:
    content = bytes(number % 251 for number in range(size))
    (tmp_path / "in").write_bytes(content)
    seal(tmp_path / "in", tmp_path / "sealed", KEY)
    open_sealed(tmp_path / "sealed", tmp_path / "out", KEY)
    assert (tmp_path / "out").read_bytes() == content
    assert size < 4 or content not in (tmp_path / "sealed").read_bytes()


def test_sealing_twice_gives_different_bytes(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"the same delivery")
    seal(tmp_path / "in", tmp_path / "a", KEY)
    seal(tmp_path / "in", tmp_path / "b", KEY)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


@pytest.fixture
def sealed(small_chunks: int, tmp_path: Path) -> bytes:
    (tmp_path / "in").write_bytes(bytes(200))
    seal(tmp_path / "in", tmp_path / "sealed", KEY)
    return (tmp_path / "sealed").read_bytes()


def _refused(content: bytes, directory: Path, key: bytes = KEY) -> bool:
    (directory / "tampered").write_bytes(content)
    with pytest.raises(SealBrokenError):
        open_sealed(directory / "tampered", directory / "out", key)
    return not (directory / "out").exists()


def test_every_flipped_bit_is_noticed(sealed: bytes, tmp_path: Path) -> None:
    for place in range(len(sealed)):
        flipped = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        assert _refused(flipped, tmp_path)


def test_every_cut_is_noticed(sealed: bytes, tmp_path: Path) -> None:
    assert all(_refused(sealed[:length], tmp_path) for length in range(len(sealed)))


def test_swapped_dropped_doubled_and_added_chunks_are_noticed(
    sealed: bytes, small_chunks: int, tmp_path: Path
) -> None:
    header, body = sealed[:24], sealed[24:]
    chunks = [body[start : start + small_chunks] for start in range(0, len(body), small_chunks)]
    first, second, *rest = chunks
    for order in ([second, first, *rest], [first, *rest], [first, first, second, *rest]):
        assert _refused(header + b"".join(order), tmp_path)
    assert _refused(sealed + chunks[-1], tmp_path)


def test_a_wrong_key_opens_nothing(sealed: bytes, tmp_path: Path) -> None:
    assert _refused(sealed, tmp_path, key=b"w" * 32)


@settings(max_examples=30)
@given(content=st.binary(max_size=300))
def test_chunks_read_in_order_are_the_content(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("seal")
    (directory / "in").write_bytes(content)
    seal(directory / "in", directory / "sealed", KEY)
    assert b"".join(read_sealed(directory / "sealed", KEY)) == content
