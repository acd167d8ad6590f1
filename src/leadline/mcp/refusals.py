"""What tools refuse, in the words of the error tree: what is wrong, where, what to do; bounded, and nothing echoed."""

from typing import Final

from pydantic import ValidationError

from leadline.errors import Explained, InputError
from leadline.mcp.answers import clean

#: Characters of what is wrong, and of what to do about it.
LONGEST: Final = 6_000
_REMEDY: Final = 1_000
_MOST_FAULTS: Final = 5
_PLACE: Final = 80
_MESSAGE: Final = 200


def words(error: Explained) -> str:
    """An error as a tool says it: the diagnosis is cut where it is long, the remedy stays."""
    said, remedy = clean(error.diagnosis(), LONGEST), error.remedy()
    return f"{said}\n  what to do: {clean(remedy, _REMEDY)}" if remedy else said


def bad_arguments(tool: str, error: ValidationError) -> InputError:
    """Arguments that are not as the tool's input schema has them: each place and its fault, without the values.

    A value may be somebody else's text, and as long as it pleases.
    """
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        f"{_place(fault['loc'])}: {clean(str(fault['msg']), _MESSAGE)}" for fault in faults[:_MOST_FAULTS]
    ]
    more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
    return InputError(
        "; ".join(told) + more,
        where=f"arguments of {tool}",
        remedy=f"correct these and call again; the input schema of {tool} says what is taken",
    )


def _place(parts: tuple[int | str, ...]) -> str:
    return clean(".".join(map(str, parts)), _PLACE) or "the arguments"
