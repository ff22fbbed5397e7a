"""Writes drafts: a contract from a guess or after another feed's, and the agreement that it would need.

A draft is YAML with comments. What was guessed says so on its line; what only a person can say is
`TODO`, which `ffp feeds check` names by line until somebody has filled it in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from ffp_data.feeds.contract import Contract
from ffp_data.feeds.contract_table import Table
from ffp_data.feeds.infer import Column, infer_columns
from ffp_data.feeds.registry import TO_DO
from ffp_data.feeds.sample import Sample

MOST_KEYS = 8
"""Columns that are tried together as a key: of eight there are 92 ones, twos and threes."""

_TIME = re.compile(r"\d{8}(T\d{6}Z?)?([_-]\d+)?|\d{4}-\d{2}-\d{2}")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/]*( [A-Za-z0-9_/]+)*")
_NOT_TEXT = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}

_CONTRACT = """\
# {name}: a draft made from {file} ({rows} rows looked at). Lines that say "guess" were guessed: look at each.
# TODO is for a person; `ffp feeds check` names each one that is left.
apiVersion: v3.1.0
kind: DataContract
id: {id}
name: {title}
version: 0.1.0
status: draft
domain: {id}
description:
  purpose: "TODO: what the file tells, in a few words"
  limitations: "TODO: what it does not tell, and what must not be concluded from it"
hub:
  agency: TODO  # the organisation that sends it, as in policy/organisations.yaml
  system: {id}  # guess: the name of the agency's system; it becomes part of each record's key, so never change it
  agreement: TODO  # the agreement that lets it in, as in policy/agreements/
{service}
  format: {format}
{records}  encodings: [{encoding}]
  date_formats: [{dates}]
  promise: {{every: P7D, late_after: P10D}}  # guess: a week; how often is it promised, and when is it late?
schema:
  - name: records
    physicalName: {pattern}
    description: {title}
    grain: {grain}
    key: [{key}]{key_note}
    semantics: snapshot  # guess: each file is the whole list; delta when it holds changes alone
    record_key: [{record}]  # guess: the person's number in the agency's own system
    role: {role}  # guess: child, adult or unknown
{facts}    properties:
{properties}
"""

_AGREEMENT = """\
# A draft: what contract {feed} would need to be agreed. Each TODO is a decision of the parties, and so is each item:
# take out what is not needed. `ffp policy check` names what is still wrong.
id: DSA-{code}-01
version: 1
tier: 2
title: {title}
status: draft  # live when all have signed
inherits: TODO  # the charter that the parties have signed
direction: inbound
parties:
  - {{org: {agency}, role: controller, gives: true}}
  - {{org: TODO, role: controller, receives: true}}
purposes: [identity_matching, single_view]
benefits: "TODO: what gets better for children"
necessity: "TODO: why less would not do"
gateways: [TODO]
confidence_basis: TODO
lawful_basis: {{art6: e{article_9}, apd: TODO}}
regime: uk_gdpr
data_subjects:
  - "TODO: whose data"
items:
{items}
{excluded}rows: {{cohort: everyone_delivered, decision: bulk}}
frequency: TODO
method: TODO
format: TODO
access:
  - the hub's service account
retention: {{period: P1Y, from: the day the row last stood in a delivery, disposal: deleted from warehouse and archive}}
dpia: {{ref: TODO, version: 1, approved: TODO, residual_risk: TODO, dpo_advice: TODO}}
privacy_notice: TODO
starts: TODO
review: TODO
expires: TODO
on_withdrawal: delete_derived
signatures: []  # - {{org: ..., by: SIRO, on: 2026-01-31}}
"""

_WHY = {
    "operational": "keys and dates that join rows and say when they held",
    "direct_identifier": "recognise one person's records without guessing from names",
    "quasi_identifier": "tell people of like name apart, twins and siblings above all",
    "contact": "reach the family or the worker",
}


def contract_of_sample(sample: Sample, file_name: str, feed: str) -> str:
    """Text of a contract for files like the sample."""
    columns = infer_columns(sample)
    key = _key(sample, columns)
    record = next((c.name for c in columns if c.names_record), None) or ", ".join(key[:1])
    title = feed.replace("_", " ").capitalize()
    return _CONTRACT.format(
        name=title,
        file=file_name,
        rows=sample.rows,
        id=feed,
        title=_text(title),
        service=_service(feed, columns),
        format=sample.format,
        records=f"  records: {_text(sample.records)}  # guess\n" if sample.records else "",
        encoding="utf-8" if sample.encoding == "utf-8" else "utf-8, cp1252",
        dates=_dates(columns),
        pattern=_quoted(_TIME.sub("*", file_name)),
        grain=f'"one row per {" and ".join(key)}"  # guess'
        if key
        else f'"{TO_DO}: one row per what?"',
        key=", ".join(key) or columns[0].name,
        key_note="  # guess: told every row of the sample apart"
        if key
        else "  # nothing told rows apart",
        record=record or columns[0].name,
        role="child" if any("child" in c.name or c.person == "upn" for c in columns) else "unknown",
        facts=_facts(columns),
        properties="\n".join(
            _property(sample, c, {*(key or [columns[0].name]), record or columns[0].name})
            for c in columns
        ),
    )


def contract_like(text: str, contract: Contract, feed: str) -> str:
    """The text of another feed's contract, with what cannot be the same left to a person."""
    comment = f"  # as {contract.id}: same service? then keep it"
    changes = {
        r"^id: .*$": f"id: {feed}",
        r"^name: .*$": f"name: {_text(feed.replace('_', ' ').capitalize())}",
        r"^version: .*$": "version: 0.1.0",
        r"^status: .*$": "status: draft",
        r"^  agency: .*$": "  agency: TODO  # the organisation that sends it, as in policy/organisations.yaml",
        r"^  system: .*$": f"  system: {feed}  # guess: it becomes part of each record's key, so never change it",
        r"^  agreement: .*$": "  agreement: TODO  # the agreement that lets it in, as in policy/agreements/",
        r"^(  service: .*?)( *#.*)?$": rf"\1{comment}",
        r"^(    physicalName: .*?)( *#.*)?$": r"\1  # guess: how this agency's files are named",
    }
    for pattern, new in changes.items():
        text = re.sub(pattern, new, text, flags=re.MULTILINE)
    return f"# A draft after the contract of {contract.id}: see what differs. TODO is for a person.\n{text}"


def agreement_for(contract: Contract) -> str:
    """Text of the agreement that would let the whole contract in, free text left out."""
    kept = [(t, c, names) for t in contract.tables for c, names in _by_category(t)]
    items = [_item(contract.id, *one) for one in kept if one[1] != "free_text"]
    left = [(t, names) for t, category, names in kept if category == "free_text"]
    excluded = "".join(
        f"  - {{feed: {contract.id}, table: {t.name}, columns: [{', '.join(names)}], why: free text names anybody}}\n"
        for t, names in left
    )
    special = {"special_category", "safeguarding"} & {category for _, category, _ in kept}
    return _AGREEMENT.format(
        feed=contract.id,
        code=contract.id.upper().replace("_", "-"),
        title=_text(f"{contract.name} to the hub"),
        agency=contract.hub.agency,
        article_9=", art9: g, sch1: [18]" if special else "",
        items="\n".join(items),
        excluded=f"excluded:\n{excluded}" if excluded else "",
    )


def _by_category(table: Table) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for column in table.properties:
        found.setdefault(column.category, []).append(column.name)
    yield from found.items()


def _item(feed: str, table: Table, category: str, names: list[str]) -> str:
    why = _WHY.get(category, '"TODO: what it is needed for"')
    return (
        f"  - feed: {feed}\n    table: {table.name}\n    category: {category}\n"
        f"    columns: [{', '.join(names)}]\n    why: {why}"
    )


def _key(sample: Sample, columns: list[Column]) -> list[str]:
    """The fewest columns that tell every row of the sample apart, numbers before dates, never a name; may be none."""
    numbers = re.compile("(^|_)(id|no|number|ref|code)$")
    may = [
        c
        for c in columns
        if c.person in (None, "nhs_number", "upn")
        and c.type in ("string", "integer", "date", "timestamp")
        and c.category != "free_text"
        and None not in sample.columns[c.source]
    ]
    may.sort(
        key=lambda c: (
            not c.names_record,
            not numbers.search(c.name),
            c.type not in ("string", "integer"),
        )
    )
    for size in (1, 2, 3):
        for some in combinations(may[:MOST_KEYS], size):
            rows = list(zip(*(sample.columns[c.source] for c in some), strict=True))
            if rows and len(set(rows)) == len(rows):
                return [c.name for c in some]
    return []


def _dates(columns: Iterable[Column]) -> str:
    found = dict.fromkeys(form for column in columns for form in column.formats)
    return ", ".join(_quoted(form) for form in found or {"%Y-%m-%d": None})


def _service(feed: str, columns: list[Column]) -> str:
    line = f"service: {{name: {feed}, label: {feed.replace('_', ' ')}, precedence: 50}}"
    if _spell(columns):
        return f"  {line}  # guess: whom it speaks for in who works with the family"
    return f"  # {line}  # if it tells who works with the family"


def _spell(columns: Iterable[Column]) -> dict[str, str]:
    """The parts of a spell of work that the columns can be; none without a day on which it begins."""
    parts = {
        c.part: c.name
        for c in columns
        if c.part and (c.part not in ("since", "until") or c.type == "date")
    }
    return parts if "since" in parts else {}


def _facts(columns: list[Column]) -> str:
    parts = _spell(columns)
    if not parts:
        return ""
    spell = ", ".join(f"{part}: {name}" for part, name in parts.items())
    return (
        "    facts:  # guess: what a row means for the single view\n"
        '      # events: [{type: a_word, date: a_column, summary: "Words with {a_coded_column}"}]\n'
        f"      involvements: [{{{spell}}}]\n"
    )


def _property(sample: Sample, column: Column, keys: set[str]) -> str:
    parts = [f"name: {column.name}"]
    if sample.format == "csv" and column.source != column.name:
        parts.append(f"physicalName: {_text(column.source)}")
    parts.append(f"logicalType: {column.type}")
    parts += ["required: true"] if column.name in keys else []
    parts.append(f"category: {column.category}")
    if sample.format != "csv":
        parts.append(f"path: {_text(column.source)}")
    parts += [f"person: {column.person}"] if column.person else []
    parts += [f"codes: [{', '.join(map(_text, column.codes))}]"] if column.codes else []
    why = f"  # guess: {'; '.join(column.why)}" if column.why else ""
    return f"      - {{{', '.join(parts)}}}{why}"


def _text(text: str) -> str:
    """A YAML scalar that is this text, quoted where YAML would read it otherwise."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    """In double quotes, where YAML takes any character as its number: a header may hold what YAML forbids."""
    safe = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(safe)}"'


def feed_name(path: Path) -> str:
    """A feed's name from a file's: its words without times and numbers."""
    words = re.findall(r"[a-z][a-z0-9]*", _TIME.sub(" ", path.name.split(".")[0]).lower())
    return "_".join(words) or "new_feed"
