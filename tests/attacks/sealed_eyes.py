"""Everything the public can read of a registry's sealed studies, turned into numbers as generously as one can.

`read_log` looks at entries, blobs and the days on which they appeared; `ask` at the answers of pages and API. Both know
the public ids and nothing of the authors.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, TypeVar

import httpx2
import numpy as np
from numpy.typing import NDArray

from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.predicates import Close, Key, Predicate, Reveal, Seal
from leadline.ledger.sealing.container import box_size
from leadline.ledger.sealing.shares import MAX_TRUSTEES, SHARE_SIZE
from leadline.ledger.sealing.slots import batch_slots
from leadline.ledger.statements import parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.registry import Registry
from leadline.web.app import PAGES, create_app
from leadline.web.settings import Quotas, Settings

Table = NDArray[np.float64]
T = TypeVar("T")
NONE = -1.0
#: Batches after its seal that are looked at one by one; the others in sums.
_WEEKS = 24
_SMALL = box_size(SHARE_SIZE, 1)
_VALUES = np.arange(256.0)


@dataclass(frozen=True)
class Seen:
    """An entry as a follower of the log has it: index, the day it appeared, its bytes, what it says, who signed."""

    index: int
    day: date
    envelope: bytes
    said: Predicate
    keyid: str


def entries(registry: Registry, sizes: Sequence[tuple[date, int]]) -> list[Seen]:
    """Every entry of the log, with the first day on which the log was long enough to hold it."""
    days = iter(sizes)
    day, size = next(days)
    found = []
    for index, envelope in enumerate(registry.store.entries()):
        while index >= size:
            day, size = next(days)
        opened = decode(envelope)
        found.append(Seen(index, day, envelope, parse(opened.payload).predicate, opened.keyid))
    return found


def read_log(registry: Registry, sizes: Sequence[tuple[date, int]], ids: Sequence[str]) -> Table:
    """One row per study: seal, body, slots, closing, and what stands around them."""
    seen = entries(registry, sizes)
    seals = {study_id(leaf_hash(one.envelope)): one for one in seen if _is(one.said, "study")}
    slots: dict[str, list[list[float]]] = {study: [] for study in ids}
    for one in seen:
        if _is(one.said, "batch") and isinstance(one.said, Seal):
            held = batch_slots(registry.store.blob(one.said.body))
            for place, (study, slot) in enumerate(held):
                if study in slots:
                    slots[study].append([one.index, place, *_slot(slot, slots[study])])
    about = {study: _seal(registry, seen, seals[study]) + _closing(seen, study) for study in ids}
    return np.array([[*about[study], *_history(slots[study])] for study in ids], dtype=np.float64)


def _is(said: Predicate, action: str) -> bool:
    return isinstance(said, Seal) and said.action == action


# -- the seal -------------------------------------------------------------------------------------


def _seal(registry: Registry, seen: list[Seen], one: Seen) -> list[float]:
    said = one.said
    assert isinstance(said, Seal) and said.fields is not None and said.embargo is not None
    begin, ends = date.fromisoformat(said.created[:10]), date.fromisoformat(said.embargo)
    together = [other.index for other in seen if other.day == one.day]
    mine = [other for other in seen if other.keyid == one.keyid and isinstance(other.said, Seal | Reveal)]
    before = seen[one.index - 1].said
    hidden = bytes.fromhex(
        "".join([said.commitment or "", said.keys or "", *said.fields.values(), said.body])
    )
    return [
        one.index, one.day.toordinal(), one.day.weekday(), begin.toordinal(), (one.day - begin).days,
        one.index - together[0], together[-1] - one.index, len(together),
        len(one.envelope), len(decode(one.envelope).payload), len(said.created),
        int(one.keyid[:6], 16), said.tier == "hazard", (ends - begin).days, ends.toordinal(),
        isinstance(before, Key), len(mine), sum(other.index < one.index for other in mine),
        sum(isinstance(other.said, Reveal) for other in mine),
        *_texture(hidden), *hidden[:4], *_body(registry.store.blob(said.body)),
    ]  # fmt: skip


def _body(body: bytes) -> list[float]:
    """Lengths, age headers and texture of the big box, and of the small ones in sum."""
    small_at = len(body) - MAX_TRUSTEES * _SMALL
    main, small = body[:small_at], [body[at : at + _SMALL] for at in range(small_at, len(body), _SMALL)]
    shares = np.array([[*_box(one), *_texture(one)] for one in small])
    return [
        len(body), *_box(main), *_texture(main[:4096]), *_texture(main[-4096:]), *_texture(main),
        *shares.mean(0), *shares.std(0), *shares.min(0), *shares.max(0), *shares[0],
    ]  # fmt: skip


def _box(box: bytes) -> list[float]:
    """The age file's length, its stanzas, which is the odd one, and how long that is."""
    file = box[12 : 12 + int.from_bytes(box[8:12], "big")]
    end = file.find(b"\n--- ", 0, 8192)
    stanzas = [line for line in file[: max(end, 0)].split(b"\n") if line.startswith(b"-> ")]
    odd = [n for n, line in enumerate(stanzas) if not line.startswith(b"-> X25519 ")]
    return [len(file), end, len(stanzas), odd[0] if odd else NONE, len(stanzas[odd[0]]) if odd else NONE]


def _texture(data: bytes) -> list[float]:
    """Mean, spread, zeros, and how even the bytes are."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    mean = counts @ _VALUES / len(data)
    spread = counts @ (_VALUES - mean) ** 2 / len(data)
    return [
        float(mean),
        float(spread),
        float(counts[0]),
        float(counts.max()),
        float((counts**2).sum() / len(data)),
    ]


# -- slots and closing ----------------------------------------------------------------------------


def _slot(slot: bytes, earlier: list[list[float]]) -> list[float]:
    print_ = int.from_bytes(sha256(slot).digest()[:6], "big")
    again = any(one[-1] == print_ for one in earlier)
    return [*_box(slot[32:]), *_texture(slot[:32])[:2], *_texture(slot[512:]), again, print_]


def _history(slots: list[list[float]]) -> list[float]:
    """All slots of a study in sums, and the first weeks one by one."""
    if not slots:
        return [NONE] * (3 + 4 * 15 + 3 * _WEEKS)
    table = np.array(slots)
    early = np.full((_WEEKS, 3), NONE)
    part = table[:_WEEKS][:, [2, 9, 11]]
    early[: len(part)] = part
    table = table[:, :15]  # without the print
    sums = [table.mean(0), table.std(0), table.min(0), table.max(0)]
    return [len(table), table[0, 0], table[-1, 0], *np.concatenate(sums), *early.ravel()]


def _closing(seen: list[Seen], study: str) -> list[float]:
    for one in seen:
        if isinstance(one.said, Close) and study in one.said.studies:
            time = re.findall(r"\d+", one.said.created)
            return [
                one.index, one.day.toordinal(), int(time[3]), int(time[4]), int(time[5]),
                one.said.studies.index(study), len(one.said.studies), len(one.envelope),
            ]  # fmt: skip
    return [NONE] * 8


# -- answers --------------------------------------------------------------------------------------


Questions = Callable[[dict[str, Any], str, int], list[str]]


def questions(openapi: dict[str, Any], study: str, index: int) -> list[str]:
    """Every address of pages and API that can be read about a study, or about the entry that sealed it."""
    pages = [path for path, _ in PAGES if "{study}" in path or "{index}" in path]
    calls = [f"/api/v1{path}" for path, how in openapi["paths"].items() if "get" in how]
    calls = [path for path in calls if "{study}" in path or path.endswith("/log/proof/{index}")]
    named = [path.format(study=study, index=index) for path in [*pages, *calls]]
    return [
        *named,
        f"/search?q={study}",
        f"/api/v1/studies?q={study}",
        f"/api/v1/log/entries?start={index}&limit=1",
    ]


def quick_questions(openapi: dict[str, Any], study: str, index: int) -> list[str]:
    """The few addresses whose answers say most about a sealed study."""
    return [f"/study/{study}", f"/api/v1/studies/{study}", f"/study/{study}/certificate"]


@dataclass(frozen=True)
class Answered:
    """An answer: status, headers and body."""

    status: int
    headers: str
    body: str


class Asker:
    """Asks a registry's application without a network; `asked` are the questions about the first study."""

    def __init__(self, registry: Registry) -> None:
        free = Quotas(0, 0, 0, 0, 0)
        self.app = create_app(registry, Settings(store="x", quotas=free), clock=registry.clock)
        self.asked: list[str] = []

    def ask(self, studies: Sequence[tuple[str, int]], asking: Questions = questions) -> list[list[Answered]]:
        """For each (study, index of its seal) the answers to every question about it."""

        async def talk(client: httpx2.AsyncClient) -> list[list[Answered]]:
            openapi = (await client.get("/api/v1/openapi.json")).json()
            paths = [asking(openapi, study, index) for study, index in studies]
            self.asked = paths[0]
            return [[await _get(client, path) for path in row] for row in paths]

        return self._talk(talk)

    def get(self, paths: Sequence[str]) -> list[Answered]:
        """The answers to these addresses."""

        async def talk(client: httpx2.AsyncClient) -> list[Answered]:
            return [await _get(client, path) for path in paths]

        return self._talk(talk)

    def post(self, bodies: Sequence[tuple[str, Any]]) -> list[Answered]:
        """The answers to these JSON bodies, each sent to its address."""

        async def talk(client: httpx2.AsyncClient) -> list[Answered]:
            return [_kept(await client.post(path, json=body)) for path, body in bodies]

        return self._talk(talk)

    def _talk(self, talk: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
        async def connected() -> T:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await talk(client)

        return asyncio.run(connected())


async def _get(client: httpx2.AsyncClient, path: str) -> Answered:
    return _kept(await client.get(path))


def _kept(answer: httpx2.Response) -> Answered:
    kept = sorted(f"{name}: {value}" for name, value in answer.headers.items() if name != "x-request-id")
    return Answered(answer.status_code, "\n".join(kept), answer.text)


def measured(answers: list[list[Answered]]) -> Table:
    """Status, and lengths of headers and body, of each answer about each study."""
    return np.array(
        [[n for one in row for n in (one.status, len(one.headers), len(one.body))] for row in answers],
        dtype=np.float64,
    )


def without_names(answer: Answered, study: str, index: int) -> Answered:
    """The answer without what differs between any two entries: names, places, hashes, dates and lengths of proofs."""

    def plain(text: str) -> str:
        text = text.replace(study, "ID")
        text = re.sub(r"[A-Za-z0-9+/_=-]{40,}", "HASH", text)
        text = re.sub(r"(HASH[\s,\"]*)+", "HASHES", text)
        text = re.sub(r"20\d\d-\d\d-\d\d", "DATE", text)
        for name, number in (("PLACE", index), ("NEXT", index + 1), ("BEFORE", index - 1)):
            text = re.sub(rf"(?<![\w.])({number}|{number:,})(?!\w|\.\d)", name, text)
        return text

    headers = re.sub(r"(etag|content-length): .*", r"\1", plain(answer.headers))
    return Answered(answer.status, headers, plain(answer.body))
