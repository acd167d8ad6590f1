"""The ZIP container: every compression, ZIP64, replaced members, and archives made to harm."""

import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.errors import LogError
from leadline.logs.container import Archive
from leadline.logs.inflate import DEFLATE, ZSTD, inflate
from leadline.logs.limits import Limits
from leadline.logs.source import opened
from logs.factory import Compression, archive, compress, encode


def contents(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    """Every live member of an archive."""
    with opened(path) as source:
        found = Archive(source, limits or Limits())
        return {name: found.read(name) for name in found.members}


def refusal(path: Path, limits: Limits | None = None) -> str:
    """The error that reading an archive ends in."""
    with pytest.raises(LogError) as caught:
        contents(path, limits)
    assert str(path) in str(caught.value)
    assert caught.value.remedy()
    return str(caught.value)


@pytest.mark.parametrize("compression", ["zstd", "deflate", "stored"])
@pytest.mark.parametrize("zip64", [False, True])
@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_members_read_back(tmp_path: Path, compression: Compression, zip64: bool, comment: bytes) -> None:
    """Every member comes back whole, in each compression, with and without ZIP64 records and a comment."""
    members = [("a.json", b"x" * 5000), ("sub/é.json", b"{}"), ("empty.json", b"")]
    path = archive(tmp_path / "a.eval", members, compression=compression, zip64=zip64, comment=comment)
    assert contents(path) == dict(members)


def test_archives_of_the_standard_library_are_read(tmp_path: Path) -> None:
    """An archive written by zipfile, local extra fields included, reads back."""
    with zipfile.ZipFile(tmp_path / "a.eval", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("plain.json", "x" * 1000)
        with out.open("wide.json", "w", force_zip64=True) as member:
            member.write(b"y" * 1000)
    assert contents(tmp_path / "a.eval") == {"plain.json": b"x" * 1000, "wide.json": b"y" * 1000}


def test_many_zstd_frames_are_one_member(tmp_path: Path) -> None:
    """A member written as several zstd frames is read to its end, although one call stops at the first."""
    data = bytes(range(256)) * 200
    path = archive(tmp_path / "a.eval", [("a.json", data)], frame=1000)
    packed = compress(data, "zstd", frame=1000)
    assert len(zstandard.ZstdDecompressor().decompress(packed, max_output_size=len(data))) == 1000
    assert contents(path) == {"a.json": data}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=3000), frame=st.integers(1, 4000))
def test_frames_of_any_size_read_back(tmp_path: Path, data: bytes, frame: int) -> None:
    """Whatever the frame size, the content is the content."""
    path = archive(tmp_path / "a.eval", [("a.json", data)], frame=frame)
    assert contents(path) == {"a.json": data}


def test_the_last_of_a_name_wins(tmp_path: Path) -> None:
    """Of several entries of one name the last is live, and the earlier ones are listed as replaced."""
    path = archive(tmp_path / "a.eval", [("a.json", b"1"), ("b.json", b"2"), ("a.json", b"3")])
    with opened(path) as source:
        found = Archive(source)
        assert {name: found.read(name) for name in found.members} == {"b.json": b"2", "a.json": b"3"}
        assert [found.read(entry) for entry in found.superseded] == [b"1"]


@pytest.mark.parametrize("compression", ["zstd", "deflate", "stored"])
def test_a_flipped_content_bit_is_named(tmp_path: Path, compression: Compression) -> None:
    """Any flipped bit in a member's compressed bytes is an error that names the member."""
    data = encode({"value": list(range(40))})
    path = archive(tmp_path / "a.eval", [("m.json", data)], compression=compression)
    whole = path.read_bytes()
    start = 30 + len("m.json")
    for position in range(start, start + len(compress(data, compression))):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            assert contents(path) == {"m.json": data}  # bits of a frame header may carry no meaning
        except LogError as error:
            assert "m.json" in str(error)


@pytest.mark.parametrize(
    ("lie", "word"),
    [
        ({"size": 3}, "declares 3"),
        ({"size": 5000}, "declares 5,000"),
        ({"crc": 1}, "CRC-32"),
        ({"packed": 1 << 30}, "beyond"),
    ],
)
@pytest.mark.parametrize("compression", ["zstd", "deflate"])
def test_a_lie_in_the_directory_is_caught(
    tmp_path: Path, compression: Compression, lie: dict[str, int], word: str
) -> None:
    """A size, CRC or extent that is not the member's own is refused."""
    path = archive(
        tmp_path / "a.eval", [("m.json", b"abc" * 100)], compression=compression, declare={"m.json": lie}
    )
    message = refusal(path)
    assert "m.json" in message
    assert word in message or "cannot be decompressed" in message


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    """A member that declares more than the limit, and a file that declares too much in all, are refused."""
    path = archive(tmp_path / "a.eval", [("m.json", b"\0" * 100_000)])
    assert "declares 100,000 bytes" in refusal(path, Limits(member=99_999))
    many = archive(tmp_path / "b.eval", [(f"{i}.json", b"\0" * 10_000) for i in range(100)])
    assert "declare 1,000,000" in refusal(many, Limits(ratio=10, total_free=1000))
    assert "members" in refusal(many, Limits(members=99))


def test_a_frame_that_states_a_huge_size_allocates_nothing() -> None:
    """A zstd frame header that promises a terabyte is refused by what the directory declares."""
    frame = bytearray(zstandard.ZstdCompressor(write_content_size=True).compress(b"x" * 70_000))
    stated = zstandard.frame_content_size(bytes(frame))
    at = bytes(frame).index(stated.to_bytes(4, "little"))
    frame[at : at + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    with pytest.raises(LogError, match="states"):
        inflate(bytes(frame), method=ZSTD, size=70_000, crc=0, where="m")


def test_a_frame_that_wants_a_huge_window_is_refused() -> None:
    """Decompression memory is bounded: a 1 GiB window is not granted."""
    options = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True, write_content_size=False)
    writer = zstandard.ZstdCompressor(compression_params=options).compressobj()
    frame = writer.compress(b"x" * 100) + writer.flush()
    two = frame + frame
    with pytest.raises(LogError, match="decompress"):
        inflate(two, method=ZSTD, size=200, crc=0, where="m")


def test_an_unknown_method_is_named() -> None:
    """A compression method no log uses is named."""
    with pytest.raises(LogError, match="method 12"):
        inflate(b"", method=12, size=0, crc=0, where="m")


def test_deflate_without_isal_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The optional faster inflate is an optimisation only."""
    import sys
    import zlib

    from leadline.logs import inflate as module

    data = b"abc" * 1000
    packed = compress(data, "deflate")
    with_isal = inflate(packed, method=DEFLATE, size=3000, crc=zlib.crc32(data), where="m")
    monkeypatch.setitem(sys.modules, "isal", None)
    module.engine.cache_clear()
    try:
        assert (
            inflate(packed, method=DEFLATE, size=3000, crc=zlib.crc32(data), where="m") == with_isal == data
        )
    finally:
        module.engine.cache_clear()


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    """A file cut at any byte is refused, never read as fewer members."""
    path = archive(tmp_path / "a.eval", [("a.json", b"1" * 50), ("b.json", b"2" * 50)])
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refusal(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_directory_garbage_never_escapes_the_error_tree(tmp_path: Path, data: st.DataObject) -> None:
    """Flipped bytes anywhere end in LogError or in exactly the original content of live members."""
    path = archive(
        tmp_path / "a.eval", [("a.json", b"1" * 50), ("b.json", b"2" * 50)], zip64=data.draw(st.booleans())
    )
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    try:
        found = contents(path)
    except LogError:
        return
    assert set(found.values()) <= {b"1" * 50, b"2" * 50}


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    """An encrypted member is refused by name."""
    path = archive(tmp_path / "a.eval", [("secret.json", b"1")])
    whole = bytearray(path.read_bytes())
    at = whole.index(b"PK\x01\x02") + 8
    whole[at] |= 1
    path.write_bytes(whole)
    assert "secret.json" in refusal(path)
    assert "encrypted" in refusal(path)
