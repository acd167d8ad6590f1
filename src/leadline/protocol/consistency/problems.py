"""A contradiction between blocks, and the checks every other file of this package uses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from leadline.errors import ExpressionError, ProtocolError
from leadline.protocol.digest import Path, dotted
from leadline.protocol.language.columns import OUTCOME_COLUMNS, Kind


@dataclass(frozen=True, slots=True)
class Problem:
    """One contradiction: where it is written, what is wrong, what to do."""

    path: Path
    message: str
    remedy: str | None = None


class InconsistentProtocolError(ProtocolError):
    """A protocol whose blocks contradict each other; `problems` lists every contradiction."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first, *rest = problems
        more = "".join(f"\n  also {dotted(problem.path)}: {problem.message}" for problem in rest[:19])
        super().__init__(first.message + more, where=dotted(first.path), remedy=first.remedy)
        self.problems = problems


def duplicates(named: Iterable[tuple[Path, str]], noun: str) -> Iterator[Problem]:
    """A problem for every name given a second time."""
    seen: dict[str, Path] = {}
    for path, name in named:
        if name in seen:
            yield Problem(
                path,
                f"the {noun} name {name!r} is used twice, also at {dotted(seen[name][:-1])}",
                "give each its own name",
            )
        else:
            seen[name] = path


def missing(path: Path, name: str, noun: str, known: Iterable[str]) -> Iterator[Problem]:
    """A problem when `name` is not among `known`, with the nearest name as a suggestion."""
    names = sorted(set(known))
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    listed = ", ".join(names[:8]) or "none is defined"
    yield Problem(
        path,
        f"no {noun} is named {name!r}",
        f"did you mean {near[0]!r}?" if near else f"name one of: {listed}",
    )


def expression(
    path: Path, text: str, *, prior_only: bool = False, kind: Kind | None = None
) -> Iterator[Problem]:
    """Problems of an expression: it must compile, yield `kind`, and with `prior_only` use only what was known before the run."""
    from leadline.protocol.expression import compile as compile_expression

    try:
        expression = compile_expression(text, kind=kind)
    except ExpressionError as error:
        yield Problem(path, error.diagnosis(), error.remedy())
        return
    late = sorted(set(expression.columns) & OUTCOME_COLUMNS)
    if prior_only and late:
        yield Problem(
            path,
            f"{late[0]!r} is known only after the run; items may not be chosen or grouped by it",
            "use what was known before: sample_id, input, target, metadata.<key>",
        )
