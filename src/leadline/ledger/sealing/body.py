"""The encrypted content of a seal: one length whatever is in it, for its author and for a quorum of trustees.

A body is a box for two readers, the author's age identity and a *release* identity made for this seal alone, then
sixteen small boxes, each with one trustee's share of the release identity's secret. Boxes that no trustee needs are
addressed to keys that nobody has, so that neither number nor names of trustees show. Needs the extra ``seal``.
"""

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import InputError, StatementError
from leadline.ledger.canon import canonical, parse_strict, sha256_hex
from leadline.ledger.sealing import age, container, shares
from leadline.ledger.sealing.commitment import commit, keys_content, new_salt
from leadline.ledger.sealing.fields import FIELDS, field_contents
from leadline.ledger.sealing.shares import MAX_TRUSTEES, SHARE_SIZE, Share

#: Longest content, compressed. Compression does not show: what it saves becomes padding.
CAPACITY: Final = 256 * 1024
READERS: Final = 2
_MAX_CONTENT: Final = 16 << 20
_MAIN: Final = container.box_size(CAPACITY, READERS)
_SMALL: Final = container.box_size(SHARE_SIZE, 1)
#: Every body has exactly this many bytes.
BODY_SIZE: Final = _MAIN + MAX_TRUSTEES * _SMALL
_TEXTS: Final = ("freeze", "introduction", "protocol", "author", "release")


@dataclass(frozen=True, slots=True)
class Trustees:
    """Who may open a seal besides its author: age recipients, `quorum` of whom together can."""

    recipients: tuple[str, ...] = ()
    quorum: int = 1

    def __post_init__(self) -> None:
        for recipient in self.recipients:
            age.check_recipient(recipient)
        if len(set(self.recipients)) != len(self.recipients):
            raise InputError("a trustee is named twice", remedy="give each trustee one share")
        most = max(len(self.recipients), 1)
        if not 1 <= self.quorum <= most or len(self.recipients) > MAX_TRUSTEES:
            raise InputError(
                f"{self.quorum} of {len(self.recipients)} trustees is not a quorum",
                remedy=f"name at most {MAX_TRUSTEES} trustees, and a quorum of at least 1 and at most all of them",
            )


@dataclass(frozen=True, slots=True)
class Content:
    """What is sealed, and every secret of the seal.

    `freeze` is the author's signed freeze statement and `introduction` the signed statement that registers the
    author's key; `salts` has one salt per commitment (``freeze``, ``keys`` and every field); `keys` are the
    fingerprints that may act later; `deposit` is the 32-byte seed of the key that signs the study's slots; `author`
    and `release` are the age recipients who read body and slots.
    """

    freeze: bytes
    introduction: bytes
    protocol: bytes
    characteristics: bytes | None
    keys: tuple[str, ...]
    salts: dict[str, bytes]
    deposit: bytes
    author: str
    release: str
    trustees: Trustees = Trustees()

    def commitments(self) -> "Commitments":
        """What the seal says in public."""
        characteristics = None if self.characteristics is None else sha256_hex(self.characteristics)
        contents = field_contents(self.protocol, characteristics)
        return Commitments(
            commit(self.salts["freeze"], self.freeze).hex(),
            commit(self.salts["keys"], keys_content(self.keys)).hex(),
            {name: commit(self.salts[name], content).hex() for name, content in contents.items()},
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON values; secret."""
        return {
            **{name: _text(getattr(self, name)) for name in _TEXTS},
            "characteristics": None if self.characteristics is None else _text(self.characteristics),
            "keys": list(self.keys),
            "salts": {name: salt.hex() for name, salt in self.salts.items()},
            "deposit": self.deposit.hex(),
            "trustees": list(self.trustees.recipients),
            "quorum": self.trustees.quorum,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Content":
        """What `to_json` wrote; StatementError for anything else."""
        try:
            characteristics = values["characteristics"]
            return cls(
                freeze=values["freeze"].encode(),
                introduction=values["introduction"].encode(),
                protocol=values["protocol"].encode(),
                characteristics=None if characteristics is None else characteristics.encode(),
                keys=tuple(map(str, values["keys"])),
                salts={str(name): bytes.fromhex(salt) for name, salt in values["salts"].items()},
                deposit=bytes.fromhex(values["deposit"]),
                author=age.check_recipient(values["author"]),
                release=age.check_recipient(values["release"]),
                trustees=Trustees(tuple(map(str, values["trustees"])), int(values["quorum"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            raise StatementError(
                f"the content of the seal is incomplete: {type(error).__name__}", remedy=_REMEDY
            ) from None


@dataclass(frozen=True, slots=True)
class Commitments:
    """What a seal commits to, in hex: the freeze, the keys, and every field."""

    freeze: str
    keys: str
    fields: dict[str, str]


def new_salts() -> dict[str, bytes]:
    """A salt of its own for each commitment of a seal."""
    return {name: new_salt() for name in ("freeze", "keys", *FIELDS)}


def seal_body(content: Content, release_secret: bytes) -> bytes:
    """The body: `BODY_SIZE` bytes for any content. `release_secret` is that of the identity behind `release`.

    Raises InputError for a content beyond the cap, MissingExtraError without the extra ``seal``.
    """
    plain = zlib.compress(canonical(content.to_json()), 9)
    main = container.box(plain, CAPACITY, [content.author, content.release])
    tag = commit(content.salts["freeze"], content.freeze)
    trustees = content.trustees
    small = []
    if trustees.recipients:
        made = shares.split(release_secret, trustees.quorum, len(trustees.recipients), tag)
        small = [
            container.box(share.encode(), SHARE_SIZE, [recipient])
            for share, recipient in zip(made, trustees.recipients, strict=True)
        ]
    while len(small) < MAX_TRUSTEES:
        small.append(_box_for_nobody())
    random.SystemRandom().shuffle(small)
    return main + b"".join(small)


def decoy_body() -> bytes:
    """A body for readers that do not exist: `BODY_SIZE` bytes that nobody can tell from those of any other seal."""
    main = container.box(b"", CAPACITY, [age.nobody() for _ in range(READERS)])
    return main + b"".join(_box_for_nobody() for _ in range(MAX_TRUSTEES))


def _box_for_nobody() -> bytes:
    return container.box(bytes(SHARE_SIZE), SHARE_SIZE, [age.nobody()])


def open_body(body: bytes, identity: str) -> Content | None:
    """The content, or None when the body is not for this identity (the author's, or the release identity).

    Raises StatementError for bytes that are no body, IntegrityError for an altered one.
    """
    check_size(body)
    plain = container.unbox(body[:_MAIN], CAPACITY, READERS, identity)
    if plain is None:
        return None
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(plain, _MAX_CONTENT)
        if not unpacker.eof or unpacker.unused_data:
            raise zlib.error("unfinished")
        return Content.from_json(parse_strict(text))
    except (zlib.error, InputError):
        raise StatementError("the content of the seal cannot be read", remedy=_REMEDY) from None


def open_share(body: bytes, identity: str) -> Share | None:
    """The share that is for this trustee's identity, or None when there is none."""
    check_size(body)
    for place in range(_MAIN, BODY_SIZE, _SMALL):
        plain = container.unbox(body[place : place + _SMALL], SHARE_SIZE, 1, identity)
        if plain is not None:
            return Share.decode(plain)
    return None


def check_size(body: bytes) -> None:
    """StatementError unless these are as many bytes as every body has."""
    if len(body) != BODY_SIZE:
        raise StatementError(
            f"a sealed body has {BODY_SIZE:,} bytes, not {len(body):,}",
            remedy="make it with leadline.ledger.sealing.body.seal_body",
        )


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode()


_REMEDY: Final = "ask its author: the seal was made by other software, or its content was damaged before"
