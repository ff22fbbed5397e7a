"""Where the root key lies: environment, file or keyring, moved between them, and lost."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from governance.keybook import BOOK_FILE, fingerprint
from governance.keys import ROOT_KEY_VARIABLE, SOURCE_VARIABLE, KeyStore, RootKeyError
from governance.roots import source_of
from governance.rotation import begin, finish, move


class FileKeyring(KeyringBackend):
    """A backend of the keyring library that keeps its entries in one file."""

    priority = 1

    def __init__(self, path: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path

    def entries(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return found

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.path.write_text(json.dumps({**self.entries(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        left = self.entries()
        if left.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError(username)
        self.path.write_text(json.dumps(left))


@pytest.fixture(autouse=True)
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileKeyring]:
    for name in (ROOT_KEY_VARIABLE, SOURCE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    before, own = keyring.get_keyring(), FileKeyring(tmp_path / "system-keyring.json")
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


def key_of(keys_dir: Path) -> bytes:
    return KeyStore(keys_dir).key("warehouse/duckdb")


@pytest.mark.control("D03")
def test_a_home_can_have_its_root_in_the_systems_keyring_from_the_start(
    keys_dir: Path, backend: FileKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SOURCE_VARIABLE, "keyring")
    first = key_of(keys_dir)
    assert not (keys_dir / "root.key").exists()
    assert len(backend.entries()) == 1
    assert key_of(keys_dir) == first


@pytest.mark.control("D03")
def test_moving_the_root_changes_no_key_and_leaves_it_in_one_place(
    keys_dir: Path, backend: FileKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = key_of(keys_dir)
    text = (keys_dir / "root.key").read_text("ascii").strip()
    before, after = move(keys_dir, "keyring")
    assert (before, source_of(keys_dir).name) == (str(keys_dir / "root.key"), "keyring")
    assert text not in before + after
    assert not (keys_dir / "root.key").exists()
    assert list(backend.entries().values()) == [text]
    assert key_of(keys_dir) == first
    monkeypatch.setenv(ROOT_KEY_VARIABLE, text)
    move(keys_dir, "env")
    assert backend.entries() == {}
    assert key_of(keys_dir) == first
    move(keys_dir, "file")
    monkeypatch.delenv(ROOT_KEY_VARIABLE)
    assert (keys_dir / "root.key").stat().st_mode & 0o777 == 0o600
    assert key_of(keys_dir) == first


def test_the_root_moves_to_the_environment_only_if_it_is_there(
    keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = key_of(keys_dir)
    for other in (None, base64.b64encode(bytes(32)).decode()):
        if other:
            monkeypatch.setenv(ROOT_KEY_VARIABLE, other)
            monkeypatch.setenv(SOURCE_VARIABLE, "file")
        with pytest.raises(RootKeyError, match="set it to the root key"):
            move(keys_dir, "env")
        assert key_of(keys_dir) == first
    with pytest.raises(RootKeyError, match="lies there already"):
        move(keys_dir, "file")


def test_a_moved_home_says_itself_where_its_root_lies(
    keys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry's name is written down, so that a home that is renamed still finds it."""
    first = key_of(keys_dir)
    move(keys_dir, "keyring")
    keys_dir.parent.rename(tmp_path / "renamed")
    assert key_of(tmp_path / "renamed" / "keys") == first


@pytest.mark.control("D03")
def test_a_root_in_the_keyring_is_rotated_there(keys_dir: Path, backend: FileKeyring) -> None:
    old = KeyStore(keys_dir)
    move(keys_dir, "keyring")
    before = backend.entries()
    finish(begin(keys_dir, "2026-11-22", "2027"), 0, ())
    new = KeyStore(keys_dir)
    assert new.opened.root != old.opened.root
    assert new.key("warehouse/duckdb") != old.key("warehouse/duckdb")
    assert new.key("seal/filter") == old.key("seal/filter")
    (entry,) = backend.entries().values()
    assert entry not in before.values()


def _lost_root(keys_dir: Path) -> None:
    (keys_dir / "root.key").unlink()


def _other_root(keys_dir: Path) -> None:
    (keys_dir / "root.key").write_bytes(base64.b64encode(bytes(32)))


def _lost_book(keys_dir: Path) -> None:
    (keys_dir / BOOK_FILE).unlink()


def _older_book(keys_dir: Path) -> None:
    kept = (keys_dir / BOOK_FILE).read_bytes()
    finish(begin(keys_dir, "2026-11-22", "2027"), 0, ())
    (keys_dir / BOOK_FILE).write_bytes(kept)


def _changed_book(keys_dir: Path) -> None:
    path = keys_dir / BOOK_FILE
    path.write_bytes(path.read_bytes().replace(b'"until":0', b'"until":9', 1))


def _half_book(keys_dir: Path) -> None:
    path = keys_dir / BOOK_FILE
    path.write_bytes(path.read_bytes()[:200])


def _no_keyring(keys_dir: Path) -> None:
    move(keys_dir, "keyring")
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]


def _emptied_keyring(keys_dir: Path) -> None:
    move(keys_dir, "keyring")
    source_of(keys_dir).write([])


def _spoilt_setting(keys_dir: Path) -> None:
    (keys_dir / "source.json").write_text('{"source": "somewhere"}')


@pytest.mark.control("D03")
@pytest.mark.parametrize(
    ("lose", "told"),
    [
        (_lost_root, r"root\.key: no root key there.*restore the root key.*are lost"),
        (_other_root, "not the one this hub was made with.*restore the root key"),
        (_lost_book, r"keyring\.json: missing; restore it from its backup"),
        (_older_book, "not the one this hub was made with.*restore the root key"),
        (_changed_book, r"keyring\.json: changed by something other.*restore it"),
        (_half_book, r"keyring\.json: not a book of keys; restore it"),
        (_no_keyring, "does not answer.*unlock or install it.*FFP_ROOT_KEY_SOURCE=file"),
        (_emptied_keyring, "keyring entry.*no root key there.*restore"),
        (_spoilt_setting, r"source\.json: not a setting; restore it"),
    ],
)
def test_lost_or_wrong_keys_are_named_with_what_is_lost_and_what_to_do(
    lose: Callable[[Path], None], told: str, keys_dir: Path
) -> None:
    KeyStore(keys_dir)
    lose(keys_dir)
    files = {path: path.read_bytes() for path in keys_dir.iterdir() if path.is_file()}
    with pytest.raises(RootKeyError, match=told) as raised:
        KeyStore(keys_dir)
    assert {path: path.read_bytes() for path in files} == files, "nothing was made anew"
    for text in (files.get(keys_dir / "root.key", b"") or b"-").split():
        assert text.decode() not in str(raised.value) or text == b"-"


@pytest.mark.control("D03")
def test_no_secret_stands_in_the_book(keys_dir: Path) -> None:
    keys = KeyStore(keys_dir)
    said = (keys_dir / BOOK_FILE).read_bytes()
    for line in keys.opened.book.keys:
        secret = keys.opened.unwrapped(line)
        assert secret.hex().encode() not in said
        assert base64.b64encode(secret) not in said
    assert fingerprint(keys.opened.root).encode() in said
