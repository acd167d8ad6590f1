"""Reads of a registry on another machine, in the words of the `ReadView` protocol."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from leadline.errors import InputError, IntegrityError, NotFoundError, StoreError
from leadline.ledger.tlog import tile as tiling
from leadline.ledger.tlog.tree import leaf_hash
from leadline.store.blobs import check_bytes, check_digest
from leadline.store.projection import Row, Table, Value
from leadline.store.projections.leaves import LEAF
from leadline.store.remote.asking import MAX_AMONG, MAX_ROWS, MAX_SKIP, from_json, is_cheap, to_json
from leadline.store.remote.wire import Wire
from leadline.store.text import TextAnswer, TextQuestion

_EMPTY_ROOT: Final = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
_PAGE: Final = 256
_MAX_NOTE: Final = 1 << 20
_IN_MEMORY: Final = 1 << 20
#: The longest blob that is fetched.
MAX_BLOB: Final = 64 << 30


class MovedOnError(Exception):
    """The log grew between two reads that must see one state."""


class RemoteView:
    """The record at an address. Whoever opened the store trusts the server for computed tables, not for proofs.

    `pin` is the log size the log itself is read at (None: whatever it is now). Computed tables are always as they
    are now; with `strict`, a table that is read at another log size raises `MovedOnError`.
    """

    def __init__(self, wire: Wire, pin: int | None = None, *, strict: bool = False) -> None:
        self._wire = wire
        self._pin = pin
        self._strict = strict

    # -- the log --------------------------------------------------------------------------------

    def size(self) -> int:
        """The number of entries."""
        return self._now() if self._pin is None else self._pin

    def entry(self, index: int) -> bytes:
        """The exact envelope at `index`; NotFoundError beyond the end."""
        for envelope in self.entries(index, index + 1):
            return envelope
        raise NotFoundError(
            f"the log has no entry {index}",
            where=self._wire.address,
            remedy="ask for an index below its size",
        )

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Envelopes from `start` up to but not including `stop` (default: the end), in log order."""
        end = self.size() if stop is None else stop
        while 0 <= start < end:
            page = self._wire.get("/log/entries", start=start, limit=min(_PAGE, end - start))["entries"]
            for one in page:
                if one["index"] != start:
                    raise self._nonsense("entries out of order")
                yield b64decode(one["envelope"], validate=True)
                start += 1
            if not page:
                return

    def leaf_hash(self, index: int) -> bytes:
        """The RFC 6962 leaf hash at `index`."""
        return leaf_hash(self.entry(index))

    def index_of(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        row = self.get(LEAF, leaf_hash)
        return None if row is None else int(row["ix"] or 0)

    def root(self, size: int | None = None) -> bytes:
        """The tree's root hash at `size` (default: now)."""
        at = self.size() if size is None else size
        if at == 0:
            return _EMPTY_ROOT
        return bytes.fromhex(self._wire.get("/log/consistency", old=at, new=at)["old_root"])

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint at exactly `size`, or the newest; NotFoundError where none was signed."""
        at = self._pin if size is None else size
        return self._wire.text("/log/checkpoint", _MAX_NOTE, size=at, cosigned=False)

    def checkpoint_covering(self, index: int) -> bytes:
        """The oldest signed checkpoint whose tree contains the entry at `index`."""
        return self._wire.text("/log/checkpoint", _MAX_NOTE, covering=index, cosigned=False)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes from the leaf's sibling upward that tie entry `index` to the root at `size`."""
        at = self.size() if size is None else size
        return _hashes(self._wire.get(f"/log/proof/{index:d}", size=at)["hashes"])

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """Hashes that show the tree of `new` entries to begin with the tree of `old` entries."""
        at = self.size() if new is None else new
        return _hashes(self._wire.get("/log/consistency", old=old, new=at)["hashes"])

    def tile(self, level: int, n: int, width: int = tiling.WIDTH) -> bytes:
        """Concatenated hashes of one tile (C2SP tlog-tiles); NotFoundError unless the tree holds them all."""
        return self._wire.site(tiling.Tile(level, n, width).path(), width * 32)

    def entry_bundle(self, n: int, width: int = tiling.WIDTH) -> bytes:
        """Entries `256 n` and on, each behind its 16-bit length; NotFoundError unless all are there."""
        start = n * tiling.WIDTH
        held = list(self.entries(start, start + width))
        if len(held) < width:
            raise NotFoundError(
                f"the log does not hold the entries {start} to {start + width - 1}", where=self._wire.address
            )
        return tiling.encode_bundle(held)

    # -- computed tables ------------------------------------------------------------------------

    def get(self, table: Table, *key: Value) -> Row | None:
        """The row with this primary key, or None."""
        rows, _ = self._rows(table, dict(zip(table.key, key, strict=True)), limit=1)
        return rows[0] if rows else None

    def select(
        self,
        table: Table,
        where: Mapping[str, Value] | None = None,
        *,
        order: str | None = None,
        descending: bool = False,
        after: Value = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Rows equal to `where`, ordered by `order` (default: the key), strictly past `after`, at most `limit`."""
        conditions = dict(where or {})
        if not is_cheap(table, conditions, order):
            return self._sorted_here(table, conditions, order, descending, after, limit)
        found: list[Row] = []
        more = True
        while more and (limit is None or len(found) < limit):
            if len(found) > MAX_SKIP:
                raise self._too_many(table)
            size = MAX_ROWS if limit is None else min(MAX_ROWS, limit - len(found))
            rows, more = self._rows(
                table,
                conditions,
                order=order,
                descending=descending,
                after=after,
                skip=len(found),
                limit=size,
            )
            found += rows
        return found

    def count(self, table: Table, where: Mapping[str, Value] | None = None) -> int:
        """How many rows are equal to `where`."""
        conditions = dict(where or {})
        if conditions and not is_cheap(table, conditions, None):
            return len(self._sorted_here(table, conditions, None, False, None, None))
        said = self._wire.get(f"/tables/{table.name}/count", where=json.dumps(to_json(conditions)))
        self._check_state(said)
        return int(said["count"])

    def select_among(
        self, table: Table, where: str, among: Sequence[int] | Sequence[str], *, limit: int | None = None
    ) -> list[Row]:
        """Rows whose column `where` is one of `among`, ordered by the key, at most `limit`."""
        wanted: list[Value] = list(dict.fromkeys(among))
        found: list[Row] = []
        for start in range(0, len(wanted), MAX_AMONG):
            found += self._among(table, where, wanted[start : start + MAX_AMONG], limit)
        found.sort(key=lambda row: [_rank(row[name]) for name in table.key])
        return found if limit is None else found[:limit]

    def count_by(
        self,
        table: Table,
        group: Sequence[str],
        *,
        where: str,
        among: Sequence[int] | Sequence[str],
        starting: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> list[tuple[tuple[Value, ...], int]]:
        """Rows of `table` with `where` in `among`, counted for each combination of `group`; most rows first."""
        if not among:
            return []
        question = {
            "group": list(group),
            "where": where,
            "among": list(among),
            "starting": None if starting is None else list(starting),
            "limit": limit,
        }
        said = self._wire.ask(f"/tables/{table.name}/groups", _given(question))
        self._check_state(said)
        columns = {column.name: column for column in table.columns}
        blobs = [columns[name].type == "blob" for name in group]
        return [
            (
                tuple(
                    bytes.fromhex(value) if blob and value is not None else value
                    for value, blob in zip(one["values"], blobs, strict=True)
                ),
                int(one["count"]),
            )
            for one in said["groups"]
        ]

    def match_text(self, question: TextQuestion) -> TextAnswer:
        """Log indexes of the documents that answer a full-text question."""
        filters = [
            {
                "table": one.table.name,
                "link": one.link,
                "column": one.column,
                "value": list(one.value) if isinstance(one.value, tuple) else _plain(one.value),
                "op": one.op,
                "absent": one.absent,
            }
            for one in question.filters
        ]
        asked = {
            "index": question.index.name,
            "words": [list(group) for group in question.words],
            "as_of": question.as_of,
            "limit": question.limit,
            "filters": filters,
            "every": question.every,
            "ranked": question.ranked,
            "before": question.before,
        }
        said = self._wire.ask("/match", _given(asked))
        self._check_state(said)
        return TextAnswer([int(index) for index in said["indexes"]], bool(said["capped"]))

    # -- blobs ----------------------------------------------------------------------------------

    def has_blob(self, digest: str) -> bool:
        """Whether a statement names the bytes and they have not been taken down."""
        try:
            return self._wire.has(f"/blobs/{check_digest(digest)}")
        except NotFoundError:
            return False

    def blob(self, digest: str, *, limit: int | None = None) -> bytes:
        """All bytes of a blob, checked; StoreError when there are more than `limit`."""
        try:
            with self._fetch(digest, MAX_BLOB if limit is None else limit) as file:
                return file.read()
        except IntegrityError:
            if limit is None:
                raise
            raise StoreError(
                f"blob {digest} is longer than {limit:,} bytes, more than this use allows",
                where=self._wire.address,
                remedy="read it through open_blob, which does not load it whole",
            ) from None

    def open_blob(self, digest: str) -> BinaryIO:
        """The bytes as a seekable file, after they were checked against the digest."""
        return self._fetch(digest, MAX_BLOB)

    def taken_down(self, digest: str) -> str | None:
        """The reason these bytes were taken down, or None."""
        try:
            self._wire.has(f"/blobs/{check_digest(digest)}")
        except NotFoundError as error:
            reason: str | None = getattr(error, "taken_down", None)
            return reason
        return None

    # -- within ---------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._wire.get("/log")["size"])

    def _rows(
        self,
        table: Table,
        where: Mapping[str, Value],
        *,
        order: str | None = None,
        descending: bool = False,
        after: Value = None,
        skip: int = 0,
        limit: int,
    ) -> tuple[list[Row], bool]:
        past = to_json({"after": after})["after"]
        said = self._wire.get(
            f"/tables/{table.name}",
            where=json.dumps(to_json(dict(where))),
            order=order,
            descending=descending or None,
            after=past if past is None or isinstance(past, str) else json.dumps(past),
            skip=skip or None,
            limit=limit,
        )
        self._check_state(said)
        return self._read_rows(table, said)

    def _read_rows(self, table: Table, said: Mapping[str, Any]) -> tuple[list[Row], bool]:
        """The rows of an answer, and whether there are more behind them."""
        try:
            return [from_json(table, row) for row in said["rows"]], bool(said["more"])
        except InputError:
            raise IntegrityError(
                f"the server's table {table.name} is not the one this version knows",
                where=self._wire.address,
                remedy="use the version of Leadline that the server runs (GET /api/v1/log says which)",
            ) from None

    def _among(self, table: Table, where: str, among: Sequence[Value], limit: int | None) -> list[Row]:
        """One portion of a look-up of many values, in as many answers as it takes."""
        found: list[Row] = []
        more = True
        while more and (limit is None or len(found) < limit):
            if len(found) > MAX_SKIP:
                raise self._too_many(table)
            size = MAX_ROWS if limit is None else min(MAX_ROWS, limit - len(found))
            asked = {"where": where, "among": list(among), "skip": len(found), "limit": size}
            said = self._wire.ask(f"/tables/{table.name}/among", asked)
            self._check_state(said)
            rows, more = self._read_rows(table, said)
            found += rows
        return found

    def _sorted_here(
        self,
        table: Table,
        where: Mapping[str, Value],
        order: str | None,
        descending: bool,
        after: Value,
        limit: int | None,
    ) -> list[Row]:
        """A listing that no index serves: all rows come, and are chosen and sorted on this side."""
        rows = [row for row in self.select(table) if all(row[name] == value for name, value in where.items())]
        keys = (order, *(name for name in table.key if name != order)) if order else table.key
        if after is not None:
            first = keys[0]
            rows = [row for row in rows if _beyond(row[first], after, descending=descending)]
        rows.sort(key=lambda row: [_rank(row[name]) for name in keys], reverse=descending)
        return rows if limit is None else rows[:limit]

    def _check_state(self, said: Mapping[str, Any]) -> None:
        if self._strict and said.get("as_of") != self._pin:
            raise MovedOnError

    def _fetch(self, digest: str, limit: int) -> BinaryIO:
        check_digest(digest)
        file = cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 (handed to the caller)
        try:
            check_bytes(
                digest, self._wire.download(f"/blobs/{digest}", file, limit), where=self._wire.address
            )
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def _too_many(self, table: Table) -> StoreError:
        return StoreError(
            f"more than {MAX_SKIP:,} rows of {table.name} would be read over the network",
            where=self._wire.address,
            remedy="mirror the registry (`leadline mirror`), and read the mirror",
        )

    def _nonsense(self, what: str) -> IntegrityError:
        return IntegrityError(
            f"the server answers with {what}", where=self._wire.address, remedy="compare with a mirror"
        )


def _hashes(values: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def _given(question: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in question.items() if value is not None}


def _plain(value: Value) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _beyond(value: Value, after: Value, *, descending: bool) -> bool:
    if value is None:
        return False
    return _rank(value) < _rank(after) if descending else _rank(value) > _rank(after)


def _rank(value: Value) -> tuple[int, Any]:
    """The order of values in a table: nothing first, texts by their bytes."""
    if value is None:
        return 0, 0
    return 1, value.encode() if isinstance(value, str) else value
