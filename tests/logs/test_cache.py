"""The cache gives back what reading gives, or nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import InputError
from leadline.logs import Fallback, SampleTable, read_logs
from leadline.logs import cache as module
from leadline.logs.cache import Cache, opened_cache
from leadline.logs.parts import Part
from leadline.logs.request import compile_request
from logs.factory import sample, write_eval


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a secret of this test's own, in a folder that is no part of the logs."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three logs: plain, with NaN, a surrogate and a huge number, and one of a run that crashed."""
    folder = tmp_path / "logs"
    folder.mkdir()
    odd = {"note": "\ud800", "big": 1 << 90, "k": 1.5}
    write_eval(folder / "a.eval", samples=[sample(i, "CI"[i % 2], metadata={"k": i}) for i in range(5)])
    write_eval(
        folder / "b.eval", metadata=odd, samples=[sample("x", float("nan"), metadata=odd), sample("y", None)]
    )
    write_eval(folder / "c.eval", finished=False, samples=[sample(1, {"m": {"value": {"d": 1}}}, epoch=2)])
    return folder


def same(one: SampleTable, other: SampleTable) -> None:
    """Table, headers and accounting are equal."""
    first, second = one.to_arrow(decoded=True), other.to_arrow(decoded=True)
    assert first.schema.equals(second.schema, check_metadata=True)
    assert one.to_arrow().schema == other.to_arrow().schema
    assert repr(first.to_pylist()) == repr(second.to_pylist())
    assert repr(one.headers) == repr(other.headers)
    assert repr(one.accounting) == repr(other.accounting)


def entries(folder: Path) -> list[Path]:
    """The cache's entries."""
    return sorted((folder / "cache").glob("*.columns"))


@pytest.mark.parametrize(
    "asked",
    [
        {"tier": "header"},
        {"tier": "summary"},
        {"tier": "sample", "arm": "treated"},
        {"columns": ["value", "metadata.k"]},
        {"columns": ["input", "metadata.note", "metadata.big", "metadata.none"]},
    ],
)
def test_the_second_reading_is_the_first(
    home: Path, logs: Path, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every tier and projection; and the second opens no member of any log."""
    plain = read_logs(logs, **asked)
    same(plain, read_logs(logs, cache=True, **asked))
    assert len(entries(home)) == 3
    monkeypatch.setattr("leadline.logs.container.Archive.read", None)
    same(plain, read_logs(logs, cache=True, **asked))


def test_all_real_logs_are_the_same(home: Path, shared_data: Path) -> None:
    """Written, then found again; every log, copies and what is no log included."""
    folder = shared_data / "logs"
    plain = read_logs(folder)
    same(plain, read_logs(folder, cache=True))
    assert len(entries(home)) == len(
        [log for log in plain.accounting.logs if log.format.startswith("inspect-")]
    )
    same(plain, read_logs(folder, cache=True))


def test_a_file_of_another_name_is_that_file(home: Path, logs: Path) -> None:
    """Content decides; name and path are those of the file at hand."""
    read_logs(logs, cache=True)
    (logs / "a.eval").rename(logs / "z.eval")
    found = read_logs(logs / "z.eval", cache=True)
    assert len(entries(home)) == 3
    assert (found.headers[0].log, found.headers[0].path) == ("z.eval", str(logs / "z.eval"))
    same(read_logs(logs / "z.eval"), found)


def _flip(entry: Path) -> None:
    data = bytearray(entry.read_bytes())
    data[-40] ^= 1
    entry.write_bytes(data)


def _cut(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-9])


def _empty(entry: Path) -> None:
    entry.write_bytes(b"")


def _swap(entry: Path) -> None:
    other = next(path for path in entry.parent.glob("*.columns") if path != entry)
    entry.write_bytes(other.read_bytes())


@pytest.mark.parametrize("harm", [_flip, _cut, _empty, _swap])
def test_a_harmed_entry_is_read_again(home: Path, logs: Path, harm: Callable[[Path], None]) -> None:
    """Damaged, cut short, empty, or another log's: never used, and replaced by what the file says."""
    plain = read_logs(logs)
    read_logs(logs, cache=True)
    before = {path: path.read_bytes() for path in entries(home)}
    for entry in entries(home):
        harm(entry)
        same(plain, read_logs(logs, cache=True))
        assert {path: path.read_bytes() for path in entries(home)} == before


def test_entries_of_another_user_are_not_used(
    home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that was copied from elsewhere comes without its secret."""
    read_logs(logs, cache=True)
    used: list[bool] = []
    taken = Cache.get
    monkeypatch.setattr(Cache, "get", lambda *a: (part := taken(*a), used.append(part is not None))[0])
    read_logs(logs, cache=True)
    monkeypatch.setenv("LEADLINE_HOME", str(home / "someone"))
    same(read_logs(logs), read_logs(logs, cache=True))
    assert used == [True] * 3 + [False] * 3


def test_what_an_entry_depends_on(home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content, tier, projection, limits and reader each have entries of their own."""
    log = logs / "a.eval"
    for number, asked in enumerate(
        [
            {},
            {"tier": "sample"},
            {"tier": "summary"},
            {"columns": ["metadata.k"]},
            {"columns": ["metadata.j"]},
        ],
        1,
    ):
        read_logs(log, cache=True, **asked)  # type: ignore[arg-type]
        assert len(entries(home)) == number
    monkeypatch.setattr(module, "reader_version", lambda: "next")
    read_logs(log, cache=True)
    write_eval(log, samples=[sample(1, "I")])
    read_logs(log, cache=True)
    assert len(entries(home)) == 7


def test_nothing_is_kept_unless_asked(home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by default nor where it is switched off."""
    read_logs(logs)
    monkeypatch.setenv("LEADLINE_CACHE", "off")
    read_logs(logs, cache=True)
    read_logs(logs, cache=home / "cache")
    assert not (home / "cache").exists()
    assert not (home / "home").exists()


def test_the_least_recently_used_go(home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder stays within its bound, and what was just used stays in it."""
    read_logs(logs, cache=True)
    sizes = [entry.stat().st_size for entry in entries(home)]
    for entry in entries(home):
        os.utime(entry, (1, 1))
    read_logs(logs / "b.eval", cache=True)  # used again
    (recent,) = (entry for entry in entries(home) if entry.stat().st_mtime > 1)
    (home / "cache" / "x.unfinished").write_bytes(b"left by a process that was killed")
    os.utime(home / "cache" / "x.unfinished", (1, 1))
    monkeypatch.setenv("LEADLINE_CACHE_BYTES", str(2 * max(sizes)))
    read_logs(logs / "b.eval", cache=True, tier="summary")
    left = entries(home)
    assert recent in left
    assert sum(entry.stat().st_size for entry in left) <= 2 * max(sizes)
    assert not list((home / "cache").glob("*.unfinished"))
    monkeypatch.setenv("LEADLINE_CACHE_BYTES", "10")
    same(read_logs(logs), read_logs(logs, cache=True))


def test_only_its_owner_can_read_it(home: Path, logs: Path) -> None:
    """Folder, entries and secret."""
    read_logs(logs, cache=True)
    modes = {path: path.stat().st_mode & 0o777 for path in [*entries(home), home / "home" / "cache.key"]}
    assert set(modes.values()) == {0o600}
    assert (home / "cache").stat().st_mode & 0o777 == 0o700


def test_places_that_others_can_use_are_refused(home: Path, logs: Path) -> None:
    """A folder others can write into, a secret others can read, a bound that is none."""
    read_logs(logs, cache=True)
    (home / "cache").chmod(0o777)
    with pytest.raises(InputError, match="written by others"):
        read_logs(logs, cache=True)
    (home / "cache").chmod(0o700)
    (home / "home" / "cache.key").chmod(0o644)
    with pytest.raises(InputError, match="read by others"):
        read_logs(logs, cache=True)
    (home / "home" / "cache.key").chmod(0o600)
    (home / "home" / "cache.key").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        read_logs(logs, cache=True)
    (home / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used"):
        read_logs(logs, cache=home / "file" / "cache")


@pytest.mark.parametrize("bound", ["many", "-1", "1.5", "\u0661"])
def test_a_bound_is_a_number(logs: Path, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """Anything else is an error with a remedy."""
    monkeypatch.setenv("LEADLINE_CACHE_BYTES", bound)
    with pytest.raises(InputError, match="no number of bytes"):
        read_logs(logs, cache=True)


def test_a_full_disk_costs_the_entry_alone(home: Path, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is there; nothing half written is."""
    opened_cache(True)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_whole", full)
    same(read_logs(logs), read_logs(logs, cache=True))
    assert entries(home) == []


def test_what_inspect_helped_to_read_is_not_kept(home: Path, logs: Path) -> None:
    """Its version is no part of an entry's name."""
    table, cache = read_logs(logs / "a.eval"), opened_cache(True)
    assert cache is not None
    request = compile_request("sample")
    for decoder, kept in (("inspect", 0), ("json", 1)):
        account = replace(table.accounting.logs[0], fallbacks=(Fallback(decoder, "another shape", 1),))
        cache.put(Part(table.headers[0], account, None), "00", "inspect-eval", request)
        assert len(entries(home)) == kept


def test_processes_share_a_folder(home: Path, logs: Path) -> None:
    """Four at once, with a secret that none of them has made yet; afterwards every entry is whole."""
    code = "import sys; from leadline.logs import read_logs; print(len(read_logs(sys.argv[1], cache=True)))"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(logs)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert {process.communicate()[0].strip() for process in running} == {str(len(read_logs(logs)))}
    assert len(entries(home)) == 3
    assert not list((home / "cache").glob("*.unfinished"))
    same(read_logs(logs), read_logs(logs, cache=True))
