"""`ffp private`, from the making of the secret to the clear records of the matched children."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from ffp_data.cli.main import app
from ffp_data.settings import WAREHOUSE_FILE
from linkage.private.secret import Secret
from tests.linkage.private_town import PARAMETERS, town

MODEL = ("--model", str(PARAMETERS))


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A partner has no hub: the home is a folder that does not exist."""
    monkeypatch.setenv("FFP_HOME", str(tmp_path / "hub"))


def ffp(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["private", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "partners.secret"
    ffp("keygen", file)
    return file


@pytest.fixture
def records(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / f"{name}_records.csv" for name in town()[0]}
    for name, file in files.items():
        pyarrow.csv.write_csv(town()[0][name], file)
    return files


def test_partners_tokenise_the_hub_matches_and_only_matched_records_come_in_clear(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    for name, file in records.items():
        ffp("tokenise", file, *MODEL, "--secret", secret, "--out", tmp_path / f"{name}.parquet")
    hub = tmp_path / "matched"
    told = ffp("match", *(tmp_path / f"{n}.parquet" for n in records), *MODEL, "--out", hub)
    assert "health" in told
    assert not (tmp_path / "hub").exists()
    ffp("ask", hub, "--source", "health")
    clear = tmp_path / "clear.parquet"
    ffp("answer", records["health"], "--asked", hub / "ask_health.csv", *MODEL,
        "--secret", secret, "--source", "health", "--out", clear)  # fmt: skip
    sent = pq.read_table(clear)
    clusters = pq.read_table(hub / "clusters.parquet")
    assert 0 < sent.num_rows < town()[0]["health"].num_rows
    assert set(sent["token_id"].to_pylist()) <= set(clusters["token_id"].to_pylist())
    assert "given_name" in sent.column_names
    assert stat.S_IMODE(clear.stat().st_mode) == 0o600


def test_the_secret_is_random_for_its_owner_only_and_never_overwritten(
    tmp_path: Path, secret: Path
) -> None:
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    before = secret.read_text()
    assert "exists already" in ffp("keygen", secret, code=2)
    ffp("keygen", tmp_path / "other")
    assert secret.read_text() == before != (tmp_path / "other").read_text()


def test_a_secret_inside_a_hubs_home_is_refused(tmp_path: Path, records: dict[str, Path]) -> None:
    home = tmp_path / "hub"
    home.mkdir()
    assert "may never hold" in ffp("keygen", home / "partners.secret", code=2)
    assert list(home.iterdir()) == []


def test_a_secret_inside_any_folder_with_a_warehouse_is_refused(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    (tmp_path / WAREHOUSE_FILE).touch()
    out = tmp_path / "health.parquet"
    told = ffp("tokenise", records["health"], *MODEL, "--secret", secret, "--out", out, code=2)
    assert "may never hold" in told
    assert not out.exists()


def test_a_link_to_a_secret_in_a_hubs_home_is_refused_too(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    home = tmp_path / "hub"
    home.mkdir()
    secret.rename(home / "moved")
    secret.symlink_to(home / "moved")
    out = tmp_path / "health.parquet"
    ffp("tokenise", records["health"], *MODEL, "--secret", secret, "--out", out, code=2)
    assert not out.exists()


def test_a_secret_that_others_may_read_is_refused(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    secret.chmod(0o640)
    out = tmp_path / "health.parquet"
    told = ffp("tokenise", records["health"], *MODEL, "--secret", secret, "--out", out, code=2)
    assert "chmod 600" in told


@pytest.mark.parametrize("content", ["", "ffp-linkage-secret-1\nnot base64", "x" * 44, "\n" * 3])
def test_a_damaged_secret_is_refused_and_not_printed(
    tmp_path: Path, records: dict[str, Path], content: str
) -> None:
    bad = tmp_path / "bad.secret"
    bad.write_text(content)
    bad.chmod(0o600)
    told = ffp("tokenise", records["health"], *MODEL, "--secret", bad,
               "--out", tmp_path / "t.parquet", code=2)  # fmt: skip
    assert "damaged" in told
    assert not content.strip() or content not in told


def test_neither_the_secret_nor_a_name_is_in_what_is_written_or_printed(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    told = ""
    for name, file in records.items():
        told += ffp(
            "tokenise", file, *MODEL, "--secret", secret, "--out", tmp_path / f"{name}.parquet"
        )
    hub = tmp_path / "matched"
    told += ffp("match", *(tmp_path / f"{n}.parquet" for n in records), *MODEL, "--out", hub)
    told += repr(Secret.read(secret))
    written = b"".join(
        p.read_bytes() for p in [*hub.iterdir(), *(tmp_path / f"{n}.parquet" for n in records)]
    )
    body = secret.read_text().split()[1]
    assert body not in told
    assert body.encode() not in written
    assert not [v for v in set(town()[0]["health"]["nhs_number"].to_pylist()) - {None}
                if v.encode() in written]  # fmt: skip


def test_what_is_no_file_of_tokens_is_refused(tmp_path: Path, records: dict[str, Path]) -> None:
    plain = tmp_path / "plain.parquet"
    pq.write_table(town()[0]["health"], plain)
    assert "not a file that" in ffp("match", plain, plain, *MODEL, "--out", tmp_path / "o", code=2)
    told = ffp("match", records["health"], plain, *MODEL, "--out", tmp_path / "o", code=2)
    assert "cannot be read as a file of tokens" in told


def test_the_umask_does_not_open_a_secret(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ffp("keygen", tmp_path / "s")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


def test_a_line_that_cannot_be_read_is_refused_without_being_printed(
    tmp_path: Path, secret: Path
) -> None:
    broken = tmp_path / "broken.csv"
    lines = [
        "record_key,given_name,surname,other_surname,date_of_birth,sex,postcode,nhs_number,upn"
    ]
    lines += [f"{i},Martha,Abbott,,2015-03-02,F,XF1 1AA,," for i in range(30_000)]
    broken.write_text("\n".join([*lines, 'x,"Wetherby" Hidden,"Q']))
    told = ffp("tokenise", broken, *MODEL, "--secret", secret,
               "--out", tmp_path / "t.parquet", code=2)  # fmt: skip
    assert "cannot be read" in told
    assert "Wetherby" not in told


def test_a_source_whose_name_is_a_path_is_refused(
    tmp_path: Path, secret: Path, records: dict[str, Path]
) -> None:
    told = ffp("tokenise", records["health"], *MODEL, "--secret", secret, "--source", "../x",
               "--out", tmp_path / "t.parquet", code=2)  # fmt: skip
    assert "a source's name has" in told
