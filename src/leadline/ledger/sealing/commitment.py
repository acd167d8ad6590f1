"""Salted commitments: binding and hiding, so that a guess at a short protocol cannot be confirmed.

``SHA-256(domain || 0x00 || salt || SHA-256(content))`` with 32 random bytes of salt, one salt per commitment. The
content enters by its digest, so that whoever replays the log can check an opening from the statement alone.
"""

import os
from hashlib import sha256
from typing import Final

from leadline.errors import InputError
from leadline.ledger.canon import canonical

DOMAIN: Final = b"leadline.dev/seal/v1"
SALT_SIZE: Final = 32


def new_salt() -> bytes:
    """32 bytes from the operating system's randomness."""
    return os.urandom(SALT_SIZE)


def commit(salt: bytes, content: bytes) -> bytes:
    """The 32-byte commitment to `content`."""
    return commit_digest(salt, sha256(content).digest())


def commit_digest(salt: bytes, digest: bytes) -> bytes:
    """The commitment to the content with this SHA-256 digest (32 bytes); InputError for other lengths."""
    if len(salt) != SALT_SIZE or len(digest) != sha256().digest_size:
        raise InputError(
            "a commitment is made of a salt and a digest of 32 bytes each",
            remedy="use the salt that was drawn when the study was sealed",
        )
    return sha256(DOMAIN + b"\x00" + salt + digest).digest()


def keys_content(fingerprints: tuple[str, ...] | list[str]) -> bytes:
    """The bytes that a commitment to keys is about: fingerprints in canonical JSON, the signer's first."""
    return canonical(list(fingerprints))
