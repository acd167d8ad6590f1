"""Leadline: register an experiment before it runs, and let the registered analysis compute the verdict.

::

    import leadline
    print(leadline.compare("a.eval", "b.eval", smallest=0.05))

    protocol = leadline.Protocol.load("protocol.yaml")
    registry = leadline.Registry.open("registry.db", key="author.key")
    study = registry.register(protocol)
    ...run it...
    study.attach("logs/")
    print(study.publish().verdicts)

Importing this package loads nothing heavy: each name below arrives when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.logs import SampleTable, read_logs
    from leadline.protocol.model import Protocol
    from leadline.registry.check import Finding, check
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study
    from leadline.verdict import Comparison, Report, Verdict, analyze, compare

__version__ = "0.1.0"

_HOME = {
    "Comparison": "leadline.verdict",
    "Finding": "leadline.registry.check",
    "Protocol": "leadline.protocol.model",
    "Registry": "leadline.registry.registry",
    "Report": "leadline.verdict",
    "SampleTable": "leadline.logs",
    "Study": "leadline.registry.study",
    "Verdict": "leadline.verdict",
    "analyze": "leadline.verdict",
    "check": "leadline.registry.check",
    "compare": "leadline.verdict",
    "read_logs": "leadline.logs",
}
_PACKAGES = (
    "errors",
    "landscape",
    "stats",
    "draw",
    "protocol",
    "ledger",
    "store",
    "logs",
    "verdict",
    "registry",
    "bench",
)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _PACKAGES:
        return import_module(f"leadline.{name}")
    raise AttributeError(f"module 'leadline' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*_HOME, *_PACKAGES, "__version__"])


__all__ = [
    "Comparison",
    "Finding",
    "Protocol",
    "Registry",
    "Report",
    "SampleTable",
    "Study",
    "Verdict",
    "__version__",
    "analyze",
    "check",
    "compare",
    "read_logs",
]
