"""The limits of the gate as data, and whether what a candidate changes lies within them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from ffp_data.identity.model_store import ModelError
from ffp_data.settings import Home
from ffp_data.strict import Strict

FILE = "model_limits.yaml"


class Shares(Strict):
    merged: float = Field(ge=0, le=1)
    split: float = Field(ge=0, le=1)
    issued: float = Field(ge=0, le=1)


class Largest(Strict):
    records: int = Field(gt=1)
    growth: float = Field(ge=1)


class Fall(Strict):
    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)


class QualityLimits(Strict):
    fewest_people: int = Field(ge=1)
    fall: Fall
    fall_of_a_group: Fall


class ModelLimits(Strict):
    """The file `model_limits.yaml`; `shares` by kind of person: child, unborn, adult."""

    version: str
    shares: dict[str, Shares]
    always_allowed: int = Field(ge=0)
    largest_cluster: Largest
    more_clashes: int = Field(ge=0)
    quality: QualityLimits

    @property
    def digest(self) -> str:
        """SHA-256 (first digits) of what the limits say."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def read_limits(home: Home) -> ModelLimits:
    """The home's own limits, else the packaged ones; raises ModelError."""
    own = home.root / FILE
    packaged = Path(str(resources.files("ffp_data").joinpath("identity", FILE)))
    path = own if own.is_file() else packaged
    try:
        return ModelLimits.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise ModelError(path, f"not the limits of the gate: {error}", "correct it") from error


def breaches(gate: Mapping[str, Any], limits: ModelLimits) -> list[dict[str, Any]]:
    """What lies beyond a limit: rule, of (whom), value, limit, remedy; empty where nothing does."""
    return [*_changes(gate, limits), *_clusters(gate, limits), *_quality(gate, limits)]


def _breach(rule: str, of: str, value: float, limit: float, remedy: str) -> dict[str, Any]:
    return {"rule": rule, "of": of, "value": value, "limit": limit, "remedy": remedy}


def _changes(gate: Mapping[str, Any], limits: ModelLimits) -> Iterator[dict[str, Any]]:
    for kind, counts in sorted(gate["changes"].items()):
        shares = limits.shares.get(kind) or limits.shares["child"]
        for fate in ("merged", "split", "issued"):
            count, limit = counts[fate], getattr(shares, fate)
            share = count / max(1, counts["identifiers"])
            if count > limits.always_allowed and share > limit:
                remedy = "read the sample (ffp model sample); look at thresholds, vetoes and names"
                yield _breach(f"too_many_{fate}", kind, round(share, 6), limit, remedy)


def _clusters(gate: Mapping[str, Any], limits: ModelLimits) -> Iterator[dict[str, Any]]:
    now, then = (
        max((c["records"] for c in gate["largest"][w]), default=0) for w in ("now", "then")
    )
    if then > limits.largest_cluster.records:
        remedy = "a value that many share joins strangers: look at placeholders and blocking"
        yield _breach("cluster_too_large", "all", then, limits.largest_cluster.records, remedy)
    if then > max(now, 10) * limits.largest_cluster.growth:
        remedy = "see which records came together (ffp model sample)"
        most = max(now, 10) * limits.largest_cluster.growth
        yield _breach("largest_cluster_grows", "all", then, most, remedy)
    more = {
        reason: count - gate["clashes"]["now"].get(reason, 0)
        for reason, count in gate["clashes"]["then"].items()
    }
    for reason, count in sorted(more.items()):
        if count > limits.more_clashes:
            remedy = "the model contradicts decisions or numbers: look at its vetoes"
            yield _breach(f"more_clashes: {reason}", "all", count, limits.more_clashes, remedy)


def _quality(gate: Mapping[str, Any], limits: ModelLimits) -> Iterator[dict[str, Any]]:
    for row in gate["quality"]:
        whole = row["column"] == "all"
        fall = limits.quality.fall if whole else limits.quality.fall_of_a_group
        if row["people"] < limits.quality.fewest_people or row["now"] is None:
            continue
        limit = getattr(fall, row["measure"])
        lost = row["now"] - row["then"]
        if lost > limit:
            of = f"{row['labels']}: {row['column']} {row['group']}".strip()
            remedy = "this group would be linked worse: do not trade one group for another"
            yield _breach(f"{row['measure']}_falls", of, round(lost, 6), limit, remedy)
