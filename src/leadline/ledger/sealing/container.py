"""One length for any content: padding before encryption, and a box of fixed size around the age file.

Padding alone does not do it: age implementations add a random stanza to every header, so two files of one
plaintext differ in length by chance. The box hides that too. Layout of a box, `size` bytes: 8 bytes of magic, the
age file's length (4 bytes, big-endian), the age file, random bytes. So ``tail -c +13 FILE | head -c LENGTH`` is an
ordinary age file, and what it decrypts to is: the content's length (4 bytes), the content, zeros.
"""

import os
from typing import Final

from leadline.errors import InputError, StatementError
from leadline.ledger.sealing import age

MAGIC: Final = b"LLbox/1\n"
_HEAD: Final = len(MAGIC) + 4
#: Room for stanzas, nonce, the tag of each 64 KiB chunk, and the random stanza (about 200 bytes as rage writes it).
_STANZA: Final = 110
_GREASE: Final = 512
_TAG_EVERY: Final = 64 * 1024


def box_size(capacity: int, recipients: int) -> int:
    """Bytes of a box for content up to `capacity` and this many recipients."""
    padded = capacity + 4
    return _HEAD + 128 + recipients * _STANZA + _GREASE + padded + 16 * (padded // _TAG_EVERY + 1)


def box(content: bytes, capacity: int, recipients: list[str]) -> bytes:
    """A box with `content`, encrypted to `recipients`; InputError when it is longer than `capacity`."""
    if len(content) > capacity:
        raise InputError(
            f"it needs {len(content):,} bytes, and what is sealed has at most {capacity:,}: all sealed things have "
            "one length",
            remedy="shorten it, for example by naming long lists in a file whose digest it gives",
        )
    size = box_size(capacity, len(recipients))
    plain = len(content).to_bytes(4, "big") + content.ljust(capacity, b"\x00")
    while True:  # the random stanza has never come near its allowance; if it does, another one is drawn
        file = age.encrypt(plain, recipients)
        room = size - _HEAD - len(file)
        if room >= 0:
            return MAGIC + len(file).to_bytes(4, "big") + file + os.urandom(room)


def unbox(data: bytes, capacity: int, recipients: int, identity: str) -> bytes | None:
    """The content of a box, or None when it is not for this identity.

    Raises StatementError for bytes that are no such box, and IntegrityError for an altered one.
    """
    plain = age.decrypt(age_file(data, capacity, recipients), identity)
    if plain is None:
        return None
    length = int.from_bytes(plain[:4], "big")
    if len(plain) != capacity + 4 or length > capacity or any(plain[4 + length :]):
        raise _malformed("its padding is not what it should be")
    return plain[4 : 4 + length]


def age_file(data: bytes, capacity: int, recipients: int) -> bytes:
    """The age file in a box, its form checked; StatementError for bytes that are no such box."""
    if len(data) != box_size(capacity, recipients) or not data.startswith(MAGIC):
        raise _malformed("it has another length or beginning")
    length = int.from_bytes(data[len(MAGIC) : _HEAD], "big")
    file = data[_HEAD : _HEAD + length]
    if len(file) != length or age.check_header(file) != recipients:
        raise _malformed("it is not encrypted to the right number of recipients")
    return file


def _malformed(why: str) -> StatementError:
    return StatementError(f"this is not a sealed box: {why}", remedy="fetch the bytes again")
