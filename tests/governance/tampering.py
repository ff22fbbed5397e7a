"""Ways to tamper with a ledger: each takes a copy of its folder and a random source, and changes something.

`Forger` knows everything about the format and may write any file; it lacks the hub's signing key and
cannot change what others keep (the witness). What it does is drawn at random; a draw that changes nothing
is drawn again.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance import verify_ledger
from governance.canonical import canonical_bytes, sha256_hex
from governance.ledger import CHECKPOINTS_FILE, EVENTS_FILE, Checkpoint, Ledger
from governance.ledger_lines import GENESIS
from governance.ledger_tree import TREE_FILE
from governance.merkle import leaf_hash, root_of

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
FORGER = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
JOURNALS = ("reads-aaaa-00000000.journal", "reads-bbbb-00000003.journal")
_CACHES = {TREE_FILE, ".lock"}  # no part of the ledger: made anew when they do not fit

Tampering = Callable[[Path, "Case", random.Random], None]


@dataclass(frozen=True)
class Case:
    """The whole ledger, an older copy, a fork that the hub itself made of that, and what a recipient kept."""

    whole: Path
    older: Path
    fork: Path
    witness: Checkpoint

    def findings(self, folder: Path) -> tuple[list[str], list[str]]:
        """What the hub's own check and the stand-alone verifier say."""
        own = [str(each) for each in Ledger(folder, KEY).verify([self.witness])]
        return own, verify_ledger.verify(folder, KEY.public_key(), [self.witness.record])


def make_case(folder: Path) -> Case:
    """A ledger of batches of different sizes, with reads that wait in two journals."""
    ledger = Ledger(folder / "whole", KEY, clock=_ticking().__next__)
    for batch in range(4):
        _fill(ledger, batch)
    shutil.copytree(folder / "whole", folder / "older")
    shutil.copytree(folder / "whole", folder / "fork")
    for batch in range(4, 8):
        _fill(ledger, batch)
    for name, numbers in zip(JOURNALS, (range(1, 6), range(40, 44)), strict=True):
        lines = (_waiting(ledger, name.split("-")[1], number) for number in numbers)
        (folder / "whole" / name).write_bytes(b"".join(lines))
        (folder / "older" / name).write_bytes((folder / "whole" / name).read_bytes())
    forked = Ledger(folder / "fork", KEY, clock=_ticking(hours=1).__next__)
    for batch in range(4, 9):
        _fill(forked, batch)
    witness = ledger.last_checkpoint()
    assert witness is not None
    return Case(folder / "whole", folder / "older", folder / "fork", witness)


def _ticking(hours: int = 0) -> Iterator[datetime]:
    moment = datetime(2026, 3, 31, 9, tzinfo=UTC) + timedelta(hours=hours)
    while True:
        yield moment
        moment += timedelta(seconds=1)


def _fill(ledger: Ledger, batch: int) -> None:
    kinds = ("delivery_loaded", "read", "released")
    ledger.append_many(
        (kinds[row % 3], {"batch": batch, "manifest": sha256_hex(b"%d %d" % (batch, row))})
        for row in range(batch % 3 + 1)
    )


def _waiting(ledger: Ledger, name: str, number: int) -> bytes:
    return ledger.waiting_line(f"{name}:{number}", "2026-03-31T10:00:00Z", "read", {"n": number})


# Bytes and lines


def flip_a_bit(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_file(folder, draw)
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content) - 1 if path.suffix == ".journal" else len(content))
    content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(content))


def overwrite_some_bytes(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_signed(folder, draw)
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content))
    content[at : at + draw.randint(1, 40)] = draw.randbytes(draw.randint(1, 40))
    path.write_bytes(bytes(content))


def delete_a_line(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_file(folder, draw)
    lines = _lines(path)
    # the ends of a journal are not known to anybody but its process
    inner = range(1, len(lines) - 1) if path.suffix == ".journal" else range(len(lines))
    del lines[draw.choice(inner)]
    path.write_bytes(b"".join(lines))


def insert_a_line(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_file(folder, draw)
    lines = _lines(path)
    new = draw.choice([*_lines(_any_signed(folder, draw)), b"{}\n", b"\n", b"[]\n", b"null\n"])
    lines.insert(draw.randrange(len(lines) + 1), new)
    path.write_bytes(b"".join(lines))


def swap_two_lines(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_file(folder, draw)
    lines = _lines(path)
    one, two = draw.sample(range(len(lines)), 2)
    lines[one], lines[two] = lines[two], lines[one]
    path.write_bytes(b"".join(lines))


def swap_lines_between_files(folder: Path, _case: Case, draw: random.Random) -> None:
    one, two = folder / EVENTS_FILE, folder / CHECKPOINTS_FILE
    if draw.random() < 0.4:
        one, two = (folder / name for name in JOURNALS)
    first, second = _lines(one), _lines(two)
    here, there = draw.randrange(len(first)), draw.randrange(len(second))
    first[here], second[there] = second[there], first[here]
    one.write_bytes(b"".join(first))
    two.write_bytes(b"".join(second))


def move_a_block(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_signed(folder, draw)
    lines = _lines(path)
    start, end = sorted(draw.sample(range(len(lines) + 1), 2))
    block, rest = lines[start:end], lines[:start] + lines[end:]
    at = draw.randrange(len(rest) + 1)
    path.write_bytes(b"".join([*rest[:at], *block, *rest[at:]]))


def cut_the_tail(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_signed(folder, draw)
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def change_newlines(folder: Path, _case: Case, draw: random.Random) -> None:
    path = _any_signed(folder, draw)
    forms = (b"\r\n", b"\n\n", b" \n")
    path.write_bytes(path.read_bytes().replace(b"\n", draw.choice(forms), draw.randint(1, 3)))


# Fields, with the form kept


def edit_an_event(folder: Path, _case: Case, draw: random.Random) -> None:
    path = folder / EVENTS_FILE
    records = [json.loads(line) for line in _lines(path)]
    chosen = draw.choice(records)
    _change_a_field(draw.choice([chosen, chosen["event"]]), draw)
    path.write_bytes(b"".join(canonical_bytes(each) + b"\n" for each in records))


def edit_a_checkpoint(folder: Path, _case: Case, draw: random.Random) -> None:
    path = folder / CHECKPOINTS_FILE
    records = [json.loads(line) for line in _lines(path)]
    _change_a_field(draw.choice(records), draw)
    path.write_bytes(b"".join(canonical_bytes(each) + b"\n" for each in records))


def drop_a_root(folder: Path, _case: Case, draw: random.Random) -> None:
    path = folder / CHECKPOINTS_FILE
    records = [json.loads(line) for line in _lines(path)]
    del draw.choice(records)["root"]
    path.write_bytes(b"".join(canonical_bytes(each) + b"\n" for each in records))


def edit_a_waiting_read(folder: Path, _case: Case, draw: random.Random) -> None:
    path = folder / draw.choice(JOURNALS)
    records = [json.loads(line) for line in _lines(path)]
    _change_a_field(draw.choice(records), draw)
    path.write_bytes(b"".join(canonical_bytes(each) + b"\n" for each in records))


def rename_a_journal(folder: Path, _case: Case, draw: random.Random) -> None:
    """The reads of one process pass for those of another."""
    name = draw.choice(JOURNALS)
    (folder / name).rename(folder / f"reads-{draw.randbytes(2).hex()}-00000000.journal")


def _change_a_field(record: dict[str, object], draw: random.Random) -> None:
    name = draw.choice(sorted(record))
    value = record[name]
    if isinstance(value, int):
        record[name] = value + draw.choice([-1, 1, 7, 10_000])
    elif isinstance(value, str) and value:
        at = draw.randrange(len(value))
        record[name] = value[:at] + draw.choice("0123456789abcdef") + value[at + 1 :]
    else:
        record[name] = "x"


# Forgeries that know the whole format


def forge_the_tail(folder: Path, _case: Case, draw: random.Random) -> None:
    """Edit an event and chain all that follow anew; checkpoints stay."""
    events = [json.loads(line)["event"] for line in _lines(folder / EVENTS_FILE)]
    draw.choice(events)["kind"] = "nothing_to_see"
    _write_events(folder, events)


def forge_everything(folder: Path, _case: Case, draw: random.Random) -> None:
    """The same, and every checkpoint with its head and root is made anew, signed with another key."""
    events = [json.loads(line)["event"] for line in _lines(folder / EVENTS_FILE)]
    _change_a_field(draw.choice(events), draw)
    _write_checkpoints(folder, _write_events(folder, events), FORGER)


def forge_with_old_signatures(folder: Path, _case: Case, draw: random.Random) -> None:
    """The same, with the signatures that the hub once made."""
    signatures = [json.loads(line)["signature"] for line in _lines(folder / CHECKPOINTS_FILE)]
    events = [json.loads(line)["event"] for line in _lines(folder / EVENTS_FILE)]
    draw.choice(events)["kind"] = "nothing_to_see"
    _write_checkpoints(folder, _write_events(folder, events), None, signatures)


def sign_again_with_another_key(folder: Path, _case: Case, draw: random.Random) -> None:
    path = folder / CHECKPOINTS_FILE
    lines = _lines(path)
    keep = draw.randrange(len(lines))
    chained = lines[:keep]
    for line in lines[keep:]:
        previous = sha256_hex(chained[-1].rstrip(b"\n")) if chained else GENESIS
        unsigned = replace(Checkpoint.of(json.loads(line)), previous=previous)
        signature = FORGER.sign(canonical_bytes(unsigned.statement)).hex()
        chained.append(canonical_bytes(replace(unsigned, signature=signature).record) + b"\n")
    path.write_bytes(b"".join(chained))


def _write_events(folder: Path, events: list[dict[str, object]]) -> list[bytes]:
    lines, before = [], GENESIS
    for event in events:
        written = canonical_bytes(event)
        own = sha256_hex(before.encode() + written)
        lines.append(canonical_bytes({"event": event, "hash": own, "previous": before}) + b"\n")
        before = own
    (folder / EVENTS_FILE).write_bytes(b"".join(lines))
    return lines


def _write_checkpoints(
    folder: Path,
    lines: list[bytes],
    key: Ed25519PrivateKey | None,
    signatures: list[str] | None = None,
) -> None:
    path = folder / CHECKPOINTS_FILE
    hashes = [json.loads(line)["hash"] for line in lines]
    written, previous = [], GENESIS
    for number, line in enumerate(_lines(path)):
        old = Checkpoint.of(json.loads(line))
        made = replace(
            old,
            head=hashes[old.count - 1],
            root=root_of([leaf_hash(bytes.fromhex(h)) for h in hashes[: old.count]]).hex(),
            size=sum(map(len, lines[: old.count])),
            previous=previous,
        )
        sign = signatures[number] if signatures else ""
        signature = key.sign(canonical_bytes(made.statement)).hex() if key else sign
        written.append(canonical_bytes(replace(made, signature=signature).record))
        previous = sha256_hex(written[-1])
    path.write_bytes(b"".join(each + b"\n" for each in written))


# Whole stores


def cut_both_files_alike(folder: Path, _case: Case, draw: random.Random) -> None:
    """Everything after some checkpoint is gone, from both files: only a witness knows."""
    checkpoints = _lines(folder / CHECKPOINTS_FILE)
    keep = draw.randrange(1, len(checkpoints))
    last = Checkpoint.of(json.loads(checkpoints[keep - 1]))
    (folder / CHECKPOINTS_FILE).write_bytes(b"".join(checkpoints[:keep]))
    (folder / EVENTS_FILE).write_bytes((folder / EVENTS_FILE).read_bytes()[: last.size])


def restore_an_older_store(folder: Path, case: Case, draw: random.Random) -> None:
    _restore(folder, case.older, draw.choice([0, 1, 2]))


def restore_a_fork(folder: Path, case: Case, draw: random.Random) -> None:
    """A backup was put in place and the hub went on from it: all signatures are its own."""
    _restore(folder, case.fork, draw.choice([0, 1, 2]))


def take_a_file_away(folder: Path, _case: Case, draw: random.Random) -> None:
    (folder / draw.choice((EVENTS_FILE, CHECKPOINTS_FILE))).unlink()


def empty_the_store(folder: Path, _case: Case, draw: random.Random) -> None:
    for name in draw.choice([(EVENTS_FILE,), (CHECKPOINTS_FILE,), (EVENTS_FILE, CHECKPOINTS_FILE)]):
        (folder / name).write_bytes(b"")


def _restore(folder: Path, source: Path, which: int) -> None:
    """Both files, or one of them."""
    for name in [(EVENTS_FILE, CHECKPOINTS_FILE), (EVENTS_FILE,), (CHECKPOINTS_FILE,)][which]:
        shutil.copy(source / name, folder / name)


TAMPERINGS: tuple[Tampering, ...] = (
    flip_a_bit,
    overwrite_some_bytes,
    delete_a_line,
    insert_a_line,
    swap_two_lines,
    swap_lines_between_files,
    move_a_block,
    cut_the_tail,
    change_newlines,
    edit_an_event,
    edit_a_checkpoint,
    drop_a_root,
    edit_a_waiting_read,
    rename_a_journal,
    forge_the_tail,
    forge_everything,
    forge_with_old_signatures,
    sign_again_with_another_key,
    cut_both_files_alike,
    restore_an_older_store,
    restore_a_fork,
    take_a_file_away,
    empty_the_store,
)


def tampered(case: Case, folder: Path, number: int) -> Tampering:
    """Put tampering ``number`` into ``folder``: equal numbers give equal bytes. Returns which it was."""
    how = TAMPERINGS[number % len(TAMPERINGS)]
    draw = random.Random(number)
    original = contents(case.whole)
    folder.mkdir(exist_ok=True)
    while True:
        for left in folder.iterdir():
            left.unlink()
        for name, content in original.items():
            (folder / name).write_bytes(content)
        how(folder, case, draw)
        if contents(folder) != original:
            return how


def contents(folder: Path) -> dict[str, bytes]:
    """What counts as the ledger: every file but the caches."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name not in _CACHES}


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def _any_signed(folder: Path, draw: random.Random) -> Path:
    return folder / draw.choice((EVENTS_FILE, CHECKPOINTS_FILE))


def _any_file(folder: Path, draw: random.Random) -> Path:
    return folder / draw.choice((EVENTS_FILE, EVENTS_FILE, CHECKPOINTS_FILE, *JOURNALS))
