"""One connection to PostgreSQL, in which no setting of the user, role, database or server changes an answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, TypeAlias, cast

import psycopg
from psycopg.pq import TransactionStatus

from leadline.errors import StateError, StoreError
from leadline.store.postgres.address import Address
from leadline.store.postgres.errors import cannot_connect, explained

#: PostgreSQL 15, as `server_version` counts.
OLDEST: Final = 150_000
#: What the address does not say: patience in seconds to connect, in milliseconds with a server that went silent.
_CONNECTING: Final = {"connect_timeout": "10", "tcp_user_timeout": "60000", "application_name": "leadline"}
#: Set in every session. Names are written with their schema everywhere, so the search path holds no table of ours.
_SETTINGS: Final = {
    "search_path": "pg_catalog",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "DateStyle": "ISO, YMD",
    "extra_float_digits": "1",
    "transform_null_equals": "off",
    "gin_fuzzy_search_limit": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "row_security": "off",  # a policy that hides rows is an error, not a shorter answer
    "jit": "off",
    "random_page_cost": "1.1",  # as on solid state: with 4, few matches of a rare word look dearer than a walk through all
    "work_mem": "32MB",
    "client_min_messages": "warning",
}
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Rows: TypeAlias = list[tuple[Any, ...]]


class Session:
    """A connection in autocommit mode, with the few ways in which this package talks to it.

    Values go over as parameters in the server's binary format; SQL text holds only names from table definitions.
    """

    def __init__(self, db: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.db = db
        self.writing = False

    def run(self, sql: str, params: Params = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Execute one statement; inside a pipeline its outcome is awaited only where something is read."""
        return self.db.execute(_literal(sql), params, binary=True)

    def rows(self, sql: str, params: Params = ()) -> Rows:
        """All rows of a query."""
        return self.run(sql, params).fetchall()

    def row(self, sql: str, params: Params = ()) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        return self.run(sql, params).fetchone()

    def planned(self, sql: str, params: Params) -> Rows:
        """All rows of a query whose best plan depends on the values, planned afresh each time."""
        return self.db.execute(_literal(sql), params, prepare=False, binary=True).fetchall()

    @contextmanager
    def streamed(self, sql: str) -> Iterator[Iterable[tuple[Any, ...]]]:
        """The rows of a query a thousand at a time, inside a transaction."""
        with self.db.cursor("leadline_stream") as cursor:
            cursor.itersize = 1_000
            cursor.execute(_literal(sql), binary=True)
            yield cursor

    def many(self, sql: str, rows: Sequence[Params]) -> None:
        """Execute one statement for each of `rows`."""
        with self.db.cursor() as cursor:
            cursor.executemany(_literal(sql), rows)

    def script(self, *statements: str) -> None:
        """Execute statements without parameters, in one round trip."""
        self.db.execute(_literal("; ".join(statements)))

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.db.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @contextmanager
    def transaction(self, begin: str, *more: str) -> Iterator[None]:
        """A transaction that is committed at the end of the block, or undone as a whole."""
        self.script(begin, *more)
        try:
            yield
        except BaseException:
            self.roll_back()
            raise
        self.commit()

    def commit(self) -> None:
        """Commit; psycopg.Error when the outcome is not a durable commit."""
        done = self.db.execute(b"COMMIT")
        if done.statusmessage != "COMMIT":
            raise psycopg.InternalError("the transaction was undone instead of committed")

    def roll_back(self) -> None:
        """Undo the transaction; a connection that cannot even do that is closed."""
        try:
            self.db.execute(b"ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        """End the connection; the server undoes what was not committed."""
        with suppress(psycopg.Error):
            self.db.close()

    @property
    def usable(self) -> bool:
        """Whether the next caller may have this connection: open, outside any transaction, nothing pending."""
        return not self.db.closed and self.db.info.transaction_status == TransactionStatus.IDLE


def connect(address: Address, *, read_only: bool, lock_seconds: float) -> Session:
    """A new session; StoreError when none can be had, StateError for a server that cannot hold a store."""
    parameters = {**_CONNECTING, **address.parameters}
    try:
        # A plain dictionary cannot satisfy the typed keywords; unknown names raise ProgrammingError.
        db = psycopg.connect(autocommit=True, **cast("dict[str, Any]", parameters))
    except psycopg.Error as error:
        raise cannot_connect(error, address) from None
    try:
        with explained(address, "connecting"):
            session = Session(db)
            _settle(session, read_only=read_only, lock_seconds=lock_seconds)
            _check_server(session, address, read_only=read_only)
            return session
    except BaseException:
        db.close()
        raise


def _settle(session: Session, *, read_only: bool, lock_seconds: float) -> None:
    wanted = dict(_SETTINGS, lock_timeout=f"{max(1, round(1000 * lock_seconds))}ms")
    if read_only:
        wanted["default_transaction_read_only"] = "on"
    calls = ", ".join("set_config(%s, %s, false)" for _ in wanted)
    session.run(f"SELECT {calls}", [text for setting in wanted.items() for text in setting])
    # `remote_apply` and the like promise more than `on`, and stay.
    session.run(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
    )


def _check_server(session: Session, address: Address, *, read_only: bool) -> None:
    where = str(address)
    if session.db.info.server_version < OLDEST:
        raise StateError(
            f"the server is PostgreSQL {session.db.info.server_version // 10_000}; a store needs 15 or newer",
            where=where,
            remedy="upgrade the server",
        )
    row = session.row("SELECT current_setting('server_encoding'), current_setting('fsync')")
    encoding, fsync = row or ("", "")
    if encoding != "UTF8":
        raise StateError(
            f"the database has the encoding {encoding}; a store needs UTF8",
            where=where,
            remedy="create another database: createdb --encoding=UTF8 --template=template0 NAME",
        )
    if fsync != "on" and not read_only:
        raise StoreError(
            "the server runs with fsync off, so what it acknowledges is not on disk",
            where=where,
            remedy="set fsync = on in postgresql.conf and reload the server",
        )


def _literal(sql: str) -> LiteralString:
    """Our own SQL, whose variable parts are only names from table definitions."""
    return sql
