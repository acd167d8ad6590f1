"""A copy of a whole registry, made from what it serves and verified down to the last byte.

A mirror is a folder with a registry in it (`DATABASE`) that can be opened for reading, searched, verified and served
like any other, but holds only the log's public key. It trusts nothing but that key: entries must make the signed
tree, every statement must be signed by a key that had the right, every blob must have its digest. Copying again
fetches what is new. If the log then shows another history than the one it showed before, or a shorter one, the
mirror stops, changes nothing, and keeps both checkpoints in the folder ``evidence``.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from leadline.errors import (
    InputError,
    IntegrityError,
    NotFoundError,
    SignatureError,
    StateError,
    StoreError,
)
from leadline.ledger.canon import parse_strict
from leadline.ledger.cosignature import format_lines, only_by, verified_cosignatures
from leadline.ledger.dsse import decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.policy import Policy
from leadline.ledger.seen import EVIDENCE, save_evidence, write_whole
from leadline.ledger.splitview import Split, compare_checkpoints
from leadline.ledger.statements import parse
from leadline.ledger.tlog import Frontier, leaf_hash, prove_consistency, tree_hash
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint
from leadline.ledger.tlog.note import split_note
from leadline.ledger.tlog.reader import TileReader
from leadline.ledger.tlog.tile import MAX_ENTRY, WIDTH, Tile, decode_bundle, entries_path
from leadline.registry.cosigning import LINES
from leadline.registry.home import LOG_KEY, PUBLIC, keys_folder
from leadline.registry.outgoing import Http, check_address
from leadline.store.sqlite.adopt import adopt, readmit
from leadline.store.sqlite.store import SqliteStore

DATABASE: Final = "registry.db"
SOURCE: Final = "mirror.json"
_STAGED: Final = "incoming"
#: Space on the shelf: digests that the source did not have when it was last asked, with the reason.
ABSENT: Final = "mirror-absent"
_LONGEST_NOTE: Final = 1 << 20
_LONGEST_BUNDLE: Final = WIDTH * (MAX_ENTRY + 2)
_LONGEST_PROBLEM: Final = 1 << 16
_MOST_BLOB: Final = 1 << 42

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a run did: the log's size before and now, blobs fetched and their bytes, and blobs the source lacks."""

    origin: str
    before: int
    size: int
    blobs: int
    bytes: int
    absent: Mapping[str, str]


def mirror(
    url: str,
    folder: Path,
    http: Http,
    *,
    key: VerifyKey | None = None,
    policy: Policy | None = None,
    progress: Progress = lambda done, total: None,  # noqa: ARG005
) -> Mirrored:
    """Copy the registry at `url` into `folder`, or bring the copy there up to date.

    `key` is the log's public key; it is needed the first time, and pinned. A `policy` must be satisfied by the
    checkpoint that is taken over, and cosignatures of those it names are handed on. `progress` gets entries fetched and entries to fetch. An interrupted run goes on
    where it stopped. Raises IntegrityError when the log shows two histories or damaged data, SignatureError for a
    checkpoint that is not the log's or does not satisfy the policy, StoreError when the source does not answer.
    """
    source = check_address(url)
    pinned = _pin(folder, key)
    with SqliteStore.open(folder / DATABASE, create=True) as store:
        copy = _Copy(source, folder, http, store, pinned, progress)
        return copy.run(policy)


@dataclass(frozen=True)
class _Copy:
    """One run of copying."""

    url: str
    folder: Path
    http: Http
    store: SqliteStore
    key: VerifyKey
    progress: Progress

    def run(self, policy: Policy | None) -> Mirrored:
        served = self._checkpoint(policy)
        new = open_checkpoint(served, [self.key], origin=self.key.name).checkpoint
        before = self.store.size()
        self._compare(served, new)
        absent: dict[str, str] = {}
        fetched = self._returned()
        if new.size > before:
            self._fetch_entries(before, new)
            blobs = self._fetch_blobs(before, new, absent)
            fetched = (fetched[0] + blobs[0], fetched[1] + blobs[1])
            adopt(self.store, self._staged(before, new.size), only_by(served, [self.key]), absent=absent)
            for digest, reason in absent.items():
                self.store.shelf.put(ABSENT, digest, reason.encode())
        self._keep_cosignatures(served, new.size, policy)
        shutil.rmtree(self.folder / _STAGED, ignore_errors=True)
        write_whole(self.folder / SOURCE, json.dumps({"url": self.url, "key": self.key.vkey}).encode())
        missing = {digest: reason.decode() for digest, reason in self.store.shelf.items(ABSENT)}
        return Mirrored(new.origin, before, new.size, *fetched, missing)

    # -- checkpoints ---------------------------------------------------------------------------

    def _checkpoint(self, policy: Policy | None) -> bytes:
        reply = self.http.get(f"{self.url}/checkpoint", limit=_LONGEST_NOTE)
        if reply.status != 200:
            raise NotFoundError(
                f"the server answered {reply.status} when asked for a checkpoint",
                where=f"{self.url}/checkpoint",
                remedy="check the address: it is the one under which /checkpoint and /tile/ are served",
            )
        if policy is not None:
            policy.accept(reply.body, [self.key])
        return reply.body

    def _compare(self, served: bytes, new: Checkpoint) -> None:
        """Stop unless the served checkpoint extends the one that is held."""
        if self.store.size() == 0:
            return
        held = self.store.checkpoint()
        reader = TileReader(self._tile, new.size)

        def proof(old: int, larger: int) -> list[bytes]:
            if larger == new.size:
                return prove_consistency(old, larger, reader)
            return self.store.consistency_proof(old, larger)

        found = compare_checkpoints(held, served, [self.key], proof)
        if isinstance(found, Split):
            if not found.proven and found.newer.checkpoint == new and tree_hash(new.size, reader) == new.root:
                why = f"under its newer checkpoint stand other first {found.older.checkpoint.size} entries"
                found = Split(found.older, found.newer, why, proven=True)
            raise found.error(str(save_evidence(self.folder / EVIDENCE, found)))
        if new.size < self.store.size():
            why = f"it shows {new.size} entries, after it had shown {self.store.size()}"
            split = Split(found.older, found.newer, why, proven=False)
            raise IntegrityError(
                f"the log {new.origin} went back: {why}",
                where=str(save_evidence(self.folder / EVIDENCE, split)),
                remedy="a cache may serve an old checkpoint: try again in a minute; if it stays so, the log lost entries "
                "or was restored from a backup, and its operator has to explain it",
            )

    def _keep_cosignatures(self, served: bytes, size: int, policy: Policy | None) -> None:
        """Hand on what those whom the policy names said of the checkpoint; what nobody verified is left out."""
        known = [] if policy is None else [witness.key for witness in policy.witnesses]
        found = {(one.key.name, one.key.key_id) for one in verified_cosignatures(served, known)}
        _, lines = split_note(served)
        kept = format_lines([line for line in dict.fromkeys(lines) if (line.name, line.key_id) in found])
        if kept and self.store.shelf.get(LINES, f"{size:020}") != kept:
            self.store.shelf.put(LINES, f"{size:020}", kept)

    # -- entries -------------------------------------------------------------------------------

    def _fetch_entries(self, before: int, new: Checkpoint) -> None:
        """Stage the bundles that are missing, then show that the entries make the signed tree."""
        for n in range(before // WIDTH, -(-new.size // WIDTH)):
            width = min(WIDTH, new.size - n * WIDTH)
            path = self._place(n, width)
            if not path.exists():
                write_whole(path, self._bundle(n, width))
            self.progress(min(n * WIDTH + width, new.size) - before, new.size - before)
        edge = Frontier.load(before, self.store.record.nodes)
        for entry in self._staged(before, new.size):
            edge.append(leaf_hash(entry))
        if edge.root() != new.root:
            shutil.rmtree(self.folder / _STAGED, ignore_errors=True)
            raise IntegrityError(
                "the entries do not make the tree that the log signed" + self._first_wrong(before, new),
                where=self.url,
                remedy="try again, or copy from another mirror; if it stays so, the log serves damaged data",
            )

    def _first_wrong(self, before: int, new: Checkpoint) -> str:
        """Where the entries leave the tree, for the message; empty when the tiles do not tell."""
        reader = TileReader(self._tile, new.size)
        if tree_hash(new.size, reader) != new.root:
            return ", nor do its tiles"
        for n in range(before // WIDTH, -(-new.size // WIDTH)):
            width = min(WIDTH, new.size - n * WIDTH)
            leaves = b"".join(map(leaf_hash, decode_bundle(self._bundle(n, width), width)))
            if leaves != self._tile(Tile(0, n, width)):
                return f"; {entries_path(n, width)} is not what was logged"
        return "; asked again, the server sent others that do"

    def _bundle(self, n: int, width: int) -> bytes:
        data = self._part(entries_path(n, width), entries_path(n))
        if width < WIDTH and data[0] != entries_path(n, width):
            return _first_entries(data[1], width)
        decode_bundle(data[1], width)
        return data[1]

    def _tile(self, tile: Tile) -> bytes:
        return self._part(tile.path(), Tile(tile.level, tile.index).path())[1]

    def _part(self, path: str, full: str) -> tuple[str, bytes]:
        """A tile or bundle, and which path it came from: a log may drop a partial one once the full one exists."""
        for one in dict.fromkeys((path, full)):
            reply = self.http.get(f"{self.url}/{one}", limit=_LONGEST_BUNDLE)
            if reply.status == 200:
                return one, reply.body
            if reply.status not in (404, 410):
                break
        raise StoreError(
            f"the server answered {reply.status}, although its checkpoint implies this file",
            where=f"{self.url}/{path}",
            remedy="try again later; what was fetched so far is kept",
        )

    def _place(self, n: int, width: int) -> Path:
        return self.folder / _STAGED / f"{n}.{width}"

    def _staged(self, start: int, size: int) -> Iterator[bytes]:
        """The staged entries from `start` up to `size`, in log order."""
        for n in range(start // WIDTH, -(-size // WIDTH)):
            width = min(WIDTH, size - n * WIDTH)
            entries = decode_bundle(self._place(n, width).read_bytes(), width)
            yield from entries[max(0, start - n * WIDTH) :]

    # -- blobs ---------------------------------------------------------------------------------

    def _fetch_blobs(self, before: int, new: Checkpoint, absent: dict[str, str]) -> tuple[int, int]:
        """Fetch every blob that the new entries name; how many, and how many bytes."""
        count = size = 0
        for entry in self._staged(before, new.size):
            for _, digest in parse(decode(entry).payload).predicate.blobs():
                if digest in absent or self.store.has_blob(digest) or self.store.taken_down(digest):
                    continue
                with tempfile.TemporaryFile(dir=self.folder) as file:
                    reason = self._blob(digest, file)
                    if reason is not None:
                        absent[digest] = reason
                        continue
                    size += file.tell()
                    file.seek(0)
                    self.store.put_blob(file)
                count += 1
        return count, size

    def _returned(self) -> tuple[int, int]:
        """Ask again for what the source did not have; how many blobs came, and how many bytes."""
        count = size = 0
        for digest, _ in self.store.shelf.items(ABSENT):
            with tempfile.TemporaryFile(dir=self.folder) as file:
                if self._blob(digest, file) is not None:
                    continue
                size += file.tell()
                file.seek(0)
                readmit(self.store, {digest: file})
            self.store.shelf.delete(ABSENT, digest)
            count += 1
        return count, size

    def _blob(self, digest: str, file: BinaryIO) -> str | None:
        """Put the blob's bytes into `file`, verified; or say why the source does not have it."""
        url = f"{self.url}/api/v1/blobs/{digest}"
        status, kind = self.http.download(url, file, limit=_MOST_BLOB)
        if status in (404, 410, 451):
            return _reason(status, kind, file)
        if status != 200:
            raise StoreError(
                f"the server answered {status} for a blob that a statement names",
                where=url,
                remedy="try again later; what was fetched so far is kept",
            )
        hasher = sha256()
        file.seek(0)
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
        if hasher.hexdigest() != digest:
            raise IntegrityError(
                "the bytes served do not have the digest they were asked for by",
                where=url,
                remedy="try again, or copy from another mirror; the server serves damaged data",
            )
        return None


def _pin(folder: Path, key: VerifyKey | None) -> VerifyKey:
    """The key this mirror trusts: the one it was made with; made now where the folder is new."""
    keys = keys_folder(folder / DATABASE)
    if (keys / LOG_KEY).exists():
        raise StateError(
            "this is a registry of your own, not a mirror",
            where=str(folder),
            remedy="name another folder for the copy",
        )
    path = keys / PUBLIC
    if not path.exists():
        if key is None:
            raise InputError(
                "a mirror needs the public key of the log it copies",
                where=str(folder),
                remedy="pass it with --key: the text name+id+base64, from the registry's own pages or its operator",
            )
        write_whole(path, f"{key.vkey}\n".encode())
        return key
    pinned = VerifyKey.parse(path.read_text(encoding="utf-8").strip())
    if key is not None and key != pinned:
        raise SignatureError(
            f"this mirror was made with the key {pinned.vkey}, not with the one given",
            where=str(path),
            remedy="leave --key out; if the log's operator announced a new key, begin a mirror in another folder",
        )
    return pinned


def _first_entries(bundle: bytes, count: int) -> bytes:
    """The first `count` entries of a bundle that may hold more."""
    at = 0
    for _ in range(count):
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    part = bundle[:at]
    decode_bundle(part, count)
    return part


def _reason(status: int, kind: str, file: BinaryIO) -> str:
    """Why a blob is not there, in the server's words where it gives any; they are shown, never relied on."""
    file.seek(0)
    said = None
    if "json" in kind:
        try:
            document = parse_strict(file.read(_LONGEST_PROBLEM))
            if isinstance(document, dict):
                said = document.get("taken_down") or document.get("reason")
        except InputError:
            said = None
    if isinstance(said, str) and said.strip():
        return " ".join(said.split())[:1000]
    return {
        404: "the source does not serve it",
        410: "taken down at the source",
        451: "withheld for legal reasons",
    }[status]
