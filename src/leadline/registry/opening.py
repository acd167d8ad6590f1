"""Opening what an address names: the store, and the registry's own keys that belong to it."""

import time
from datetime import UTC, datetime
from pathlib import Path

from leadline.errors import KeyFileError, NotFoundError, StateError
from leadline.ledger.keys import VerifyKey
from leadline.registry.home import PUBLIC, Home, keys_folder, load_home, make_home
from leadline.registry.places import default_home, shared_keys
from leadline.store import open_store
from leadline.store.opening import database_path, is_shared
from leadline.store.projections.authority import keys
from leadline.store.protocol import Store


def open_parts(
    url: str | Path, *, create: bool, read_only: bool, origin: str | None, invitation: str | None
) -> tuple[Home, Store]:
    """The keys and the store of the registry at `url`; a new one is made where none is and `create` allows it.

    `invitation` is shown to a server; nobody else asks for one.

    Raises NotFoundError (nothing there), InputError (an address of another kind), StoreError, StateError,
    KeyFileError or IntegrityError.
    """
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return _remote(url, invitation)
    if isinstance(url, str) and is_shared(url):
        return _shared(url, create=create, read_only=read_only, origin=origin)
    return _embedded(database_path(url), create=create, read_only=read_only, origin=origin)


def _embedded(path: Path, *, create: bool, read_only: bool, origin: str | None) -> tuple[Home, Store]:
    fresh = not path.exists()
    if fresh and (read_only or not create):
        raise NotFoundError(
            "there is no registry here", where=str(path), remedy="check the path, or create one"
        )
    if fresh:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = keys_folder(path)
    home = make_home(folder, origin) if fresh and not folder.exists() else load_home(folder)
    return home, open_store(path, create=create, read_only=read_only)


def _remote(url: str, invitation: str | None) -> tuple[Home, Store]:
    """The registry behind an API: its log's public key, and a store that speaks to it."""
    from leadline.store.remote.store import RemoteStore
    from leadline.store.remote.wire import Wire

    known = default_home() / "known"
    wire = Wire(url, invitation=invitation)
    try:
        store = RemoteStore.open(wire, known, now=lambda: datetime.now(UTC))
    except BaseException:
        wire.close()
        raise
    return Home(known, store.log, None, None), store


def _shared(url: str, *, create: bool, read_only: bool, origin: str | None) -> tuple[Home, Store]:
    store = open_store(url, create=create, read_only=read_only)
    try:
        return _shared_home(store, shared_keys(url), origin, may_make=create and not read_only), store
    except BaseException:
        store.close()
        raise


def _shared_home(store: Store, folder: Path, origin: str | None, *, may_make: bool) -> Home:
    """The keys on this machine, which must be those of the log; only the log's public key where there are none.

    Without a copy of ``log.vkey`` the public key is the one the log announces in its first entries: enough to
    read, but whoever wants to hold the log to its word keeps a copy that came another way.
    """
    announced = [VerifyKey.parse(record.vkey) for record in keys(store, role="log")]
    if (folder / PUBLIC).exists():
        home = load_home(folder)
        if announced and home.log not in announced:
            raise KeyFileError(
                f"the keys here are those of {home.log.name}, not of the log in this database "
                f"({announced[0].name})",
                where=str(folder),
                remedy="name the right folder with $LEADLINE_KEYS, or the right database",
            )
        return home
    if announced:
        return Home(folder, announced[0], None, None)
    if not may_make or store.size():
        raise NotFoundError(
            "there is no registry here: nothing has been registered in this database",
            where=str(folder),
            remedy="check the address, or register a first study to create it",
        )
    try:
        return make_home(folder, origin)
    except StateError:  # another process on this machine makes them at this very moment
        return _made_meanwhile(folder)


def _made_meanwhile(folder: Path) -> Home:
    for _ in range(100):
        if (folder / PUBLIC).exists():
            return load_home(folder)
        time.sleep(0.05)
    raise KeyFileError(
        "there are keys of a registry here, but not its public key",
        where=str(folder),
        remedy="restore the whole folder from a backup; if no registry was ever made with it, move it away",
    )
