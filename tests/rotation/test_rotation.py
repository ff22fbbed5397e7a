"""New keys for old: all follow, nothing is lost, whatever it is cut off at."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature

from ffp_data.rotation import StoreUnreadableError, rotate
from ffp_data.settings import Home
from governance.keybook import derive, fingerprint
from governance.keys import (
    ROOT_KEY_VARIABLE,
    KeysInUseError,
    KeyStore,
    RootKeyError,
    RotationUnfinishedError,
)
from governance.ledger import Ledger
from governance.manifest import verify_files
from governance.pseudonym import pseudonym_key
from tests.rotation.homes import REPLACED, forge, left_behind, make, release_of, signed_by, told


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as clean:
        for name in (ROOT_KEY_VARIABLE, "FFP_HUB_URL"):
            clean.delenv(name, raising=False)
        return make(tmp_path_factory.mktemp("template") / "home").root


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Home:
    return Home(Path(shutil.copytree(template, tmp_path / "home")))


@pytest.mark.control("D03")
def test_every_store_is_under_a_new_key_and_holds_what_it_held(home: Home) -> None:
    before, old = told(home), KeyStore(home.keys_dir)
    was = {purpose: old.key(purpose) for purpose in REPLACED}
    steps: list[str] = []
    outcome = rotate(home, on_step=steps.append)
    assert told(home) == before
    new = KeyStore(home.keys_dir)
    assert new.opened.book.root == outcome.root != old.opened.book.root
    assert all(new.key(purpose) != key for purpose, key in was.items())
    assert new.public_key != old.public_key
    assert {"hub.db", "warehouse.duckdb", "children's keys", "book"} < set(steps)
    assert left_behind(home) == []


@pytest.mark.control("D03")
def test_the_old_root_opens_nothing_any_more_and_the_old_keys_are_not_there(home: Home) -> None:
    old = KeyStore(home.keys_dir).opened.root
    rotate(home)
    book = KeyStore(home.keys_dir).opened.book
    destroyed = [each for each in book.keys if each.state == "destroyed"]
    assert {each.name for each in destroyed} == {
        "hub",
        "models",
        "serving",
        "subjects",
        "warehouse",
    }
    assert all(each.wrapped is None for each in destroyed)
    (home.keys_dir / "root.key").write_bytes(base64.b64encode(old))
    with pytest.raises(RootKeyError, match=f"expected {book.root}, got {fingerprint(old)}"):
        KeyStore(home.keys_dir)


@pytest.mark.control("D03", "D04")
def test_what_the_old_key_signed_stays_good_and_what_it_signs_later_does_not(home: Home) -> None:
    thief = KeyStore(home.keys_dir)
    forged_before = forge(home, thief)
    rotate(home)
    keys = KeyStore(home.keys_dir)
    assert verify_files(release_of(home), keys.trusted) == []
    assert len(verify_files(forged_before, keys.trusted)) == 1
    retired = keys.opened.book.of("signing", "retired")[0]
    for count, is_good in ((retired.until, True), (retired.until + 1, False)):
        signature, data = signed_by(thief, {"count": count, "head": "0" * 64})
        if is_good:
            keys.trusted.verify(signature, data)
        else:
            with pytest.raises(InvalidSignature):
                keys.trusted.verify(signature, data)
    for statement in ({"recipient": "new"}, {"count": "x", "head": 1}):
        with pytest.raises(InvalidSignature):
            keys.trusted.verify(*signed_by(thief, statement))


@pytest.mark.control("D04")
def test_the_ledger_verifies_across_rotations_and_tells_of_them_without_a_secret(
    home: Home,
) -> None:
    for _ in range(2):
        rotate(home)
    keys = KeyStore(home.keys_dir)
    ledger = Ledger(home.ledger_dir, keys)
    assert ledger.verify() == []
    kinds = [event["kind"] for event in ledger.events()]
    assert kinds[-4:] == ["key_rotation_begun", "keys_rotated"] * 2
    shown = json.dumps([event["facts"] for event in ledger.events()])
    for line in keys.opened.book.keys:
        if line.wrapped:
            assert keys.opened.unwrapped(line).hex() not in shown
    assert keys.opened.root.hex() not in shown


@pytest.mark.control("B02", "D03")
def test_pseudonyms_stay_until_the_year_is_over_and_then_change(home: Home) -> None:
    def keys_of(years: tuple[str, ...]) -> list[bytes]:
        store = KeyStore(home.keys_dir)
        return [pseudonym_key(store, "a-team", "care", year) for year in years]

    before = keys_of(("2025", "2026", "2098", "2099"))
    (home.out / "extracts" / "a-team" / "2098-12-31").mkdir()
    rotate(home)
    after = keys_of(("2025", "2026", "2098", "2099"))
    assert after[:3] == before[:3]
    assert after[3] != before[3]
    rotate(home)
    assert keys_of(("2025", "2026", "2098")) == before[:3]


@pytest.mark.slow  # a process for each of some thirty kills
@pytest.mark.control("D03", "D11")
def test_killed_at_any_swap_of_a_file_a_second_rotation_ends_it_and_nothing_is_lost(
    template: Path, tmp_path: Path
) -> None:
    home = Home(Path(shutil.copytree(template, tmp_path / "control")))
    command = [
        sys.executable,
        "-m",
        "tests.rotation.killing",
        str(home.root),
        str(tmp_path / "work"),
    ]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    whole = {each["between"] for each in results if not each["died"]}
    assert len(whole) == 1, "a rotation that nobody kills tells what the home told"
    kills = [each for each in results if each["died"]]
    assert all(each["died"] == 9 for each in kills)
    assert {each["between"] for each in kills} <= {*whole, "unfinished"}
    assert sum(each["between"] == "unfinished" for each in kills) > 10
    good = {"told": whole.pop(), "left": [], "is_rotating": False, "next": []}
    assert [each for each in kills if each["after"] != good] == []


@pytest.mark.control("D03")
def test_while_a_rotation_is_not_done_everything_else_is_refused_with_the_remedy(
    home: Home,
) -> None:
    def stop(step: str) -> None:
        if step == "hub.db":
            raise KeyboardInterrupt

    before = told(home)
    with pytest.raises(KeyboardInterrupt):
        rotate(home, on_step=stop)
    with pytest.raises(RotationUnfinishedError, match="ffp keys rotate"):
        told(home)
    rotate(home)
    assert told(home) == before


@pytest.mark.control("D03")
def test_a_rotation_waits_for_nobody_and_names_who_to_stop(home: Home) -> None:
    before = told(home)
    program = (
        "import sys; from pathlib import Path; from governance.keys import KeyStore\n"
        "keys = KeyStore(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(home.keys_dir)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(KeysInUseError, match="stop it"):
            rotate(home, wait=0.2)
        other.communicate()
    assert told(home) == before
    rotate(home, wait=0.2)


@pytest.mark.control("D03")
def test_a_store_that_no_key_opens_stops_the_rotation_and_is_named(home: Home) -> None:
    kept = home.warehouse.read_bytes()
    before = told(home)
    with home.warehouse.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(4096))
    with pytest.raises(StoreUnreadableError, match=r"warehouse\.duckdb: neither .* restore it"):
        rotate(home)
    home.warehouse.write_bytes(kept)
    rotate(home)
    assert told(home) == before


@pytest.mark.control("D03")
def test_a_new_root_alone_rewraps_the_book_and_touches_no_store(home: Home) -> None:
    before, old = told(home), KeyStore(home.keys_dir)
    stores = {path: path.read_bytes() for path in (home.hub_file, home.warehouse)}
    rotate(home, root_only=True)
    new = KeyStore(home.keys_dir)
    assert new.opened.root != old.opened.root
    assert [new.key(purpose) for purpose in REPLACED] == [old.key(p) for p in REPLACED]
    assert told(home) == before
    assert home.warehouse.read_bytes() == stores[home.warehouse]


@pytest.mark.control("D03")
def test_a_root_in_the_environment_is_rotated_by_setting_a_second_one_beside_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = told(home), KeyStore(home.keys_dir).opened.root
    (home.keys_dir / "root.key").unlink()
    first, second = (base64.b64encode(each).decode() for each in (old, b"n" * 32))
    monkeypatch.setenv(ROOT_KEY_VARIABLE, first)
    with pytest.raises(RootKeyError, match="a space, and a new one"):
        rotate(home)
    assert told(home) == before
    monkeypatch.setenv(ROOT_KEY_VARIABLE, f"{first} {second}")
    rotate(home)
    monkeypatch.setenv(ROOT_KEY_VARIABLE, second)
    assert told(home) == before
    monkeypatch.setenv(ROOT_KEY_VARIABLE, first)
    with pytest.raises(RootKeyError, match="restore the root key"):
        KeyStore(home.keys_dir)


@pytest.mark.control("D03")
def test_a_home_from_before_the_book_follows_a_rotation(tmp_path: Path, home: Home) -> None:
    """Its purpose keys are its root: after a rotation none of those that stores are under is."""
    legacy = tmp_path / "legacy" / "keys"
    legacy.mkdir(parents=True)
    root = b"o" * 32
    (legacy / "root.key").write_bytes(base64.b64encode(root))
    (legacy / "root.key").chmod(0o600)
    (legacy / "root.id").write_text(fingerprint(root), "ascii")
    old = make(legacy.parent)
    before = told(old)
    assert KeyStore(legacy).key("warehouse/duckdb") == derive(root, "warehouse/duckdb")
    rotate(old)
    assert told(old) == before
    assert all(KeyStore(legacy).key(p) != derive(root, p) for p in REPLACED)
