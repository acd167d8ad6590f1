"""Keys of authors: announcing, rotating, revoking, and recovering a lost one with a quorum."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from leadline.errors import NotFoundError
from leadline.ledger.keys import SigningKey
from leadline.ledger.state import KeyRecord
from leadline.store import Appended, ReadView
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.authority import keys as list_keys

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

SHORTEST = 8


def introduction(registry: "Registry", view: ReadView, holder: str, kind: str) -> "list[Said]":
    """The key statement an author's first statement brings along, unless the log knows the key."""
    key = registry.author()
    if find_key(view, key.fingerprint) is not None:
        return []
    return [("key", _said(registry, "register", key, holder={"name": holder, "kind": kind}), key)]


def revoke(registry: "Registry", reason: str) -> Appended:
    """Revoke the author's key: from the next entry on it signs nothing."""
    key = registry.author()
    return _append(registry, lambda view: [("key", _said(registry, "revoke", key, reason=reason), key)])  # noqa: ARG005


def veto(registry: "Registry", pending: str, reason: str) -> Appended:
    """Revoke a key that has registered itself as successor of the author's own: the own one is not lost.

    `pending` is its fingerprint or the beginning of it. Raises NotFoundError when the log knows no such key.
    """
    key = registry.author()

    def build(view: ReadView) -> "list[Said]":
        record = known_key(view, pending)
        fields = {"action": "revoke", "role": record.role, "public": record.vkey, "reason": reason}
        return [("key", {**fields, "time": registry.time()}, key)]

    return _append(registry, build)


def rotate(registry: "Registry", new: SigningKey, reason: str) -> Appended:
    """Replace the author's key by `new`, which inherits its rights; both sign."""
    old = registry.author()

    def build(view: ReadView) -> "list[Said]":
        record = find_key(view, old.fingerprint)
        if record is None:
            raise NotFoundError(
                "the log does not know the old key", remedy="register it first: `leadline key register`"
            )
        announced = _said(registry, "register", new, holder=_holder(record), replaces=old.fingerprint)
        confirmed = _said(registry, "rotate", new, reason=reason, replaces=old.fingerprint)
        return [("key", announced, new), ("key", confirmed, old)]

    receipt = _append(registry, build)
    registry.key = new
    return receipt


def name_guardians(registry: "Registry", guardians: Sequence[str], threshold: int | None) -> Appended:
    """Name the keys that may together confirm a successor of the author's key when it is lost.

    `guardians` are fingerprints, or beginnings of them, of other people's keys in the log; `threshold` of them
    suffice (default: more than half, at least 2). An empty list takes an earlier naming back.
    Raises NotFoundError for a key the log does not know, StatementError for fewer than two guardians.
    """
    key = registry.author()

    def build(view: ReadView) -> "list[Said]":
        named = [known_key(view, one).fingerprint for one in guardians]
        needed = threshold if threshold is not None else max(len(named) // 2 + 1, 2)
        quorum = {"guardians": named, **({"threshold": needed} if named else {})}
        return [("key", _said(registry, "guardians", key, **quorum), key)]

    return _append(registry, build)


def recover(
    registry: "Registry", lost: str, *, holder: str | None = None, kind: str | None = None
) -> Appended:
    """Announce the author's (new) key as heir of a lost one.

    Where the lost key named guardians, the new key stays pending until enough of them have vouched for it.
    Where it named none, the new key is registered the ordinary way, and co-authors vouch for it study by study.
    """
    key = registry.author()

    def build(view: ReadView) -> "list[Said]":
        record = known_key(view, lost)
        held = _holder(record)
        held = {"name": holder or held["name"], "kind": kind or held["kind"]}
        heir = {"replaces": record.fingerprint} if record.guardians and record.state == "active" else {}
        return [("key", _said(registry, "register", key, holder=held, **heir), key)]

    return _append(registry, build)


def vouch(registry: "Registry", new: str, *, lost: str | None = None, study: str | None = None) -> Appended:
    """Say that a new key is the lost key's holder's: as a guardian, or as a co-author of one study.

    `new` and `lost` are fingerprints or beginnings of them; a pending key says itself which one it replaces.
    The last voice needed makes the new key the successor, or gives it its rights to the study.
    """
    key = registry.author()

    def build(view: ReadView) -> "list[Said]":
        record = known_key(view, new)
        old = record.replaces if lost is None else known_key(view, lost).fingerprint
        if old is None:
            raise NotFoundError(
                "this key does not say which one it replaces", remedy="name the lost key with --lost"
            )
        fields = {"action": "vouch", "role": record.role, "public": record.vkey, "replaces": old}
        about = {} if study is None else {"study": study}
        return [("key", {**fields, **about, "time": registry.time()}, key)]

    return _append(registry, build)


def known_key(view: ReadView, text: str) -> KeyRecord:
    """The key with this fingerprint, name, or beginning of a fingerprint of at least 8 characters.

    Raises NotFoundError when the log knows none, or more than one.
    """
    wanted = text.strip()
    exact = find_key(view, wanted.lower())
    if exact is not None:
        return exact
    found = [
        record
        for record in list_keys(view)
        if (len(wanted) >= SHORTEST and record.fingerprint.startswith(wanted.lower()))
        or record.vkey.partition("+")[0] == wanted
    ]
    if len(found) != 1:
        what = "no key" if not found else f"{len(found)} keys"
        raise NotFoundError(
            f"the log knows {what} by {wanted[:80]!r}",
            remedy=f"give the key's fingerprint, or its first {SHORTEST} characters and more (`leadline key show`)",
        )
    return found[0]


def _said(registry: "Registry", action: str, key: SigningKey, **fields: Any) -> dict[str, Any]:
    return {
        "action": action,
        "role": key.role,
        "public": key.public.vkey,
        "time": registry.time(),
        **fields,
    }


def _holder(record: KeyRecord) -> dict[str, str]:
    return {"name": record.holder, "kind": record.holder_kind}


def _append(registry: "Registry", build: "Callable[[ReadView], list[Said]]") -> Appended:
    return registry.append(build)[-1]
