"""The whole registry as files: tables in Parquet and in one SQLite file, with digests, and what changed since.

Public data only: everything here is computed from the log. The same record gives the same bytes.
"""

from leadline.registry.bulk.export import MANIFEST, Dump, export_tables
from leadline.registry.bulk.feed import INDEX, refresh

__all__ = ["INDEX", "MANIFEST", "Dump", "export_tables", "refresh"]
