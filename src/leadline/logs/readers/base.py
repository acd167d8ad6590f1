"""What a reader of one log format is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leadline.logs.accounting import Ledger, LogAccount
from leadline.logs.columns import Columns
from leadline.logs.headers import LogHeader
from leadline.logs.request import Request
from leadline.logs.source import Source


class ReadLog(NamedTuple):
    """One log that was read: what it says of itself, and its balance."""

    header: LogHeader
    account: LogAccount


class Joined(NamedTuple):
    """What a format makes of all its files of one call.

    `logs` holds, at the position of every log that went in, what became of it; None where it is no log of its own
    but went into another, which is said in `why` at that position. `further` are evaluations that had no position.
    """

    logs: Sequence[ReadLog | None]
    further: Sequence[ReadLog] = ()
    why: Sequence[str] = ()


Recognise = Callable[[Source], bool]
#: Source, its SHA-256, what is wanted, where rows go, where the balance is kept. Raises LogError.
Read = Callable[[Source, str, Request, Columns, Ledger], LogHeader]
#: All logs of the call, of whatever format, in order. It looks at headers and accounts alone: rows stay as they are.
Join = Callable[[Sequence[ReadLog]], Joined]


class Format(NamedTuple):
    """A log format: its name, a test on content, and its reader.

    `recognise` looks at the content of a file and answers whether it is of this format; it raises nothing.
    `read` reads one file by itself. `whole` says that a file has to be held in memory to be told apart, so that
    its size is bounded first.
    """

    name: str
    recognise: Recognise
    read: Read
    whole: bool = False
