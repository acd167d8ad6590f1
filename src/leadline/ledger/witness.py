"""What a witness decides: whether a log's new checkpoint extends the one it cosigned before (C2SP tlog-witness).

Pure: a request and what is remembered go in, an answer comes out. Whoever calls must have stored `Grant.record`
atomically, in place of exactly the record that was given, before the answer leaves the house.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from leadline.errors import ProofError, SignatureError
from leadline.ledger.cosignature import Cosigner, format_lines
from leadline.ledger.encoding import b64decode, b64encode, parse_uint64
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import Checkpoint, parse_body
from leadline.ledger.tlog.note import NoteSignature, open_note, split_note
from leadline.ledger.tlog.tree import EMPTY_ROOT, HASH_SIZE
from leadline.ledger.tlog.verify import verify_consistency

MAX_REQUEST: Final = 1 << 18
MAX_PROOF: Final = 63
TEXT: Final = "text/plain; charset=utf-8"
SIZE_TYPE: Final = "text/x.tlog.size"

Suspicion = Literal["certain", "possible"]
"""How far a refused, rightly signed checkpoint shows misbehaviour: another root for a size that was cosigned is
certain; a proof that fails may be the sender's mistake."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, content type and body."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """No cosignature; `evidence` is the checkpoint as sent, where the log signed it and it does not fit."""

    answer: Answer
    origin: str | None = None
    evidence: bytes | None = None
    suspicion: Suspicion = "possible"


@dataclass(frozen=True, slots=True)
class Grant:
    """The checkpoint may be cosigned: `note` holds its text and the log's own signatures, nothing else.

    `before` is the record that was given, and that the new one must replace.
    """

    checkpoint: Checkpoint
    note: bytes
    before: bytes | None

    def cosign(self, cosigners: Sequence[Cosigner], time: int) -> tuple[bytes, Answer]:
        """What to remember in place of the old record, and the answer to give once it is remembered."""
        text, _ = split_note(self.note)
        lines = b"".join(cosigner.line(text, time) for cosigner in cosigners)
        return self.note + lines, Answer(200, TEXT, lines)


@dataclass(frozen=True, slots=True)
class Request:
    """A request taken apart: old size, consistency proof, and the checkpoint's note with its stated content."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes
    checkpoint: Checkpoint


def consider(
    request: bytes,
    followed: Callable[[str], Sequence[VerifyKey] | None],
    remembered: Callable[[str], bytes | None],
) -> Grant | Refusal:
    """Decide on an ``add-checkpoint`` request.

    `followed(origin)` is the keys of a log this witness follows, None for any other; `remembered(origin)` is the
    record stored for it, or None. The status of a refusal is the specification's: 400, 404, 403, 409 or 422.
    """
    if len(request) > MAX_REQUEST:
        return _refuse(400, f"a request has at most {MAX_REQUEST} bytes")
    try:
        asked = parse_request(request)
    except ValueError as error:
        return _refuse(400, str(error))
    keys = followed(asked.checkpoint.origin)
    if keys is None:
        return _refuse(404, "unknown log")
    try:
        open_note(asked.note, keys)
    except SignatureError as error:
        return _refuse(403, f"invalid signature: {error.message}")
    if asked.old > asked.checkpoint.size:
        return _refuse(400, "the old size is greater than the checkpoint's")
    return _compare(asked, remembered(asked.checkpoint.origin), keys)


def parse_request(request: bytes) -> Request:
    """The parts of a request; `ValueError` with a reason when it is malformed. No signature is looked at."""
    head, blank, note = request.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    if not blank or not first.startswith(b"old "):
        raise ValueError("a request is an old size line, proof lines, an empty line and a checkpoint")
    if len(lines) > MAX_PROOF:
        raise ValueError(f"a consistency proof has at most {MAX_PROOF} lines")
    proof = tuple(b64decode(line) for line in lines)
    if not set(map(len, proof)) <= {HASH_SIZE}:
        raise ValueError("a proof line is a hash of 32 bytes")
    old = parse_uint64(first.removeprefix(b"old "))
    # The blank line before the signatures is the last one; what is wrong below it is a matter of signatures.
    at = note.rfind(b"\n\n")
    try:
        checkpoint = parse_body(note[: at + 1])
    except SignatureError as error:
        raise ValueError(error.message) from None
    return Request(old, proof, note, checkpoint)


def format_request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of an ``add-checkpoint`` request."""
    lines = [f"old {old}", *(b64encode(value) for value in proof)]
    return ("\n".join(lines) + "\n\n").encode() + note


def origin_hash(origin: str) -> str:
    """How a log is named in a witness's paths: SHA-256 of its origin, lower-case hex."""
    return sha256(origin.encode()).hexdigest()


def _compare(asked: Request, record: bytes | None, keys: Sequence[VerifyKey]) -> Grant | Refusal:
    new = asked.checkpoint
    last = None if record is None else parse_body(split_note(record)[0])
    known = 0 if last is None else last.size
    if last is not None and new.size == last.size and new.root != last.root and asked.old == known:
        why = "the log signed another root for this size before: it shows two histories"
        return _suspect(asked, f"consistency proof: {why}", "certain")
    if asked.old != known:
        # Another root for the very size that was cosigned proves a split, whatever old size came with it.
        split = last is not None and new.size == last.size and new.root != last.root
        answer = Answer(409, SIZE_TYPE, b"%d\n" % known)
        return Refusal(answer, new.origin, asked.note if split else None, "certain")
    if new.size == 0 and new.root != EMPTY_ROOT:
        return _suspect(asked, "consistency proof: a log without entries has the empty root", "certain")
    if asked.old == 0:
        if asked.proof:
            return _refuse(422, "consistency proof: nothing is to be proven for the old size 0")
    else:
        assert last is not None
        try:
            verify_consistency(last.size, new.size, asked.proof, last.root, new.root)
        except ProofError as error:
            return _suspect(asked, f"consistency proof: {error.message}", "possible")
    return Grant(new, _clean(asked.note, keys), record)


def _clean(note: bytes, keys: Sequence[VerifyKey]) -> bytes:
    """The note with the signature lines that were verified, each once."""
    text, _ = split_note(note)
    verified = {(key.name, key.key_id) for key in open_note(note, keys).verified}
    found: dict[tuple[str, bytes], NoteSignature] = {}
    for line in split_note(note)[1]:
        if (line.name, line.key_id) in verified:
            found.setdefault((line.name, line.key_id), line)
    return text + b"\n" + format_lines(list(found.values()))


def _suspect(asked: Request, why: str, suspicion: Suspicion) -> Refusal:
    return Refusal(_refuse(422, why).answer, asked.checkpoint.origin, asked.note, suspicion)


def _refuse(status: int, why: str) -> Refusal:
    return Refusal(Answer(status, TEXT, why.encode() + b"\n"))
