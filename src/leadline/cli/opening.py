"""Opening the registry a command speaks of: readers never create one, writers bring a key."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from leadline.errors import NotFoundError, StateError, StoreError

if TYPE_CHECKING:
    from leadline.ledger.keys import SigningKey
    from leadline.registry.registry import Registry


def reading(store: str | None) -> "Registry":
    """The registry, read-only; NotFoundError where there is none."""
    from leadline.registry.registry import Registry

    _require(store)
    return Registry.open(address(store), read_only=True)


def reading_if_there(store: str | None) -> "Registry | None":
    """The registry, read-only, or None where there is none."""
    return reading(store) if served(store) or database(store).exists() else None


def writing(
    store: str | None,
    key: str | None,
    *,
    create: bool = False,
    origin: str | None = None,
    invitation: str | None = None,
) -> "Registry":
    """The registry with the author's key; made when it is new and `create` says so.

    The key is read first, so that a missing key leaves no half-made registry behind. `origin` names a new registry's
    log; StateError where there is one of another name. A server is shown the invitation, by default
    $LEADLINE_INVITATION.
    """
    from leadline.registry.registry import Registry

    signing = load_key(key)
    if not create:
        _require(store)
    shown_to_server = invitation or os.environ.get("LEADLINE_INVITATION") or None
    registry = _opened(
        lambda: Registry.open(
            address(store), signing, create=create, origin=origin, invitation=shown_to_server
        ),
        store,
    )
    if origin not in (None, registry.home.origin):
        registry.close()
        raise StateError(
            f"the log here is {registry.home.origin} already; a log keeps its name for ever",
            where=shown(store),
            remedy="leave --origin out, or name a new place with --store",
        )
    return registry


def mending(store: str | None) -> "Registry":
    """The registry, open for rebuilding what was computed; needs no author's key."""
    from leadline.registry.registry import Registry

    _require(store)
    return Registry.open(address(store), create=False)


def require_here(store: str | None, what: str) -> None:
    """StateError where the address is a server's: `what` is kept beside its log, and nobody sees it from afar."""
    if at_a_server(store):
        raise StateError(
            f"{what} cannot be seen or made over the network",
            where=shown(store),
            remedy="run it on the registry's own machine, with its file or postgresql:// address as --store",
        )


def load_key(key: str | None) -> "SigningKey":
    """The author's key from its file."""
    from leadline.ledger import keyfile

    try:
        return keyfile.load(key_path(key))
    except NotFoundError as error:
        command = repeated("leadline key new", key=key)
        raise NotFoundError(
            error.message, where=error.where, remedy=f"make one with `{command}`, or name its path"
        ) from None


def key_path(key: str | None) -> Path:
    """Where the author's key is kept."""
    from leadline.registry.places import default_key

    return Path(key) if key else default_key()


def address(store: str | None) -> str:
    """The registry's address: what was given, or the default."""
    from leadline.registry.places import default_store

    return store or str(default_store())


def served(store: str | None) -> bool:
    """Whether the address names a registry on a server (PostgreSQL, or another's over HTTP), not a file."""
    return "://" in address(store) and not address(store).startswith("sqlite://")


def at_a_server(store: str | None) -> bool:
    """Whether the address is that of a server, which does by itself what a registry of one's own is told to do."""
    return address(store).startswith(("https://", "http://"))


def database(store: str | None) -> Path:
    """The registry's database file; InputError where it is not a file."""
    from leadline.store.opening import database_path

    return database_path(address(store))


def shown(store: str | None) -> str:
    """The registry's address as it may be printed: without a password."""
    if not served(store):
        return str(database(store))
    parts = urlsplit(address(store))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def repeated(command: str, *, store: str | None = None, key: str | None = None) -> str:
    """A command to be pasted, which names registry and key wherever the command line that printed it did.

    What the environment names is left to it. A password in an address is not printed again.
    """
    if store and store != os.environ.get("LEADLINE_STORE"):
        command += f" {named(store)}"
    if key and key != os.environ.get("LEADLINE_KEY"):
        command += f" --key {shlex.quote(key)}"
    return command


def named(store: str) -> str:
    """The option that names a registry, to be pasted: with the word PASSWORD where its address holds one."""
    return f"--store {shlex.quote(_without_password(store))}"


def log_key(store: str | None) -> str | None:
    """The public key of the registry's log, where there is a registry."""
    from leadline.registry.home import PUBLIC, keys_folder

    if served(store):
        with reading(store) as registry:
            return registry.home.log.vkey
    path = keys_folder(database(store)) / PUBLIC
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def _without_password(store: str) -> str:
    """The address as it was given, with the word PASSWORD where one stood."""
    hidden = re.sub(r"(?<=://)([^/@:]*):[^/]*(?=@)", r"\1:PASSWORD", store)
    return re.sub(r"(?<=[?&]password=)[^&]*", "PASSWORD", hidden)


def _require(store: str | None) -> None:
    if not served(store) and not database(store).exists():
        raise NotFoundError(
            "there is no registry here",
            where=str(database(store)),
            remedy="name one with --store or $LEADLINE_STORE; `leadline register` makes one",
        )


def _opened(open_it: Callable[[], "Registry"], store: str | None) -> "Registry":
    try:
        return open_it()
    except OSError as error:
        raise StoreError(
            f"the registry cannot be opened: {error.strerror}",
            where=shown(store),
            remedy="check that the folder is writable and has space left, or name another place with --store",
        ) from error
