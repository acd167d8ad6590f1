"""Opening a store by its address."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from leadline.errors import InputError, MissingExtraError
from leadline.store.projection import Projection
from leadline.store.protocol import Store
from leadline.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from leadline.store.postgres.store import PostgresStore


def open_store(
    url: str | Path,
    *,
    projections: Sequence[Projection] = (),
    create: bool = True,
    read_only: bool = False,
    timeout: float = 30.0,
) -> Store:
    """Open the store at `url`: a path, ``sqlite:///path``, or ``postgresql://user@host:port/database``.

    `projections` come on top of the built-in ones. `create` makes a new store where none exists, `read_only` never
    writes a byte, `timeout` is how many seconds to wait for another process that is writing. Raises InputError for an
    address of another kind, MissingExtraError, NotFoundError, StateError, StoreError or IntegrityError.
    """
    if isinstance(url, str) and is_shared(url):
        engine = _shared_engine()
        return engine.open(url, projections=projections, create=create, read_only=read_only, timeout=timeout)
    return SqliteStore.open(
        database_path(url), projections=projections, create=create, read_only=read_only, timeout=timeout
    )


def is_shared(url: str) -> bool:
    """Whether the address names a database on a PostgreSQL server."""
    return url.partition("://")[0] in ("postgresql", "postgres")


def _shared_engine() -> "type[PostgresStore]":
    try:
        from leadline.store.postgres.store import PostgresStore
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise MissingExtraError(
            "registries on PostgreSQL need psycopg, which is not installed",
            remedy="pip install 'leadline[postgres]'",
        ) from None
    return PostgresStore


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
            remedy="supported are a file path (registry.db), sqlite:///path (an absolute path has four slashes) and "
            "postgresql://user@host:port/database",
        )
    return Path(path)
