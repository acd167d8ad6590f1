"""Where the record is kept: the `Store` protocol, the embedded engine, projections and search.

::

    store = open_store("registry.db")
    digest = store.put_blob(protocol_bytes)
    [receipt] = store.append(lambda view: [Draft(envelope)], sign=checkpoint_signer)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.store.model import Appended, BlobInfo, CheckpointSigner, Draft, Rebuilt
    from leadline.store.opening import open_store
    from leadline.store.projection import (
        BlobReader,
        Column,
        LogEntry,
        Projection,
        Row,
        Table,
        TableReader,
        TableWriter,
        TextIndex,
        Value,
    )
    from leadline.store.protocol import ReadView, Store
    from leadline.store.search import Page, Query, search_studies

_PLACES = {
    "model": ("Appended", "BlobInfo", "CheckpointSigner", "Draft", "Rebuilt"),
    "opening": ("open_store",),
    "projection": (
        "BlobReader",
        "Column",
        "LogEntry",
        "Projection",
        "Row",
        "Table",
        "TableReader",
        "TableWriter",
        "TextIndex",
        "Value",
    ),
    "protocol": ("ReadView", "Store"),
    "search": ("Page", "Query", "search_studies"),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Appended",
    "BlobInfo",
    "BlobReader",
    "CheckpointSigner",
    "Column",
    "Draft",
    "LogEntry",
    "Page",
    "Projection",
    "Query",
    "ReadView",
    "Rebuilt",
    "Row",
    "Store",
    "Table",
    "TableReader",
    "TableWriter",
    "TextIndex",
    "Value",
    "open_store",
    "search_studies",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
