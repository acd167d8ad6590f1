"""The schema as it is on the server, compared with the one this version creates."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from leadline.ledger.fsck import Problem
from leadline.store.postgres.schema import KEPT_TABLES, SCHEMA, STAMP_TABLE
from leadline.store.postgres.session import Session
from leadline.store.projection import Projection, Table

#: (column, type, collation, whether it must have a value), in order.
Columns = tuple[tuple[str, str, str, bool], ...]
#: (columns, whether they are unique) of each index.
Indexes = frozenset[tuple[tuple[str, ...], bool]]

_C: Final = ("text", "C", True)
_BYTES: Final = ("bytea", "", True)
_MAYBE: Final = ("bytea", "", False)
_NUMBER: Final = ("bigint", "", True)
_KEPT: Final[Mapping[str, tuple[dict[str, tuple[str, str, bool]], tuple[str, ...]]]] = {
    "format": ({"application": ("text", "default", True), "version": ("integer", "", True)}, ()),
    "blob": ({"sha256": _BYTES, "content": _MAYBE, "notice": _MAYBE}, ("sha256",)),
    "blob_chunk": ({"sha256": _BYTES, "n": ("integer", "", True), "data": _BYTES}, ("sha256", "n")),
    "entry": ({"ix": _NUMBER, "envelope": _BYTES}, ("ix",)),
    "node": ({"ix": _NUMBER, "hash": _BYTES}, ("ix",)),
    "checkpoint": ({"size": _NUMBER, "note": _BYTES}, ("size",)),
    "shelf": ({"space": _C, "key": _C, "value": _BYTES}, ("space", "key")),
}
_TYPES: Final = {
    "integer": ("bigint", ""),
    "real": ("double precision", ""),
    "text": ("text", "C"),
    "blob": ("bytea", ""),
}
_RESTORE: Final = (
    "run `leadline rebuild` if only computed tables are concerned; otherwise restore the database from a backup or a "
    "mirror"
)


def schema_problems(session: Session, projections: Sequence[Projection]) -> Iterator[Problem]:
    """Tables, columns, indexes, triggers, rules and policies that are not what this version creates."""
    expected, stored = expected_shape(projections), stored_shape(session)
    for name in sorted(stored.keys() - expected.keys()):
        yield Problem(
            "schema-unknown", f"table {name!a:.80}", "no version like this one creates it", _RESTORE
        )
    for name, shape in expected.items():
        if name not in stored:
            yield Problem("schema-missing", f"table {name}", "it is missing", _RESTORE)
        elif stored[name] != shape:
            yield Problem("schema-altered", f"table {name}", "its columns or indexes were altered", _RESTORE)
    for kind, name in session.rows(_ADDITIONS, {"schema": SCHEMA}):
        yield Problem(
            "schema-unknown", f"{kind} {name!a:.80}", "it can change what is read or written", _RESTORE
        )


def expected_shape(projections: Sequence[Projection]) -> dict[str, tuple[Columns, Indexes]]:
    """Columns and indexes of every table this version creates."""
    shapes: dict[str, tuple[Columns, Indexes]] = {}
    for name in KEPT_TABLES:
        kept, key = _KEPT[name]
        shapes[name] = (
            tuple((field, *shape) for field, shape in kept.items()),
            frozenset([(key, True)] if key else []),
        )
    for table in (STAMP_TABLE, *(table for projection in projections for table in projection.tables)):
        shapes[table.name] = (_columns(table), _indexes(table))
    for index in (index for projection in projections for index in projection.texts):
        fields: Columns = (("ix", *_NUMBER), ("words", "tsvector", "", True))
        indexes: Indexes = frozenset({(("ix",), True), (("words",), False)})
        shapes[index.name] = (fields, indexes)
    return shapes


def _columns(table: Table) -> Columns:
    return tuple(
        (column.name, *_TYPES[column.type], not column.nullable or column.name in table.key)
        for column in table.columns
    )


def _indexes(table: Table) -> Indexes:
    return frozenset({(table.key, True), *((group, False) for group in table.indexes)})


def stored_shape(session: Session) -> dict[str, tuple[Columns, Indexes]]:
    """Columns and indexes of every table in the schema; an index that is not usable is not listed."""
    columns: dict[str, list[tuple[str, str, str, bool]]] = {}
    indexes: dict[str, set[tuple[tuple[str, ...], bool]]] = {}
    for table, name, kind, collation, needed in session.rows(_COLUMNS, (SCHEMA,)):
        columns.setdefault(table, []).append((name, kind, collation or "", needed))
    for table, names, unique in session.rows(_INDEXES, (SCHEMA,)):
        indexes.setdefault(table, set()).add((tuple(names), unique))
    return {table: (tuple(found), frozenset(indexes.get(table, ()))) for table, found in columns.items()}


_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), l.collname::text, a.attnotnull
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
_INDEXES = """
SELECT c.relname::text, array_agg(a.attname::text ORDER BY k.n), i.indisunique
FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE c.relnamespace = to_regnamespace(%s) AND i.indisvalid AND i.indisready AND i.indpred IS NULL
GROUP BY c.relname, i.indexrelid, i.indisunique
"""
_ADDITIONS = """
SELECT 'trigger', t.tgname::text FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = to_regnamespace($1) AND NOT t.tgisinternal
UNION ALL SELECT 'rule', r.rulename::text FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
WHERE c.relnamespace = to_regnamespace($1)
UNION ALL SELECT 'policy', p.polname::text FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
WHERE c.relnamespace = to_regnamespace($1)
UNION ALL SELECT 'default of a column', d.adrelid::regclass::text FROM pg_attrdef AS d
JOIN pg_class AS c ON c.oid = d.adrelid WHERE c.relnamespace = to_regnamespace($1)
ORDER BY 1, 2
""".replace("$1", "%(schema)s")
