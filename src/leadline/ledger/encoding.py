"""Strict readers for the few text encodings the log formats use.

Python's own are too kind for bytes that are evidence: ``int()`` takes ``+5``, ``5_0`` and other
scripts' digits, ``b64decode`` skips junk and ignores padding bits. Each value here has exactly one
accepted spelling, so that nobody can alter a stored byte without altering a meaning.
"""

import binascii

UINT64_MAX = (1 << 64) - 1
_UINT64_DIGITS = 20


def b64encode(data: bytes) -> str:
    """Standard padded base64 (RFC 4648 section 4) as text."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def b64decode(text: bytes) -> bytes:
    """Bytes from standard padded base64; `ValueError` unless ``b64encode`` would write exactly `text`."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ValueError("not standard base64") from error
    if binascii.b2a_base64(data, newline=False) != text:
        raise ValueError("not standard base64: padding bits are not zero, or padding is missing")
    return data


def parse_uint64(text: bytes) -> int:
    """A number below 2**64 in ASCII decimal without sign or leading zeros; otherwise `ValueError`."""
    if not text or len(text) > _UINT64_DIGITS or not text.isdigit():
        raise ValueError("not an ASCII decimal number below 2^64")
    if text[0] == 0x30 and len(text) > 1:
        raise ValueError("a number has leading zeros")
    value = int(text)
    if value > UINT64_MAX:
        raise ValueError("a number is 2^64 or more")
    return value


def is_sha256_hex(text: str) -> bool:
    """Whether `text` is a SHA-256 digest in 64 lower-case hexadecimal digits."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")
