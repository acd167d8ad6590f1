"""The first entries of a new log: who writes it, and which keys are its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadline.errors import KeyFileError, StateError
from leadline.ledger.keys import SigningKey
from leadline.store.projections.authority import key as find_key
from leadline.store.protocol import ReadView

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said


def found(registry: "Registry") -> None:
    """Announce the registry's keys as the first entries of its log, unless the log announces them already.

    The service key registers itself, then the log key; the installation's key registers itself. Of several
    processes that open a new registry at once, one founds it. Raises KeyFileError where the log belongs to other
    keys, StateError where private keys are missing.
    """
    home = registry.home
    if find_key(registry.store, home.log.fingerprint) is not None:
        return
    service = home.service
    if service is None:
        raise StateError(
            "a new registry needs its service key",
            where=str(home.folder),
            remedy="restore service.key, or name the folder that holds it",
        )
    own = home.ensure("installation")
    keys: list[tuple[dict[str, Any], SigningKey]] = [
        ({"role": "service", "public": service.public.vkey}, service),
        ({"role": "log", "public": home.log.vkey}, service),
        ({"role": own.role, "public": own.public.vkey}, own),
    ]
    common = {
        "action": "register",
        "holder": {"name": home.origin, "kind": "service"},
        "time": registry.time(),
    }

    def build(view: ReadView) -> Sequence["Said"]:
        if view.size() == 0:
            return [("key", {**common, **one}, key) for one, key in keys]
        if find_key(view, home.log.fingerprint) is None:
            raise KeyFileError(
                f"the keys here are those of {home.origin}, not of the log in this store",
                where=str(home.folder),
                remedy="name the right folder with $LEADLINE_KEYS, or the right store",
            )
        return []  # another process has founded it meanwhile

    registry.append(build)
