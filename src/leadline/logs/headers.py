"""What a log says about itself: one typed record per log, as conformance needs it.

Everything is bound to the `eval` block, which is as the run wrote it; later edits live in `log_updates`.
Aggregates are kept as claims and never used as numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimedMetric:
    """One aggregate as the log reports it.

    `score` is the name of the score, `scorer` the scorer that made it (they differ for scorers that give a
    dict), `reducer` how epochs were combined.
    """

    score: str
    scorer: str
    metric: str
    value: float | None
    reducer: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """The dataset as the header describes it; None where the header is silent."""

    name: str | None = None
    location: str | None = None
    samples: int | None = None
    sample_ids: tuple[str | int, ...] | None = None
    shuffled: bool | None = None


@dataclass(frozen=True, slots=True)
class Companion:
    """Another file that a log was read with: without it the log says less, or nothing.

    `text` is the content where it is no file yet: a mapping that was given with the call.
    """

    name: str
    path: str
    sha256: str
    size: int
    format: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LogHeader:
    """The header of one log; times are aware datetimes in UTC.

    `generate_config` is the model's configuration overlaid with the plan's, as Inspect applies them;
    `model_generate_config` and `plan_config` are the two apart. `metadata` and `tags` are as run.
    `effective_metadata` and `effective_tags` include the edits of `log_updates`. `dataset_sha256` and
    `item_digests` are filled when samples were read; `dataset_problem` says why a digest is missing.
    `samples_read` counts samples in the file, `total_samples` and the following are the log's own claims.
    `created` is None where a format does not say when it was run, `model` and `task` are empty where it does not
    say of what. `aggregate_only` marks what reports results and can hold no samples: background, never data.
    `companions` are the files it was read with; `ties` are for the format's own `join`, and empty after it.
    """

    log: str
    path: str
    sha256: str
    size: int
    format: str
    version: int
    status: str
    eval_id: str
    run_id: str
    eval_set_id: str | None
    task: str
    task_id: str
    task_version: str
    task_file: str | None
    task_registry_name: str | None
    task_args: Json
    task_args_passed: Json
    solver: str | None
    solver_args: Json | None
    steps: tuple[Json, ...]
    model: str
    model_base_url: str | None
    model_args: Json
    model_roles: Json
    generate_config: Json
    model_generate_config: Json
    plan_config: Json
    config: Json
    dataset: DatasetNote
    sandbox: Json | None
    scorers: tuple[Json, ...]
    tags: tuple[str, ...]
    metadata: Json
    effective_tags: tuple[str, ...]
    effective_metadata: Json
    revision: Json | None
    packages: dict[str, str]
    created: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    error: str | None
    results: tuple[ClaimedMetric, ...]
    total_samples: int | None
    completed_samples: int | None
    logged_samples: int | None
    invalidated: bool
    log_updates: tuple[Json, ...]
    config_updates: tuple[Json, ...]
    model_usage: Json
    samples_read: int = 0
    model_fallbacks: tuple[str, ...] = ()
    dataset_sha256: str | None = None
    dataset_problem: str | None = None
    item_digests: Mapping[str, str] = field(default_factory=dict)
    aggregate_only: bool = False
    companions: tuple[Companion, ...] = ()
    ties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs the run was asked for (1 where the header is silent)."""
        epochs = self.config.get("epochs")
        return epochs if isinstance(epochs, int) and epochs > 0 else 1

    @property
    def begun(self) -> datetime | None:
        """The earliest time the header admits: the log's creation, or the run's start; None where it names neither."""
        return min((time for time in (self.created, self.started_at) if time is not None), default=None)


def utc(text: str) -> datetime:
    """An ISO 8601 time as an aware datetime in UTC; a naive one is UTC already. ValueError if it is none."""
    moment = datetime.fromisoformat(text)
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
