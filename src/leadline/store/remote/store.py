"""A registry on another machine as a `Store`: built and signed here, checked and kept there.

The server's log key is trusted when it is met for the first time and remembered; from then on another key is an
error, and so is a checkpoint that does not extend the newest one seen. Every receipt is verified: the statement
is in the tree that the log has signed.
"""

import json
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, NoReturn, Self, cast
from urllib.parse import urlsplit

from leadline.errors import InputError, IntegrityError, QuotaError, SignatureError, StateError
from leadline.ledger import keys
from leadline.ledger.canon import canonical
from leadline.ledger.dsse import sign
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.seen import Seen
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.ledger.tlog.tree import leaf_hash
from leadline.ledger.tlog.verify import verify_inclusion
from leadline.store.model import Appended, BlobInfo, CheckpointSigner, Draft, Rebuilt
from leadline.store.projection import Projection
from leadline.store.projections import BUILT_IN
from leadline.store.projections.references import REFERENCE
from leadline.store.protocol import ReadView
from leadline.store.remote.requests import Requests
from leadline.store.remote.shelf import RemoteShelf
from leadline.store.remote.view import MovedOnError, RemoteView
from leadline.store.remote.wire import Wire
from leadline.store.shelf import Shelf

#: The payload type of an upload request (`leadline.registry.intake.ticket` reads them).
_UPLOAD_TYPE: Final = "application/vnd.leadline.upload-request+json"
_VALID: Final = timedelta(hours=6)
_MOST_DRAFTS: Final = 64
#: How often an append is built anew because others wrote meanwhile.
_TRIES: Final = 8
_COPY: Final = 1 << 20
_IN_MEMORY: Final = 8 << 20

Now = Callable[[], datetime]


class RemoteStore(RemoteView):
    """A `Store` at an ``https://`` address.

    `log` is the log's key, trusted from now on; `seen` remembers the newest checkpoint. `act_for` says whose key
    announces uploads. What only the registry's own machine can do raises StateError.
    """

    def __init__(self, wire: Wire, log: VerifyKey, seen: Seen, now: Now) -> None:
        super().__init__(wire)
        self.log = log
        self._seen = seen
        self._now_at = now
        self._signer: Callable[[], SigningKey | None] = lambda: None

    @classmethod
    def open(cls, wire: Wire, known: Path, now: Now) -> Self:
        """Meet the registry behind `wire`; `known` is the folder where keys and checkpoints are remembered.

        Raises SignatureError when the log shows another key than the one remembered or its checkpoint is not
        signed by it, IntegrityError when it shows another history, StoreError when nobody answers.
        """
        said = wire.get("/log")
        log = _trusted(known / f"{_file_name(wire.address)}.vkey", VerifyKey.parse(str(said["vkey"])), wire)
        store = cls(wire, log, Seen(known), now)
        if said["checkpoint"]:
            store._remember(str(said["checkpoint"]).encode())
        return store

    @property
    def requests(self) -> Requests:
        """What is asked of the registry in private: sealing, withholding."""
        return Requests(self._wire)

    def act_for(self, signer: Callable[[], SigningKey | None]) -> None:
        """Announce uploads under the key that `signer` gives at the time."""
        self._signer = signer

    # -- writing --------------------------------------------------------------------------------

    def append(
        self,
        build: Callable[[ReadView], Sequence[Draft]],
        *,
        sign: CheckpointSigner,  # noqa: ARG002
    ) -> list[Appended]:
        """Append what `build` returns, in one transaction of the server; one receipt per draft, in order.

        `build` sees one state of the record, and is called again when others wrote meanwhile. The server signs
        the checkpoint; `sign` is not used.
        """
        for _ in range(_TRIES):
            view = RemoteView(self._wire, self._now(), strict=True)
            try:
                drafts = list(build(view))
            except MovedOnError:
                continue
            if not drafts:
                return []
            for draft in drafts:
                for blob in draft.blobs:
                    self.put_blob(blob)
            envelopes = [draft.envelope for draft in drafts]
            try:
                said = self._send(envelopes)
            except QuotaError:
                raise
            except (InputError, StateError, SignatureError):
                if self._now() == view.size():
                    raise
            else:  # outside the `try`: evidence that does not hold is never a reason to try again
                return self._verified(envelopes, said)
        raise StateError(
            "others write so fast that this could not be placed",
            where=self._wire.address,
            remedy="run it again",
        )

    def _send(self, envelopes: Sequence[bytes]) -> dict[str, Any]:
        """The server's receipts, as it says them."""
        if len(envelopes) > _MOST_DRAFTS:
            raise InputError(
                f"{len(envelopes)} statements at once", remedy=f"send at most {_MOST_DRAFTS} at a time"
            )
        body = json.dumps({"envelopes": [b64encode(one).decode() for one in envelopes]}).encode()
        return self._wire.submit("/statements", body, introduced=True)

    def _verified(self, envelopes: Sequence[bytes], said: dict[str, Any]) -> list[Appended]:
        """The receipts, each shown to be in the tree that the log has signed."""
        note = str(said["checkpoint"]).encode()
        checkpoint = open_checkpoint(note, [self.log], origin=self.log.name).checkpoint
        if len(said["entries"]) != len(envelopes):
            raise self._nonsense("fewer receipts than statements")
        receipts = []
        for envelope, one in zip(envelopes, said["entries"], strict=True):
            index, leaf = int(one["index"]), bytes.fromhex(one["leaf_hash"])
            verify_inclusion(
                leaf,
                index,
                checkpoint.size,
                [bytes.fromhex(value) for value in one["hashes"]],
                checkpoint.root,
            )
            if leaf != leaf_hash(envelope) and not (one["duplicate"] and leaf == self.leaf_hash(index)):
                raise IntegrityError(
                    "the receipt is for another statement than the one that was sent",
                    where=self._wire.address,
                    remedy="do not rely on this registry; compare with a mirror of it",
                )
            receipts.append(Appended(index, leaf, note, bool(one["duplicate"])))
        self._remember(note)
        return receipts

    def put_blob(self, data: bytes | BinaryIO) -> str:
        """Upload bytes for the statement to come, and return their SHA-256; it needs an author's key.

        They are kept for a day, visible to nobody, until a statement signed by the same key names them.
        """
        key = self._signer()
        if key is None:
            raise StateError(
                "an upload is announced under an author's key, and none is at hand",
                where=self._wire.address,
                remedy="open the registry with a key (--key; in Python Registry.open(url, key=...))",
            )
        with _spooled(data) as (file, digest, size):
            if self._is_public(digest):
                return digest
            expires = (self._now_at() + _VALID).replace(microsecond=0).isoformat().replace("+00:00", "Z")
            said = {
                "digest": digest,
                "expires": expires,
                "key": key.public.vkey,
                "origin": self.log.name,
                "size": size,
            }
            ticket = b64encode(sign(canonical(said), _UPLOAD_TYPE, key)).decode()
            self._wire.put(f"/blobs/{digest}", file, size, {"Leadline-Upload": ticket})
        return digest

    def _is_public(self, digest: str) -> bool:
        return bool(self._rows(REFERENCE, {"digest": digest}, limit=1)[0]) and self.taken_down(digest) is None

    # -- reading --------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self) -> Iterator[ReadView]:
        """A view of the log at one size. Computed tables are as they are when they are read, not before."""
        yield RemoteView(self._wire, self._now())

    def blobs(self) -> Iterator[BlobInfo]:
        """Every blob that statements name, in order of digest."""
        after: Any = None
        while rows := self.select(REFERENCE, order="digest", after=after, limit=500):
            for digest in dict.fromkeys(str(row["digest"]) for row in rows):
                reason = self.taken_down(digest)
                yield BlobInfo(digest, "file" if reason is None else "taken_down", reason)
            after = rows[-1]["digest"]

    def projections(self) -> Sequence[Projection]:
        """The projections this version knows."""
        return BUILT_IN

    # -- what only the registry's own machine can do --------------------------------------------

    @property
    def shelf(self) -> Shelf:
        """What is public of the shelf: cosignatures and time stamps, to read."""
        return RemoteShelf(self._wire)

    def take_down(self, digest: str, reason: str, *, absent: bool = False) -> NoReturn:  # noqa: ARG002
        """Not from here; StateError."""
        self._elsewhere("bytes cannot be taken down")

    def rebuild(self) -> Rebuilt:
        """Not from here; StateError."""
        self._elsewhere("computed tables cannot be rebuilt")

    def fsck(
        self,
        *,
        log_keys: Sequence[VerifyKey],  # noqa: ARG002
        origin: str,  # noqa: ARG002
        processes: int = 1,  # noqa: ARG002
        verify: Callable[[bytes, bytes, bytes], None] = keys.verify,  # noqa: ARG002
    ) -> Iterator[Problem]:
        """Not from here; StateError: a mirror is checked instead."""
        self._elsewhere("the stored bytes cannot be checked")

    def close(self) -> None:
        """Let go of the connection."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # -- within ---------------------------------------------------------------------------------

    def _remember(self, note: bytes) -> None:
        """Compare a checkpoint with the newest one seen of this log, and remember the newer."""
        self._seen.remember(note, [self.log], self.consistency_proof)

    def _elsewhere(self, what: str) -> NoReturn:
        raise StateError(
            f"{what} over the network",
            where=self._wire.address,
            remedy="do it on the registry's own machine; to check the record here, mirror it (`leadline mirror`)",
        )


def _trusted(path: Path, shown: VerifyKey, wire: Wire) -> VerifyKey:
    """The key to hold the log to: the remembered one, or the one shown now, remembered from here on."""
    try:
        remembered = VerifyKey.parse(path.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        part.write_text(shown.vkey + "\n", encoding="utf-8")
        part.replace(path)
        return shown
    if remembered != shown:
        raise SignatureError(
            f"the registry shows the log key {shown.vkey}, but was met with another one before",
            where=wire.address,
            remedy=f"ask its operator why the key changed; only if you believe the answer, delete {path}",
        )
    return remembered


def _file_name(address: str) -> str:
    """A file name for an address: the host readable, all of it told apart."""
    host = re.sub(r"[^a-z0-9.-]", "_", urlsplit(address).netloc.lower())[:100]
    return f"{host}-{sha256(address.encode()).hexdigest()[:12]}"


@contextmanager
def _spooled(data: bytes | BinaryIO) -> Iterator[tuple[BinaryIO, str, int]]:
    """The bytes as a file at its start, with digest and size; what was read once is kept to be sent."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        seen, size = sha256(), 0
        for chunk in [data] if isinstance(data, bytes) else iter(lambda: data.read(_COPY), b""):
            seen.update(chunk)
            size += len(chunk)
            spool.write(chunk)
        spool.seek(0)
        yield cast("BinaryIO", spool), seen.hexdigest(), size


def is_remote(url: object) -> bool:
    """Whether an address names a registry behind an API."""
    return isinstance(url, str) and url.startswith(("https://", "http://"))


__all__ = ["RemoteStore", "is_remote"]
