"""A withdrawal in words: what an officer reads in a minute, and the proof as signed data and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ffp_data.home.run import Run
from ffp_data.rights.hold import Kept
from ffp_data.withdrawal.compare import Difference
from ffp_data.withdrawal.prove import Compared, Proof
from ffp_data.withdrawal.simulate import Simulation, told
from governance.canonical import canonical_bytes, digest
from governance.files import sha256_of_file
from governance.keys import key_id
from governance.release import publish_documents

PROVED = "withdrawal_proved"
_COLUMNS_TOLD = 6


def simulation_lines(found: Simulation) -> Iterator[str]:
    """The simulation, a line each; what matters to a child first."""
    scope = found.scope
    yield f"{scope.versioned}: {scope.title}. Now {scope.status}; this tells what goes if it is {found.status}."
    if found.unprotected:
        yield (
            f"STOP: {found.unprotected:,} children are kept from being located by these records alone. Shield them"
            " first (ffp shield), or their address is shown from other sources."
        )
    if found.held:
        yield f"HELD: {held_in_words(found.held)}"
    yield from _lines_of_given(found)
    yield from _lines_of_outputs(found)
    yield from _lines_of_links(found)
    yield from _lines_of_releases(found)


def held_in_words(held: Kept) -> str:
    """What a hold makes of a withdrawal."""
    numbers = ", ".join(map(str, held.numbers))
    people = (
        "1 person with records of it is"
        if held.people == 1
        else f"{held.people:,} people with records of it are"
    )
    return (
        f"{people} held (by {numbers}: ffp hold list). Nothing of it is shown or"
        " given any more, and its rows are kept, shut out; the first run after the last hold is lifted removes them."
    )


def _lines_of_given(found: Simulation) -> Iterator[str]:
    if found.given:
        tables = ", ".join(f"{g.feed}.{g.table} ({len(g.columns)} columns)" for g in found.given)
        yield f"Lose their agreement: {tables}."


def _lines_of_outputs(found: Simulation) -> Iterator[str]:
    for heading, differences in (("In the hub", found.outputs), ("To recipients", found.extracts)):
        if differences:
            yield f"{heading}:"
            yield from (f"  {_in_words(each)}" for each in differences)
        elif found.scope.is_inbound:
            yield f"{heading}: nothing changes; others give the same, or nothing was given."


def _in_words(difference: Difference) -> str:
    parts = []
    if difference.only_home:
        parts.append(f"{difference.only_home:,} rows go")
    if difference.only_other:
        parts.append(f"{difference.only_other:,} rows come instead")
    if emptied := sum(difference.emptied.values()):
        parts.append(f"{emptied:,} values empty ({_most(difference.emptied)})")
    if changed := difference.cell_count - emptied:
        others = {c: n - difference.emptied.get(c, 0) for c, n in difference.cells.items()}
        parts.append(f"{changed:,} values are others' ({_most(others)})")
    if difference.children:
        parts.append(f"of {difference.children:,} people")
    return f"{difference.relation}: {', '.join(parts)}"


def _most(counts: Mapping[str, int]) -> str:
    ordered = sorted(((n, c) for c, n in counts.items() if n), key=lambda each: (-each[0], each[1]))
    words = [f"{column} {count:,}" for count, column in ordered[:_COLUMNS_TOLD]]
    more = len(ordered) - _COLUMNS_TOLD
    return ", ".join([*words, f"{more} more columns"] if more > 0 else words)


def _lines_of_links(found: Simulation) -> Iterator[str]:
    if links := found.links:
        yield (
            f"Links: {links.records:,} records and {links.pairs:,} compared pairs go. {links.losing:,} identifiers"
            f" keep other records; {links.parting:,} of them come apart, as only these records tied them."
        )
        yield (
            f"Identifiers: all stand. {links.alone:,} have no other record: they still resolve, and show nobody."
        )


def _lines_of_releases(found: Simulation) -> Iterator[str]:
    if found.withdrawn:
        yield f"Taken out of the hub: {', '.join(found.withdrawn)}."
    if not found.releases:
        yield "No release rests on it."
        return
    yield f"{len(found.releases):,} releases rest on it or may; their recipients must be told:"
    for each in found.releases:
        yield (
            f"  {each.recipient}, {each.purpose}, as at {each.as_at}, released {each.released_at[:10]},"
            f" {each.columns} columns, manifest {each.manifest[:16]}"
        )


def proof_lines(proof: Proof) -> Iterator[str]:
    """The outcome of a proof, a line each."""
    scope = proof.scope
    yield f"{scope.versioned}: {scope.title}. {scope.not_in_force}."
    yield (
        f"{'Proved' if proof.holds else 'NOT PROVED'}: {proof.cells:,} cells and {proof.rows:,} rows depend on it, in"
        f" {len(proof.tables)} tables compared with two rebuilds ({proof.seconds:.1f} s)."
    )
    yield from (f"  left: {failure}" for failure in proof.failures())
    if links := proof.links:
        yield (
            f"Links: of {links.touched:,} identifiers that its records had a part in, {links.supported:,} are held by"
            f" others, {links.in_review:,} are in review, {links.unsupported:,} by nothing."
        )
    if found := proof.identifiers:
        yield (
            f"Identifiers: {found.issued:,} issued, {found.lost:,} lost;"
            f" {found.without_record:,} stand without a record."
        )
    if scope.is_inbound and proof.poisoned_rows:
        again = f", of {proof.read_again:,} deliveries read again" if proof.read_again else ""
        yield f"Other values stood in {proof.poisoned_rows:,} rows{again}."
    elif scope.is_inbound:
        yield (
            "Nothing of it is stored, and no delivery of it lies in the landing folder (--landing): other values could"
            " not be tried, so this rests on the rebuild without its rows alone."
        )
    yield from (
        f"Stays: {copy.folder.name}, {copy.kind}; {copy.stays}"
        for copy in proof.copies
        if copy.stays
    )


def proof_data(run: Run, proof: Proof) -> dict[str, Any]:
    """The proof as plain data; nothing in it tells of a person, and nothing but `seconds` of the clock."""
    scope = proof.scope
    return {
        "agreement": scope.versioned,
        "title": scope.title,
        "status": scope.status,
        "not_in_force": scope.not_in_force,
        "policy": proof.policy,
        "as_at": run.as_at.isoformat(),
        "holds": proof.holds,
        "cells": proof.cells,
        "rows": proof.rows,
        "left": proof.failures(),
        "tables": [_table(each) for each in proof.tables],
        "links": vars(proof.links) if proof.links else None,
        "identifiers": vars(proof.identifiers) if proof.identifiers else None,
        "stored_and_shut_out": dict(proof.stored),
        "poisoned_rows": proof.poisoned_rows,
        "deliveries_read_again": proof.read_again,
        "columns_not_poisoned": list(proof.not_poisoned),
        "stays": {
            str(c.folder.relative_to(run.home.root)): c.stays for c in proof.copies if c.stays
        },
        "seconds": round(proof.seconds, 1),
    }


def _table(each: Compared) -> dict[str, Any]:
    return {
        "table": each.relation,
        "sha256": each.sha256,
        "without_its_rows": told(each.dropped) if each.dropped else "equal",
        "with_other_values": told(each.poisoned) if each.poisoned else (each.skipped or "equal"),
    }


def keep_proof(run: Run, proof: Proof) -> Path:
    """Write the proof, signed, under out/governance/withdrawals/ and into the ledger; the folder."""
    data = proof_data(run, proof)
    key = run.keys.signing_key
    signed = {
        "proof": data,
        "sha256": digest(data),
        "key_id": key_id(key.public_key()),
        "signature": key.sign(canonical_bytes(data)).hex(),
    }
    out = run.home.out / "governance" / "withdrawals" / proof.scope.agreement

    def write(part: Path) -> None:
        (part / "proof.json").write_text(json.dumps(signed, indent=1, sort_keys=True), "utf-8")
        (part / "proof.md").write_text(page(data, proof), "utf-8")

    publish_documents(
        write,
        title=f"Proof of withdrawal of {proof.scope.versioned}",
        as_at=run.as_at,
        out=out,
        keys=run.keys,
        ledger=run.ledger,
    )
    run.ledger.append(
        PROVED,
        agreement=proof.scope.agreement,
        holds=proof.holds,
        cells=proof.cells,
        rows=proof.rows,
        proof=sha256_of_file(out / "proof.json"),
    )
    return out


def page(data: Mapping[str, Any], proof: Proof) -> str:
    """The proof as Markdown."""
    lines = [
        f"# Withdrawal of {data['agreement']}",
        "",
        *(f"{line}\n" for line in proof_lines(proof)),
    ]
    lines += [
        "Each table of the hub was built anew twice: without the rows that the agreement gave, and with other values",
        "in their place. Equal to both means that nothing in it depends on the agreement.",
        "",
        "| table | without its rows | with other values | SHA-256 |",
        "| --- | --- | --- | --- |",
    ]
    for table in data["tables"]:
        words = [
            each if isinstance(each, str) else "DIFFERS"
            for each in (table["without_its_rows"], table["with_other_values"])
        ]
        lines.append(f"| {table['table']} | {' | '.join(words)} | {table['sha256'][:16]} |")
    lines += ["", f"Policy {data['policy']}, as at {data['as_at']}."]
    return "\n".join(lines) + "\n"
