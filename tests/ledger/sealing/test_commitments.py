"""Commitments: their bytes, and what they cover."""

from hashlib import sha256

import pytest

from leadline.errors import InputError
from leadline.ledger.canon import canonical
from leadline.ledger.sealing.commitment import commit, commit_digest, keys_content, new_salt
from leadline.ledger.sealing.fields import FIELDS, VERDICT, field_contents
from leadline.protocol.model import Protocol


def test_a_commitment_is_domain_zero_salt_and_digest() -> None:
    """The bytes are the documented ones, so that anybody can check an opening without this code."""
    salt = bytes(range(32))
    made = sha256(b"leadline.dev/seal/v1\x00" + salt + sha256(b"content").digest()).digest()
    assert commit(salt, b"content") == made == commit_digest(salt, sha256(b"content").digest())


def test_salts_are_fresh_and_one_bit_matters() -> None:
    """A guess at the content confirms nothing without the salt."""
    one, other = new_salt(), new_salt()
    assert one != other
    assert len({commit(one, b"a"), commit(other, b"a"), commit(one, b"b")}) == 3


@pytest.mark.parametrize(
    ("salt", "digest"), [(b"", bytes(32)), (bytes(31), bytes(32)), (bytes(32), bytes(33))]
)
def test_other_lengths_are_refused(salt: bytes, digest: bytes) -> None:
    """Salt and digest have 32 bytes, so that no two pairs make the same input."""
    with pytest.raises(InputError, match="32 bytes each"):
        commit_digest(salt, digest)


def test_every_block_of_the_protocol_is_a_field() -> None:
    """A new block of the schema must be added to the list: nothing may stay uncommitted."""
    assert (*Protocol.model_fields, "characteristics") == FIELDS
    assert VERDICT not in FIELDS


def test_absent_blocks_are_committed_as_null() -> None:
    """Which blocks a protocol leaves out does not show."""
    contents = field_contents(canonical({"leadline": 1, "title": "T"}), None)
    assert tuple(contents) == FIELDS
    assert contents["title"] == b'"T"'
    assert contents["notes"] == contents["characteristics"] == b"null"


@pytest.mark.parametrize("document", [{"leadline": 1, "novel": 2}, {"characteristics": "x"}, ["title"]])
def test_unknown_blocks_are_refused(document: object) -> None:
    """A block nobody commits to could be changed after the fact."""
    with pytest.raises(InputError, match="does not know"):
        field_contents(canonical(document), None)


def test_keys_are_committed_in_order() -> None:
    """The signer's key comes first, and order matters."""
    assert keys_content(("a", "b")) == b'["a","b"]' != keys_content(("b", "a"))
