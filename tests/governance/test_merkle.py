"""Merkle trees: the published roots, and proofs that hold for what is there and for nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import verify_ledger
from governance.merkle import (
    EMPTY,
    ProofImpossibleError,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)

# The leaves and roots that the reference implementation of Certificate Transparency tests itself with.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_the_published_roots_are_ours() -> None:
    tree = Tree()
    assert tree.root() == EMPTY
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.add(leaf_hash(bytes.fromhex(leaf)))
        assert tree.root().hex() == root


def test_a_tree_keeps_a_logarithm_of_its_leaves() -> None:
    tree = Tree()
    for number, leaf in enumerate(leaves(1000), start=1):
        tree.add(leaf)
        assert len(tree.peaks) == number.bit_count()
    assert tree.root() == root_of(leaves(1000))


@given(st.lists(st.integers(0, 20), max_size=8))
def test_leaves_give_the_same_tree_one_by_one_and_in_batches(sizes: list[int]) -> None:
    one_by_one, batches, every = Tree(), Tree(), leaves(sum(sizes))
    at = 0
    for size in sizes:
        batches.extend(every[at : at + size])
        at += size
    for leaf in every:
        one_by_one.add(leaf)
    assert one_by_one == batches


def hashes(count: int) -> list[str]:
    """What events hash to; the verifier makes leaves of them itself."""
    return [hashlib.sha256(b"event %d" % number).hexdigest() for number in range(count)]


def leaves_of(hashed: list[str]) -> list[bytes]:
    return [leaf_hash(bytes.fromhex(each)) for each in hashed]


def includes(root: bytes, count: int, index: int, event: str, proof: list[bytes]) -> bool:
    return verify_ledger.is_included(
        {
            "checkpoint": {"count": count, "root": root.hex()},
            "number": index + 1,
            "path": [each.hex() for each in proof],
        },
        event,
    )


def extends(before: bytes, earlier: int, root: bytes, count: int, proof: list[bytes]) -> bool:
    return verify_ledger.is_extension(
        {
            "earlier": {"count": earlier, "root": before.hex()},
            "later": {"count": count, "root": root.hex()},
            "path": [each.hex() for each in proof],
        }
    )


@given(st.integers(1, 70), st.data())
def test_an_inclusion_proof_holds_for_its_leaf_at_its_place_alone(
    count: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, count - 1))
    events = hashes(count)
    every, root = leaves_of(events), root_of(leaves_of(events))
    proof = inclusion_proof(every, index)
    assert len(proof) <= count.bit_length()
    assert includes(root, count, index, events[index], proof)
    other = data.draw(st.integers(0, count + 2))
    assert includes(root, count, other, events[index], proof) == (other == index)
    assert not includes(root, count, index, hashes(count + 1)[count], proof)
    assert not includes(root, count, index, events[index], [*proof, root])
    if proof:
        assert not includes(root, count, index, events[index], proof[:-1])
        assert not includes(root, count, index, events[index], proof[1:])


@given(st.integers(1, 70), st.data())
def test_a_consistency_proof_holds_between_its_two_trees_alone(
    count: int, data: st.DataObject
) -> None:
    earlier = data.draw(st.integers(1, count))
    every = leaves_of(hashes(count))
    before, root, proof = (
        root_of(every[:earlier]),
        root_of(every),
        consistency_proof(every, earlier),
    )
    assert extends(before, earlier, root, count, proof)
    forked = root_of([leaf_hash(b"forged"), *every[1:earlier]])
    assert not extends(forked, earlier, root, count, proof)
    assert not extends(before, earlier, leaf_hash(b"x"), count, proof)
    other = data.draw(st.integers(1, count))
    assert extends(before, other, root, count, proof) == (other == earlier)
    if proof:
        assert not extends(before, earlier, root, count, proof[:-1])


@given(st.integers(1, 70), st.data())
def test_the_verifier_sums_up_the_beginnings_of_a_list_alike(
    count: int, data: st.DataObject
) -> None:
    every = leaves(count)
    earlier = data.draw(st.integers(1, count))
    assert verify_ledger.Roots(every).over(earlier) == root_of(every[:earlier]).hex()


def test_what_is_not_there_is_not_proved() -> None:
    for impossible in (
        lambda: inclusion_proof(leaves(3), 3),
        lambda: consistency_proof(leaves(3), 4),
    ):
        with pytest.raises(ProofImpossibleError):
            impossible()
