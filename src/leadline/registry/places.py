"""Where registry and author's key are kept unless a command or call says otherwise. Imports nothing heavy."""

import os
from pathlib import Path


def default_store() -> Path:
    """$LEADLINE_STORE, or registry.db in $LEADLINE_HOME (default ~/.leadline)."""
    store = os.environ.get("LEADLINE_STORE")
    return Path(store) if store else default_home() / "registry.db"


def default_key() -> Path:
    """$LEADLINE_KEY, or author.key in $LEADLINE_HOME (default ~/.leadline)."""
    key = os.environ.get("LEADLINE_KEY")
    return Path(key) if key else default_home() / "author.key"


def default_home() -> Path:
    """$LEADLINE_HOME or ~/.leadline."""
    return Path(os.environ.get("LEADLINE_HOME") or Path.home() / ".leadline")
