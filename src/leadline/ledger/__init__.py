"""Proof of what was promised, by whom and when.

Bytes are named by digests, statements about digests are signed, signed statements are leaves of a
transparency log, and certificates show offline that a statement is in it. All of it is pure except
`keyfile`. Names are loaded when first used; `leadline.ledger.tlog` needs the standard library only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.ledger.authority import Authority
    from leadline.ledger.canon import canonical, parse_strict, sha256_hex
    from leadline.ledger.certificate import Certificate, Verified, verify_certificate
    from leadline.ledger.fsck import Problem, RecordReader, StoredBlob
    from leadline.ledger.ids import is_study_id, read_study_id, study_id
    from leadline.ledger.keys import SigningKey, VerifyKey, verify
    from leadline.ledger.statements import KINDS, Statement, make, make_signed, parse

_HOME = {
    "Authority": "authority",
    "Certificate": "certificate",
    "KINDS": "statements",
    "Problem": "fsck",
    "RecordReader": "fsck",
    "SigningKey": "keys",
    "Statement": "statements",
    "StoredBlob": "fsck",
    "Verified": "certificate",
    "VerifyKey": "keys",
    "canonical": "canon",
    "is_study_id": "ids",
    "make": "statements",
    "make_signed": "statements",
    "parse": "statements",
    "parse_strict": "canon",
    "read_study_id": "ids",
    "sha256_hex": "canon",
    "study_id": "ids",
    "verify": "keys",
    "verify_certificate": "certificate",
}

__all__ = [
    "KINDS",
    "Authority",
    "Certificate",
    "Problem",
    "RecordReader",
    "SigningKey",
    "Statement",
    "StoredBlob",
    "Verified",
    "VerifyKey",
    "canonical",
    "is_study_id",
    "make",
    "make_signed",
    "parse",
    "parse_strict",
    "read_study_id",
    "sha256_hex",
    "study_id",
    "verify",
    "verify_certificate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
