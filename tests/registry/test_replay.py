"""Requests that come twice: answered once, worked on again when nobody works on them any more."""

from datetime import UTC, datetime, timedelta

import pytest

from leadline.errors import StateError, StoreError
from leadline.registry.intake import replay
from leadline.registry.intake.replay import Answer, InProgressError, Replay, forget_answers
from leadline.store.shelf import MemoryShelf

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
ANSWER = Answer(201, b"{}")


def ask(shelf: MemoryShelf, request: bytes = b"one") -> Replay:
    """A request under the one key of these tests."""
    return Replay(shelf, "caller", "key", request)


def test_the_first_answer_is_given_again() -> None:
    """The same request gets the same answer for a day, another one under the same key is refused."""
    shelf = MemoryShelf()
    first = ask(shelf)
    assert first.begin(NOW) is None
    first.finish(ANSWER, NOW)
    assert ask(shelf).begin(NOW) == ANSWER
    with pytest.raises(StateError, match="another request"):
        ask(shelf, b"two").begin(NOW)
    assert forget_answers(shelf, NOW + timedelta(days=2)) == 1
    assert ask(shelf).begin(NOW) is None


def test_a_request_that_is_worked_on_waits() -> None:
    """While this process works on a request, its repetition is told so; when the work failed, it may come again."""
    shelf = MemoryShelf()
    first = ask(shelf)
    first.begin(NOW)
    with pytest.raises(InProgressError):
        ask(shelf).begin(NOW)
    first.fail()
    assert ask(shelf).begin(NOW) is None


def test_a_killed_process_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark of a process that is gone stops nothing: the request is worked on at once."""
    shelf = MemoryShelf()
    ask(shelf).begin(NOW)
    monkeypatch.setattr(replay, "_working", set())  # as in the process that comes after
    second = ask(shelf)
    assert second.begin(NOW + timedelta(seconds=1)) is None
    second.finish(ANSWER, NOW)
    assert ask(shelf).begin(NOW) == ANSWER


def test_a_store_that_refuses_to_forget_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the mark cannot be taken away because the database is gone, the request may come again all the same."""
    shelf = MemoryShelf()
    first = ask(shelf)
    first.begin(NOW)

    def refuse(*_: object) -> bool:
        raise StoreError("the connection to the database was lost")

    with monkeypatch.context() as patch:
        patch.setattr(shelf, "swap", refuse)
        first.fail()
        with pytest.raises(StoreError):
            ask(shelf).begin(NOW)
    assert ask(shelf).begin(NOW) is None
