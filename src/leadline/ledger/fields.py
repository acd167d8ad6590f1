"""Bounded field types of which every statement's predicate is made.

Statements come from strangers: each text has a cap, each number a range, and nothing is coerced.
"""

import re
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from leadline.errors import SignatureError
from leadline.ledger.canon import MAX_INTEGER
from leadline.ledger.ids import is_study_id
from leadline.ledger.keys import VerifyKey

# Tab and newline are allowed; other control characters could disguise what a terminal or page shows,
# and so could the characters that reverse the direction of writing.
_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"


def _text(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(strict=True, min_length=shortest, max_length=longest, pattern=_PRINTABLE)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _check_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("a time is written in UTC as 2026-01-31T23:59:59Z")
    datetime.fromisoformat(text.removesuffix("Z"))
    return text


def _check_date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError("a date is written as 2026-01-31")
    date.fromisoformat(text)
    return text


def _check_study(text: str) -> str:
    if not is_study_id(text):
        raise ValueError("a study id is LL- and 13 lower-case base-32 characters")
    return text


def _check_vkey(text: str) -> str:
    try:
        VerifyKey.parse(text)
    except SignatureError as error:  # pydantic collects ValueErrors only
        raise ValueError(error.message) from None
    return text


def _check_pointer(text: str) -> str:
    if text and (not text.startswith("/") or re.search(r"~(?![01])", text)):
        raise ValueError("a JSON pointer (RFC 6901) starts with / and escapes ~ as ~0")
    return text


Line: TypeAlias = Annotated[str, _text(300)]
"""A title or name: 1 to 300 characters."""
Claim: TypeAlias = Annotated[str, _text(500)]
"""A claim in a sentence: 1 to 500 characters."""
Text: TypeAlias = Annotated[str, _text(4000)]
"""A reason or note: 1 to 4,000 characters."""
Word: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_./-]{0,63}$")]
"""A term of a vocabulary kept elsewhere: lower case, at most 64 characters."""
Ident: TypeAlias = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")
]
"""An identifier that an author chose, such as a hypothesis id."""
Digest: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hex."""
Probe: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=r"^([0-9a-f]{8}){1,8}$")]
"""The beginnings of one to eight digests, eight lower-case hex digits each."""
Time: TypeAlias = Annotated[str, StringConstraints(strict=True, max_length=32), AfterValidator(_check_time)]
"""A claimed UTC time, ISO 8601 with ``Z``. A claim: what is proven is the order of the log."""
Date: TypeAlias = Annotated[str, StringConstraints(strict=True, max_length=10), AfterValidator(_check_date)]
"""A calendar date, ISO 8601."""
StudyId: TypeAlias = Annotated[
    str, StringConstraints(strict=True, max_length=16), AfterValidator(_check_study)
]
"""The id of a study of this log."""
Vkey: TypeAlias = Annotated[str, StringConstraints(strict=True, max_length=1000), AfterValidator(_check_vkey)]
"""A public key as verifier-key text."""
Pointer: TypeAlias = Annotated[str, _text(500, 0), AfterValidator(_check_pointer)]
"""A JSON pointer into a protocol."""
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
"""A number of things, 0 to 2**53 - 1."""
Number: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
"""The number of an attempt, from 1."""
Probability: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
"""A probability, 0 to 1."""

Outcome: TypeAlias = Literal["supported", "refuted", "null", "inconclusive"]
Standing: TypeAlias = Literal["confirmatory", "qualified", "exploratory", "retrospective"]


class Fields(BaseModel):
    """Base of every predicate and its parts: frozen, and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Holder(Fields):
    """Who holds a key."""

    name: Line
    kind: Literal["human", "llm", "service"]


class Hypothesis(Fields):
    """One registered claim: its id in the protocol, the kind of claim, and the sentence."""

    id: Ident
    kind: Word
    claim: Claim


class SeenCheckpoint(Fields):
    """The newest checkpoint the author saw: a bound on "not earlier than". `root` is hex."""

    origin: Line
    size: Count
    root: Digest


class LogFile(Fields):
    """One attached evaluation log: digest, name and size of the file, and what it says it is.

    `dataset` is the content digest of its samples and `items` the beginnings of its smallest item digests, eight hex
    digits each (`leadline.logs.dataset`): by them a run is found wherever its log is attached.
    """

    sha256: Digest
    name: Line
    size: Count
    format: Word
    eval_id: Line | None = None
    samples: Count | None = None
    task: Line | None = None
    model: Line | None = None
    dataset: Digest | None = None
    items: Probe | None = None


class ReportedVerdict(Fields):
    """Outcome and standing of one hypothesis as the report computes them."""

    outcome: Outcome
    reason: Line
    standing: Standing


class Opening(Fields):
    """What a commitment was made of: its salt, and the digest of the committed bytes."""

    salt: Digest
    sha256: Digest


class OpenedKeys(Fields):
    """The opening of a commitment to keys: fingerprints, that of the freeze's signer first."""

    salt: Digest
    keys: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=51)]
