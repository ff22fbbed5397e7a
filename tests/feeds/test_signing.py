"""A signed file comes in only as its own agency made it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ffp_data import feeds
from ffp_data.feeds import signing
from ffp_data.feeds.loading import Terms, load_on
from tests.feeds.conftest import CONTRACTS
from tests.feeds.samples import Landing, sample_row
from tests.feeds.test_drop import CASES, tables

EDUCATION = CONTRACTS["education_attendance"]
MARKS = EDUCATION.by_name["marks"]
KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

Change = Callable[[dict[str, Any]], object]


def pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture
def partner_keys(tmp_path: Path) -> Path:
    folder = tmp_path / "partner-keys"
    folder.mkdir()
    for agency in (EDUCATION.hub.agency, CASES.hub.agency):
        (folder / f"{agency}.pem").write_bytes(pem(KEY))
    return folder


def signed_feed(contract: feeds.Contract, how: str = "required") -> feeds.Contract:
    return contract.model_copy(
        update={"hub": contract.hub.model_copy(update={"signed": how})}, deep=True
    )


def deliver(landing: Landing, rows: int = 2) -> Path:
    return landing.rows(
        EDUCATION.id, "marks", [sample_row(EDUCATION, MARKS, n) for n in range(rows)]
    )


def load(landing: Landing, keys: Path | None, contract: feeds.Contract) -> feeds.DeliveryResult:
    (found,) = feeds.discover_feed(landing.folder, contract, CONTRACTS, landing.con)
    return load_on(landing.con, found, contract, Terms(known=CONTRACTS, partner_keys=keys))


def rule(result: feeds.DeliveryResult) -> str | None:
    return result.error.rule if result.error else None


@pytest.mark.parametrize("how", ["required", "optional"])
def test_a_file_that_its_agency_signed_comes_in(
    landing: Landing, partner_keys: Path, how: str
) -> None:
    signing.sign_as(deliver(landing), EDUCATION, KEY)
    assert load(landing, partner_keys, signed_feed(EDUCATION, how)).status == "loaded"


@pytest.mark.control("G03")
@pytest.mark.parametrize(
    ("how", "expected"), [("required", "unsigned"), ("optional", None), ("none", None)]
)
def test_an_unsigned_file_is_refused_only_where_the_contract_requires_it(
    landing: Landing, partner_keys: Path, how: str, expected: str | None
) -> None:
    deliver(landing)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION, how))) == expected


@pytest.mark.parametrize("how", ["required", "optional"])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda told: told.update(signature="AAAA"), "signature"),
        (lambda told: told.update(signature="no base64 é"), "signature"),
        (lambda told: told["manifest"].update(rows=3), "signature"),
        (lambda told: told["manifest"].update(extra=1), "signature"),
        (lambda told: told["manifest"].update(sha256="0" * 64), "signature"),
        (lambda told: told.pop("signature"), "signature"),
    ],
)
def test_a_manifest_that_was_changed_after_signing_is_refused(
    landing: Landing, partner_keys: Path, how: str, change: Change, expected: str
) -> None:
    side = signing.sign_as(deliver(landing), EDUCATION, KEY)
    told = json.loads(side.read_text("utf-8"))
    change(told)
    side.write_text(json.dumps(told), "utf-8")
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION, how))) == expected


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"{" * 5000, b" " * 70_000])
def test_what_is_no_signature_file_is_refused(
    landing: Landing, partner_keys: Path, content: bytes
) -> None:
    path = deliver(landing)
    path.with_name(path.name + ".sig").write_bytes(content)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "signature"


@pytest.mark.control("G03")
def test_a_signature_of_another_key_is_refused(landing: Landing, partner_keys: Path) -> None:
    signing.sign_as(deliver(landing), EDUCATION, OTHER_KEY)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "signature"


def test_while_a_key_is_changed_both_hold(landing: Landing, partner_keys: Path) -> None:
    (partner_keys / f"{EDUCATION.hub.agency}.pem").write_bytes(pem(OTHER_KEY) + pem(KEY))
    signing.sign_as(deliver(landing), EDUCATION, KEY)
    assert load(landing, partner_keys, signed_feed(EDUCATION)).status == "loaded"


def test_a_signature_in_the_name_of_another_agency_is_refused(
    landing: Landing, partner_keys: Path
) -> None:
    signing.sign(deliver(landing), "another-agency", 2, KEY)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "signed_other_agency"


def test_the_signature_of_another_file_is_refused(landing: Landing, partner_keys: Path) -> None:
    path = deliver(landing)
    side = signing.sign_as(path, EDUCATION, KEY)
    renamed = path.rename(path.with_name(path.name.replace("_001", "_002")))
    side.rename(renamed.with_name(renamed.name + ".sig"))
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "signed_other_file"


@pytest.mark.control("G03")
def test_a_file_that_was_changed_after_signing_is_refused(
    landing: Landing, partner_keys: Path
) -> None:
    signing.sign_as(deliver(landing), EDUCATION, KEY)
    deliver(landing, rows=3)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "changed_in_transit"


def test_another_number_of_rows_than_signed_is_refused(
    landing: Landing, partner_keys: Path
) -> None:
    signing.sign(deliver(landing), EDUCATION.hub.agency, 5, KEY)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "signed_rows"


@pytest.mark.parametrize("content", [None, b"", b"no key"])
def test_without_the_agencys_key_no_signature_holds(
    landing: Landing, partner_keys: Path, content: bytes | None
) -> None:
    key = partner_keys / f"{EDUCATION.hub.agency}.pem"
    key.unlink() if content is None else key.write_bytes(content)
    signing.sign_as(deliver(landing), EDUCATION, KEY)
    result = load(landing, partner_keys, signed_feed(EDUCATION))
    assert rule(result) == "no_partner_key"
    assert result.error is not None
    assert f"partner-keys/{EDUCATION.hub.agency}.pem" in result.error.remedy


def test_a_refused_file_comes_in_once_it_is_signed(landing: Landing, partner_keys: Path) -> None:
    path = deliver(landing)
    assert rule(load(landing, partner_keys, signed_feed(EDUCATION))) == "unsigned"
    signing.sign_as(path, EDUCATION, KEY)
    assert load(landing, partner_keys, signed_feed(EDUCATION)).status == "loaded"


def test_a_drop_is_signed_by_its_manifest(landing: Landing, partner_keys: Path) -> None:
    folder = landing.drop(tables())
    assert signing.sign_as(folder, CASES, KEY) == folder / "manifest.yaml.sig"
    assert load(landing, partner_keys, signed_feed(CASES)).status == "loaded"


def test_a_drop_whose_manifest_was_changed_is_refused(landing: Landing, partner_keys: Path) -> None:
    folder = landing.drop(tables())
    signing.sign_as(folder, CASES, KEY)
    landing.drop(tables(), signed_off_by="Somebody else")
    assert rule(load(landing, partner_keys, signed_feed(CASES))) == "changed_in_transit"


def test_a_key_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    for content in (
        b"no key",
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(feeds.FeedError, match="no_signing_key"):
            signing.read_private_key(path)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_a_signed_file_can_change(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("signed")
    (folder / f"{EDUCATION.hub.agency}.pem").write_bytes(pem(KEY))
    path = folder / "attendance_marks_999_20260401T030000Z_001.csv"
    path.write_bytes(b"school_urn,pupil_key\n100001,x\n")
    signing.sign(path, EDUCATION.hub.agency, 1, KEY)
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)
    delivery = feeds.delivery_at(path, EDUCATION, CONTRACTS)
    with pytest.raises(feeds.FeedError, match="changed_in_transit"):
        signing.verify(delivery, signed_feed(EDUCATION), folder)
