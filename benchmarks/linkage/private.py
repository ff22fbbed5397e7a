"""Discovery from tokens beside the same model on clear records: quality, time, and what leaks.

Run: python benchmarks/linkage/private.py [--households N] [--write]. Quality on invented families
and on the Febrl sets; for the families also what the hub can read out of the tokens, for each way of
hardening. Thresholds of the shipped parameters were set on another sample (seed 1) than is measured
here. With --write the figures go to benchmarks/results/linkage_private.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

import linkage
from benchmarks.linkage import families, febrl
from benchmarks.linkage import private_attack as attack
from linkage.private import plan
from linkage.private.discover import match
from linkage.private.secret import Secret
from linkage.private.settings import Discovery
from linkage.private.tokenise import Keys, tokenise
from linkage.private.tokens import ID

ROOT = Path(__file__).parents[2]
TOKENS = ROOT / "ffp_data/identity/discovery_tokens.yaml"
FEBRL = Path(__file__).with_name("febrl_private.yaml")
RESULT = ROOT / "benchmarks/results/linkage_private.json"
SIZES = (150, 300, 600, 1_200, 2_500, 5_000, 10_000)
KNOWN = (0.03, 0.1)  # of a partner's records, matched and so sent in clear
LARGE = 12_500  # households: about 100,000 records
SECRET = Secret(b"a secret for a benchmark only...")
SEED = 7
GROUPS = 12  # salted groups attacked, the largest first
DAY, YEAR = "date_of_birth", {"date_of_birth": "year"}
MONTH_DAY = {"date_of_birth": "month_day"}
NAMES = ("given_name", "surname", "other_surname")
SEX = {"sex": DAY}
PLAIN = {"salt": SEX, "fold": False, "largest_group": 10**9}


def salted(*salts: Any) -> dict[str, Any]:
    """Names salted in these ways."""
    return PLAIN | {"salt": {**{name: list(salts) for name in NAMES}, **SEX}}


HARDENINGS: dict[str, dict[str, Any]] = {
    "shipped": {},
    "plain_filters": PLAIN,
    "folded": PLAIN | {"fold": True},
    "noise_2_percent": PLAIN | {"flip": 0.02, "exact_with_noise": 0.8},
    "salted_by_year": salted(YEAR),
    "salted_by_birthday": salted(MONTH_DAY),
    "salted_by_birthday_or_postcode": salted(MONTH_DAY, "postcode"),
}


def hardened(change: dict[str, Any]) -> Discovery:
    """The shipped parameters with a change."""
    content = yaml.safe_load(TOKENS.read_text(encoding="utf-8"))
    return Discovery.from_dict(content | change, TOKENS)


def figures(quality: dict[str, Any]) -> dict[str, Any]:
    """Precision, recall and F1, rounded."""
    return {
        m: {k: round(quality[m][k], 4) for k in ("precision", "recall", "f1")}
        for m in ("pairwise", "b_cubed")
    }


def clear(records: pa.Table, truth: pa.Table, model: linkage.Model) -> dict[str, Any]:
    """The model on clear records."""
    start = time.process_time()
    result = linkage.link(records, model)
    return figures(linkage.evaluate(result.clusters, truth)) | {
        "cpu_seconds": round(time.process_time() - start, 2)
    }


def private(parts: dict[str, pa.Table], truth: pa.Table, discovery: Discovery) -> dict[str, Any]:
    """The model on the tokens of each part."""
    start = time.process_time()
    tokens = [tokenise(t, discovery, SECRET, source) for source, t in parts.items()]
    tokenised = time.process_time()
    found = match(tokens, discovery)
    matched = time.process_time()
    keys, record = Keys(SECRET, discovery), discovery.linkage.record_id
    ids = {s: t[record].cast(pa.string()).to_pylist() for s, t in parts.items()}
    names = pa.table(
        {
            ID: [i for s, r in ids.items() for i in keys.record_ids(s, r)],
            "record_id": [i for r in ids.values() for i in r],
        }
    )
    clusters = found.clusters.join(names, ID).select(["record_id", "cluster_id"])
    return figures(linkage.evaluate(clusters, truth)) | {
        "tokenise_cpu_seconds": round(tokenised - start, 2),
        "match_cpu_seconds": round(matched - tokenised, 2),
        "bytes_per_record": round(sum(t.nbytes for t in tokens) / sum(t.num_rows for t in tokens)),
        "pairs_compared": found.report["pairs"]["compared"],
    }


def of_feeds(records: pa.Table) -> dict[str, pa.Table]:
    """Records by feed: each feed is a partner."""
    feeds = pc.unique(records["feed"]).to_pylist()
    return {f: records.filter(pc.equal(records["feed"], f)) for f in feeds}


def standard(records: pa.Table, column: str) -> list[str]:
    """A name as the model's steps leave it, nearly: what an attacker would do too."""
    lower = pc.utf8_lower(records[column].fill_null(""))
    return [str(v).replace("'", "").replace("-", " ") for v in lower.to_pylist()]


def leaks(records: pa.Table, public: pa.Table, discovery: Discovery) -> dict[str, Any]:
    """Share of one partner's attacked records whose value the attacks get right, by column."""
    tokens = tokenise(records, discovery, SECRET, "health")
    # Which record a token is of, to tell which guess is right; the attacker has nothing like it.
    ids = Keys(SECRET, discovery).record_ids("health", records["record_key"].to_pylist())
    row = {t: i for i, t in enumerate(tokens[ID].to_pylist())}
    tokens = tokens.take([row[i] for i in ids])
    names = {c: attacked(tokens, records, public, c, discovery) for c in ("given_name", "surname")}
    both = np.stack([names[c].pop("right") for c in names])
    return {
        **names,
        "both_names_by_pattern": round(float(both.all(axis=0).mean()), 4),
        **{c: counted(tokens, records, public, c) for c in ("date_of_birth", "postcode")},
    }


def attacked(
    tokens: pa.Table, records: pa.Table, public: pa.Table, column: str, discovery: Discovery
) -> dict[str, Any]:
    """What both attacks get right of a column of filters; of salted ones the largest groups only."""
    truth = np.array(standard(records, column), dtype=object)
    known = attack.Known.of([v for v in standard(public, column) if v])
    salts = discovery.settings.salt.get(column)
    name = plan.filter_name(column)
    sent = tokens[plan.salted_name(name, 0) if salts else name].combine_chunks()
    rows = np.flatnonzero(np.asarray(sent.is_valid()))
    raw = np.frombuffer(b"".join(sent.drop_null().to_pylist()), np.uint8)
    filters = raw.reshape(len(rows), -1)
    right = np.zeros(len(truth), dtype=bool)
    tried, by_count = 0, 0.0
    # The salt's token, which the hub sees; without a salt all records are one group.
    salt = tokens[plan.salt_name(salts[0])].fill_null(0).combine_chunks() if salts else None
    groups = (np.zeros(tokens.num_rows) if salt is None else np.asarray(salt))[rows]
    values, sizes = np.unique(groups, return_counts=True)
    for group in values[np.argsort(-sizes, kind="stable")][:GROUPS]:
        chosen = groups == group
        part = attack.vote(filters[chosen]) if discovery.settings.flip else filters[chosen]
        codes = np.unique(part, axis=0, return_inverse=True)[1].ravel()
        aligned = attack.by_frequency(codes, known)
        expected = truth[rows[chosen]]
        by_count += (np.array([aligned.get(c) for c in codes], object) == expected).sum()
        guess = np.array(attack.by_pattern(part, known, discovery.settings), object)
        right[rows[chosen]] = guess == expected
        tried += int(chosen.sum())
    return {
        "records_attacked": tried,
        "by_frequency": round(float(by_count) / tried, 4),
        "by_pattern": round(float(right.sum()) / tried, 4),
        "commonest_value_for_all": round(float((truth == known.values[0]).mean()), 4),
        "right": right,
    }


def counted(tokens: pa.Table, records: pa.Table, public: pa.Table, column: str) -> dict[str, Any]:
    """What counting alone gets right of a column of tokens."""
    truth = records[column].cast(pa.string()).to_pylist()
    known = attack.Known.of([v for v in public[column].cast(pa.string()).to_pylist() if v])
    token = np.asarray(tokens[f"value_{column}"].fill_null(0).combine_chunks())
    aligned = attack.by_frequency(token[token != 0], known)
    got = [aligned.get(t) == v for t, v in zip(token, truth, strict=True) if v]
    return {"by_frequency": round(sum(got) / len(got), 4)}


def by_size(records: pa.Table, public: pa.Table, fold: bool) -> dict[str, Any]:
    """What the pattern attack gets right of so many unsalted records."""
    order = np.random.default_rng(SEED).permutation(records.num_rows)
    result = {}
    for size in SIZES:
        some = records.take(pa.array(order[:size]))
        found = leaks(some, public, hardened(PLAIN | {"fold": fold, "smallest_domain": 0}))
        result[str(some.num_rows)] = {c: found[c]["by_pattern"] for c in ("given_name", "surname")}
    return result


def known_records(records: pa.Table, discovery: Discovery) -> dict[str, Any]:
    """Share of other records' tokens that are read once the hub knows some records in clear.

    That is so after every answer: whatever equals a known record's token is known too.
    """
    tokens = tokenise(records, discovery, SECRET, "health")
    names = [n for n in tokens.column_names if n.startswith(("value_", "filter_"))]
    order = np.random.default_rng(SEED).permutation(tokens.num_rows)
    result: dict[str, Any] = {}
    for share in KNOWN:
        some = round(share * len(order))
        known, others = tokens.take(pa.array(order[:some])), tokens.take(pa.array(order[some:]))
        result[str(share)] = {
            name: round(_share_in(others[name], known[name]), 4)
            for name in names
            if known[name].null_count < some
        }
    return result


def _share_in(values: pa.ChunkedArray, known: pa.ChunkedArray) -> float:
    there = values.drop_null()
    found = pc.is_in(there, known.drop_null().unique())
    return float(pc.sum(found).as_py() or 0) / max(1, len(there))


def of_febrl(number: int) -> dict[str, Any]:
    """A Febrl set, its originals one partner and its duplicates another."""
    records = febrl.records(number)
    truth, discovery = febrl.truth(records), Discovery.from_yaml(FEBRL)
    original = pc.match_substring(records["rec_id"], "-org")
    parts = {"org": records.filter(original), "dup": records.filter(pc.invert(original))}
    return {
        "records": records.num_rows,
        "clear_same_model": clear(records, truth, discovery.linkage),
        "plain_filters": private(parts, truth, discovery),
    }


def run(households: int) -> dict[str, Any]:
    """Everything, as plain data."""
    records, truth = families.make(households, SEED)
    public, _ = families.make(households, SEED + 100)
    public = public.filter(pc.equal(public["feed"], "health_fhir"))
    shipped = Discovery.from_yaml(TOKENS)
    parts = of_feeds(records)
    result: dict[str, Any] = {
        "machine": {"python": platform.python_version(), "processor": platform.machine()},
        "families": {
            "records": records.num_rows,
            "clear_same_model": clear(records, truth, shipped.linkage),
        },
    }
    for name, change in HARDENINGS.items():
        discovery = hardened(change)
        figure = private(parts, truth, discovery)
        figure["attacks"] = leaks(parts["health_fhir"], public, discovery)
        result["families"][name] = figure
        print(name, json.dumps(figure), flush=True)
    result["attack_by_records_under_one_salt"] = {
        name: by_size(parts["health_fhir"], public, fold)
        for name, fold in (("folded", True), ("not_folded", False))
    }
    result["read_when_some_records_are_known"] = {
        name: known_records(parts["health_fhir"], hardened(HARDENINGS[name]))
        for name in ("shipped", "plain_filters")
    }
    many, who = families.make(LARGE)
    large = private(of_feeds(many), who, shipped)
    result["families_large_shipped"] = {"records": many.num_rows} | large
    for number in (1, 2, 3, 4):
        result[f"febrl{number}"] = of_febrl(number)
        print(number, json.dumps(result[f"febrl{number}"]), flush=True)
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=3000)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    measured = run(args.households)
    text = json.dumps(measured, indent=2) + "\n"
    if args.write:
        RESULT.write_text(text, encoding="utf-8")
    else:
        print(text)
