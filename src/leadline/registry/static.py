"""Verifying an exported record from its files alone: checkpoint, tiles, entry bundles and blobs."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from leadline.errors import Explained, InputError, NotFoundError
from leadline.ledger.authority import Authority
from leadline.ledger.fsck import Problem
from leadline.ledger.keys import VerifyKey
from leadline.ledger.policy import Policy
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint
from leadline.ledger.tlog.frontier import Frontier
from leadline.ledger.tlog.tile import decode_bundle, entries_path, tile_data, tiles
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.bundle import taken_down_in

#: Entries in a full bundle (C2SP tlog-tiles).
BUNDLE = 256
#: The code of bytes that are missing because they were taken down.
GONE = "export.taken-down"
_REMEDY = "this copy is not the registry's: export it again, and compare with another copy"


def is_export(folder: Path) -> bool:
    """Whether a folder looks like an exported record."""
    return (folder / "checkpoint").is_file()


def verify_export(folder: Path, log_key: VerifyKey, *, policy: Policy | None = None) -> Iterator[Problem]:
    """Everything wrong with an exported record, as found; nothing when it is sound.

    The tree is rebuilt from the entries and compared with the signed checkpoint and with every tile; every
    statement's signature and rights are replayed; every blob a statement names is hashed. The checkpoint must
    satisfy the `policy`, if one is given. What is not there because it was taken down, as the folder itself says, is
    a problem of its own code, `GONE`.
    Raises NotFoundError when the folder holds no export, SignatureError when its checkpoint is not the log's or
    does not satisfy the policy.
    """
    note = _read(folder / "checkpoint")
    checkpoint = open_checkpoint(note, [log_key], origin=log_key.name).checkpoint
    if policy is not None:
        policy.accept(note, [log_key])
    entries, problems = _entries(folder, checkpoint.size)
    yield from problems
    if not problems:
        yield from _tree(folder, entries, checkpoint)
        yield from _statements(folder, entries, log_key, checkpoint)
    yield from _public_key(folder, log_key)


def _entries(folder: Path, size: int) -> tuple[list[bytes], list[Problem]]:
    entries: list[bytes] = []
    problems: list[Problem] = []
    for n in range(-(-size // BUNDLE)):
        width = min(BUNDLE, size - n * BUNDLE)
        path = entries_path(n, width)
        try:
            entries.extend(decode_bundle(_read(folder / path), width))
        except Explained as error:
            problems.append(Problem("export.bundle", path, error.message, _REMEDY))
    return entries, problems


def _tree(folder: Path, entries: list[bytes], checkpoint: Checkpoint) -> Iterator[Problem]:
    """The root over the entries, and every tile."""
    edge, nodes = Frontier(), []
    for entry in entries:
        nodes.extend(edge.append(leaf_hash(entry)))
    if edge.root() != checkpoint.root:
        yield Problem("export.root", "checkpoint", "the entries do not have the signed root", _REMEDY)
    for tile in tiles(checkpoint.size):
        path = tile.path()
        expected = tile_data(tile, lambda indexes: [nodes[index] for index in indexes])
        try:
            found = _read(folder / path)
        except Explained as error:
            yield Problem("export.tile", path, error.message, _REMEDY)
            continue
        if found != expected:
            yield Problem("export.tile", path, "its hashes are not those of the entries", _REMEDY)


def _statements(
    folder: Path, entries: list[bytes], log_key: VerifyKey, checkpoint: Checkpoint
) -> Iterator[Problem]:
    """Signatures, rights and blobs, in log order."""
    authority = Authority(log_keys=[log_key], origin=checkpoint.origin)
    gone = taken_down_in(folder)
    for index, data in enumerate(entries):
        try:
            opened = authority.admit(index, data)
        except Explained as error:
            yield Problem("export.statement", f"entry {index}", error.message, _REMEDY)
            continue
        for name, digest in opened.statement.predicate.blobs():
            yield from _blob(folder, index, name, digest, gone)


def _blob(folder: Path, index: int, name: str, digest: str, gone: Mapping[str, str]) -> Iterator[Problem]:
    path = folder / "blobs" / digest[:2] / digest[2:]
    where = f"blobs/{digest[:2]}/{digest[2:]}"
    if digest in gone and not path.exists():
        remedy = "the folder says so; the registry's own record of it is signed"
        yield Problem(GONE, where, f"{name} of entry {index} was taken down: {gone[digest]}", remedy)
        return
    if not path.is_file():
        yield Problem("export.blob", where, f"{name} of entry {index} is not in the export", _REMEDY)
        return
    hasher = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    if hasher.hexdigest() != digest:
        yield Problem("export.blob", where, f"the bytes of {name} of entry {index} were changed", _REMEDY)


def _public_key(folder: Path, log_key: VerifyKey) -> Iterator[Problem]:
    path = folder / "log.vkey"
    if path.is_file() and path.read_bytes() != f"{log_key.vkey}\n".encode():
        yield Problem("export.key", "log.vkey", "it is not the key this export was verified with", _REMEDY)


def _read(path: Path, limit: int = 1 << 25) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise NotFoundError(f"cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY) from None
    if len(data) > limit:
        raise InputError("is too long for what it is", where=str(path), remedy=_REMEDY)
    return data
