"""One key for each child: what stands for them, what opens for them, and that destroying it erases."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from ffp_data.hub import Hub, HubKeys
from ffp_data.hub.database import create_engine
from ffp_data.hub.subject_key_models import SubjectKey
from governance.subjects import SubjectKeyError, SubjectKeys, UnknownSubjectError, kek_name
from tests.hub.conftest import hub_url, postgres_url
from tests.hub.stories import clusters, seeded_ids

__all__ = ["hub_url", "postgres_url"]  # fixtures: SQLite, and PostgreSQL where it is installed

KEK, NEW_KEK = b"k" * 32, b"n" * 32


@pytest.fixture
def engine(hub_url: str) -> Iterator[sa.Engine]:
    with Hub.open(hub_url, seeded_ids()) as hub:
        hub.apply_run("first", date(2026, 3, 31), "model", clusters("ann1 | bob1 | cat1 | dan1"))
    engine = create_engine(hub_url)
    yield engine
    engine.dispose()


@pytest.fixture
def children(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(sa.text("SELECT child_id FROM hub_person")))


@pytest.fixture
def keys(engine: sa.Engine) -> SubjectKeys:
    return SubjectKeys(HubKeys(engine), KEK)


@pytest.mark.control("D05")
def test_a_reference_is_the_childs_own_and_stays_the_same(
    engine: sa.Engine, keys: SubjectKeys, children: list[str]
) -> None:
    first = keys.references(children)
    assert all(len(bytes.fromhex(each)) == 16 for each in first)
    assert len(set(first)) == len(children)
    assert SubjectKeys(HubKeys(engine), KEK).references(children[::-1]) == first[::-1]
    assert keys.known(children) == dict(zip(children, first, strict=True))


def test_keys_are_made_once_for_all_who_lack_one(keys: SubjectKeys, children: list[str]) -> None:
    before = keys.reference(children[0])
    assert keys.ensure() == len(children) - 1
    assert keys.ensure() == 0
    assert keys.reference(children[0]) == before


def test_asking_for_what_is_known_makes_no_key(keys: SubjectKeys, children: list[str]) -> None:
    assert keys.known(children) == {}
    assert keys.ensure() == len(children)


def test_an_identifier_that_was_never_issued_gets_no_key(
    engine: sa.Engine, keys: SubjectKeys
) -> None:
    with pytest.raises(UnknownSubjectError):
        keys.reference("0000000000000")
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(SubjectKey)) == 0


@pytest.mark.control("C06", "D03")
def test_a_destroyed_key_opens_nothing_and_its_references_are_nobodys(
    engine: sa.Engine, keys: SubjectKeys, children: list[str]
) -> None:
    gone, stays = children[:2]
    closed = {child: keys.encrypt(child, b"a fact") for child in (gone, stays)}
    before = keys.known(children)
    assert keys.destroy(gone) == 1
    assert keys.destroy(gone) == 0
    with pytest.raises(UnknownSubjectError):
        keys.decrypt(gone, closed[gone])
    assert keys.decrypt(stays, closed[stays]) == b"a fact"
    assert keys.known(children) == {c: r for c, r in before.items() if c != gone}
    assert keys.reference(gone) != before[gone]  # were it issued still, it would be another
    with pytest.raises(SubjectKeyError):
        keys.decrypt(gone, closed[gone])


@pytest.mark.control("C06")
def test_no_byte_of_a_destroyed_key_stays_in_the_files_of_the_database(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    with Hub.open(url, seeded_ids()) as hub:
        hub.apply_run("first", date(2026, 3, 31), "model", clusters("ann1 | bob1"))
    engine = create_engine(url)
    keys = SubjectKeys(HubKeys(engine), KEK)
    keys.ensure()
    with engine.connect() as connection:
        rows = dict(connection.execute(sa.select(SubjectKey.child_id, SubjectKey.wrapped)).all())
    (gone, lost), (_, kept) = rows.items()
    keys.destroy(gone)
    engine.dispose()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert kept in left
    assert lost not in left


def test_what_was_encrypted_for_one_child_opens_for_no_other(
    keys: SubjectKeys, children: list[str]
) -> None:
    closed = keys.encrypt(children[0], b"a fact")
    keys.ensure()
    with pytest.raises(SubjectKeyError):
        keys.decrypt(children[1], closed)
    with pytest.raises(SubjectKeyError):
        keys.decrypt(children[0], closed[:-1] + bytes([closed[-1] ^ 1]))


def test_two_keys_that_changed_places_give_neither_childs_reference(
    engine: sa.Engine, keys: SubjectKeys, children: list[str]
) -> None:
    before = set(keys.references(children[:2]))
    store = HubKeys(engine)
    one, other = (store.read([child])[child] for child in children[:2])
    store.replace(one.kek, {children[0]: other, children[1]: one})
    assert not before & set(keys.references(children[:2]))


@pytest.mark.control("D03")
def test_a_rotation_changes_no_reference_and_goes_on_where_it_was_killed(
    engine: sa.Engine, keys: SubjectKeys, children: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, closed = keys.references(children), keys.encrypt(children[0], b"a fact")
    written, replace = [], HubKeys.replace

    def killed_at_the_third(store: HubKeys, kek: str, new: dict) -> None:  # type: ignore[type-arg]
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(sorted(new))
        replace(store, kek, new)

    monkeypatch.setattr(HubKeys, "replace", killed_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        keys.rewrap(KEK, NEW_KEK, batch=1)
    monkeypatch.setattr(HubKeys, "replace", replace)
    between = SubjectKeys(HubKeys(engine), NEW_KEK, former=[KEK])
    assert between.references(children) == before
    with pytest.raises(SubjectKeyError, match="not here"):
        SubjectKeys(HubKeys(engine), NEW_KEK).references(children)
    assert between.rewrap(KEK, NEW_KEK, batch=1) == len(children) - 2
    after = SubjectKeys(HubKeys(engine), NEW_KEK)
    assert after.references(children) == before
    assert after.decrypt(children[0], closed) == b"a fact"
    with pytest.raises(SubjectKeyError):
        keys.references(children)


def test_the_name_of_a_kek_is_not_the_kek() -> None:
    kek = secrets.token_bytes(32)
    assert kek_name(kek) not in kek.hex()
    assert kek_name(kek) != kek_name(NEW_KEK)
