"""The person models of a home: what each one is, which one is live, and who let it go live.

A model here is a file of rules and the parameters that were fitted with it, together: the same rules
with other parameters are another model. Its version is its name, its version and the first twelve
digits of the SHA-256 of both, which every run and event of the hub carries. `models/<digest>/` holds
the rules as they were read (with their tables of equivalents) and the fit, which lists names with
their counts and is therefore encrypted (AES-256-GCM); `models/live.json` names the live one and is
replaced in one step. Nothing here decides whether a model may go live: that is `model_gate`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import linkage
from ffp_data.settings import Home
from governance.files import fsync_directory, replacing, replacing_directory, sha256_of_file
from governance.keys import KeyStore
from linkage.equivalents import equivalents_path

MODELS, LIVE, RULES, FIT, GATE = "models", "live.json", "model.yaml", "fit.sealed", "gate.json"
CASES = "sample.sealed"
PURPOSE = "models/fit"
"""Which key of the home fits and samples are under."""
FIRST_FIT = "first fit: there was nothing to compare with"
_DIGITS = 12
_NONCE = 12


class ModelError(ValueError):
    """A model that may not be used, or that is not there: file, rule, remedy."""

    def __init__(self, file: Path | str, rule: str, remedy: str) -> None:
        super().__init__(f"{file}: {rule}; {remedy}")
        self.file, self.rule, self.remedy = str(file), rule, remedy


@dataclass(frozen=True)
class Live:
    """The live model of a home. ``configured`` is the digest of the file that the partnership
    names (or of the packaged one) as it was then, so that a later change of it is seen."""

    digest: str
    configured: str
    is_first_fit: bool
    by: str
    reason: str
    run_id: str | None = None
    before: str | None = None


@dataclass(frozen=True)
class KeptModel:
    """Rules and fit in one folder; ``digest`` is of both, ``rules_digest`` of the rules alone."""

    folder: Path
    model: linkage.Model
    fitted: linkage.Fitted
    digest: str
    rules_digest: str

    @property
    def version(self) -> str:
        """Name, version and digest: what runs and events carry."""
        return version_of(self.model, self.digest)


def version_of(model: linkage.Model, digest: str) -> str:
    """A model's name, version and digest in one text."""
    return f"{model.name} {model.version} {digest}"


def read_model(path: Path) -> linkage.Model:
    """A model file, checked once for each content that it has had; raises LinkageError."""
    try:
        content = path.read_bytes()
    except OSError:
        return linkage.Model.from_yaml(path)  # says what is wrong with it
    try:
        return _checked(content).model_copy(update={"path": path})
    except (linkage.LinkageError, yaml.YAMLError, TypeError):
        return linkage.Model.from_yaml(path)  # names the file


@lru_cache(maxsize=8)
def _checked(content: bytes) -> linkage.Model:
    return linkage.Model.from_dict(yaml.safe_load(content))


def rules_digest(model: linkage.Model) -> str:
    """SHA-256 (first digits) of what a model file says, tables included; comments do not count."""
    digest = hashlib.sha256(model.model_dump_json(exclude_defaults=True).encode())
    for table in sorted(model.equivalents):
        digest.update(equivalents_path(model, table).read_bytes())
    return digest.hexdigest()[:_DIGITS]


def file_digest(model: linkage.Model) -> str:
    """SHA-256 (first digits) of the very bytes of a model's file and tables."""
    digest = hashlib.sha256()
    for name, path in sorted(_files_of(model).items()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def _files_of(model: linkage.Model) -> dict[str, Path]:
    """Where the model's file and its tables lie, by the name that a copy of them gets."""
    assert model.path, "a model of a run comes from a file"
    tables = {name: equivalents_path(model, t) for t, name in model.equivalents.items()}
    for name in tables:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ModelError(model.path, f"table {name} lies elsewhere", "put it beside the model")
    return {RULES: model.path, **tables}


def model_digest(model: linkage.Model, fitted: linkage.Fitted) -> str:
    """SHA-256 (first digits) of rules and fitted parameters together."""
    both = f"{rules_digest(model)}\n{fitted.to_json()}"
    return hashlib.sha256(both.encode()).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class ModelStore:
    """The models of one home."""

    home: Home

    @property
    def folder(self) -> Path:
        return self.home.root / MODELS

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(KeyStore(self.home.keys_dir).key(PURPOSE))

    def keep(self, model: linkage.Model, fitted: linkage.Fitted) -> KeptModel:
        """Keep rules and fit; the same twice is one model. Its gate is that of before, if any."""
        digest = model_digest(model, fitted)
        folder = self.folder / digest
        if not folder.exists():
            files = _files_of(model)
            with replacing_directory(folder) as part:
                for name, path in files.items():
                    (part / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    shutil.copyfile(path, part / name)
                sums = {name: sha256_of_file(part / name) for name in sorted(files)}
                sealed = json.dumps({"files": sums, "fit": fitted.to_json()}).encode()
                (part / FIT).write_bytes(self._sealed(sealed, digest))
        return self.load(digest)

    def load(self, digest: str) -> KeptModel:
        """A model that was kept; raises ModelError."""
        folder = self._folder_of(digest)
        try:
            sealed = self.open_sealed((folder / FIT).read_bytes(), folder.name)
            held: dict[str, Any] = json.loads(sealed)
            sums = {name: sha256_of_file(folder / name) for name in held["files"]}
        except (OSError, InvalidTag, KeyError) as error:
            raise ModelError(
                folder, f"the model cannot be read ({type(error).__name__})", "restore the folder"
            ) from error
        if sums != held["files"]:
            raise ModelError(folder, "a file is not the one that was kept", "restore the folder")
        try:
            model = read_model(folder / RULES)
            fitted = linkage.Fitted.from_json(held["fit"], model, str(folder / FIT))
        except linkage.LinkageError as error:
            raise ModelError(folder, str(error), "make a new fit: ffp model try --refit") from error
        return KeptModel(folder, model, fitted, folder.name, rules_digest(model))

    def live(self) -> Live | None:
        """What is live, or None before the first fit."""
        try:
            return Live(**json.loads((self.folder / LIVE).read_text("utf-8")))
        except FileNotFoundError:
            return None

    def set_live(self, live: Live) -> None:
        """Make a kept model the live one, in one step."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with replacing(self.folder / LIVE) as file:
            file.write(json.dumps(asdict(live), indent=1, sort_keys=True).encode() + b"\n")

    def all(self) -> Iterator[str]:
        """Digests of every model that was kept, in order."""
        if self.folder.is_dir():
            yield from sorted(p.name for p in self.folder.iterdir() if (p / RULES).is_file())

    def write_gate(self, digest: str, gate: dict[str, Any]) -> Path:
        """Keep what the gate found of a model; no person's data is in it."""
        path = self.folder / digest / GATE
        with replacing(path) as file:
            file.write(json.dumps(gate, indent=1, sort_keys=True).encode() + b"\n")
        return path

    def gate(self, digest: str) -> dict[str, Any] | None:
        """What the gate last found of a model, or None."""
        try:
            found: dict[str, Any] = json.loads((self._folder_of(digest) / GATE).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return found

    def write_cases(self, digest: str, cases: list[dict[str, Any]]) -> None:
        """Keep the sample of people that a trial drew, encrypted."""
        with replacing(self.folder / digest / CASES) as file:
            file.write(self._sealed(json.dumps(cases).encode(), f"cases {digest}"))

    def cases(self, digest: str) -> list[dict[str, Any]]:
        """The sample of people of the last trial; raises ModelError where there is none."""
        folder = self._folder_of(digest)
        try:
            sealed = (folder / CASES).read_bytes()
        except FileNotFoundError:
            raise ModelError(folder, "no sample is kept", "ffp model try makes one") from None
        found: list[dict[str, Any]] = json.loads(self.open_sealed(sealed, f"cases {folder.name}"))
        return found

    def drop_samples(self) -> list[Path]:
        """Delete the samples of people, of every model; gives what was deleted.

        Whoever erases or seals an identity calls this: they hold names. `ffp model try` makes them
        anew.
        """
        pages = sorted(self.folder.glob(f"*/{CASES}"))
        for page in pages:
            page.unlink()
            fsync_directory(page.parent)
        return pages

    def _folder_of(self, digest: str) -> Path:
        """The folder of a digest or of its first digits."""
        found = [name for name in self.all() if digest and name.startswith(digest)]
        if len(found) != 1:
            known = ", ".join(self.all()) or "none"
            raise ModelError(
                self.folder / digest, "no such model is kept", f"one of: {known} (ffp model list)"
            )
        return self.folder / found[0]

    def _sealed(self, text: bytes, about: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text, about.encode())

    def open_sealed(self, sealed: bytes, about: str) -> bytes:
        """The bytes that `keep` encrypted; raises InvalidTag."""
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())


def rekey(path: Path, old: bytes, new: bytes) -> bool:
    """Put a fit or sample under another key, in one step; False when neither key opens it."""
    about = f"cases {path.parent.name}" if path.name == CASES else path.parent.name
    content = path.read_bytes()
    nonce, sealed = content[:_NONCE], content[_NONCE:]
    for key in (new, old):
        try:
            text = AESGCM(key).decrypt(nonce, sealed, about.encode())
        except InvalidTag:
            continue
        if key != new:
            fresh = os.urandom(_NONCE)
            with replacing(path) as file:
                file.write(fresh + AESGCM(new).encrypt(fresh, text, about.encode()))
        return True
    return False
