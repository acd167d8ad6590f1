"""Many signature checks on several processes: the same answers, in the same order."""

import os
import signal
from collections.abc import Callable

import pytest

from leadline.ledger import signatures
from leadline.ledger.helper import MOST, Helper
from leadline.ledger.keys import SigningKey
from leadline.ledger.signatures import Check, SignatureChecker

KEY = SigningKey("author.example", "author", bytes(32))
MESSAGE = b"a statement"
GOOD = KEY.sign(MESSAGE)


def _checks(start: int, count: int, bad: set[int]) -> list[Check]:
    return [
        Check(place, "entry", KEY.public.public, b"altered" if place in bad else MESSAGE, GOOD)
        for place in range(start, start + count)
    ]


@pytest.mark.parametrize("processes", [1, 2])
def test_bad_signatures_are_found_in_their_order(monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    """Every altered message is named once, batch by batch, whoever checked it."""
    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 100)
    bad = {0, 7, 99, 100, 131, 250, 251, 399}
    with SignatureChecker(processes) as checker:
        batches = [checker.start(_checks(start, 100, bad)) for start in range(0, 400, 100)]
        found = [check.position for batch in batches for check in batch.failures()]
    assert found == sorted(bad)


def test_another_verifier_is_asked_here_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something that remembers earlier answers cannot be carried to another process, so none is started."""
    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 1)
    asked: list[bytes] = []
    with SignatureChecker(2, lambda public, message, signature: asked.append(message)) as checker:
        assert checker.start(_checks(0, 50, set())).failures() == []
    assert len(asked) == 50


def test_where_no_helper_can_be_listened_to_the_caller_checks_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system without `poll` several processes mean one, with the same answers."""
    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 0)
    monkeypatch.setattr(signatures, "AVAILABLE", False)
    monkeypatch.setattr(signatures, "Helper", lambda: pytest.fail("a helper was started"))
    with SignatureChecker(4) as checker:
        assert [check.position for check in checker.start(_checks(0, 300, {9, 250})).failures()] == [9, 250]


class _Silent(Helper):
    """Takes everything, and answers only when told to."""

    def __init__(self) -> None:
        self.started = False
        self.lost = False
        self.held: list[Callable[[int], None]] = []

    def __len__(self) -> int:
        return len(self.held)

    def give(self, triples: object, told: Callable[[int], None]) -> None:
        self.held.append(told)

    def listen(self, *, wait: bool) -> None:
        if wait:
            self.held.pop(0)(0)

    def close(self) -> None:
        pass


def test_helpers_are_taken_on_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many processes are allowed, none is started while the last one has not shown that it works."""
    hired: list[_Silent] = []

    def hire() -> _Silent:
        hired.append(_Silent())
        return hired[-1]

    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 0)
    monkeypatch.setattr(signatures, "Helper", hire)
    many = MOST * (signatures._AHEAD + 1)
    with SignatureChecker(8) as checker:
        begun = [checker.start(_checks(0, many, set())), checker.start(_checks(0, many, set()))]
        assert len(hired) == 1
        assert not begun[0].done
        hired[0].started = True
        begun.append(checker.start(_checks(0, many, set())))
        assert [len(helper) for helper in hired] == [signatures._AHEAD] * 2
        assert [batch.failures() for batch in begun] == [[], [], []]
        assert all(batch.done for batch in begun)


def test_a_helper_that_dies_is_not_replaced_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it holds parts, it leaves them to the caller, who checks alone from then on."""
    hired: list[Helper] = []

    def hire() -> Helper:
        hired.append(Helper())
        os.kill(hired[-1]._child.pid, signal.SIGSTOP)
        return hired[-1]

    monkeypatch.setattr(signatures, "_WORTH_A_PROCESS", 0)
    monkeypatch.setattr(signatures, "Helper", hire)
    bad = {0, MOST - 1, 2 * MOST, 5 * MOST + 3}
    with SignatureChecker(3) as checker:
        before = checker.start(_checks(0, 3 * MOST, bad))
        assert len(hired[0]) == 3
        assert not before.done
        os.kill(hired[0]._child.pid, signal.SIGKILL)
        hired[0]._child.wait()
        after = checker.start(_checks(3 * MOST, 3 * MOST, bad))
        assert before.done
        found = [check.position for batch in (before, after) for check in batch.failures()]
    assert found == sorted(bad)
    assert len(hired) == 1
