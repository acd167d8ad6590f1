"""`fsck` of a store on PostgreSQL: the schema, the record, the remembered checkpoint, and every projection."""

# ruff: noqa: S608 -- names in SQL come from this package's own table definitions; values are always bound

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from leadline.errors import Explained
from leadline.ledger import fsck as ledger_fsck
from leadline.ledger import keys, tlog
from leadline.ledger.fsck import Problem, StoredBlob
from leadline.ledger.keys import VerifyKey
from leadline.ledger.tlog.checkpoint import open_checkpoint
from leadline.store.memory import RememberedCheckpoint
from leadline.store.postgres.compare import projection_problems
from leadline.store.postgres.reads import Handle
from leadline.store.postgres.record import Record
from leadline.store.postgres.shape import schema_problems
from leadline.store.projection import Projection

RESTORE: Final = "restore the database from a backup or a mirror"
_PAGE: Final = 1_000
_BELOW: Final = -(1 << 63)
Verify = Callable[[bytes, bytes, bytes], None]


class RawRecord:
    """A `ledger.fsck.RecordReader`: the record as it is stored; nothing cached, nothing recomputed."""

    def __init__(self, record: Record, own: Iterator[Problem]) -> None:
        self._record = record
        self._own = own

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Stored index and bytes of every entry, in order of index."""
        yield from self._rows("entry", "ix", "envelope")

    def nodes(self) -> Iterator[tuple[int, bytes]]:
        """Storage index and hash of every tree node, in order of index."""
        yield from self._rows("node", "ix", "hash")

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """Tree size and note of every checkpoint, in order of size."""
        yield from self._rows("checkpoint", "size", "note")

    def node_hashes(self, indexes: Sequence[int]) -> Sequence[bytes]:
        """Stored hashes at these storage indexes."""
        return self._record.nodes(indexes)

    def blobs(self) -> Iterator[StoredBlob]:
        """Every row of table `blob`, with its bytes from wherever they are."""
        rows = self._record.session.rows("SELECT sha256, notice FROM leadline.blob ORDER BY sha256")
        for digest, notice in rows:
            name = digest.hex()
            try:
                if notice is None:
                    yield StoredBlob(name, self._record.stored(name))
                else:
                    yield StoredBlob(name, taken_down=self._record.reason(name, notice))
            except Explained as error:
                yield StoredBlob(name, _raising(error))

    def own_problems(self) -> Iterator[Problem]:
        """What only this engine can check: its schema, and where it keeps large blobs."""
        yield from self._own
        yield from _chunk_problems(self._record)

    def _rows(self, table: str, number: str, value: str) -> Iterator[tuple[int, bytes]]:
        last, session = _BELOW, self._record.session
        first = f"SELECT {number}, {value} FROM leadline.{table} WHERE {number}"
        rows = session.rows(f"{first} >= %s::bigint ORDER BY 1 LIMIT {_PAGE}", (last,))
        while rows:
            yield from ((index, data) for index, data in rows)
            last = rows[-1][0]
            rows = session.rows(f"{first} > %s::bigint ORDER BY 1 LIMIT {_PAGE}", (last,))


def check(
    at: Handle,
    projections: Sequence[Projection],
    *,
    log_keys: Sequence[VerifyKey],
    origin: str,
    processes: int = 1,
    verify: Verify = keys.verify,
) -> Iterator[Problem]:
    """All problems of the database behind `at`, whose transaction the caller holds.

    Projections are compared only with a sound record: replaying a damaged one would blame them for its faults.
    """
    reader = RawRecord(at.record, schema_problems(at.session, projections))
    sound = True
    for problem in ledger_fsck.fsck(
        reader, log_keys=log_keys, origin=origin, processes=processes, verify=verify
    ):
        sound = False
        yield problem
    if sound:
        yield from projection_problems(at, projections)


def check_remembered(
    at: Handle, remembered: RememberedCheckpoint, *, log_keys: Sequence[VerifyKey], origin: str
) -> Iterator[Problem]:
    """A remembered checkpoint that the log did not sign, or that the tree does not extend."""
    try:
        note = remembered.read()
        if note is not None:
            open_checkpoint(note, log_keys, origin=origin)
            remembered.check(at.record.size(), lambda size: tlog.tree_hash(size, at.record.nodes))
    except Explained as error:
        where = error.where or str(remembered.path)
        yield Problem("remembered-checkpoint", where, error.message, error.remedy() or RESTORE)


def _chunk_problems(record: Record) -> Iterator[Problem]:
    """Bytes of large blobs that belong to no blob, or to one that has its bytes elsewhere or none at all."""
    sql = (
        "SELECT DISTINCT c.sha256 FROM leadline.blob_chunk AS c LEFT JOIN leadline.blob AS b USING (sha256) "
        "WHERE b.sha256 IS NULL OR b.content IS NOT NULL OR b.notice IS NOT NULL ORDER BY 1"
    )
    for (digest,) in record.session.rows(sql):
        what = "there are bytes of it that no reader sees"
        yield Problem("blob-stray", f"blob {digest.hex()}", what, RESTORE)
    sql = "SELECT sha256 FROM leadline.blob WHERE content IS NOT NULL AND notice IS NOT NULL ORDER BY 1"
    for (digest,) in record.session.rows(sql):
        what = "it has bytes and a notice that they were taken down"
        yield Problem("blob-stray", f"blob {digest.hex()}", what, RESTORE)


def _raising(error: Explained) -> Iterator[bytes]:
    """Bytes that cannot be read: the error comes when somebody tries, so that other blobs are still checked."""
    yield from ()
    raise error
