"""A retrospective protocol, drafted from logs that nobody registered: what they hold, and what somebody had expected.

Logs say what was run. Three things only a person knows: what was expected, how small a difference would not have
mattered, and who says so. Results are not looked at: only which samples have one, and whether they are 0 or 1.
"""

import json
import math
import textwrap
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import InputError
from leadline.logs import SampleTable
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.claims import Estimand, Hypothesis
from leadline.protocol.blocks.conduct import Assumptions, Foreknowledge, SampleSize
from leadline.protocol.blocks.design import Arm, Judge, Measure, Task
from leadline.protocol.blocks.identity import Author, Model
from leadline.protocol.document import dump
from leadline.protocol.model import Protocol
from leadline.verdict.arms import assign
from leadline.verdict.comparison_options import cluster_expression
from leadline.verdict.conditions import Condition, conditions
from leadline.verdict.expectation import Expectation, read_expectations
from leadline.verdict.from_headers import (
    Settings,
    beyond,
    distinct,
    line,
    models_of,
    name_of,
    plain,
    shared,
    task_of,
)
from leadline.verdict.sides import decoding, differing, is_telling

#: The columns that a draft needs: none of the text.
COLUMNS: Final = ("sample_id", "score", "value", "value_json", "item_sha256")
#: Share of the smaller arm's samples that two arms must have in common to be compared sample by sample.
_PAIRED: Final = 0.5
_TOLD: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What some logs hold.

    `score` is the measure that is proposed and `key` the entry of it where it is a table of values; `scores` are all
    there are, the most frequent first. `binary` says whether every value is 0 or 1. `items` are the ids that are scored,
    by arm; `cluster` groups them where their ids do. `notes` are sentences for whoever reads the draft.
    """

    conditions: tuple[Condition, ...]
    score: str
    key: str | None
    scores: tuple[str, ...]
    binary: bool
    items: Mapping[str, frozenset[str]]
    cluster: str | None
    notes: tuple[str, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the proposed arms."""
        return tuple(one.name for one in self.conditions)

    @property
    def headers(self) -> tuple[LogHeader, ...]:
        """The headers of all logs."""
        return tuple(header for one in self.conditions for header in one.headers)


@dataclass(frozen=True, slots=True)
class Answers:
    """What only a person knows: what they expected, the smallest difference that would matter, and their name."""

    expected: tuple[Expectation, ...]
    smallest: float
    author: str

    @classmethod
    def read(cls, found: Found, expected: str, smallest: float, author: str) -> "Answers":
        """Answers as they were typed; InputError for what makes no sense for these logs."""
        if not (math.isfinite(smallest) and smallest > 0):
            raise InputError(
                f"{smallest:g} is no difference that could matter",
                where="smallest",
                remedy="write a number above 0",
            )
        if found.binary and smallest >= 1:
            raise InputError(
                f"a difference of {smallest:g} is more than shares of samples can differ by",
                where="smallest",
                remedy="write 0.05 for five samples in a hundred",
            )
        if not (author.strip() and author.isprintable() and len(author) <= 500):
            raise InputError(
                "a name is one line of at most 500 characters", where="author", remedy="write who did this"
            )
        claims = read_expectations(expected, found.arms)
        for name in [name for one in claims for name in (one.arm, one.other) if name is not None]:
            if not found.items[name]:
                raise InputError(
                    f"no sample of {name} has the score {found.score}",
                    where="expected",
                    remedy=f"claim something about another arm, or choose a score with --score: {_few(found.scores)}",
                )
        return cls(claims, smallest, author.strip())


def found_in(table: SampleTable, *, by: Collection[str] = (), score: str | None = None) -> Found:
    """What these logs hold, arms told apart as `leadline.verdict.conditions` says.

    Raises InputError where no log holds a scored sample, none has a score of the name given, or there are too many arms.
    """
    measured = table.measured()
    rows = measured.to_arrow()
    scores = _scores(rows)
    if score is not None and score not in scores:
        raise InputError(
            f"no log has a score {score!r}",
            where="--score",
            remedy=f"scores are: {', '.join(scores) or 'none at all'}",
        )
    if not scores:
        raise InputError(
            "none of these logs holds a sample with a score",
            remedy="pass the samples too: for lm-eval run with --log_samples, for Every Eval Ever the instance file",
        )
    chosen = score or scores[0]
    mine = rows.filter(pc.equal(rows["score"].cast(pa.string()), chosen))
    groups = conditions(measured.headers, by)
    values = [value for value in pc.unique(mine["value"]).to_pylist() if value is not None]
    return Found(
        groups,
        chosen,
        _key(mine),
        scores,
        all(value in (0.0, 1.0) for value in values),
        {one.name: _ids(mine, one) for one in groups},
        cluster_expression("auto", measured, measured),
        _notes(measured, groups, chosen, scores),
    )


def draft_retrospective(found: Found, answers: Answers) -> str:
    """YAML text of the protocol, with what was found and what remains open above it.

    Raises InputError where a log could not be told from those of another arm by what the protocol says.
    """
    protocol = protocol_of(found, answers)
    assigned = assign(protocol, found.headers)
    for one in found.conditions:
        for header in one.headers:
            if assigned[header.sha256] != one.name:
                raise InputError(
                    f"{header.log} cannot be told from logs of other arms than {one.name}",
                    remedy="name the logs of two arms only, or say with --by which settings tell arms apart",
                )
    paragraphs = (
        "Drafted from logs that nobody registered: their results are known, and its standing is retrospective for good.",
        "Everything below may be edited: arms, measure, claims, data rules, clusters, controls, robustness.",
        *(f"Note: {note}." for note in found.notes),
        "Then: leadline import FILE LOGS (FILE is this file, LOGS are the same logs) computes the analysis and records it.",
    )
    wrap = partial(textwrap.wrap, width=108, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {row}\n" for paragraph in paragraphs for row in wrap(_visible(paragraph))) + dump(
        protocol
    )


def protocol_of(found: Found, answers: Answers) -> Protocol:
    """The protocol that these logs and answers make."""
    headers = found.headers
    models = models_of(headers)
    judges = _judges(headers)
    tasks = _tasks(found.conditions, judges)
    measure = Measure(name=name_of(found.score), score=found.score, key=found.key, cluster=found.cluster)
    used = [name for one in answers.expected for name in (one.arm, one.other) if name is not None]
    return Protocol(
        title=_title(found, answers),
        status="exploratory",
        authors=(Author(name=answers.author),),
        models=(*models.values(), *judges.values()),
        tasks=tuple({task.name: task for task in tasks.values()}.values()),
        arms=tuple(_arm(one, models[one.headers[0].model].name, tasks[one.name]) for one in found.conditions),
        measures=(measure,),
        hypotheses=tuple(
            _hypothesis(f"H{number}", one, found, measure.name, answers.smallest)
            for number, one in enumerate(answers.expected, 1)
        ),
        sample_size=SampleSize(
            items=max(min(len(found.items[name]) for name in used), 1),
            assumptions=Assumptions(binary=found.binary),
        ),
        foreknowledge=Foreknowledge(
            level="outcomes", note="Drafted from the logs themselves, after their run."
        ),
    )


# -- what the logs hold -----------------------------------------------------------------------------


def _scores(rows: pa.Table) -> tuple[str, ...]:
    """Names of scores: those of most logs first, then by name."""
    pairs = pa.table({name: rows[name].cast(pa.string()) for name in ("sha256", "score")})
    counted = Counter(
        row["score"] for row in pairs.group_by(["sha256", "score"]).aggregate([]).to_pylist() if row["score"]
    )
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))


def _key(rows: pa.Table) -> str | None:
    """The first entry of a score that is a table of values; None for one that is a value."""
    if rows["value"].null_count < rows.num_rows:
        return None
    for text in pc.unique(rows["value_json"].cast(pa.string())).to_pylist():
        try:
            value = json.loads(text or "null")
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value:
            return str(next(iter(value)))
    return None


def _ids(rows: pa.Table, one: Condition) -> frozenset[str]:
    digests = pa.array([header.sha256 for header in one.headers], type=pa.string())
    own = rows.filter(pc.is_in(rows["sha256"].cast(pa.string()), value_set=digests))
    return frozenset(map(str, pc.unique(own["sample_id"]).to_pylist()))


def _notes(
    table: SampleTable, groups: Sequence[Condition], score: str, scores: Sequence[str]
) -> tuple[str, ...]:
    notes = []
    if len(scores) > 1:
        others = [name for name in scores if name != score]
        notes.append(f"the measure is {score}; other scores are {_few(others)}")
    for one in groups:
        if len(one.headers) > 1:
            open_ = dict.fromkeys(
                difference.name
                for header in one.headers[1:]
                for difference in differing(one.headers[0], header)
                if is_telling(difference.name)
            )
            alike = f"differ in {_few(list(open_))}" if open_ else "ran the same"
            notes.append(f"{one.name} has {len(one.headers)} logs, which {alike}")
    notes += [
        f"{header.log} has status {header.status}" for header in table.headers if header.status != "success"
    ]
    skipped = [
        f"{Path(skip.path).name} ({'a copy' if skip.kind == 'copy' else skip.reason})"
        for skip in table.accounting.skipped
        if skip.kind != "companion"
    ]
    if skipped:
        notes.append(f"not read as logs of samples: {_few(skipped)}")
    return tuple(notes)


def _few(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _visible(text: str) -> str:
    """Text that stays within its comment."""
    return "".join(char if char.isprintable() else "?" for char in text)


# -- the protocol -----------------------------------------------------------------------------------


def _title(found: Found, answers: Answers) -> str:
    tasks = list(dict.fromkeys(header.task for header in found.headers if header.task))
    first = answers.expected[0]
    more = f", and {len(answers.expected) - 1} more" if len(answers.expected) > 1 else ""
    on = f" on {_few(tasks)}" if tasks else ""
    begun = [header.begun for header in found.headers if header.begun is not None]
    when = f" (run {min(begun).date()})" if begun else ""
    return line(f"{first.sentence}{more}{on}{when}")


def _settings(header: LogHeader) -> Settings:
    config: Settings = plain(decoding(header))
    return config


def _tasks(groups: Sequence[Condition], judges: Mapping[str, Model]) -> dict[str, Task]:
    """The task of each arm: one for all that ran one version of it, by one plan, on the same items."""
    alike: dict[tuple[str, frozenset[frozenset[str]]], list[Condition]] = {}
    for one in groups:
        first = one.headers[0]
        digests = sorted({header.dataset_sha256 or "" for header in one.headers})
        ran = [first.task, first.task_version, plain(list(first.steps)), digests, _judge_of(one.headers)]
        items = frozenset(frozenset(header.item_digests) for header in one.headers)
        alike.setdefault((json.dumps(ran, sort_keys=True), items), []).append(one)
    tasks: dict[str, Task] = {}
    names: list[str] = []
    for members in alike.values():
        headers = [header for one in members for header in one.headers]
        names.append(distinct(name_of(headers[0].task or "task"), names))
        judge = _judge_of(headers)
        task = task_of(headers, names[-1], _settings)
        if judge is not None:
            task = task.model_copy(update={"judge": Judge(model=judges[judge].name)})
        tasks |= {one.name: task for one in members}
    return tasks


def _others(header: LogHeader) -> list[str]:
    """Models besides the one that was measured: by role, and by what was used."""
    roles = [role.get("model") for role in header.model_roles.values() if isinstance(role, dict)]
    named = [str(one) for one in (*roles, *header.model_usage) if one]
    return [one for one in dict.fromkeys(named) if one != header.model]


def _judge_of(headers: Sequence[LogHeader]) -> str | None:
    """The model that graded, where there is one other model and all logs agree on it."""
    found = {tuple(_others(header)) for header in headers}
    (only, *more) = found
    return only[0] if not more and len(only) == 1 else None


def _judges(headers: Sequence[LogHeader]) -> dict[str, Model]:
    ids = dict.fromkeys(other for header in headers for other in _others(header))
    names: list[str] = []
    for one in ids:
        names.append(distinct(name_of(f"judge-{one}"), names))
    return {one: Model(name=name, id=one, role="grader") for one, name in zip(ids, names, strict=True)}


def _arm(one: Condition, model: str, task: Task) -> Arm:
    headers = one.headers
    args = beyond(shared([plain(header.task_args) for header in headers]), task.args)
    generate = beyond(shared([_settings(header) for header in headers]), task.generate)
    return Arm(
        name=one.name,
        technique=line(one.words or "as run"),
        model=model,
        task=task.name,
        task_args=args | _own(one, "task_args", unset_only=True),
        generate=generate | _own(one, "generate_config", unset_only=True),
        metadata=_own(one, "metadata"),
    )


def _own(one: Condition, root: str, *, unset_only: bool = False) -> Settings:
    """A condition's telling settings of one root; what it leaves unset is promised as unset, for others set it."""
    found = {name.partition(".")[2]: v for name, v in one.settings.items() if name.startswith(f"{root}.")}
    return {key: value for key, value in found.items() if value is None} if unset_only else found


def _hypothesis(name: str, one: Expectation, found: Found, measure: str, smallest: float) -> Hypothesis:
    if one.other is None:
        kind: Any = "proportion" if found.binary else "mean"
        estimand = Estimand(type=kind, measure=measure, arms=(one.arm,))
    else:
        kind = "paired_difference" if _is_paired(found, one.arm, one.other) else "difference"
        estimand = Estimand(type=kind, measure=measure, arms=(one.arm, one.other))
    return Hypothesis(
        id=name,
        claim=line(f"{one.sentence} on {found.score}"),
        kind=one.kind,
        estimand=estimand,
        prediction=one.prediction,
        reference=one.reference,
        smallest=smallest,
    )


def _is_paired(found: Found, one: str, two: str) -> bool:
    """Whether two arms ran the same samples: most ids in common, and nowhere two contents under one id."""
    both = found.items[one] & found.items[two]
    if len(both) < _PAIRED * max(min(len(found.items[one]), len(found.items[two])), 1):
        return False
    digests: dict[str, str] = {}
    arms = {condition.name: condition for condition in found.conditions}
    for header in (*arms[one].headers, *arms[two].headers):
        for sample, digest in header.item_digests.items():
            if sample in both and digests.setdefault(sample, digest) != digest:
                return False
    return True


__all__ = ["COLUMNS", "Answers", "Found", "draft_retrospective", "found_in", "protocol_of"]
