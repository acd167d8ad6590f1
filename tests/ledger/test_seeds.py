"""Seeds from the freeze: HKDF as published, orders that depend on ids only."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import InputError
from leadline.ledger import seeds

LEAF = bytes(range(32))


@given(
    st.binary(min_size=32, max_size=32), st.integers(1, 200), st.none() | st.binary(min_size=1, max_size=40)
)
def test_derivation_is_hkdf_sha256(leaf: bytes, length: int, beacon: bytes | None) -> None:
    """The bytes are those of an independent HKDF: leaf as key, label as info, beacon as salt."""
    expected = HKDF(SHA256(), length, beacon, b"item-order/v1").derive(leaf)
    assert seeds.derive(leaf, "item-order/v1", length, beacon=beacon) == expected


def test_derivations_never_change() -> None:
    """Values under a version 1 label are fixed for ever: old matches must stay matches."""
    expected = HKDF(SHA256(), 8, None, b"model-seed/v1").derive(LEAF)
    assert seeds.seed(LEAF, seeds.MODEL_SEED) == str(int.from_bytes(expected, "big")) == "2988816631452623960"
    assert seeds.order(LEAF, ["a", "b", "c", "d", "é"]) == ["b", "é", "d", "a", "c"]


def test_labels_and_beacons_separate() -> None:
    """Another label, leaf or beacon gives another seed."""
    values = {
        seeds.seed(LEAF, seeds.ITEM_ORDER),
        seeds.seed(LEAF, seeds.SHUFFLE),
        seeds.seed(LEAF, "item-order/v2"),
        seeds.seed(bytes(32), seeds.ITEM_ORDER),
        seeds.seed(LEAF, seeds.ITEM_ORDER, beacon=b"root"),
    }
    assert len(values) == 5


@given(st.lists(st.text(max_size=8), unique=True, max_size=30), st.randoms(use_true_random=False))
def test_order_is_a_permutation_that_ignores_the_given_order(ids: list[str], random: object) -> None:
    """The order depends on the set of ids alone, and the order of a subset is that within the whole."""
    shuffled = ids.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = seeds.order(LEAF, ids)
    assert sorted(ordered) == sorted(ids)
    assert seeds.order(LEAF, shuffled) == ordered
    half = set(shuffled[::2])
    assert seeds.order(LEAF, half) == [name for name in ordered if name in half]


def test_orders_are_spread_evenly() -> None:
    """Over many leaf hashes each of three items comes first about a third of the time."""
    first = [seeds.order(i.to_bytes(32, "big"), ["a", "b", "c"])[0] for i in range(3000)]
    # 3,000 draws at 1/3: standard deviation 26; five of them.
    assert all(abs(first.count(name) - 1000) < 130 for name in "abc")


def test_seeds_are_strings_within_their_bits() -> None:
    """A 32-bit seed is below 2^32 and travels as text."""
    assert 0 <= int(seeds.seed(LEAF, seeds.MODEL_SEED, bits=32)) < 2**32
    with pytest.raises(InputError, match="multiple of 8"):
        seeds.seed(LEAF, seeds.MODEL_SEED, bits=31)


@pytest.mark.parametrize(
    "label", ["", "item-order", "Item/v1", "item/v0", "item/v01", "item/v1\n", "a--b/v1", "é/v1"]
)
def test_labels_carry_a_version(label: str) -> None:
    """A label without a version is refused, since its derivation could never be changed."""
    with pytest.raises(InputError, match="label"):
        seeds.derive(LEAF, label)


def test_wrong_sizes_and_doubled_ids_are_refused() -> None:
    """Short leaf hashes, absurd lengths and ambiguous ids raise InputError."""
    with pytest.raises(InputError):
        seeds.derive(b"short", seeds.SHUFFLE)
    with pytest.raises(InputError):
        seeds.derive(LEAF, seeds.SHUFFLE, 8161)
    with pytest.raises(InputError, match="two items"):
        seeds.order(LEAF, ["a", "a"])
