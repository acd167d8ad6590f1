"""What was run: evaluation logs as one columnar table, with every file and sample accounted for.

`read_logs` is the door. Everything heavy is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.logs.accounting import Accounting, Fallback, LeftOut, LogAccount, Mismatch, Skipped
    from leadline.logs.dataset import dataset_root, item_digest
    from leadline.logs.headers import ClaimedMetric, DatasetNote, LogHeader
    from leadline.logs.limits import Limits
    from leadline.logs.mapping import TableMapping
    from leadline.logs.read import read_logs
    from leadline.logs.recompute import Recomputed, recomputed
    from leadline.logs.table import SampleTable, concat

_HOMES = {
    "Accounting": "accounting",
    "ClaimedMetric": "headers",
    "DatasetNote": "headers",
    "Fallback": "accounting",
    "LeftOut": "accounting",
    "Limits": "limits",
    "LogAccount": "accounting",
    "LogHeader": "headers",
    "Mismatch": "accounting",
    "Recomputed": "recompute",
    "SampleTable": "table",
    "Skipped": "accounting",
    "TableMapping": "mapping",
    "concat": "table",
    "dataset_root": "dataset",
    "item_digest": "dataset",
    "read_logs": "read",
    "recomputed": "recompute",
}

__all__ = [
    "Accounting",
    "ClaimedMetric",
    "DatasetNote",
    "Fallback",
    "LeftOut",
    "Limits",
    "LogAccount",
    "LogHeader",
    "Mismatch",
    "Recomputed",
    "SampleTable",
    "Skipped",
    "TableMapping",
    "concat",
    "dataset_root",
    "item_digest",
    "read_logs",
    "recomputed",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
