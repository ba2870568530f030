"""The Merkle tree: known vectors, and everything against the recursive definitions of RFC 6962 section 2.1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yiwang.core.kernel.errors import BadInput
from yiwang.core.ledger import (
    Frontier,
    complete_nodes,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The entries and roots of Certificate Transparency's reference implementation.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
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
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


# --- the definitions, word for word -----------------------------------------------------------------------------------


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return d[0]
    k = split(len(d))
    return node_hash(mth(d[:k]), mth(d[k:]))


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


# --- vectors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference_vectors(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "expected"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_inclusion_proofs_of_the_reference_vectors(index: int, size: int, expected: list[str]) -> None:
    assert [node.hex() for node in inclusion_proof(nodes=LEAVES, index=index, size=size)] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_proofs_of_the_reference_vectors(old: int, new: int, expected: list[str]) -> None:
    assert [node.hex() for node in consistency_proof(nodes=LEAVES, old_size=old, new_size=new)] == expected


# --- against the definitions ------------------------------------------------------------------------------------------

SIZES = range(1, 41)


@pytest.mark.parametrize("size", SIZES)
def test_every_inclusion_proof_of_small_trees(size: int) -> None:
    some = leaves(size + 3)
    whole = mth(some[:size])
    for index in range(size):
        proof = inclusion_proof(nodes=some, index=index, size=size)
        assert proof == path(index, some[:size])
        assert verify_inclusion(leaf=some[index], index=index, size=size, proof=proof, root=whole)


@pytest.mark.parametrize("new", SIZES)
def test_every_consistency_proof_of_small_trees(new: int) -> None:
    some = leaves(new)
    for old in range(new + 1):
        proof = consistency_proof(nodes=some, old_size=old, new_size=new)
        assert proof == (subproof(old, some, True) if old else [])
        assert verify_consistency(old_size=old, new_size=new, old_root=mth(some[:old]), new_root=mth(some), proof=proof)


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6))
def test_a_frontier_grown_in_any_parts_is_the_tree(parts: list[int]) -> None:
    some = leaves(sum(parts))
    frontier, nodes, at = Frontier(), dict[tuple[int, int], bytes](), 0
    for part in parts:
        nodes |= {(level, index): node for level, index, node in complete_nodes(frontier, some[at : at + part])}
        frontier = frontier.extend(some[at : at + part])
        at += part
        assert frontier.root() == mth(some[:at])
        assert Frontier.from_dict(json.loads(json.dumps(frontier.to_dict()))) == frontier
    assert nodes == {(8, i): mth(some[i * 256 : (i + 1) * 256]) for i in range(at // 256)}
    assert frontier.append(leaf_hash(b"one more")).root() == mth([*some, leaf_hash(b"one more")])


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That a leaf is at an index of a tree of that size and root."""

    leaf: bytes
    index: int
    size: int
    proof: list[bytes]
    root: bytes

    def holds(self) -> bool:
        return verify_inclusion(leaf=self.leaf, index=self.index, size=self.size, proof=self.proof, root=self.root)


@settings(deadline=None)
@given(st.data())
def test_no_changed_inclusion_proof_passes(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    some = leaves(size)
    right = Claim(
        leaf=some[index], index=index, size=size,
        proof=inclusion_proof(nodes=some, index=index, size=size), root=root(some),
    )  # fmt: skip
    assert right.holds()
    bad = bytes(32)
    wrong = [replace(right, leaf=bad), replace(right, root=bad), replace(right, proof=[*right.proof, bad])]
    wrong += [replace(right, index=size), replace(right, index=-1)]
    if size > 1:
        place = data.draw(st.integers(0, len(right.proof) - 1))
        proof = list(right.proof)
        proof[place] = bad
        other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        wrong += [replace(right, proof=proof), replace(right, proof=right.proof[:-1]), replace(right, index=other)]
    for claim in wrong:
        assert not claim.holds()


@settings(deadline=None)
@given(st.data())
def test_no_changed_consistency_proof_passes(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    some = leaves(new)
    proof = consistency_proof(nodes=some, old_size=old, new_size=new)
    before, after = root(some[:old]), root(some)

    def passes(*, old_root: bytes = before, new_root: bytes = after, proof: list[bytes] = proof) -> bool:
        return verify_consistency(old_size=old, new_size=new, old_root=old_root, new_root=new_root, proof=proof)

    assert passes()
    bad = bytes(32)
    place = data.draw(st.integers(0, len(proof) - 1))
    assert not passes(old_root=bad)
    assert not passes(new_root=bad)
    assert not passes(proof=[*proof[:place], bad, *proof[place + 1 :]])
    assert not passes(proof=proof[:-1])
    assert not passes(proof=[*proof, bad])
    changed = [*some[: old - 1], bad, *some[old:]]
    assert not passes(new_root=root(changed), proof=consistency_proof(nodes=changed, old_size=old, new_size=new))


def test_sizes_that_make_no_sense() -> None:
    with pytest.raises(BadInput, match="Leaf 3"):
        inclusion_proof(nodes=leaves(3), index=3, size=3)
    with pytest.raises(BadInput, match="beginning"):
        consistency_proof(nodes=leaves(3), old_size=3, new_size=2)
    with pytest.raises(BadInput, match="not all there"):
        inclusion_proof(nodes=leaves(3), index=0, size=5)
    with pytest.raises(BadInput, match="peaks"):
        Frontier(size=3, peaks=())
    with pytest.raises(BadInput, match="cannot be read"):
        Frontier.from_dict({"size": 1, "peaks": ["zz"]})
    assert not verify_consistency(old_size=3, new_size=2, old_root=b"", new_root=b"", proof=[])
    assert verify_consistency(old_size=0, new_size=5, old_root=root([]), new_root=root(leaves(5)), proof=[])


# --- stored nodes -----------------------------------------------------------------------------------------------------


class Store:
    """Leaves and the nodes of stored levels, as a database would hold them."""

    def __init__(self, some: list[bytes], *, without: int = 99) -> None:
        self.levels = {0: some}
        for level, index, node in complete_nodes(Frontier(), some):
            if level < without:
                self.levels.setdefault(level, []).append(node)
                assert len(self.levels[level]) == index + 1
        self.root = root(some)

    def __call__(self, level: int, start: int, stop: int) -> Sequence[bytes] | None:
        return self.levels[level][start:stop] if level in self.levels else None


@pytest.fixture(scope="module")
def many() -> list[bytes]:
    return leaves(65536 + 256 * 5 + 77)


@pytest.fixture(scope="module", params=[99, 16, 8], ids=["stored", "without 16", "leaves only"])
def store(many: list[bytes], request: pytest.FixtureRequest) -> Store:
    return Store(many, without=request.param)


@pytest.mark.parametrize("index", [0, 255, 256, 40000, 65535, 65536, 66816, 66892])
def test_stored_nodes_give_the_same_proofs(many: list[bytes], store: Store, index: int) -> None:
    proof = inclusion_proof(nodes=store, index=index, size=len(many))
    assert verify_inclusion(leaf=many[index], index=index, size=len(many), proof=proof, root=store.root)
    if index:
        proof = consistency_proof(nodes=store, old_size=index, new_size=len(many))
        old = root(many[:index])
        assert frontier_at(nodes=store, size=index) == Frontier().extend(many[:index])
        assert verify_consistency(old_size=index, new_size=len(many), old_root=old, new_root=store.root, proof=proof)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**24), st.data())
def test_a_proof_reads_few_hashes_however_large_the_tree(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    read: list[int] = []

    def nodes(level: int, start: int, stop: int) -> list[bytes]:
        assert level % 8 == 0
        assert 0 <= start < stop <= size >> level
        read.append(stop - start)
        return [bytes(32)] * (stop - start)

    inclusion_proof(nodes=nodes, index=index, size=size)
    assert len(read) <= 6  # two blocks on each of three levels: one around the leaf, one at the right edge
    assert sum(read) <= 5 * 256
    read.clear()
    consistency_proof(nodes=nodes, old_size=index, new_size=size)
    assert len(read) <= 6
    assert sum(read) <= 5 * 256
