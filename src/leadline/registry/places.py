"""Where registry, keys and author's key are kept unless a command or call says otherwise. Imports nothing heavy."""

import os
from pathlib import Path


def default_store() -> Path | str:
    """$LEADLINE_STORE (a path or an address), or registry.db in $LEADLINE_HOME (default ~/.leadline)."""
    store = os.environ.get("LEADLINE_STORE")
    if store and "://" in store:
        return store
    return Path(store) if store else default_home() / "registry.db"


def default_key() -> Path:
    """$LEADLINE_KEY, or author.key in $LEADLINE_HOME (default ~/.leadline)."""
    key = os.environ.get("LEADLINE_KEY")
    return Path(key) if key else default_home() / "author.key"


def default_home() -> Path:
    """$LEADLINE_HOME or ~/.leadline."""
    return Path(os.environ.get("LEADLINE_HOME") or Path.home() / ".leadline")


def shared_keys(url: str) -> Path:
    """This machine's folder for the keys of a registry on PostgreSQL.

    $LEADLINE_KEYS, or keys/<host>_<port>_<database> in $LEADLINE_HOME (default ~/.leadline). InputError for an
    address that is not one.
    """
    from leadline.store.postgres.address import Address

    return Address.parse(url).keys_folder()
