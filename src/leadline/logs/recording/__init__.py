"""Recordings: what is run outside a harness, row by row, each row chained to the one before it.

`writer` writes them, `leadline.logs.readers.recording` reads them; `dataset_sha256` is what a protocol promises of the
items.
"""

from leadline.logs.recording.rows import dataset_sha256

__all__ = ["dataset_sha256"]
