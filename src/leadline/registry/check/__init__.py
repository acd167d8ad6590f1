"""The critical reader: what a careful referee would say of a plan before it is frozen.

`check` is the door; each code is described in the catalogue, from which `docs/findings.md` is made.
To add a rule: write a generator in the file of its group, add its code to the catalogue, and name the
function in that file's `RULES`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.registry.check.catalogue import CATALOGUE, Code
    from leadline.registry.check.model import Examination, Finding
    from leadline.registry.check.reader import check, examine

_HOME = {
    "CATALOGUE": "catalogue",
    "Code": "catalogue",
    "Examination": "model",
    "Finding": "model",
    "check": "reader",
    "examine": "reader",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"leadline.registry.check.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["CATALOGUE", "Code", "Examination", "Finding", "check", "examine"]
