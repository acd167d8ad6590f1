"""Recomputing stored tree nodes from the entries, if what the log signed proves that the entries are sound."""

from leadline.errors import IntegrityError, NotFoundError
from leadline.ledger import tlog
from leadline.store.memory import stated
from leadline.store.postgres.record import BATCH, Record


def mend_tree(record: Record) -> int:
    """Rewrite the tree nodes that do not follow from the entries; returns how many, inside a transaction.

    Raises IntegrityError when the entries do not have the root of the newest signed checkpoint: then it is they
    that are damaged, and no recomputation helps.
    """
    edge = tlog.Frontier()
    size = record.size()
    wrong: list[tuple[int, bytes]] = []
    while edge.size < size:
        first = tlog.stored_count(edge.size)
        computed: list[bytes] = []
        for index, envelope in _batch(record, edge.size):
            if index != edge.size:
                raise record.missing(edge.size)
            computed += edge.append(tlog.leaf_hash(envelope))
        if not computed:
            raise record.missing(edge.size)
        wrong += _differing(record, first, computed)
    _check_root(record, edge)
    count = tlog.stored_count(edge.size)
    beyond = record.session.run("DELETE FROM leadline.node WHERE ix >= %s OR ix < 0", (count,)).rowcount
    if wrong:
        record.session.many(
            "INSERT INTO leadline.node VALUES (%s, %s) ON CONFLICT (ix) DO UPDATE SET hash = excluded.hash",
            wrong,
        )
    return len(wrong) + beyond


def _batch(record: Record, start: int) -> list[tuple[int, bytes]]:
    sql = "SELECT ix, envelope FROM leadline.entry WHERE ix >= %s ORDER BY ix LIMIT %s"
    return [(index, envelope) for index, envelope in record.session.rows(sql, (start, BATCH))]


def _differing(record: Record, first: int, computed: list[bytes]) -> list[tuple[int, bytes]]:
    sql = "SELECT ix, hash FROM leadline.node WHERE ix >= %s AND ix < %s"
    stored: dict[int, bytes] = dict(record.session.rows(sql, (first, first + len(computed))))
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
