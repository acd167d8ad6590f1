"""Many signature checks on several processes: the same answers, in the same order."""

import pytest

from leadline.ledger import signatures
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
