"""Whether a ledger is whole: its chain, its checkpoints with their Merkle roots, and what others kept of it.

Judges bytes, not their meaning: what was hashed is what was written, to the last space. An edit
gives one finding with file and line. `governance/verify_ledger.py` does the same and shares no code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from governance.canonical import sha256_hex
from governance.journal_lines import journals, waiting
from governance.keys import Verifier
from governance.ledger_lines import (
    CHECKPOINTS_FILE,
    EVENTS_FILE,
    GENESIS,
    Checkpoint,
    lines_of,
    parsed_checkpoint,
    parts_of,
)
from governance.merkle import EMPTY, Tree

_LEAF, _BEGIN = b"\x00", b'{"event":'
_EVENT_AT, _EVENT_END = len(_BEGIN), -154
"""An event's bytes within its line: behind `{"event":`, before `,"hash":"…","previous":"…"}` and newline."""


@dataclass(frozen=True)
class LedgerProblem:
    """One finding of `verify`: file name, line (1-based; 0 for the whole file) and words.

    Of a witness, file is `witness` and line its place among those given.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """One line: file, line, finding."""
        return f"{self.file}:{self.line}: {self.message}"


@dataclass
class Chain:
    """What was found on the way through the events: how many, and last hash and root after those asked for."""

    count: int = 0
    heads: dict[int, str] = field(default_factory=lambda: {0: GENESIS})
    roots: dict[int, str] = field(default_factory=lambda: {0: EMPTY.hex()})


def verify_ledger(
    directory: Path, public_key: Verifier, witnesses: Sequence[Checkpoint] = ()
) -> list[LedgerProblem]:
    """Check chain, roots, checkpoints and witnesses of a ledger directory; return what disagrees."""
    problems: list[LedgerProblem] = []
    checkpoints = _read_checkpoints(directory / CHECKPOINTS_FILE, problems)
    at = {one.count for _, one in checkpoints} | {one.count for one in witnesses}
    chain = _follow(directory / EVENTS_FILE, at, problems)
    last = _verify_checkpoints(checkpoints, chain, problems)
    if last and not last.is_signed_by(public_key):
        problems.append(
            LedgerProblem(CHECKPOINTS_FILE, 0, "the last checkpoint's signature is wrong")
        )
    if (signed := last.count if last else 0) != chain.count:
        message = f"{chain.count} events, but the last checkpoint signs {signed}"
        problems.append(LedgerProblem(EVENTS_FILE, 0, message))
    for number, witness in enumerate(witnesses, start=1):
        if wrong := _wrong_with_witness(witness, chain, public_key):
            problems.append(LedgerProblem("witness", number, wrong))
    problems.extend(_verify_journals(directory, public_key))
    return problems


def _follow(path: Path, at: set[int], problems: list[LedgerProblem]) -> Chain:
    """Go through the events once; note every line that is wrong, and the root wherever one is asked for."""
    chain, tree, before = Chain(), Tree(), GENESIS.encode()
    links: list[bytes] = []  # own hashes since the last root
    for number, line in lines_of(path):
        event, tail = line[_EVENT_AT:_EVENT_END], line[_EVENT_END:]
        link = sha256(before + event)
        own = link.hexdigest().encode()
        is_right = tail == b',"hash":"%b","previous":"%b"}\n' % (own, before)
        if is_right and line.startswith(_BEGIN) and event.endswith(b',"number":%d}' % number):
            before = own
            links.append(link.digest())
        else:
            problems.append(LedgerProblem(path.name, number, _wrong_with(line, number, before)))
            before = _claimed(line)
            links.append(bytes.fromhex(before.decode()))
        chain.count = number
        if number in at:
            chain.heads[number] = before.decode()
            tree.extend([sha256(_LEAF + each).digest() for each in links])
            chain.roots[number] = tree.root().hex()
            links.clear()
    return chain


def _claimed(line: bytes) -> bytes:
    parts = parts_of(line)
    return parts[1].encode() if parts else b""


def _wrong_with(line: bytes, number: int, before: bytes) -> str:
    parts = parts_of(line)
    if parts is None or not line.endswith(b"\n"):
        return "not an event"
    event, own, previous = parts
    if previous.encode() != before:
        return "does not follow the line before it"
    if sha256_hex(before + event) != own:
        return "content does not give the recorded hash"
    return f"stands on line {number}, which is not its number"


def _read_checkpoints(path: Path, problems: list[LedgerProblem]) -> list[tuple[bytes, Checkpoint]]:
    """The checkpoints with the bytes of their lines; what is none is a finding."""
    found = []
    for number, line in lines_of(path):
        checkpoint = parsed_checkpoint(line)
        if checkpoint is None:
            problems.append(LedgerProblem(path.name, number, "not a checkpoint"))
        else:
            found.append((line, checkpoint))
    return found


def _verify_checkpoints(
    checkpoints: Sequence[tuple[bytes, Checkpoint]], chain: Chain, problems: list[LedgerProblem]
) -> Checkpoint | None:
    """Check the chain of checkpoints; the last signature covers those before it by the chain."""
    previous, last = GENESIS, None
    for number, (line, checkpoint) in enumerate(checkpoints, start=1):
        if wrong := _wrong_with_checkpoint(checkpoint, previous, last, chain):
            problems.append(LedgerProblem(CHECKPOINTS_FILE, number, wrong))
        previous, last = sha256_hex(line.rstrip(b"\n")), checkpoint
    return last


def _wrong_with_checkpoint(
    checkpoint: Checkpoint, previous: str, last: Checkpoint | None, chain: Chain
) -> str | None:
    if checkpoint.previous != previous:
        return "does not follow the checkpoint before it"
    if checkpoint.count <= (last.count if last else 0):
        return f"signs {checkpoint.count} events after {last.count if last else 0} were signed"
    if last and last.root and not checkpoint.root:
        return "has no root, though the one before it has"
    return _wrong_with_head(checkpoint, chain)


def _wrong_with_head(checkpoint: Checkpoint, chain: Chain) -> str | None:
    if not 0 <= checkpoint.count <= chain.count:
        return f"signs {checkpoint.count} events, but {chain.count} are there"
    if chain.heads[checkpoint.count] != checkpoint.head:
        return f"event {checkpoint.count} is not the one that was signed"
    if checkpoint.root and chain.roots[checkpoint.count] != checkpoint.root:
        return f"the first {checkpoint.count} events do not give the signed root"
    return None


def _wrong_with_witness(witness: Checkpoint, chain: Chain, public_key: Verifier) -> str | None:
    if not witness.is_signed_by(public_key):
        return "a witness was not signed by this hub"
    wrong = _wrong_with_head(witness, chain)
    return f"a witness {wrong}" if wrong else None


def _verify_journals(directory: Path, public_key: Verifier) -> Iterator[LedgerProblem]:
    for path in journals(directory):
        try:
            text = path.read_bytes()
        except FileNotFoundError:  # taken over meanwhile
            continue
        for one in waiting(path.name, text, public_key):
            if one.wrong:
                yield LedgerProblem(path.name, one.line, one.wrong)
