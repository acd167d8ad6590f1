"""The two sides of a comparison: each is one setup, they are not the same evaluation, and how they differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.errors import InputError
from leadline.logs import SampleTable
from leadline.logs.headers import LogHeader
from leadline.verdict.conformance.context import same, show
from leadline.verdict.conformance.settings import CONDUCT, LIMITS, TRANSPORT

#: Settings from the one that says most about a comparison to the one that says least.
LEADING = (
    "model", "task", "task_args", "solver", "generate_config", "model_args", "model_roles", "config",
    "task_version", "model_base_url", "packages",
)  # fmt: skip
#: Groups, files and skipped files that a message names before it counts the rest.
_NAMED = 8

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between two logs; `name` is dotted, e.g. `task_args.shots`."""

    name: str
    a: Any
    b: Any

    @property
    def line(self) -> str:
        """The difference as one line, `name: A | B`."""
        if self.name == "solver":
            return "solver: the plans differ"
        return f"{self.name}: {show(self.a)} | {show(self.b)}"


def require_one_setup(side: str, table: SampleTable) -> None:
    """Raise InputError unless all logs of a side ran one setup, so that pooling them means something.

    One setup: equal task, model, their arguments, decoding, limits and plan. ``side`` is A or B.
    """
    groups: list[list[LogHeader]] = []
    for header in table.headers:
        settings = _setup(header)
        for group in groups:
            if same(_setup(group[0]), settings):
                group.append(header)
                break
        else:
            groups.append([header])
    if len(groups) > 1:
        raise InputError(
            f"{side} holds {len(groups)} different setups, and a side has to be one: {_listed(groups)}",
            remedy=f"name one log, e.g. {groups[0][0].path}, or a folder with reruns of one setup only",
        )


def require_two_evaluations(a: SampleTable, b: SampleTable) -> None:
    """Raise InputError where a file, or an evaluation, is on both sides."""
    for left in a.headers:
        for right in b.headers:
            if left.sha256 == right.sha256 or (left.eval_id and left.eval_id == right.eval_id):
                raise InputError(
                    f"the same evaluation on both sides: {left.log} (A) and {right.log} (B)",
                    remedy="name the log of another evaluation as A or as B",
                )


def differing(one: LogHeader, two: LogHeader) -> tuple[Difference, ...]:
    """Settings that differ between two logs, in the order of `LEADING`, packages last."""
    left, right = _flat(one), _flat(two)
    found = [
        Difference(name, left.get(name), right.get(name))
        for name in dict.fromkeys((*left, *right))
        if not same(left.get(name), right.get(name))
    ]
    return tuple(sorted(found, key=lambda difference: (rank(difference.name), difference.name)))


def rank(name: str) -> int:
    """Place of a setting in `LEADING`; strangers come last."""
    root = name.partition(".")[0]
    return LEADING.index(root) if root in LEADING else len(LEADING)


def is_telling(name: str) -> bool:
    """Whether a difference in this setting can be what a comparison is about: not transport, not packages."""
    root, _, key = name.partition(".")
    return root != "packages" and not (root == "generate_config" and key in TRANSPORT)


def reading_notes(side: str, table: SampleTable) -> list[str]:
    """What was pooled, set aside or not read, and which logs are not whole, in sentences."""
    notes = []
    if (n := len(table.headers)) > 1:
        notes.append(
            f"{side}: {n} runs of one setup are pooled; a sample in several counts once, with its mean"
        )
    kept = {header.sha256 for header in table.headers}
    aside = [account.log for account in table.accounting.logs if account.sha256 not in kept]
    notes += [
        f"{side}: {log} was set aside: a more complete file of that evaluation is there" for log in aside
    ]
    skipped = table.accounting.skipped
    notes += [f"{side}: {Path(skip.path).name} was skipped: {skip.reason}" for skip in skipped[:_NAMED]]
    if len(skipped) > _NAMED:
        notes.append(f"{side}: {len(skipped) - _NAMED} more files were skipped")
    for header in table.headers:
        if header.status != "success":
            notes.append(f"{header.log}: status {header.status}")
        if header.invalidated:
            notes.append(f"{header.log}: marked invalidated")
    for log, fallback in table.accounting.fallbacks:
        notes.append(f"{log}: read with {fallback.decoder} ({fallback.reason})")
    return notes


def decoding(header: LogHeader) -> Settings:
    """What decides which answer a model gives: the generate config without defaults and transport."""
    config = header.generate_config or {}
    return {key: value for key, value in config.items() if value is not None and key not in TRANSPORT}


def _setup(header: LogHeader) -> Settings:
    """Everything that makes two runs reruns of each other."""
    return {
        "task": header.task,
        "task_version": header.task_version,
        "model": header.model,
        "model_base_url": header.model_base_url,
        **dotted("task_args", header.task_args),
        **dotted("model_args", header.model_args),
        **dotted("model_roles", header.model_roles),
        **dotted("generate_config", decoding(header)),
        **dotted("config", _conduct(header)),
        "solver": list(header.steps),
    }


def _flat(header: LogHeader) -> Settings:
    """Every setting that is compared between the sides, transport and packages included."""
    return {
        **_setup(header),
        **dotted("generate_config", header.generate_config),
        **dotted("packages", header.packages),
    }


def _conduct(header: LogHeader) -> Settings:
    """Epochs, limits and options that choose which answer stands; some versions write unset ones as 0."""
    config = header.config or {}
    found = {key: config.get(key) or None for key in (*LIMITS, *CONDUCT)}
    return {"epochs": header.epochs, **found}


def dotted(root: str, settings: Settings | None) -> Settings:
    """Settings that are set, by names such as `task_args.shots`."""
    return {f"{root}.{key}": value for key, value in (settings or {}).items() if value is not None}


def _listed(groups: Sequence[Sequence[LogHeader]]) -> str:
    """Each group by the settings in which the groups differ, and its files."""
    setups = [_setup(group[0]) for group in groups]
    names = dict.fromkeys(name for setup in setups for name in setup)
    telling = fewest_apart([{name: full(setup.get(name)) for name in names} for setup in setups])
    parts = []
    for setup, group in zip(setups[:_NAMED], groups[:_NAMED], strict=True):
        what = ", ".join(f"{name} {_value(name, setup.get(name))}" for name in telling)
        parts.append(f"({what}) {_counted([header.log for header in group])}")
    more = len(groups) - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more else "")


def fewest_apart(setups: Sequence[dict[str, str]]) -> list[str]:
    """The fewest settings, the telling ones first, that tell the setups apart."""
    chosen: list[str] = []
    told: list[tuple[str, ...]] = [() for _ in setups]
    for name in sorted(setups[0], key=lambda name: (rank(name), name)):
        finer = [(*known, setup[name]) for known, setup in zip(told, setups, strict=True)]
        if len(set(finer)) > len(set(told)):
            chosen, told = [*chosen, name], finer
    return chosen


def full(value: Any) -> str:
    """A setting as text in full, so that equal texts are equal settings."""
    return show(value, 1_000_000)


def _value(name: str, value: Any) -> str:
    if name == "solver":
        return show([step.get("solver") for step in value or ()], 60)
    return "unset" if value is None else show(value, 60)


def _counted(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
