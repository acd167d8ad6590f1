"""Replacing the keys a registry signs with itself: its service key and its installation key.

The log key has no successor. It is the log: its name and its key are what certificates, cosignatures and
policies of others say, and whoever could replace it could replace the history. A stolen log key ends the log; a
new one is begun and says so.
"""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, Literal

from leadline.errors import NotFoundError, StateError, StoreError
from leadline.ledger import keyfile
from leadline.ledger.keys import SigningKey
from leadline.registry.home import INSTALLATION_KEY, SERVICE_KEY
from leadline.registry.keys import rotate
from leadline.store import Appended
from leadline.store.projections.authority import key as find_key

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

OwnKey = Literal["service", "installation"]
_FILES: Final[dict[OwnKey, str]] = {"service": SERVICE_KEY, "installation": INSTALLATION_KEY}
_NEXT: Final = ".next"


def rotate_own(registry: "Registry", which: OwnKey, reason: str) -> Appended | None:
    """Replace the registry's service or installation key by a new one, which inherits its rights; both sign.

    The new key is on the disk before the log hears of it, and takes the old one's place after; where that was
    interrupted, the next call only finishes it and returns None. The old key's file stays, renamed after its
    fingerprint. Hazard seals that wait under the installation's key enter the log before. A running server has to
    be restarted to sign with the new key. Raises StateError where the
    registry's private keys are not at hand, StoreError when the disk refuses.
    """
    folder, name = registry.home.folder, _FILES[which]
    old = _load(folder / name, which)
    waiting = folder / f"{name}{_NEXT}"
    if waiting.exists():
        new = keyfile.load(waiting)
        record = find_key(registry.store, new.fingerprint)
        if record is not None and record.state == "active":
            _take_place(folder, name, old, new)
            _remember(registry, which, new)
            return None
    else:
        if (
            which == "installation"
        ):  # what it has signed and does not stand in the log would be refused afterwards
            _let_seals_in(registry)
        new = SigningKey.generate(f"{registry.home.origin}/{which}-{token_hex(4)}", old.role)
        keyfile.save(new, waiting)
    receipt = rotate(type(registry)(registry.store, registry.home, old, registry.clock), new, reason)
    _take_place(folder, name, old, new)
    _remember(registry, which, new)
    return receipt


def _let_seals_in(registry: "Registry") -> None:
    """Hazard seals that wait under this key enter before their time, padded as always."""
    from leadline.registry.sealing.waiting import enter_waiting, last_bucket

    enter_waiting(registry, registry.clock().date(), last_bucket(registry), early=True)


def _load(path: Path, which: OwnKey) -> SigningKey:
    try:
        return keyfile.load(path)
    except NotFoundError:
        raise StateError(
            f"the registry's {which} key is not here",
            where=str(path),
            remedy="work on the machine that holds the registry's keys",
        ) from None


def _take_place(folder: Path, name: str, old: SigningKey, new: SigningKey) -> None:
    """Rename the old key's file away, then the new one's into its place; each step may have been done before."""
    place, kept = folder / name, folder / f"{name}.{old.fingerprint[:8]}.rotated"
    try:
        if keyfile.load(place).fingerprint != new.fingerprint:
            with suppress(FileExistsError):  # a link, so that at no moment there is no key
                os.link(place, kept)
        (folder / f"{name}{_NEXT}").replace(place)
    except OSError as error:
        raise StoreError(
            f"the new key cannot take the old one's place: {error.strerror or error}",
            where=str(place),
            remedy="the log has the new key already: make the folder writable and run the command again",
        ) from error


def _remember(registry: "Registry", which: OwnKey, key: SigningKey) -> None:
    setattr(registry.home, which, key)
