"""Readers of log formats. To add one: a module with a `FORMAT`, a line in `FORMATS`, a test."""

from typing import Final

from leadline.logs.readers import inspect_eval, inspect_json
from leadline.logs.readers.base import Format

#: Tried in this order; the first that recognises a file's content reads it.
FORMATS: Final[tuple[Format, ...]] = (inspect_eval.FORMAT, inspect_json.FORMAT)

__all__ = ["FORMATS", "Format"]
