"""Opening what an address names: the store, and the registry's own keys that belong to it."""

from pathlib import Path

from leadline.errors import InputError, NotFoundError
from leadline.registry.home import Home, keys_folder, load_home, make_home
from leadline.store import open_store
from leadline.store.opening import database_path
from leadline.store.protocol import Store


def open_parts(url: str | Path, *, create: bool, read_only: bool, origin: str | None) -> tuple[Home, Store]:
    """The keys and the store of the registry at `url`; a new one is made where none is and `create` allows it.

    Raises NotFoundError (nothing there), InputError (an address of another kind), StoreError, StateError,
    KeyFileError or IntegrityError.
    """
    if isinstance(url, str) and url.startswith(("http://", "https://", "postgresql://")):
        raise InputError(
            f"this version opens registries in files, not {url.split(':', 1)[0]}",
            remedy="give the path of a registry file, e.g. registry.db",
        )
    return _embedded(database_path(url), create=create, read_only=read_only, origin=origin)


def _embedded(path: Path, *, create: bool, read_only: bool, origin: str | None) -> tuple[Home, Store]:
    fresh = not path.exists()
    if fresh and (read_only or not create):
        raise NotFoundError(
            "there is no registry here", where=str(path), remedy="check the path, or create one"
        )
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
    home = make_home(path, origin) if fresh and not keys_folder(path).exists() else load_home(path)
    return home, open_store(path, create=create, read_only=read_only)
