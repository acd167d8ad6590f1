"""The rows of a recording: one object with one key, which names the kind of row.

``recording`` opens a file, ``result`` is one score of one sample, ``pause`` says that the block which recorded ended
in an exception, ``segment`` that the file was opened again, ``end`` that the run is over. Times are UTC, ISO 8601.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from leadline.logs.shapes import NO_JSON

VERSION: Final = 1
#: What a log of this kind is called.
FORMAT: Final = "recording"
#: The key of a log's metadata under which a recording says which protocol it was made for.
PROTOCOL_STAMP: Final = "leadline_protocol"

Json = dict[str, Any]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Epoch = Annotated[int, Meta(ge=1, le=(1 << 31) - 1)]


class Git(Struct, forbid_unknown_fields=True, kw_only=True):
    """The state of the code: commit, whether tracked files differ from it, remote without credentials."""

    commit: str
    dirty: bool
    remote: str | None = None


class Surroundings(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the code ran on: interpreter, platform, versions of packages, state of the code."""

    python: str
    platform: str
    packages: dict[str, str] = {}
    git: Git | None = None


class Head(Struct, forbid_unknown_fields=True, kw_only=True):
    """The first row: what the code that runs says it runs; what it does not say is absent.

    `metadata` hold the stamps of the run (study, attempt, arm, protocol) as the metadata of any log do.
    """

    version: int
    id: str
    created: str
    surroundings: Surroundings
    task: str = ""
    model: str = ""
    task_version: str = ""
    task_args: Json = {}
    model_args: Json = {}
    generate: Json = {}
    scorers: dict[str, Json] = {}
    metadata: Json = {}


class Result(Struct, forbid_unknown_fields=True, kw_only=True):
    """One score of one sample; a null value was not scored, for `reason`. `item` is the digest of what has no text."""

    sample_id: str
    epoch: Epoch
    score: str
    value: Any
    started: str
    at: str
    reason: str | None = None
    error: str | None = None
    answer: str | None = None
    explanation: str | None = None
    input: str | None = None
    target: str | list[str] | None = None
    choices: list[str] | None = None
    item: Digest | None = None
    seed: int | str | None = None
    metadata: Raw = NO_JSON


class Pause(Struct, forbid_unknown_fields=True):
    """The block that recorded was left by an exception of this type."""

    at: str
    error: str


class Segment(Struct, forbid_unknown_fields=True):
    """The file was opened again after so many results; `torn` bytes of a line that was never acknowledged were cut off."""

    at: str
    results: int
    torn: int
    surroundings: Surroundings


class End(Struct, forbid_unknown_fields=True):
    """The run is over, with so many results."""

    at: str
    results: int
    status: Literal["success", "error"]


class Row(Struct, forbid_unknown_fields=True):
    """A row: exactly one of these is set."""

    recording: Head | UnsetType = UNSET
    result: Result | UnsetType = UNSET
    pause: Pause | UnsetType = UNSET
    segment: Segment | UnsetType = UNSET
    end: End | UnsetType = UNSET


row_decoder: Final = msgspec.json.Decoder(Row)
