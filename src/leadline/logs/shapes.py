"""The shapes of samples, summaries and `.json` logs: the wanted fields, everything else is skipped.

msgspec structs; defaults are what a missing field means. `Raw` fields stay encoded until somebody asks.
"""

from typing import Annotated, Any, Final

from msgspec import Meta, Raw, Struct

#: A field that was absent or null.
NO_JSON: Final = Raw(b"null")

Json = dict[str, Any]
Epoch = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]


class ScoreNote(Struct, gc=False):
    """The one key of score metadata that older logs use for the reason of a missing value."""

    unscored_reason: Any = None


class BriefScore(Struct, gc=False):
    """A score as a summary keeps it, without its text."""

    value: Any
    reason: str | None = None
    metadata: ScoreNote | None = None


class Score(Struct, gc=False):
    """A score as a sample keeps it."""

    value: Any
    answer: str | None = None
    explanation: str | None = None
    reason: str | None = None
    metadata: Raw = NO_JSON
    history: list[Raw] = []


class ErrorNote(Struct, gc=False):
    """The error that ended a sample."""

    message: str = ""


class LimitNote(Struct, gc=False):
    """The limit that ended a sample."""

    type: str


class ModelFallback(Struct, gc=False):
    """Another model answered in the place of the one asked for."""

    model: str
    fallback_model: str
    count: int = 1


class _Common(Struct, gc=False, kw_only=True):
    id: int | str
    epoch: Epoch
    uuid: str | None = None
    error: str | ErrorNote | None = None
    limit: str | LimitNote | None = None
    started_at: str | None = None
    completed_at: str | None = None
    total_time: float | None = None
    working_time: float | None = None
    model_fallbacks: list[ModelFallback] | None = None


class Summary(_Common, gc=False, kw_only=True):
    """What is read of a sample's summary; `metadata` stays encoded until a projection asks for it."""

    scores: dict[str, BriefScore] | None = None
    retries: int | None = None
    metadata: Raw = NO_JSON


class Sample(_Common, gc=False, kw_only=True):
    """What is read of a whole sample; messages, events, store and output are skipped."""

    input: str | list[Json]
    target: str | list[str] = ""
    choices: list[str] | None = None
    scores: dict[str, Score] | None = None
    score: Score | None = None
    metadata: Raw = NO_JSON
    invalidation: Raw = NO_JSON
    error_retries: list[Raw] | None = None
    attachments: Raw = NO_JSON
    transcript: Raw = NO_JSON


class SampleId(Struct, gc=False):
    """A sample's identity and nothing else."""

    id: int | str
    epoch: Epoch


class JsonLog(Struct, gc=False):
    """A `.json` log: its header still encoded, its samples one piece each."""

    eval: Raw
    status: str
    version: int = 2
    plan: Raw = NO_JSON
    results: Raw = NO_JSON
    stats: Raw = NO_JSON
    samples: list[Raw] | None = None
    error: Raw = NO_JSON
    invalidated: bool = False
    log_updates: Raw = NO_JSON
    config_updates: Raw = NO_JSON
