"""A process that checks signatures: the same answers as here, and no answer taken for a good one."""

import os
import resource
import signal
import sys
from io import BytesIO

import pytest

from leadline.errors import StoreError
from leadline.ledger import helper
from leadline.ledger.helper import MOST, Helper, Triple, failing, serve
from leadline.ledger.keys import SigningKey

KEY = SigningKey("author.example", "author", bytes(32))


def _part(count: int, bad: set[int]) -> list[Triple]:
    messages = [b"statement %d" % place * (1 + place * 97) for place in range(count)]
    return [
        (KEY.public.public, message + b"!" * (place in bad), KEY.sign(message))
        for place, message in enumerate(messages)
    ]


def _bits(places: set[int]) -> int:
    return sum(1 << place for place in places)


def test_bits_are_those_of_the_checks_that_fail() -> None:
    """The first check has the lowest bit; what is no signature at all fails like any other."""
    part = [*_part(5, {1, 4}), (KEY.public.public, b"", b""), (bytes(3), b"message", bytes(64))]
    assert failing(part) == _bits({1, 4, 5, 6})


def test_what_is_served_is_what_was_sent() -> None:
    """Parts of every size cross the pipe as they are, the empty one too, and the end of input is the end."""
    parts = [_part(MOST, {0, 17, MOST - 1}), [], _part(3, set()), [(KEY.public.public, b"", KEY.sign(b""))]]
    sink = BytesIO()
    serve(BytesIO(b"".join(map(helper._packed, parts)) + b"cut"), sink)
    assert sink.getvalue() == b"".join(map(helper._ANSWER.pack, map(failing, parts)))


def test_a_caller_with_very_many_open_files_has_helpers_too() -> None:
    """The pipes of a busy server may have numbers beyond a thousand, which `select` does not take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1_200 if hard == resource.RLIM_INFINITY else min(1_200, hard)
    if wanted < 1_100:
        pytest.skip("this system allows too few open files")
    opened: list[int] = []
    told: list[int] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a descriptor is all that is wanted)
            while not opened or opened[-1] <= 1_024:
                opened.append(os.dup(nothing.fileno()))
        process = Helper()
        try:
            process.give(_part(2, {1}), told.append)
            process.listen(wait=False)
            while len(process):
                process.listen(wait=True)
        finally:
            process.close()
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert told == [_bits({1})]


def test_a_helper_answers_in_order() -> None:
    """More than a pipe holds can be handed over before the first answer is read."""
    told: list[int] = []
    bad = [{3}, set(), {0, 1, 2}, {MOST - 1}]
    process = Helper()
    try:
        for places in bad:
            process.give(_part(MOST, places), told.append)
        assert len(process) == 4
        while len(process):
            process.listen(wait=True)
        process.listen(wait=False)
    finally:
        process.close()
    assert told == [_bits(places) for places in bad]


def test_a_helper_that_ended_is_an_error_and_no_answer() -> None:
    """Killed before it answers, it leaves its part unchecked: waiting for it, or handing it more, says so."""
    told: list[int] = []
    process = Helper()
    try:
        os.kill(process._child.pid, signal.SIGSTOP)
        process.give(_part(2, set()), told.append)
        os.kill(process._child.pid, signal.SIGKILL)
        with pytest.raises(StoreError, match=r"ended before it answered \(status -9\)") as caught:
            process.listen(wait=True)
        with pytest.raises(StoreError, match="ended before it answered"):
            process.give(_part(2, set()), told.append)
    finally:
        process.close()
    assert not told
    assert "one process" in (caught.value.remedy() or "")


def test_a_helper_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's refusal is one of the tree's errors, with what to do."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(StoreError, match="cannot be started: No such file"):
        Helper()
