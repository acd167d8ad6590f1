"""Who may write to a shared registry, and how much: modes, scopes, invitations and quotas.

Quotas are charged before any signature is checked, so that a flood of nonsense costs a few additions. A bucket
that was charged in the name of a key which then turns out not to have signed is given back what was taken:
nobody can use up what belongs to somebody else. The bucket of the address stays charged.
"""

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias, get_args

from leadline.errors import InputError, NotAllowedError, NotFoundError, QuotaError
from leadline.store.projections.authority import key as find_key
from leadline.store.protocol import Store
from leadline.store.shelf import Shelf

Mode: TypeAlias = Literal["open", "listed", "invited"]
Scope: TypeAlias = Literal["read", "register", "report", "judge", "seal", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
#: What a key may do unless something else was said of it: everything but the operator's own work.
EVERYDAY: Final[frozenset[Scope]] = frozenset({"read", "register", "report", "judge", "seal"})
#: The scope each kind of statement needs. What is not here is the operator's.
OF_KIND: Final[dict[str, Scope]] = {
    "key": "register",
    "freeze": "register",
    "amend": "register",
    "attempt": "register",
    "attach": "register",
    "withdraw": "register",
    "report": "report",
    "import": "report",
    "judgement": "judge",
    "seal": "seal",
    "reveal": "seal",
}

#: Invitations by the hash of their token, and under each key's fingerprint the hashes of those it has redeemed.
_INVITATIONS, _GUESTS = "invitation", "guest"
_MOST_REDEEMED = 50
_TOKEN_PREFIX = "LLI-"
_TOKEN_BYTES = 24
_MOST_BUCKETS = 20_000
#: Rotations that are followed back.
_LONGEST_CHAIN = 100
_HOUR, _DAY, _MINUTE = 3600.0, 86_400.0, 60.0

Ticks = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rates:
    """How much one key, and one address, may ask for; 0 turns a bound off.

    `statements_per_hour` and `statements_burst` bound writing, `bytes_per_day` uploading, and
    `requests_per_minute` with `requests_burst` everything an address asks. `computing_per_hour` and
    `computing_burst` are seconds in which the server computes for an address that has signed nothing. An address may
    write `address_factor` times as much as one key: several people may stand behind one.
    """

    statements_per_hour: float = 240
    statements_burst: float = 120
    bytes_per_day: float = 50 << 30
    requests_per_minute: float = 600
    requests_burst: float = 300
    computing_per_hour: float = 1800
    computing_burst: float = 900
    address_factor: float = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the client's address, and the key a request claims to be signed by (not verified yet)."""

    address: str
    keyid: str | None = None


class Buckets:
    """Token buckets of one kind, one per name, refilled steadily; the least recently used are forgotten.

    `capacity` tokens at most, `rate` tokens per second. A forgotten bucket is a full one: memory is bounded,
    and an attacker with more than 20,000 names gains what each of them would have had anyway.
    """

    def __init__(self, rate: float, capacity: float, ticks: Ticks, most: int = _MOST_BUCKETS) -> None:
        self._rate, self._capacity, self._ticks, self._most = rate, capacity, ticks, most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, name: str, cost: float) -> float:
        """Take `cost` tokens and return 0.0; or take nothing and return the seconds until they are there.

        What costs more than a full bucket is granted to a full bucket, which then owes the rest.
        """
        if self._rate <= 0:
            return 0.0
        with self._lock:
            now = self._ticks()
            left, seen = self._held.pop(name, (self._capacity, now))
            left = min(self._capacity, left + (now - seen) * self._rate)
            needed = min(cost, self._capacity)
            granted = left >= needed
            self._held[name] = (left - cost if granted else left, now)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return 0.0 if granted else (needed - left) / self._rate

    def give_back(self, name: str, cost: float) -> None:
        """Undo a `take`."""
        with self._lock:
            if name in self._held:
                left, seen = self._held[name]
                self._held[name] = (min(self._capacity, left + cost), seen)


class Access:
    """The policy of one server: `require` says what a key may do, `charge_*` how much of it.

    `allowed` are fingerprints of keys that may write in the modes ``listed`` and ``invited``, with their scopes;
    invitations and those who accepted them are kept on the shelf, the tokens as hashes only. `ticks` is a
    monotonic clock in seconds. `predecessors` gives the fingerprints of the keys that a key has replaced, the nearest
    first: what a key may do, its successor may.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        mode: Mode = "listed",
        allowed: Iterable[str] = (),
        admins: Iterable[str] = (),
        rates: Rates | None = None,
        ticks: Ticks = time.monotonic,
        predecessors: Callable[[str], Iterable[str]] = lambda keyid: (),  # noqa: ARG005
    ) -> None:
        self.mode: Mode = mode
        self._shelf = shelf
        self._predecessors = predecessors
        self._allowed = dict.fromkeys(allowed, EVERYDAY)
        self._allowed.update(dict.fromkeys(admins, frozenset(SCOPES)))
        rates = Rates() if rates is None else rates
        written, burst = rates.statements_per_hour / _HOUR, max(1.0, rates.statements_burst)
        per_day, factor = rates.bytes_per_day / _DAY, rates.address_factor
        self._requests = Buckets(rates.requests_per_minute / _MINUTE, max(1.0, rates.requests_burst), ticks)
        computing = rates.computing_per_hour / _HOUR
        self._computing = Buckets(computing, max(1.0, rates.computing_burst), ticks)
        self._statements = Buckets(written, burst, ticks)
        self._statements_from = Buckets(written * factor, burst * factor, ticks)
        self._bytes = Buckets(per_day, rates.bytes_per_day, ticks)
        self._bytes_from = Buckets(per_day * factor, rates.bytes_per_day * factor, ticks)

    # -- how much -------------------------------------------------------------------------------

    def charge_request(self, caller: Caller) -> None:
        """One request from an address; QuotaError when it has asked too often."""
        wait = self._requests.take(caller.address, 1)
        if wait:
            raise _too_much("requests from this address", wait)

    def charge_computing(self, caller: Caller, seconds: float) -> None:
        """Seconds of computing that are about to begin; QuotaError when the address has used up what it may."""
        wait = self._computing.take(caller.address, seconds)
        if wait:
            raise _too_much("computations for this address", wait)

    def forgive_computing(self, caller: Caller, seconds: float) -> None:
        """Computing took so much less than was charged."""
        self._computing.give_back(caller.address, seconds)

    def charge_statements(self, caller: Caller, count: int) -> None:
        """`count` statements about to be checked; QuotaError when address or key has written too much."""
        _charge("statements", count, caller, self._statements_from, self._statements)

    def charge_bytes(self, caller: Caller, count: int) -> None:
        """`count` bytes about to be uploaded; QuotaError when address or key has uploaded too much."""
        _charge("bytes uploaded", count, caller, self._bytes_from, self._bytes)

    def forgive_statements(self, keyid: str, count: int) -> None:
        """The key did not sign what was charged to it."""
        self._statements.give_back(keyid, count)

    def forgive_bytes(self, keyid: str, count: int) -> None:
        """The key did not sign, or did not use, what was charged to it."""
        self._bytes.give_back(keyid, count)

    # -- who ------------------------------------------------------------------------------------

    def scopes(self, keyid: str) -> frozenset[Scope]:
        """What the key with this fingerprint may do here; reading is everybody's.

        Of a key of which nothing was said the nearest predecessor of which something was decides.
        """
        own = self._own_scopes(keyid)
        if own is None:
            said = (self._own_scopes(one) for one in self._predecessors(keyid))
            own = next((one for one in said if one is not None), None)
        return frozenset({"read"}) if own is None else own

    def _own_scopes(self, keyid: str) -> frozenset[Scope] | None:
        """What was said of this very key, if anything."""
        listed = self._allowed.get(keyid)
        if listed is not None:
            return listed
        if self.mode == "open":
            return EVERYDAY
        return self._guest_scopes(keyid) if self.mode == "invited" else None

    def _guest_scopes(self, keyid: str) -> frozenset[Scope] | None:
        """What invitations that are still in force have given this very key."""
        given = [self._given(name, keyid) for name in self._redeemed(keyid)]
        return frozenset(scope for scopes in given for scope in scopes) or None

    def _redeemed(self, keyid: str) -> Iterator[str]:
        """The hashes of the invitations this key has redeemed, whatever became of them."""
        for key, _ in self._shelf.items(_GUESTS, after=f"{keyid}/", limit=_MOST_REDEEMED):
            owner, _, name = key.partition("/")
            if owner == keyid:
                yield name

    def _given(self, name: str, keyid: str) -> frozenset[Scope]:
        """What one invitation gives this key: nothing once it was revoked."""
        stored = self._shelf.get(_INVITATIONS, name)
        said = None if stored is None else json.loads(stored)
        return frozenset() if said is None or said["used_by"] != keyid else _scopes(said["scopes"])

    def require(self, keyid: str, scope: Scope) -> None:
        """Raise NotAllowedError unless the key with this fingerprint has the scope."""
        if scope in self.scopes(keyid):
            return
        raise NotAllowedError(
            f"the key {keyid[:16]} may not do this here (it needs the scope {scope!r})",
            remedy=_HOW[self.mode],
        )

    def require_kind(self, keyid: str, kind: str) -> None:
        """Raise NotAllowedError unless the key may sign statements of this kind here."""
        self.require(keyid, OF_KIND.get(kind, "admin"))

    # -- invitations ----------------------------------------------------------------------------

    def redeem(self, token: str, keyid: str) -> frozenset[Scope]:
        """Accept an invitation for a key, once; the scopes it gives.

        The same key may present the same token again (a repeated request changes nothing). Raises NotFoundError
        for a token that was never given out, was revoked or was used by another key: all the same to a stranger.
        """
        if not token.startswith(_TOKEN_PREFIX) or len(token) > 100:
            raise _no_invitation()
        name = _hashed(token)
        if not self._claim(name, keyid):
            raise _no_invitation()
        # Only where to look is written here, the right itself is read off the invitation: one that is revoked at this
        # moment gives nothing, and what the settings give today, they may take back tomorrow.
        self._shelf.put(_GUESTS, f"{keyid}/{name}", b"")
        return (self._guest_scopes(keyid) or frozenset()) | self.scopes(keyid)

    def _claim(self, name: str, keyid: str) -> bool:
        """Whether the invitation is this key's, made so in one atomic step where it was nobody's."""
        stored = self._shelf.get(_INVITATIONS, name)
        if stored is None:
            return False
        said = json.loads(stored)
        if said["used_by"] is not None:
            return bool(said["used_by"] == keyid)
        claimed = _packed({**said, "used_by": keyid})
        # Who loses the swap looks again: it may have been another request of the same key.
        return self._shelf.swap(_INVITATIONS, name, stored, claimed) or self._claim(name, keyid)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation as it is kept: the first characters of its hash, what it gives, and who used it."""

    name: str
    scopes: tuple[str, ...]
    note: str
    used_by: str | None


def invite(shelf: Shelf, *, scopes: Iterable[str] = tuple(sorted(EVERYDAY)), note: str = "") -> str:
    """A new invitation to write, usable by one key: its token, which is kept nowhere but in the hand it goes to.

    Raises InputError for a scope there is none of.
    """
    token = _TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    chosen = _scopes(scopes)
    kept = {"scopes": sorted(chosen), "note": note[:300], "used_by": None}
    shelf.put(_INVITATIONS, _hashed(token), _packed(kept))
    return token


def invitations(shelf: Shelf) -> list[Invitation]:
    """Every invitation that was given out and not revoked, in order of its name."""
    found = ((name, json.loads(value)) for name, value in shelf.items(_INVITATIONS))
    return [
        Invitation(name[:12], tuple(said["scopes"]), said["note"], said["used_by"]) for name, said in found
    ]


def revoke_invitation(shelf: Shelf, name: str) -> Invitation:
    """Take an invitation back, and the rights of the key that used it; `name` as `invitations` shows it.

    Raises NotFoundError when there is none of that name.
    """
    for full, value in shelf.items(_INVITATIONS):
        if len(name) < 6 or not full.startswith(name):
            continue
        stored: bytes | None = value
        while stored is not None:
            said = json.loads(stored)
            if shelf.swap(_INVITATIONS, full, stored, None):
                if said["used_by"] is not None:
                    shelf.delete(_GUESTS, f"{said['used_by']}/{full}")
                return Invitation(full[:12], tuple(said["scopes"]), said["note"], said["used_by"])
            stored = shelf.get(_INVITATIONS, full)  # redeemed meanwhile: the key that did it is named
    raise NotFoundError(
        f"there is no invitation {name[:40]!r}", remedy="list them: `leadline key invitations`"
    )


def _charge(what: str, count: int, caller: Caller, of_address: Buckets, of_key: Buckets) -> None:
    wait = of_address.take(caller.address, count)
    if wait:
        raise _too_much(f"{what} from this address", wait)
    if caller.keyid is None:
        return
    wait = of_key.take(caller.keyid, count)
    if wait:
        raise _too_much(f"{what} under this key", wait)


def _too_much(what: str, wait: float) -> QuotaError:
    seconds = max(1, int(wait + 0.999))
    return QuotaError(
        f"too many {what} in a short time",
        retry_after=seconds,
        remedy=f"send the same request again in {seconds:,} seconds; nothing of it was done",
    )


def _scopes(names: Iterable[Any]) -> frozenset[Scope]:
    given = frozenset(names)
    unknown = given - frozenset(SCOPES)
    if unknown:
        raise InputError(
            f"there is no scope {sorted(unknown)[0]!r}", remedy=f"scopes are {', '.join(SCOPES)}"
        )
    return frozenset(scope for scope in SCOPES if scope in given) | {"read"}


def _hashed(token: str) -> str:
    return sha256(b"leadline invitation\0" + token.encode()).hexdigest()


def _packed(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _no_invitation() -> NotFoundError:
    return NotFoundError(
        "there is no such invitation, or it was used by another key", remedy="ask the operator for a new one"
    )


_HOW: Final[dict[Mode, str]] = {
    "open": "ask the operator: this needs a scope that only named keys have",
    "listed": "ask the operator to list this key",
    "invited": "ask the operator for an invitation, and run the same command once with --invitation CODE "
    "(the API: with the header Leadline-Invitation)",
}


def access_to(
    store: Store,
    *,
    mode: Mode = "listed",
    allowed: Iterable[str] = (),
    admins: Iterable[str] = (),
    rates: Rates | None = None,
) -> Access:
    """The policy for a store: invitations on its shelf, predecessors of keys as its log knows them."""

    def predecessors(keyid: str) -> Iterator[str]:
        record = find_key(store, keyid)
        if record is None or record.state not in ("active", "rotated"):
            return
        for _ in range(_LONGEST_CHAIN):
            if record is None or record.replaces is None:
                return
            yield record.replaces
            record = find_key(store, record.replaces)

    return Access(
        store.shelf, mode=mode, allowed=allowed, admins=admins, rates=rates, predecessors=predecessors
    )
