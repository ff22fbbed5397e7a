"""Roles decide, the gate writes every answer down, tokens are kept as hashes and can be taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.access import (
    AccessDeniedError,
    Gate,
    Principal,
    Right,
    TokenBook,
    TokenError,
    load_roles,
)
from governance.keys import KeyStore
from governance.ledger import Ledger
from governance.policy import PolicyError
from governance.policy.model import DEMO_DIRECTORY
from governance.policy.shape import SCHEMA_DIRECTORY
from governance.policy.source import read_document
from governance.subjects import SubjectKeys
from tests.governance.keys_in_memory import KeysInMemory

CHILD = "0123456789ABC"


@pytest.fixture
def ledger(tmp_path: Path, keys: KeyStore) -> Ledger:
    return Ledger(tmp_path / "ledger", keys.signing_key)


@pytest.fixture
def subjects() -> SubjectKeys:
    return SubjectKeys(KeysInMemory([CHILD]), b"k" * 32)


@pytest.fixture
def gate(ledger: Ledger, subjects: SubjectKeys) -> Gate:
    return Gate(load_roles(), subjects, ledger.append)


def test_a_read_is_written_down_with_a_reference_and_never_the_identifier(
    gate: Gate, ledger: Ledger, subjects: SubjectKeys
) -> None:
    gate.read(Principal("asmith", "reviewer"), Right.HISTORY, subjects=[CHILD], reason="queue")
    (event,) = ledger.events()
    assert event["kind"] == "read"
    assert event["facts"] == {
        "who": "asmith",
        "role": "reviewer",
        "right": "history",
        "purpose": "identity_matching",
        "reason": "queue",
        "subjects": [subjects.reference(CHILD)],
    }
    assert CHILD not in json.dumps(event)


@pytest.mark.parametrize(
    ("role", "right", "reason"),
    [
        ("service", Right.HISTORY, "any"),
        ("practitioner", Right.DECIDE, "any"),
        ("practitioner", Right.IDENTIFY, "  "),
        ("nobody", Right.RESOLVE, "any"),
        ("", Right.RESOLVE, "any"),
    ],
)
def test_what_is_refused_is_written_down_too(
    gate: Gate, ledger: Ledger, role: str, right: Right, reason: str
) -> None:
    with pytest.raises(AccessDeniedError):
        gate.read(Principal("asmith", role), right, subjects=[CHILD], reason=reason)
    (event,) = ledger.events()
    assert event["kind"] == "access_refused"
    assert event["facts"]["why"]
    assert CHILD not in json.dumps(event)


def test_the_schema_names_exactly_the_rights_of_the_program() -> None:
    schema = json.loads((SCHEMA_DIRECTORY / "roles.schema.json").read_text("utf-8"))
    assert set(schema["$defs"]["rights"]["items"]["enum"]) == {right.value for right in Right}


def test_every_right_is_somebodys_and_every_purpose_is_in_the_register() -> None:
    roles = load_roles().by_id.values()
    purposes = read_document(DEMO_DIRECTORY, DEMO_DIRECTORY / "purposes.yaml").data["purposes"]
    assert frozenset().union(*(role.rights for role in roles)) == frozenset(Right)
    assert {role.purpose for role in roles} <= {each["id"] for each in purposes}


def test_no_role_that_reads_people_may_also_go_live_with_a_model_or_make_tokens() -> None:
    for role in load_roles().by_id.values():
        if Right.PERSON in role.rights:
            assert not role.rights & {Right.TOKENS, Right.MODEL_GO_LIVE, Right.EXPORT}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (
            "roles:\n  - {id: a, title: Any one, purpose: p, rights: [identify]}\n"
            "  - {id: a, title: Another, purpose: p, rights: []}",
            "roles",
        ),
        ("roles:\n  - {id: a, title: Any one, purpose: p, rights: [fly]}", "schema"),
        ("roles: []", "schema"),
    ],
)
def test_a_wrong_register_is_refused_with_its_line(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "roles.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError) as refused:
        load_roles(tmp_path)
    assert [(p.file, p.rule) for p in refused.value.problems] == [("roles.yaml", rule)]


def test_only_the_hash_of_a_token_is_on_disk(tmp_path: Path) -> None:
    book = TokenBook(tmp_path / "tokens.json")
    secret = book.make("asmith", "reviewer", load_roles(), timedelta(days=1))
    assert secret not in (tmp_path / "tokens.json").read_text("utf-8")
    found, why = book.find(secret)
    assert found is not None
    assert (found.principal, why) == (Principal("asmith", "reviewer"), None)
    assert book.find(secret[:-1])[1] == "unknown"


def test_a_token_ends_with_its_day_or_with_its_revocation(tmp_path: Path) -> None:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    book = TokenBook(tmp_path / "tokens.json", lambda: now)
    reader = TokenBook(tmp_path / "tokens.json", lambda: now + timedelta(hours=23))
    late = TokenBook(tmp_path / "tokens.json", lambda: now + timedelta(days=1))
    secret = book.make("asmith", "reviewer", load_roles(), timedelta(days=1))
    assert reader.find(secret)[1] is None
    assert late.find(secret)[1] == "expired"
    book.revoke("asmith")
    assert reader.find(secret)[1] == "revoked"


@pytest.mark.parametrize(
    ("role", "days"), [("king", 1), ("reviewer", 0), ("reviewer", 367), ("reviewer", 2)]
)
def test_a_token_is_refused_without_a_role_with_a_wrong_end_or_beside_another(
    tmp_path: Path, role: str, days: int
) -> None:
    book = TokenBook(tmp_path / "tokens.json")
    book.make("asmith", "reviewer", load_roles(), timedelta(days=1))
    with pytest.raises(TokenError):
        book.make("asmith", role, load_roles(), timedelta(days=days))


def test_what_has_no_token_in_force_cannot_be_revoked(tmp_path: Path) -> None:
    with pytest.raises(TokenError):
        TokenBook(tmp_path / "tokens.json").revoke("asmith")
