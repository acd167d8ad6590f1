"""How an attempt ends, and where a run's logs are looked for."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from bench.launch.lab import plan
from leadline.bench.launch.berth import Berth, Order, Receipt, last_tries
from leadline.bench.launch.finished import digested
from leadline.bench.launch.reconcile import left_behind
from leadline.bench.launch.settle import logs_of, status_of
from leadline.errors import InputError, StateError
from leadline.protocol.model import Protocol
from logs.factory import sample, write_eval


@pytest.fixture
def berth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Berth:
    """A launch whose evaluations write to `logs` in the test's folder."""
    monkeypatch.setenv("LEADLINE_HOME", str(tmp_path / "home"))
    order = Order(
        study="LL-x",
        origin="example.org",
        attempt=1,
        stamp={"leadline_study": "LL-x", "leadline_attempt": "ab"},
        registration={"digest": "d", "index": 1, "leaf": "00" * 32, "created": "2026-01-01T00:00:00+00:00"},
        created=datetime.now(UTC).isoformat(),
        cwd=str(tmp_path),
    )
    return Berth.make(order, Protocol.model_validate(plan()))


@pytest.mark.parametrize(
    ("states", "code", "status"),
    [
        ({"success"}, 0, "completed"),
        ({"success"}, 3, "failed"),
        ({"success"}, None, "unknown"),
        ({"success", "error"}, 0, "failed"),
        ({"success", "cancelled"}, None, "cancelled"),
        ({"started"}, None, "failed"),
        (set(), 0, "failed"),
    ],
)
def test_an_attempt_is_completed_only_where_all_was_seen_to_end_well(
    states: set[str], code: int | None, status: str
) -> None:
    """Nothing unseen is called completed."""
    assert status_of(states, code) == status


def test_logs_without_a_receipt_are_found_by_their_stamp(berth: Berth, tmp_path: Path) -> None:
    """Of many files only those that carry the attempt's token; what a receipt names is taken as it is."""
    folder = tmp_path / "logs" / "deep"
    folder.mkdir(parents=True)
    samples = [sample("a", "C")]
    mine = write_eval(folder / "mine.eval", task="t", samples=samples, metadata={"leadline_attempt": "ab"})
    write_eval(folder / "other.eval", task="t", samples=samples, metadata={"leadline_attempt": "cd"})
    (folder / "broken.eval").write_bytes(b"no log")
    named = write_eval(tmp_path / "elsewhere.eval", task="t", samples=samples)
    berth.put(Receipt("e1", "t", "m", status="success", location=str(named)))
    berth.put(Receipt("e2", "t", "m", status="success", location=str(tmp_path / "gone.eval")))
    assert sorted(logs_of(berth)) == sorted([mine.resolve(), named.resolve()])


def test_of_repeated_tries_the_last_counts() -> None:
    """`inspect eval-set` gives tries of one task one id; tasks without one stand for themselves."""
    tries = [
        Receipt("e1", "t", "m", task_id="a"),
        Receipt("e2", "t", "m", task_id="b", status="success"),
        Receipt("e3", "t", "m", task_id="a", status="success"),
        Receipt("e4", "t", "m"),
    ]
    assert [one.eval_id for one in last_tries(tries)] == ["e2", "e3", "e4"]


def test_a_receipt_is_replaced_and_a_folder_is_private(berth: Berth) -> None:
    """The later word of a task stands; nobody else may look."""
    first = Receipt("an/id", "t", "m")
    berth.put(first)
    berth.put(replace(first, status="success", samples=3))
    assert [(one.status, one.samples) for one in berth.receipts()] == [("success", 3)]
    assert berth.folder.stat().st_mode & 0o077 == 0


def test_a_folder_is_held_by_one(berth: Berth) -> None:
    """While its run goes on, nobody else settles it."""
    berth.hold()
    with pytest.raises(StateError, match="still going on"):
        berth.hold()


def test_a_damaged_folder_is_told(berth: Berth) -> None:
    """With something to do about it."""
    (berth.folder / "order.json").write_text(json.dumps({"study": "LL-x"}))
    with pytest.raises(InputError, match="damaged") as caught:
        berth.order()
    assert "leadline attach" in (caught.value.remedy() or "")
    [left] = left_behind()
    assert (left.study, left.state) == ("LL-x", "problem")


def test_a_log_on_another_machine_is_copied(berth: Berth) -> None:
    """Through fsspec, with the digest of the very bytes that are kept; a local one stays where it is."""
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://far/x.eval", "wb") as file:
        file.write(b"bytes")
    path, digest = digested("memory://far/x.eval", berth.copies)
    assert Path(path).read_bytes() == b"bytes" and digest == sha256(b"bytes").hexdigest()
    assert digested(f"file://{path}", berth.copies) == (path, digest)
    with pytest.raises(ValueError, match="where it is"):
        digested("", berth.copies)
