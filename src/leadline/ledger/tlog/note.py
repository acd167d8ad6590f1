"""Signed notes: text that one or more keys have signed (C2SP signed-note).

``<text ending in newline> <blank line> <signature lines>``; the text may hold blank lines, so it ends at
the last one. Everything is read as bytes: nothing is normalised.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.errors import SignatureError
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import SigningKey, VerifyKey, check_name

MAX_SIGNATURES = 100
MAX_SIZE = 1_000_000
_DASH = "— ".encode()


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name and four-byte id, and the signature bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note of which at least one known key is proven to have signed the text."""

    text: bytes
    verified: tuple[VerifyKey, ...]
    unverified: tuple[NoteSignature, ...]


def sign_note(text: bytes, keys: Sequence[SigningKey]) -> bytes:
    """A note of `text` (must end in a newline) signed by each of `keys`; `SignatureError` for a bad text."""
    _check_bytes(text)
    if not text.endswith(b"\n"):
        raise _malformed("its text does not end in a newline")
    lines = [
        _DASH + key.name.encode() + b" " + b64encode(key.public.key_id + key.sign(text)).encode() + b"\n"
        for key in keys
    ]
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise _malformed(f"it has {len(lines)} signatures; 1 to {MAX_SIGNATURES} are allowed")
    return text + b"\n" + b"".join(lines)


def split_note(note: bytes) -> tuple[bytes, list[NoteSignature]]:
    """Text and signature lines of a note whose form is right; nothing is verified. `SignatureError` otherwise."""
    _check_bytes(note)
    at = note.rfind(b"\n\n")
    text, block = note[: at + 1], note[at + 2 :]
    if at < 0 or not block.endswith(b"\n"):
        raise _malformed("no blank line separates text and signatures, or the last line is not complete")
    lines = block[:-1].split(b"\n")
    if len(lines) > MAX_SIGNATURES:
        raise _malformed(f"it has more than {MAX_SIGNATURES} signatures")
    return text, [_parse_line(line) for line in lines]


def open_note(note: bytes, known: Sequence[VerifyKey]) -> OpenedNote:
    """The text of `note`, proven to be signed by at least one of the `known` keys.

    Signatures of other keys are ignored, even where name or id (not both) is that of a known key. A known
    key's signature that fails rejects the whole note. Raises `SignatureError`.
    """
    keys: dict[tuple[str, bytes], VerifyKey] = {}
    for key in known:
        if keys.setdefault((key.name, key.key_id), key) is not key:
            raise SignatureError(
                f"ambiguous key {key.name}+{key.key_id.hex()}: it is listed twice",
                remedy="list every trusted key once",
            )
    text, signatures = split_note(note)
    verified: dict[VerifyKey, None] = {}
    unverified: dict[NoteSignature, None] = {}
    for signature in signatures:
        found = keys.get((signature.name, signature.key_id))
        if found is None:
            unverified[signature] = None
        elif found not in verified:
            found.verify(text, signature.signature)
            verified[found] = None
    if not verified:
        names = ", ".join(sorted({signature.name for signature in signatures}))
        raise SignatureError(
            f"no trusted key has signed this note (it names {names[:200]})",
            remedy="check that you have the right public key of this log, and the right note",
        )
    return OpenedNote(text, tuple(verified), tuple(unverified))


def _parse_line(line: bytes) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(b" ")
    if not line.startswith(_DASH) or not space:
        raise _malformed("a line below the blank one is not a signature")
    try:
        data = b64decode(encoded)
        text = name.decode()
        check_name(text)
    except (ValueError, SignatureError):
        raise _malformed("a signature line has a bad key name or bad base64") from None
    if len(data) <= 4:
        raise _malformed("a signature is too short")
    return NoteSignature(text, data[:4], data[4:])


def _check_bytes(note: bytes) -> None:
    if len(note) > MAX_SIZE:
        raise _malformed(f"it is longer than {MAX_SIZE:,} bytes")
    if min(note.replace(b"\n", b""), default=32) < 32:
        raise _malformed("it contains a control character")
    try:
        note.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8") from None


def _malformed(why: str) -> SignatureError:
    return SignatureError(
        f"malformed note: {why}", remedy="fetch the note again and keep its bytes unchanged"
    )
