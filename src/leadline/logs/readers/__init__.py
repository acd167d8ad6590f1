"""Readers of log formats. To add one: a module with a `FORMAT`, a line in `FORMATS`, a test."""

from typing import Final

from leadline.logs.readers import every_eval_ever, inspect_eval, inspect_json, lm_eval, recording
from leadline.logs.readers.base import Format, Join
from leadline.logs.readers.enabled import enabled_formats

#: Tried in this order; the first that recognises a file's content reads it. Those that need the whole of it come last.
FORMATS: Final[tuple[Format, ...]] = (
    inspect_eval.FORMAT,
    recording.FORMAT,
    lm_eval.SAMPLES,
    every_eval_ever.INSTANCES,
    inspect_json.FORMAT,
    lm_eval.RESULTS,
    every_eval_ever.AGGREGATE,
)
#: Those whose rows depend on nothing but the bytes of the file and Leadline's own code.
SELF_CONTAINED: Final[tuple[Format, ...]] = (inspect_eval.FORMAT, inspect_json.FORMAT)
#: What puts the several files of one run together, after every file was read by itself.
JOINS: Final[tuple[Join, ...]] = (lm_eval.join, every_eval_ever.join)


def known_formats() -> tuple[Format, ...]:
    """The formats of this process: other packages' that were enabled, then Leadline's own."""
    return (*enabled_formats(), *FORMATS)


__all__ = ["FORMATS", "JOINS", "SELF_CONTAINED", "Format", "known_formats"]
