"""Files made to harm, or broken by accident: refused by name, in bounded memory."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.errors import LeadlineError, LogError
from leadline.logs import Limits, read_logs
from logs.factory import archive, encode, sample, write_eval


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.eval", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git-LFS"),
        ("a.json", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git-LFS"),
        ("a.eval", b"", "empty"),
        ("a.eval", b"\x89PNG", "does not begin like a log"),
        ("a.eval", b"PK\x03\x04", "end-of-central-directory"),
        ("a.eval", b"PK\x05\x06" + b"\0" * 18, "without header.json"),
    ],
)
def test_what_only_looks_like_a_log(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    """LFS pointers, empty files, other files named .eval and empty archives say what they are."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LogError) as caught:
        read_logs(tmp_path / name)
    assert word in str(caught.value)
    assert caught.value.remedy()


@pytest.mark.parametrize("document", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
@pytest.mark.parametrize("member", ["header.json", "summaries.json", "samples/1_epoch_1.json"])
def test_deep_nesting(tmp_path: Path, document: str, member: str) -> None:
    """Nesting deeper than the interpreter's stack is an error about that member."""
    spec = {"task": "t", "model": "m", "created": "2026-01-01T00:00:00", "dataset": {}, "config": {}}
    members = {"header.json": {"eval": spec, "status": "success"}, "samples/1_epoch_1.json": sample(1)} | {
        member: document.encode()
    }
    with pytest.raises(LogError, match="member"):
        read_logs(archive(tmp_path / "a.eval", members.items()))


@pytest.mark.parametrize("place", ["metadata", "value", "messages"])
def test_deep_nesting_inside_a_sample(tmp_path: Path, place: str) -> None:
    """Deep structure in a field is either skipped or refused, never a crash."""
    deep = "[" * 5000 + "]" * 5000
    text = json.dumps(sample(1, {"m": "VALUE"}, metadata={"k": "METADATA"}, messages=["MESSAGES"]))
    text = text.replace(f'"{place.upper()}"', deep)
    spec = {"task": "t", "model": "m", "created": "2026-01-01T00:00:00", "dataset": {}, "config": {}}
    members = {"header.json": {"eval": spec, "status": "success"}, "samples/1_epoch_1.json": text.encode()}
    try:
        assert len(read_logs(archive(tmp_path / "a.eval", members.items()))) == 1
    except LogError as error:
        assert "1_epoch_1" in str(error) or "nested" in str(error) or "Inspect" in str(error)


def test_huge_integers(tmp_path: Path) -> None:
    """An integer of ten thousand digits is refused without converting it; one beyond float64 has no number."""
    members = {
        "header.json": {
            "eval": {"task": "t", "model": "m", "created": "2026-01-01T00:00:00"},
            "status": "success",
        }
    }
    long = encode(sample(1, {"m": "X"})).replace(b'"X"', b"1" * 10_000)
    with pytest.raises(LogError):
        read_logs(archive(tmp_path / "a.eval", [*members.items(), ("samples/1_epoch_1.json", long)]))
    wide = encode(sample(1, {"m": "X"})).replace(b'"X"', b"1" * 400)
    table = read_logs(archive(tmp_path / "b.eval", [*members.items(), ("samples/1_epoch_1.json", wide)]))
    assert table.to_arrow()["unscored_reason"].to_pylist() == ["number beyond float64"]


def test_bomb_members_are_named(tmp_path: Path) -> None:
    """A member that would inflate beyond the limit is named before it is inflated."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1, store={"x": "0" * 200_000})])
    with pytest.raises(LogError, match="1_epoch_1"):
        read_logs(path, limits=Limits(member=100_000))


def test_memory_follows_the_largest_member_not_the_file(tmp_path: Path) -> None:
    """Reading forty samples of 1 MB each peaks at a few of them, not at forty."""
    path = write_eval(
        tmp_path / "a.eval", samples=[sample(i, store={"x": f"{i}" * 1_000_000}) for i in range(10, 50)]
    )
    read_logs(path)
    tracemalloc.start()
    try:
        read_logs(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_of_a_log_never_change_a_value(tmp_path: Path, data: st.DataObject) -> None:
    """A log with flipped bytes is refused, or every value in the table is the written one."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1, "C"), sample(2, "I")], compression="deflate")
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    try:
        table = read_logs(path)
    except LeadlineError as error:
        assert error.remedy()
        return
    values = dict(
        zip(table.to_arrow()["sample_id"].to_pylist(), table.to_arrow()["value"].to_pylist(), strict=True)
    )
    assert values.items() <= {"1": 1.0, "2": 0.0}.items()


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is still being written is refused: its digest would describe other bytes."""
    path = write_eval(tmp_path / "a.eval", samples=[sample(1)])
    from leadline.logs.source import Source

    honest = Source.sha256

    def slow(self: Source) -> str:
        digest = honest(self)
        with path.open("ab") as handle:
            handle.write(b"more")
        return digest

    monkeypatch.setattr(Source, "sha256", slow)
    with pytest.raises(LogError, match="changed while"):
        read_logs(path)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file the system will not open is named with the system's reason."""
    from leadline.logs.source import opened

    with pytest.raises(LogError, match="directory") as caught, opened(tmp_path):
        pass
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("field", ["metadata", "input", "uuid", "store"])
def test_broken_utf8(tmp_path: Path, field: str) -> None:
    """Bytes that are no UTF-8 are refused by member, or let through where they are only shown."""
    spec = {"task": "t", "model": "m", "created": "2026-01-01T00:00:00", "dataset": {}, "config": {}}
    text = encode(
        sample(1, metadata={"k": "v"}) | {field: {"k": "BAD"} if field in ("metadata", "store") else "BAD"}
    )
    members = {
        "header.json": {"eval": spec, "status": "success"},
        "samples/1_epoch_1.json": text.replace(b"BAD", b"\xff"),
    }
    path = archive(tmp_path / "a.eval", members.items())
    try:
        assert len(read_logs(path, columns=["input", "metadata.k"])) == 1
    except LogError as error:
        assert "1_epoch_1" in str(error)


@pytest.mark.parametrize(
    "fields", [{"epoch": 2**40}, {"epoch": -1}, {"epoch": 1.5}, {"id": 1.5}, {"total_time": "soon"}]
)
def test_impossible_fields(tmp_path: Path, fields: dict[str, object]) -> None:
    """An epoch beyond its column, a fractional id and a time that is text are refused, not wrapped or dropped."""
    spec = {"task": "t", "model": "m", "created": "2026-01-01T00:00:00", "dataset": {}, "config": {}}
    row = sample(1) | fields
    name = f"samples/{row['id']}_epoch_{int(row['epoch'])}.json"
    with pytest.raises(LogError) as caught:
        read_logs(
            archive(tmp_path / "a.eval", [("header.json", {"eval": spec, "status": "success"}), (name, row)])
        )
    assert caught.value.remedy()
