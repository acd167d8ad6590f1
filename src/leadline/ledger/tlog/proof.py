"""Proof files: index, inclusion proof and checkpoint in one small text (C2SP tlog-proof)."""

from dataclasses import dataclass

from leadline.errors import ProofError
from leadline.ledger.encoding import UINT64_MAX, b64decode, b64encode, parse_uint64
from leadline.ledger.tlog.tree import HASH_SIZE

HEADER = b"c2sp.org/tlog-proof@v1"
MAX_SIZE = 1_000_000
#: A tree of 2^64 - 1 leaves has audit paths of at most 64 hashes.
MAX_HASHES = 64


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof file's content.

    `hashes` run from the leaf's sibling upward. `checkpoint` is kept as opaque bytes and verified in a
    second step. `extra` is not authenticated by anything: never rely on it.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def marshal(self) -> bytes:
        """The bytes of the proof file; `ProofError` for values the format cannot hold."""
        if not 0 <= self.index <= UINT64_MAX or not set(map(len, self.hashes)) <= {HASH_SIZE}:
            raise _malformed("it needs an index below 2^64 and hashes of 32 bytes")
        lines = [HEADER]
        if self.extra is not None:
            lines.append(b"extra " + b64encode(self.extra).encode())
        lines.append(b"index %d" % self.index)
        lines.extend(b64encode(value).encode() for value in self.hashes)
        return b"\n".join(lines) + b"\n\n" + self.checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """The content of a proof file; `ProofError` unless `marshal` would write exactly these bytes."""
    if len(data) > MAX_SIZE:
        raise _malformed(f"it is longer than {MAX_SIZE:,} bytes")
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if lines.pop(0) != HEADER:
        raise _malformed(f"its first line is not {HEADER.decode()}")
    if not blank:
        raise _malformed("no blank line stands before the checkpoint")
    extra = None
    try:
        if lines and lines[0].startswith(b"extra "):
            extra = b64decode(lines.pop(0).removeprefix(b"extra "))
        if not lines or not lines[0].startswith(b"index "):
            raise _malformed("the line with the index is missing")
        index = parse_uint64(lines.pop(0).removeprefix(b"index "))
        hashes = tuple(b64decode(line) for line in lines[: MAX_HASHES + 1])
    except ValueError as error:
        raise _malformed(str(error)) from None
    if len(hashes) > MAX_HASHES or not set(map(len, hashes)) <= {HASH_SIZE}:
        raise _malformed(f"an inclusion proof has at most {MAX_HASHES} hashes, each of {HASH_SIZE} bytes")
    return TlogProof(index, hashes, checkpoint, extra)


def _malformed(why: str) -> ProofError:
    return ProofError(
        f"malformed proof file: {why}", remedy="ask for the certificate again and keep its bytes unchanged"
    )
