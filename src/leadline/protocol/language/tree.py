"""The closed set of shapes an expression may have once parsed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name; `at` is its 1-based position in the text."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true, false or null."""

    value: float | str | bool | None
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function applied to its arguments; `name` is what the text calls it."""

    name: str
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Case:
    """CASE WHEN condition THEN value ... ELSE otherwise END."""

    branches: tuple[tuple["Node", "Node"], ...]
    otherwise: "Node"
    at: int


Node = Column | Constant | Call | Case


def children(node: Node) -> tuple[Node, ...]:
    """The parts of a node, in reading order."""
    match node:
        case Call(arguments=arguments):
            return arguments
        case Case(branches=branches, otherwise=otherwise):
            return (*(part for branch in branches for part in branch), otherwise)
        case _:
            return ()
