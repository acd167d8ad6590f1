"""A recording that is not as it was written is noticed, wherever it was touched."""

import json
from pathlib import Path

import pytest

from leadline.errors import LogError
from leadline.logs import read_logs
from leadline.logs.recording import chain
from leadline.logs.recording.chain import START, chained
from leadline.logs.recording.scan import scan
from leadline.logs.source import opened as open_source
from logs.recording.recorded import finished, opened


def _verdict(path: Path) -> str:
    """What a reader makes of a file: refused, unfinished, or fine."""
    try:
        table = read_logs(path, strict=True)
    except LogError:
        return "refused"
    return "fine" if table.headers[0].status == "success" else "unfinished"


def _scanned(path: Path) -> str:
    """The same by the chain alone, which is quicker."""
    try:
        with open_source(path) as source:
            return "unfinished" if scan(source).end is None else "fine"
    except LogError:
        return "refused"


def test_every_bit_of_a_recording_is_bound(tmp_path: Path) -> None:
    """Whichever single bit flips, the file is refused; the very last line end only makes it unfinished."""
    path = finished(tmp_path / "r.jsonl", results=1)
    honest = path.read_bytes()
    assert _verdict(path) == "fine"
    fine = []
    for place in range(len(honest)):
        for bit in range(8):
            path.write_bytes(honest[:place] + bytes([honest[place] ^ 1 << bit]) + honest[place + 1 :])
            found = _verdict(path) if bit == place % 8 else _scanned(path)
            if found == "fine" or (found == "unfinished" and place != len(honest) - 1):
                fine.append((place, bit))
    assert fine == []


@pytest.mark.parametrize("row", range(6))
def test_no_row_can_be_taken_out_doubled_or_moved(tmp_path: Path, row: int) -> None:
    """Rows are in the place where they were written, each once; without the end a recording is unfinished."""
    path = finished(tmp_path / "r.jsonl")
    rows = path.read_bytes().splitlines(keepends=True)
    assert len(rows) == 6
    last = row == len(rows) - 1
    path.write_bytes(b"".join(rows[:row] + rows[row + 1 :]))
    assert _verdict(path) == ("unfinished" if last else "refused")
    path.write_bytes(b"".join([*rows[:row], rows[row], *rows[row:]]))
    assert _verdict(path) == "refused"
    if not last:
        path.write_bytes(b"".join([*rows[:row], rows[row + 1], rows[row], *rows[row + 2 :]]))
        assert _verdict(path) == "refused"


def test_an_edited_value_names_its_line(tmp_path: Path) -> None:
    """The error says where the chain breaks."""
    path = finished(tmp_path / "r.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"value":false', b'"value":true', 1))
    with pytest.raises(LogError, match="line 3"):
        read_logs(path, strict=True)


def test_a_torn_last_line_is_named_and_what_precedes_it_read(tmp_path: Path) -> None:
    """A file cut anywhere in its last line gives every row before that, and is not finished."""
    whole = finished(tmp_path / "whole.jsonl")
    lines = whole.read_bytes().splitlines(keepends=True)
    before = b"".join(lines[:-1])
    for length in range(1, len(lines[-1]), 7):
        path = tmp_path / "torn.jsonl"
        path.write_bytes(before + lines[-1][:length])
        table = read_logs(path, strict=True)
        assert table.to_arrow().num_rows == 4
        assert table.headers[0].status == "started"
        assert any(f"torn: {length} bytes" in note for note in table.accounting.logs[0].notes)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"recording": {}}, "another shape"),
        ({"result": {"sample_id": 1}}, "another shape"),
        ({"result": {}, "end": {}}, "another shape"),
        ({}, "one kind"),
        ({"surprise": 1}, "another shape"),
        ({"end": {"at": "t", "results": 99, "status": "success"}}, "99 results"),
        ({"end": {"at": "t", "results": 4, "status": "perfect"}}, "another shape"),
        (
            {
                "segment": {
                    "at": "t",
                    "results": 1,
                    "torn": 0,
                    "surroundings": {"python": "x", "platform": "y"},
                }
            },
            "1 result",
        ),
    ],
)
def test_rows_with_a_chain_of_their_own_still_have_to_make_sense(
    tmp_path: Path, row: object, why: str
) -> None:
    """Whoever computes the chain again gains no other shape by it."""
    path = finished(tmp_path / "r.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)[:-1]
    previous = bytes.fromhex(json.loads(lines[-1])["sha256"])
    path.write_bytes(b"".join(lines) + chained(previous, json.dumps(row, separators=(",", ":")).encode())[0])
    with pytest.raises(LogError, match=why):
        read_logs(path, strict=True)


def test_nothing_follows_the_end_and_nothing_begins_twice(tmp_path: Path) -> None:
    """A chained row after the end, and a second head, are refused."""
    path = finished(tmp_path / "r.jsonl")
    data = path.read_bytes()
    previous = bytes.fromhex(json.loads(data.splitlines()[-1])["sha256"])
    path.write_bytes(data + chained(previous, b'{"pause":{"at":"t","error":"E"}}')[0])
    with pytest.raises(LogError, match="follows the end"):
        read_logs(path, strict=True)
    first = data.splitlines(keepends=True)[0]
    head = first[len(b'{"row":') : -len(b',"sha256":""}\n') - 64]
    path.write_bytes(first + chained(chained(START, head)[1], head)[0])
    with pytest.raises(LogError, match="second recording"):
        read_logs(path, strict=True)


def test_a_recording_of_a_later_version_is_not_guessed_at(tmp_path: Path) -> None:
    """A file from the future says what to do."""
    opened(path := tmp_path / "r.jsonl", version=2).finish()
    with pytest.raises(LogError, match="version 2"):
        read_logs(path, strict=True)


def test_long_lines_and_many_lines_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line without end is refused after a bounded number of bytes, and so is one line too many."""
    path = finished(tmp_path / "r.jsonl")
    honest = path.read_bytes()
    path.write_bytes(honest + b"x" * (3 << 20))
    with pytest.raises(LogError, match="longer than"):
        read_logs(path, strict=True)
    path.write_bytes(honest)
    monkeypatch.setattr(chain, "MOST_LINES", 5)
    with pytest.raises(LogError, match="more than 5 lines"):
        read_logs(path, strict=True)


def test_deep_nesting_is_refused_in_a_bounded_time(tmp_path: Path) -> None:
    """A value or metadata nested a hundred thousand deep is an error about the file."""
    for part in (
        '"value":' + "[" * 100_000 + "]" * 100_000,
        '"value":1,"metadata":' + '{"a":' * 90_000 + "1" + "}" * 90_000,
    ):
        path = finished(tmp_path / "r.jsonl")
        lines = path.read_bytes().splitlines(keepends=True)[:-1]
        previous = bytes.fromhex(json.loads(lines[-1])["sha256"])
        row = '{"result":{"at":"t","epoch":1,"sample_id":"deep","score":"s","started":"t",' + part + "}}"
        path.write_bytes(b"".join(lines) + chained(previous, row.encode())[0])
        with pytest.raises(LogError):
            read_logs(path, columns=["metadata.a"], tier="sample", strict=True)
        path.unlink()
