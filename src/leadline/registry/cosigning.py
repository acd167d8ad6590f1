"""Getting this log's checkpoints cosigned, and handing them out with what others said of them.

Kept on the shelf: signature lines by tree size (``cosignatures``), the size each witness cosigned last
(``witness-peers``), and time stamps from outside by tree size (``timestamps``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from leadline.errors import Explained, IntegrityError, NotFoundError, SignatureError, StateError
from leadline.ledger.certificate import Certificate
from leadline.ledger.cosignature import (
    Cosignature,
    CosignerKey,
    format_lines,
    verified_cosignatures,
    with_lines,
)
from leadline.ledger.encoding import parse_uint64
from leadline.ledger.policy import Policy
from leadline.ledger.timestamps import (
    MAX_RESPONSE,
    REQUEST_TYPE,
    TimeStamp,
    make_request,
    verify_response,
)
from leadline.ledger.tlog.note import split_note
from leadline.ledger.witness import format_request
from leadline.registry.outgoing import Http, check_address
from leadline.store.protocol import Store
from leadline.store.shelf import Shelf

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.store import ReadView

LINES: Final = "cosignatures"
PEERS: Final = "witness-peers"
TIMESTAMPS: Final = "timestamps"
#: What a witness may answer: a few lines, the largest kind about 3.4 kB each.
_LONGEST_ANSWER: Final = 1 << 16
#: How many cosigned sizes are looked through for the one that most have cosigned.
_LOOK_AHEAD: Final = 32
#: Once for the size we remember, then for the one each 409 names: the log may grow meanwhile, not the witness.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Peer:
    """A witness that is asked: its key, and the address its ``/add-checkpoint`` stands under."""

    key: CosignerKey
    url: str

    @classmethod
    def parse(cls, vkey: str, url: str) -> "Peer":
        """From a vkey text and an address; SignatureError or InputError for what is neither."""
        return cls(CosignerKey.parse(vkey), check_address(url))

    @property
    def place(self) -> str:
        """Where its last size is kept."""
        return sha256(self.key.vkey.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a witness answered about the tree of `size`; `time` is its own, `detail` why there is none."""

    peer: Peer
    size: int
    outcome: Literal["cosigned", "refused", "unreachable", "ahead"]
    time: int | None = None
    detail: str = ""


def peers_of(policy: Policy) -> list[Peer]:
    """The witnesses of a policy that name an address."""
    return [Peer(one.key, check_address(one.url)) for one in policy.witnesses if one.url is not None]


def request_cosignatures(registry: "Registry", peers: Iterable[Peer], http: Http) -> list[Asked]:
    """Ask each witness to cosign the newest checkpoint, and keep what they answer.

    A witness that cannot be reached or refuses is reported, not raised. ``ahead`` is the one to worry about: the
    witness has cosigned a larger tree than this log has, so entries were lost or the log runs twice.
    """
    return [_ask(registry, peer, http) for peer in peers]


def _ask(registry: "Registry", peer: Peer, http: Http) -> Asked:
    shelf = registry.store.shelf
    with registry.store.snapshot() as view:
        size = view.size()
        try:
            note = view.checkpoint(size)
        except NotFoundError:
            return Asked(peer, size, "refused", detail="nothing has been registered yet")
    known = {one.key: one.time for one in cosignatures(shelf, note, [peer.key])}
    if peer.key in known:
        return Asked(peer, size, "cosigned", known[peer.key])
    try:
        return _negotiate(registry, peer, http, size, note)
    except (SignatureError, IntegrityError) as error:
        return Asked(peer, size, "refused", detail=error.message)
    except Explained as error:
        return Asked(peer, size, "unreachable", detail=error.message)


def _negotiate(registry: "Registry", peer: Peer, http: Http, size: int, note: bytes) -> Asked:
    shelf = registry.store.shelf
    old = _number(shelf.get(PEERS, peer.place) or b"0") or 0
    why = "its idea of the last size keeps changing"
    for _ in range(_TRIES):
        if old > size:
            why = f"it has cosigned a tree of {old} entries; this log has {size}: entries were lost, or a second copy writes"
            return Asked(peer, size, "ahead", detail=why)
        proof = registry.store.consistency_proof(old, size) if 0 < old < size else []
        answer = http.post(
            f"{peer.url}/add-checkpoint",
            format_request(old, proof, note),
            content_type="text/plain; charset=utf-8",
            limit=_LONGEST_ANSWER,
        )
        if answer.status == 409 and (told := _number(answer.body.removesuffix(b"\n"))) is not None:
            old = told
            continue
        if answer.status == 200:
            (found,) = _take(shelf, note, size, answer.body, peer.key)
            shelf.put(PEERS, peer.place, b"%d" % size)
            return Asked(peer, size, "cosigned", found.time)
        said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
        return Asked(peer, size, "refused", detail=f"it answered {answer.status}: {said}")
    return Asked(peer, size, "refused", detail=why)


def _take(shelf: Shelf, note: bytes, size: int, lines: bytes, key: CosignerKey) -> tuple[Cosignature]:
    """Keep the peer's own lines of an answer, once they are verified; SignatureError when there is none."""
    _, own = split_note(note)
    _, everything = split_note(note + lines)
    kept = [
        line for line in everything if line not in own and (line.name, line.key_id) == (key.name, key.key_id)
    ]
    found = verified_cosignatures(with_lines(note, format_lines(kept)), [key])
    if not found:
        raise SignatureError(
            "the answer holds no cosignature by the key that is known for this witness",
            remedy="check the witness's public key with its operator",
        )
    place = f"{size:020}"
    while True:
        before = shelf.get(LINES, place)
        after = (before or b"") + format_lines(kept)
        if shelf.swap(LINES, place, before, after):
            return (found[0],)


def cosignatures(shelf: Shelf, note: bytes, keys: Sequence[CosignerKey]) -> tuple[Cosignature, ...]:
    """Which of `keys` have cosigned this checkpoint, as far as this registry knows."""
    return verified_cosignatures(with_cosignatures(shelf, note), keys)


def with_cosignatures(shelf: Shelf, note: bytes) -> bytes:
    """A checkpoint of this log with the cosignatures that were collected for it."""
    size = parse_uint64(note.split(b"\n", 2)[1])
    lines = shelf.get(LINES, f"{size:020}")
    return note if lines is None else with_lines(note, lines)


def newest_checkpoint(view: "ReadView", shelf: Shelf) -> bytes:
    """What the log serves as its checkpoint: the newest, with its cosignatures. NotFoundError for an empty log."""
    return with_cosignatures(shelf, view.checkpoint())


def certificate_of(store: Store, index: int) -> bytes:
    """The certificate of entry `index`: under the earliest tree that most witnesses cosigned, else the newest."""
    with store.snapshot() as view:
        size = best_size(store.shelf, index, view.size())
        note = with_cosignatures(store.shelf, view.checkpoint(size))
        return Certificate.make(index, view.inclusion_proof(index, size), note, view.entry(index)).format()


def best_size(shelf: Shelf, index: int, now: int) -> int:
    """The tree size under which a certificate of entry `index` says most; `now` where nobody cosigned.

    Of the sizes that contain the entry, the smallest with the most cosigners: its cosignatures are the earliest.
    """
    best, most = now, 0
    for place, lines in shelf.items(LINES, after=f"{index:020}", limit=_LOOK_AHEAD):
        size = int(place)
        if size > now:
            break
        names = {line.rsplit(b" ", 1)[0] for line in lines.splitlines()}
        if len(names) > most:
            best, most = size, len(names)
    return best


def stamp(registry: "Registry", url: str, roots: Sequence[bytes], http: Http) -> tuple[int, TimeStamp]:
    """Have the newest checkpoint stamped by the authority at `url`, verify the token, and keep it.

    Returns the tree size and what the token proves. `roots` are the PEM files of certificates the operator trusts.
    Raises ProofError for a token that does not hold, StateError when the authority refuses, StoreError when nobody
    answers, MissingExtraError without the extra.
    """
    url = check_address(url)
    with registry.store.snapshot() as view:
        size, note = view.size(), view.checkpoint()
    body, _ = split_note(note)
    request = make_request(body)
    answer = http.post(url, request, content_type=REQUEST_TYPE, limit=MAX_RESPONSE)
    if answer.status != 200:
        raise StateError(
            f"the time-stamping authority answered {answer.status}", where=url, remedy="ask it again later"
        )
    found = verify_response(answer.body, body, roots, request=request)
    registry.store.shelf.put(TIMESTAMPS, f"{size:020}/{sha256(url.encode()).hexdigest()[:16]}", answer.body)
    return size, found


def stamps_covering(shelf: Shelf, index: int, limit: int = 8) -> list[tuple[int, bytes]]:
    """Tokens over trees that contain entry `index`, smallest tree first: (size, RFC 3161 response)."""
    found = shelf.items(TIMESTAMPS, after=f"{index:020}/~", limit=limit)
    return [(int(place[:20]), token) for place, token in found]


def _number(text: bytes) -> int | None:
    try:
        return parse_uint64(text)
    except ValueError:
        return None
