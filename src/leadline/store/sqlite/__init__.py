"""The embedded engine: SQLite in WAL mode, one file and a folder of large blobs."""
