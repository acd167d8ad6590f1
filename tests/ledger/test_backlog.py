"""Signatures checked together: which failure is told, and that nothing goes unchecked."""

import threading

import pytest

from leadline.errors import SignatureError
from leadline.ledger import backlog
from leadline.ledger.backlog import Backlog
from leadline.ledger.dsse import Envelope, decode
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.statements import make_signed

KEY = SigningKey("author.example", "author", bytes(32))


def _envelope(number: int) -> Envelope:
    said = {"type": "trust", "target": f"item {number}", "created": "2026-01-01T00:00:00Z"}
    return decode(make_signed("judgement", said, KEY))


def _forged(number: int) -> Envelope:
    good = _envelope(number)
    return Envelope(good.payload + b" ", good.payload_type, good.keyid, good.signature)


@pytest.mark.parametrize("beside", [True, False])
def test_sound_signatures_settle_to_nothing(beside: bool) -> None:
    """Where every signature holds there is no error, with another thread's help or without."""
    work = Backlog()
    for number in range(20):
        work.add(_envelope(number), KEY.public)
    if beside:
        work.start()
    assert work.settle() is None


@pytest.mark.parametrize("beside", [True, False])
def test_the_first_failure_is_told(beside: bool) -> None:
    """Of several that do not hold, the one added first is the one that is named."""

    def check(envelope: Envelope, key: VerifyKey) -> None:
        raise SignatureError(envelope.keyid)

    work = Backlog(check)
    for number in range(9):
        work.add(Envelope(b"", "", f"{number}", b""), KEY.public)
    if beside:
        work.start()
    found = work.settle()
    assert found is not None
    assert found.message == "0"


def test_a_forgery_among_many_is_found() -> None:
    """One altered payload is enough, wherever it stands."""
    work = Backlog()
    for number in range(8):
        work.add(_forged(number) if number == 6 else _envelope(number), KEY.public)
    work.start()
    assert isinstance(work.settle(), SignatureError)


def test_a_thread_that_never_runs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the helper is busy elsewhere, or gone after a fork, the caller checks everything itself."""
    from concurrent.futures import ThreadPoolExecutor

    leave = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(leave.wait, 20)
        monkeypatch.setattr(backlog, "_helper", lambda: pool)
        work = Backlog()
        for number in range(4):
            work.add(_forged(number), KEY.public)
        work.start()
        assert isinstance(work.settle(), SignatureError)
        leave.set()
