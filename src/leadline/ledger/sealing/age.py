"""age encryption (C2SP age v1) to X25519 recipients, and strict reading of what strangers call an age file.

Only native X25519 stanzas are written and read: no passphrases (their work factor could stall a reader), no
plug-ins (they would be programs). Headers are checked for size and form before anything is decrypted. Needs the
extra ``seal``.
"""

import re
from types import ModuleType
from typing import Any, Final

from leadline.errors import IntegrityError, MissingExtraError, StatementError
from leadline.ledger.sealing import bech32

SECRET_PREFIX: Final = "age-secret-key-"
PUBLIC_PREFIX: Final = "age"
KEY_SIZE: Final = 32
_IDENTITY: Final = "identity (AGE-SECRET-KEY-1...)"
_RECIPIENT: Final = "recipient (age1...)"
_MAX_HEADER: Final = 8192
_MAX_STANZAS: Final = 24
_VERSION: Final = b"age-encryption.org/v1\n"
_B64: Final = rb"[A-Za-z0-9+/]"
_ARGUMENTS: Final = re.compile(rb"-> [!-~]{1,200}(?: [!-~]{1,200}){0,8}", re.ASCII)
_X25519: Final = re.compile(rb"-> X25519 %b{43}" % _B64, re.ASCII)
_FULL_LINE: Final = re.compile(rb"%b{64}" % _B64, re.ASCII)
_LAST_LINE: Final = re.compile(rb"%b{0,63}" % _B64, re.ASCII)
_END: Final = re.compile(rb"--- %b{43}" % _B64, re.ASCII)
_NONCE_AND_TAG: Final = 16 + 16


def generate() -> str:
    """A new identity: ``AGE-SECRET-KEY-1...``."""
    return str(_pyrage().x25519.Identity.generate())


def identity_of(secret: bytes) -> str:
    """The identity whose X25519 secret are these 32 bytes."""
    return bech32.encode(SECRET_PREFIX, secret).upper()


def secret_of(identity: str) -> bytes:
    """The 32 secret bytes of an identity; StatementError when it is none."""
    return _key(identity, SECRET_PREFIX, _IDENTITY)


def recipient_of(identity: str) -> str:
    """The public recipient ``age1...`` of an identity; StatementError when it is none."""
    return str(_identity(identity).to_public())


def nobody() -> str:
    """A new recipient whose identity is kept nowhere: what is for it can never be read."""
    return str(_pyrage().x25519.Identity.generate().to_public())


def check_recipient(text: str) -> str:
    """The recipient itself; StatementError unless it is a native X25519 one."""
    _key(text, PUBLIC_PREFIX, _RECIPIENT)
    return text


def encrypt(plaintext: bytes, recipients: list[str]) -> bytes:
    """An age file that any of these recipients can read; StatementError when one of them is none."""
    pyrage = _pyrage()
    try:
        keys = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError:
        raise _no_key(_RECIPIENT) from None
    return bytes(pyrage.encrypt(plaintext, keys))


def decrypt(data: bytes, identity: str) -> bytes | None:
    """The plaintext, or None when the file is not for this identity.

    Raises StatementError for a malformed header and IntegrityError when the file is for this identity but its
    payload was altered.
    """
    check_header(data)
    pyrage = _pyrage()
    try:
        return bytes(pyrage.decrypt(data, [_identity(identity)]))
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            return None
        raise IntegrityError(
            "the encrypted bytes were altered", remedy="fetch them again, and compare their digest"
        ) from None


def check_header(data: bytes) -> int:
    """Check the form of an age header; returns how many X25519 stanzas it has. StatementError when it is malformed."""
    end = data.find(b"\n--- ", 0, _MAX_HEADER)
    stop = data.find(b"\n", end + 1, _MAX_HEADER) if end >= 0 else -1
    if not data.startswith(_VERSION) or stop < 0 or len(data) < stop + 1 + _NONCE_AND_TAG:
        raise _malformed("it has no version line, or no end of its header")
    lines = data[len(_VERSION) : stop].split(b"\n")
    if not _END.fullmatch(lines.pop()):
        raise _malformed("its header ends in no authentication code")
    stanzas = native = 0
    while lines:
        first = lines.pop(0)
        if not _ARGUMENTS.fullmatch(first):
            raise _malformed("a recipient stanza is misspelled")
        stanzas += 1
        native += bool(_X25519.fullmatch(first))
        if first.split()[1] == b"scrypt":
            raise _malformed("it is encrypted with a passphrase")
        while lines and _FULL_LINE.fullmatch(lines[0]):
            lines.pop(0)
        if not lines or not _LAST_LINE.fullmatch(lines.pop(0)):
            raise _malformed("a recipient stanza has no end")
    if not native or stanzas > _MAX_STANZAS:
        raise _malformed(f"it has {native} native recipients in {stanzas} stanzas")
    return native


def _key(text: str, prefix: str, what: str) -> bytes:
    try:
        found, data = bech32.decode(text[:200])
    except ValueError:
        found, data = "", b""
    if found != prefix or len(data) != KEY_SIZE:
        raise _no_key(what)
    return data


def _identity(text: str) -> Any:
    """The library's own object, which it parses strictly and much sooner than `secret_of`."""
    pyrage = _pyrage()
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise _no_key(_IDENTITY) from None


def _no_key(what: str) -> StatementError:
    return StatementError(
        f"this is not an age X25519 {what}",
        remedy="copy it again; `leadline key seal` makes one and prints its recipient",
    )


def _malformed(why: str) -> StatementError:
    return StatementError(f"this is not an age file: {why}", remedy="fetch the bytes again")


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise MissingExtraError(
            "sealing needs age encryption, which is not installed", remedy="pip install 'leadline[seal]'"
        ) from None
    module: ModuleType = pyrage
    return module
