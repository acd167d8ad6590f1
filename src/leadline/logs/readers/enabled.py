"""Formats that other packages bring, loaded in this process only where its environment asks for them.

Naming one runs that package's code. Nothing a log holds, and nothing that comes over the network, can name one:
only `LEADLINE_LOG_FORMATS`, the names of entry points in the group `leadline.log_formats`, separated by commas.
Readers that run apart (`leadline.logs.apart`) get an empty environment and so never load any.
"""

import os
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Final

from leadline.errors import InputError
from leadline.logs.readers.base import Format

GROUP: Final = "leadline.log_formats"
VARIABLE: Final = "LEADLINE_LOG_FORMATS"


def enabled_formats() -> tuple[Format, ...]:
    """The formats that `LEADLINE_LOG_FORMATS` names, in its order; InputError for one that cannot be had."""
    names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
    return tuple(_loaded(name) for name in names if name)


@lru_cache(maxsize=64)
def _loaded(name: str) -> Format:
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise InputError(
            f"no installed package brings a log format {name!r}",
            where=VARIABLE,
            remedy=f"install the package whose entry point in the group {GROUP} has this name, or take the name out",
        )
    try:
        form = found[0].load()
    except Exception as error:  # a stranger's module may raise anything
        raise InputError(
            f"the log format {name!r} cannot be loaded: {type(error).__name__}: {str(error)[:300]}",
            where=VARIABLE,
            remedy=f"update the package that brings it ({found[0].value})",
        ) from error
    if not isinstance(form, Format):
        raise InputError(
            f"the entry point {name!r} is no log format",
            where=VARIABLE,
            remedy=f"{found[0].value} has to be a leadline.logs.formats.Format; see docs/log-formats.md",
        )
    return form
