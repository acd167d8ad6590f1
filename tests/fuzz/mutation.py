"""Bytes that are nearly right: seeds, mutated as bytes and as JSON; and a runner that lets nothing hang."""

import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from leadline.errors import Explained

#: What parsers stumble over.
TOKENS: Sequence[bytes] = (
    b"\0", b"\n", b"\n\n", b"\r\n", b" ", b"\t", b"\\", b'"', b"'", b"/", b"../", b"%2e%2e%2f", b"-1", b"0", b"00",
    b"1e999", b"NaN", b"-Infinity", b"9" * 30, b"9" * 400, b"18446744073709551616", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    "é".encode(), "\u202e".encode(), "\u2028".encode(), "\U0001f600".encode(), b"\\ud800", b"[" * 300, b"{" * 300,
    b'{"a":' * 200, b"(" * 300, b"null", b"true", b"=", b"==", b"+", b"*", b"&a *a", b"!!python/object", b"<<:", b"---\n",
    b"\xe2\x80\x94 x AAAA\n", b"PK\x05\x06", b"\x00\x00\x00\x00\xff\xff\xff\xff", b"a" * 5000, b"#", b"?", b"%00",
)  # fmt: skip
#: What a JSON value may turn into.
VALUES: Sequence[Any] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, float("nan"),
    float("inf"), "", "x", "\0", "\ud800", "\u202e", "LL-0123456789abc", "0" * 64, "a" * 5000, "2026-02-30", [], {},
    [[]], [None], {"": None}, ["a", 1, None], {"a": {"a": {"a": []}}}, "9" * 40, "2026-01-01T00:00:00Z",
)  # fmt: skip
LONGEST = 30.0


class HangError(BaseException):
    """A parser took so long that a server would stand still."""


@contextmanager
def bounded() -> Iterator[None]:
    """End what takes half a minute; honest input of this size takes milliseconds."""

    def ring(number: int, frame: object) -> None:
        raise HangError(f"more than {LONGEST:.0f} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def survives(feed: Callable[[bytes], object], data: bytes) -> bool:
    """Whether the input was taken; False where it was refused by an error of the tree. Anything else is raised."""
    with bounded():
        try:
            feed(data)
        except Explained as error:
            assert isinstance(str(error), str)
            return False
    return True


def mutated(seeds: Sequence[bytes], random: Random, *, as_json: bool) -> bytes:
    """One seed with one to four things about it changed; now and then something that was never right."""
    if random.random() < 0.05:
        return random.randbytes(random.randint(0, 200))
    data = random.choice(seeds)
    if as_json and random.random() < 0.6:
        data = _as_json(data, random)
    for _ in range(random.choice((0, 1, 1, 2, 4)) if as_json else random.choice((1, 1, 2, 4))):
        data = _as_bytes(data, seeds, random)
    return data


def _as_bytes(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    at = random.randint(0, len(data))
    end = min(len(data), at + random.choice((1, 2, 8, 64, 1000)))
    match random.randrange(8):
        case 0 if data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:at] + data[at:end] * random.choice((2, 3, 50)) + data[end:]
        case 4:
            other = random.choice(seeds)
            start = random.randint(0, len(other))
            return data[:at] + other[start : start + 64] + data[end:]
        case 5:
            return data[:at] + bytes([random.randrange(256)]) + data[end:]
        case _:
            return data[:at] + random.choice(TOKENS) + data[random.choice((at, end)) :]


def _as_json(data: bytes, random: Random) -> bytes:
    try:
        document = json.loads(data)
    except ValueError:
        return data
    for _ in range(random.choice((1, 1, 2))):
        places = list(_places(document))
        if not places:
            break
        holder, name = random.choice(places)
        match random.randrange(6):
            case 0:
                del holder[name]
            case 1 if isinstance(holder, dict):
                unknown = random.choice(("", "unknown", "a" * 300, "__class__", "\ud800"))
                holder[unknown] = deepcopy(random.choice(VALUES))
            case 2 if isinstance(holder, list):
                holder[:] = holder * random.choice((2, 40))
            case _:
                holder[name] = deepcopy(random.choice(VALUES))
    text = json.dumps(document, ensure_ascii=random.random() < 0.5, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: the object or list it is in, and its name or number there."""
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        names = (
            list(holder)
            if isinstance(holder, dict)
            else range(len(holder))
            if isinstance(holder, list)
            else ()
        )
        for name in names:
            yield holder, name
            waiting.append(holder[name])


def fuzz(
    feed: Callable[[bytes], object],
    seeds: Sequence[bytes],
    *,
    as_json: bool = False,
    examples: int = 150,
    seconds: float = 0,
) -> None:
    """Feed mutated seeds: a fixed choice of `examples`, then ever new ones for `seconds`."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(
        number=st.integers(0, 2**32), raw=st.one_of(st.none(), st.binary(max_size=300), st.text(max_size=100))
    )
    def run(number: int, raw: bytes | str | None) -> None:
        if isinstance(raw, str):
            survives(feed, raw.encode())
        survives(feed, raw if isinstance(raw, bytes) else mutated(seeds, Random(number), as_json=as_json))

    for seed in seeds:
        survives(feed, seed)
    run()
    until, number = time.monotonic() + seconds, int(time.time())
    while time.monotonic() < until:
        number += 1
        try:
            survives(feed, mutated(seeds, Random(number), as_json=as_json))
        except BaseException as error:
            error.add_note(f"found with Random({number})")
            raise
