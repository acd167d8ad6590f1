"""Recomputing stored tree nodes from the entries, if what the log signed proves that the entries are sound."""

from leadline.errors import IntegrityError, NotFoundError
from leadline.ledger import tlog
from leadline.store.memory import stated
from leadline.store.sqlite.record import Record

_BATCH = 1_000


def mend_tree(record: Record) -> int:
    """Rewrite the tree nodes that do not follow from the entries; returns how many, inside a transaction.

    Raises IntegrityError when the entries do not have the root of the newest signed checkpoint: then it is they
    that are damaged, and no recomputation helps.
    """
    edge = tlog.Frontier()
    wrong: list[tuple[int, bytes]] = []
    rows = record.db.execute("SELECT ix, envelope FROM entry ORDER BY ix")
    while batch := rows.fetchmany(_BATCH):
        computed: list[bytes] = []
        first = tlog.stored_count(edge.size)
        for index, envelope in batch:
            if index != edge.size:
                raise record.missing(edge.size)
            computed += edge.append(tlog.leaf_hash(envelope))
        wrong += _differing(record, first, computed)
    _check_root(record, edge)
    beyond = record.db.execute("DELETE FROM node WHERE ix >= ? OR ix < 0", (tlog.stored_count(edge.size),))
    record.db.executemany("INSERT OR REPLACE INTO node VALUES (?, ?)", wrong)
    return len(wrong) + beyond.rowcount


def _differing(record: Record, first: int, computed: list[bytes]) -> list[tuple[int, bytes]]:
    sql = "SELECT ix, hash FROM node WHERE ix >= ? AND ix < ?"
    stored = dict(record.db.execute(sql, (first, first + len(computed))))
    return [(index, value) for index, value in enumerate(computed, first) if stored.get(index) != value]


def _check_root(record: Record, edge: tlog.Frontier) -> None:
    try:
        said = stated(record.checkpoint())
    except NotFoundError:
        if edge.size == 0:
            return
        raise
    if (said.size, said.root) != (edge.size, edge.root()):
        raise IntegrityError(
            f"the {edge.size} stored entries are not those of the newest signed checkpoint (size {said.size})",
            where=record.where,
            remedy="run `leadline fsck` to find the altered entry, and restore it from a backup or a mirror",
        )
