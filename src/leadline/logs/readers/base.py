"""What a reader of one log format is."""

from collections.abc import Callable
from typing import NamedTuple

from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.headers import LogHeader
from leadline.logs.request import Request
from leadline.logs.source import Source

Recognise = Callable[[Source], bool]
#: Source, its SHA-256, what is wanted, where rows go, where the balance is kept. Raises LogError.
Read = Callable[[Source, str, Request, Columns, Ledger], LogHeader]


class Format(NamedTuple):
    """A log format: its name, a test on content, and its reader."""

    name: str
    recognise: Recognise
    read: Read
