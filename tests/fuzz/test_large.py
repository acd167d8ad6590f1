"""Input that is small on the wire and huge when it is read: refused, or taken in memory that is bounded."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz.mutation import survives
from fuzz.targets import TARGETS, payloads
from leadline.errors import LeadlineError
from leadline.ledger import dsse
from leadline.logs import Limits, read_logs
from leadline.protocol.document import DocumentError, parse
from leadline.protocol.faults import MAX_READ
from ledger.record import ALICE

MIB = 1 << 20
#: What any one parser may use for these inputs of at most a few megabytes.
CEILING = 160 * MIB

#: The largest member of a log, and how many, in these tests: no server would read more at a time than it was told to.
LIMITS = Limits(member=8 * MIB, members=5_000)

LARGE: dict[str, bytes] = {
    "deep lists": b"[" * 2 * MIB,
    "deep lists that end": b"[" * MIB + b"]" * MIB,
    "deep objects": b'{"a":' * 400_000,
    "deep parentheses": b"(" * MIB,
    "a long number": b"9" * 2 * MIB,
    "a long line": b"a" * 2 * MIB,
    "many lines": b"a\n" * MIB,
    "many blank lines": b"\n" * 2 * MIB,
    "many short objects": b"[" + b"{}," * 300_000 + b"{}]",
    "many keys": b"{" + b",".join(b'"%d":0' % i for i in range(100_000)) + b"}",
    "many anchors": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (i, i) for i in range(2000)),
    "deep YAML": b"".join(b" " * i + b"a:\n" for i in range(1200)),
    "YAML flow": b"[" * 5000 + b"]" * 5000,
    "many operators": b"score > 1 and " * 50_000 + b"score > 1",
    "many nots": b"not " * 100_000 + b"score",
    "many minus": b"-" * 100_000 + b"1",
    "many steps into a field": b"metadata" + b".a" * 450 + b" + 1",
    "quotes": b'"' * MIB,
    "spaces": b" " * 2 * MIB,
    "many signatures": b"x\n\n" + b"\xe2\x80\x94 log AAAAAAAA\n" * 100_000,
    "many numbers": b"1 " * MIB,
}


@pytest.mark.parametrize("name", sorted(LARGE))
def test_no_parser_is_overrun(name: str) -> None:
    """Every parser takes or refuses a few hostile megabytes within half a minute and a bounded amount of memory."""
    data = LARGE[name]
    for target in TARGETS:
        if target.name.endswith("log"):
            continue
        if target.name == "protocol":  # bounded by its number of bytes and values; slow to trace
            survives(target.feed, data)
            continue
        tracemalloc.start()
        try:
            survives(target.feed, data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < CEILING, f"{target.name}: {peak / MIB:.0f} MiB"


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
@pytest.mark.parametrize("place", ["subject", "predicate", "predicateType", "extra"])
def test_a_statement_with_a_deep_field(depth: int, place: str) -> None:
    """Nesting inside an otherwise honest statement is refused, not followed to the end of the stack."""
    document = json.loads(payloads()[1])
    document[place] = "DEEP"
    deep = json.dumps(document).replace('"DEEP"', "[" * depth + "]" * depth).encode()
    target = next(one for one in TARGETS if one.name == "statement")
    assert not survives(target.feed, deep)
    envelope = json.loads(dsse.sign(payloads()[1], dsse.PAYLOAD_TYPE, ALICE))
    text = (
        json.dumps({**envelope, "signatures": "DEEP"}).replace('"DEEP"', "[" * depth + "]" * depth).encode()
    )
    assert not survives(dsse.decode, text)


def _zip(fill: Callable[[zipfile.ZipFile], None]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        fill(archive)
    return held.getvalue()


def _bomb(archive: zipfile.ZipFile) -> None:
    spec = {"task": "t", "model": "m", "created": "2026-01-01T00:00:00+00:00", "dataset": {}, "config": {}}
    archive.writestr("header.json", json.dumps({"version": 2, "status": "success", "eval": spec}))
    archive.writestr("summaries.json", b"[" + b" " * (100 * MIB) + b"]")
    archive.writestr("samples/1_epoch_1.json", b"0" * (100 * MIB))


def _header_bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("header.json", b" " * (100 * MIB) + b"{}")


def _crowd(archive: zipfile.ZipFile) -> None:
    archive.writestr("header.json", b"{}")
    for i in range(6_000):
        archive.writestr(f"samples/{i}_epoch_1.json", b"")


@pytest.mark.slow
@pytest.mark.parametrize("fill", [_bomb, _header_bomb, _crowd], ids=["bomb", "header", "crowd"])
def test_a_zip_bomb_stays_small(fill: Callable[[zipfile.ZipFile], None], tmp_path: Path) -> None:
    """An archive that inflates a thousandfold is refused before it fills the memory."""
    path = tmp_path / "a.eval"
    path.write_bytes(_zip(fill))
    assert path.stat().st_size < 4 * MIB
    for tier in ("summary", "sample"):
        tracemalloc.start()
        try:
            with pytest.raises(LeadlineError):
                read_logs(path, tier=tier, limits=LIMITS)  # type: ignore[arg-type]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 3 * LIMITS.member, f"{tier}: {peak / MIB:.0f} MiB"


def test_a_document_wrong_in_every_way_is_explained_briefly() -> None:
    """However many faults a protocol has, a bounded number of them is worked on."""
    with pytest.raises(DocumentError) as caught:
        parse(b"{" + b",".join(b'"key%d":0' % i for i in range(5_000)) + b"}")
    assert 20 <= len(caught.value.faults) <= MAX_READ
