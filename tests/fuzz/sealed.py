"""What a sealed study is made of: boxes, slots, bodies, shares, openings."""

from collections.abc import Callable, Sequence
from functools import cache

from fuzz.targets import Target, _text
from leadline.ledger.canon import canonical, parse_strict, sha256_hex
from leadline.ledger.sealing import age, slots
from leadline.ledger.sealing.body import Content, Trustees, open_body, open_share, seal_body
from leadline.ledger.sealing.opening import open_fields, open_whole
from leadline.ledger.sealing.shares import Share, combine, split
from ledger.sealing.factory import content
from ledger.sealing.test_openings import World

IDENTITY = age.identity_of(b"i" * 32)
READER = age.recipient_of(IDENTITY)


@cache
def _world() -> World:
    return World()


@cache
def _body() -> bytes:
    return seal_body(content(reader=READER, trustees=Trustees((READER,), 1)), b"r" * 32)


@cache
def _slot() -> bytes:
    return slots.make_slot(slots.stream_of([b"one", b"two"]), slots.NO_VERDICT, [READER, READER])[0]


@cache
def _age() -> bytes:
    return age.encrypt(b"content", [READER])


def _opened_age(data: bytes) -> None:
    age.check_header(data)
    age.decrypt(data, IDENTITY)


def _opened_slot(data: bytes) -> None:
    slots.check_slot(data)
    slots.open_slot(data, IDENTITY)


def _opened_body(data: bytes) -> None:
    open_share(data, IDENTITY)
    open_body(data, IDENTITY)


def _keeping_length(size: int, feed: Callable[[bytes], object]) -> Callable[[bytes], object]:
    """What has one length for any content is fed with that length, to get past the first look."""
    return lambda data: feed(data[:size].ljust(size, b"\0") if len(data) % 3 else data)


def _whole(data: bytes) -> None:
    world = _world()
    open_whole(world.said(data), data, world.content.protocol, world.sealed)


def _fields(data: bytes) -> None:
    world = _world()
    said, _ = world.fields(["notes", "verdict"])
    open_fields(said.model_copy(update={"body": sha256_hex(data)}), data, world.sealed)


def _shares() -> Sequence[bytes]:
    return [one.encode() for one in split(b"s" * 32, 2, 3, b"t" * 16)]


def _combined(data: bytes) -> None:
    combine([Share.decode(data), Share.decode(_shares()[0])])


SEALED: Sequence[Target] = (
    Target("age file", _opened_age, lambda: [_age()]),
    Target("age recipient", _text(age.check_recipient), lambda: [READER.encode()]),
    Target("age identity", _text(age.secret_of), lambda: [IDENTITY.encode()]),
    Target("share", _combined, _shares),
    Target("slot", _keeping_length(slots.SLOT_SIZE, _opened_slot), lambda: [_slot()], examples=60),
    Target(
        "slot content",
        slots.SlotOpening.decode,
        lambda: [slots.SlotOpening(b"s" * 32, b"v" * 32, b"piece").encode()],
    ),
    Target(
        "batch", slots.batch_slots, lambda: [slots.encode_batch([("LL-0123456789abc", _slot())])], examples=60
    ),
    Target("sealed body", _keeping_length(len(_body()), _opened_body), lambda: [_body()], examples=30),
    Target(
        "sealed content",
        lambda data: Content.from_json(parse_strict(data)),
        lambda: [canonical(content(reader=READER).to_json())],
        json=True,
    ),
    Target("whole reveal", _whole, lambda: [_world().body()], json=True),
    Target("fields revealed", _fields, lambda: [_world().fields(["notes", "verdict"])[1]], json=True),
)
