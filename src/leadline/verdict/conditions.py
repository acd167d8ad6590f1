"""Conditions: which of some logs ran the same thing, and by which settings the others are told from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any, Final

from leadline.errors import InputError
from leadline.logs.headers import LogHeader
from leadline.verdict.arms import ARM_STAMP
from leadline.verdict.conformance.context import same
from leadline.verdict.from_headers import Settings, distinct, name_of, plain, shown
from leadline.verdict.sides import decoding, dotted, fewest_apart, full, rank

#: Conditions of one study.
MOST: Final = 64
#: What no arm mixes, whatever else it is told by: its items would be several things under one id.
_ALWAYS: Final = ("model", "task")
#: Metadata that begins so is a stamp of a registered run.
_STAMPS: Final = "leadline_"
#: Longest value of a setting that becomes part of a name.
_NAMED: Final = 24
_TOLD: Final = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """Logs that ran one thing: a name fit for an arm, and the value of every setting that differs between conditions.

    Settings have dotted names, such as `task_args.shots` or `metadata.prompt`; None means that the log sets none.
    `telling` are the fewest of them that suffice.
    """

    name: str
    headers: tuple[LogHeader, ...]
    settings: Settings
    telling: tuple[str, ...]

    @property
    def words(self) -> str:
        """What tells it from the others, in one line; empty where it is alone."""
        return ", ".join(
            f"{name.rpartition('.')[2]} {_value(name, self.settings[name])}" for name in self.telling
        )


def conditions(headers: Sequence[LogHeader], by: Collection[str] = ()) -> tuple[Condition, ...]:
    """The conditions among some logs, in the order in which they first appear.

    Told apart by model, task with its version, arguments and plan, and decoding without its seed; where those agree, by
    the arm that logs are stamped with, else by metadata that all of them have. `by` names the settings to go by
    instead, besides model and task.
    Raises InputError for a name in `by` that does not differ, and for more than 64 conditions.
    """
    known = [_settings(header) for header in headers]
    telling = _differing(known)
    if not telling or by:
        metadata = [dotted("metadata", plain(header.metadata)) for header in headers]
        described = _describing(metadata)
        known = [{**one, **more} for one, more in zip(known, metadata, strict=True)]
        always = [name for name in telling if name in _ALWAYS]
        telling = [*always, *_chosen(by, [*telling, *described])] if by else described
    groups: list[tuple[Settings, list[LogHeader]]] = []
    for header, settings in zip(headers, known, strict=True):
        own = {name: settings.get(name) for name in telling}
        group = next((members for values, members in groups if same(values, own)), None)
        if group is not None:
            group.append(header)
        elif len(groups) < MOST:
            groups.append((own, [header]))
        else:
            raise InputError(
                f"these logs ran more than {MOST} different things; they differ in {', '.join(telling[:_TOLD])}",
                remedy="name fewer logs, or say with --by by which of these settings arms are told apart",
            )
    fewest = fewest_apart([{name: full(value) for name, value in settings.items()} for settings, _ in groups])
    names = _names(groups, fewest)
    return tuple(Condition(n, tuple(h), s, tuple(fewest)) for n, (s, h) in zip(names, groups, strict=True))


def _settings(header: LogHeader) -> Settings:
    """What logs are assigned to arms by; a seed makes a rerun and no condition."""
    config = {key: value for key, value in decoding(header).items() if key != "seed"}
    return {
        "model": header.model,
        "task": header.task,
        **dotted("task_args", plain(header.task_args)),
        "solver": plain(list(header.steps)),
        **dotted("generate_config", plain(config)),
        "task_version": header.task_version,
    }


def _differing(known: Sequence[Settings]) -> list[str]:
    names = dict.fromkeys(name for settings in known for name in settings)
    found = [n for n in names if not all(same(known[0].get(n), one.get(n)) for one in known)]
    return sorted(found, key=lambda name: (rank(name), name))


def _describing(known: Sequence[Settings]) -> list[str]:
    """Metadata that tells conditions apart: the arm's stamp, else short values that more than one log may share."""
    found = []
    for name in _differing(known):
        values = [one.get(name) for one in known]
        if any(value is None or isinstance(value, dict | list) for value in values):
            continue
        if name == f"metadata.{ARM_STAMP}":
            return [name]
        names_runs = len(values) > 2 and len(set(map(shown, values))) == len(values)
        if not name.startswith(f"metadata.{_STAMPS}") and not names_runs:
            found.append(name)
    return found


def _chosen(by: Collection[str], telling: Sequence[str]) -> list[str]:
    for name in by:
        if name not in telling:
            known = ", ".join(telling[:_TOLD]) or "nothing that can tell arms apart"
            raise InputError(
                f"the logs do not differ in {name!r}", where="--by", remedy=f"they differ in: {known}"
            )
    return [name for name in dict.fromkeys(by) if name not in _ALWAYS]


def _names(groups: Sequence[tuple[Settings, Sequence[LogHeader]]], telling: Sequence[str]) -> list[str]:
    """A name for each condition: the stamp of its logs, else what tells it from the others."""
    stamps = [{str((header.metadata or {}).get(ARM_STAMP)) for header in members} for _, members in groups]
    single = [name_of(next(iter(stamp))) for stamp in stamps if len(stamp) == 1 and "None" not in stamp]
    if len(set(single)) == len(groups):
        return single
    names: list[str] = []
    for position, (settings, _) in enumerate(groups):
        parts = [_part(name, settings[name], position) for name in telling]
        names.append(distinct(name_of("_".join(parts) or "all"), names))
    return names


def _part(name: str, value: Any, position: int) -> str:
    key, text = name.rpartition(".")[2], _value(name, value)
    if name == "model":
        return text.rpartition("/")[2] or "unstated"
    if name == "task":
        return text.rpartition("/")[2]
    if name == f"metadata.{ARM_STAMP}":
        return text
    if len(text) > _NAMED:
        text = ascii_lowercase[position] if position < len(ascii_lowercase) else str(position + 1)
    return f"{key}-{text}"


def _value(name: str, value: Any) -> str:
    if name == "solver":
        return "+".join(str(step.get("solver")) for step in value or ()) or "none"
    return shown(value)
