"""Opening a store by its address."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from leadline.errors import InputError
from leadline.store.projection import Projection
from leadline.store.protocol import Store
from leadline.store.sqlite.store import SqliteStore


def open_store(
    url: str | Path,
    *,
    projections: Sequence[Projection] = (),
    create: bool = True,
    read_only: bool = False,
    timeout: float = 30.0,
) -> Store:
    """Open the store at `url`: a path, or ``sqlite:///path``; `projections` come on top of the built-in ones.

    `create` makes a new store where none exists, `read_only` never writes a byte, `timeout` is how many seconds
    to wait for another process that is writing. Raises InputError for an address of another kind, NotFoundError,
    StateError, StoreError or IntegrityError.
    """
    return SqliteStore.open(
        database_path(url), projections=projections, create=create, read_only=read_only, timeout=timeout
    )


def database_path(url: str | Path) -> Path:
    """The database file an address names; InputError for an address of an engine this version does not have."""
    if isinstance(url, Path):
        return url
    scheme, separator, _ = url.partition("://")
    if not url or "\0" in url:
        raise InputError(
            "the address of a store is empty or holds a NUL", remedy="give a path, such as registry.db"
        )
    if not separator:
        return Path(url)
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if scheme != "sqlite" or parts.netloc or parts.query or not path:
        raise InputError(
            f"a store cannot be opened at {url[:200]!r}",
            remedy="supported are a file path (registry.db) and sqlite:///path; an absolute path has four slashes",
        )
    return Path(path)
