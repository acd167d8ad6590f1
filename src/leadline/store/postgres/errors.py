"""PostgreSQL's refusals in the words of the error tree; no message repeats a password or a row."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from leadline.errors import InputError, IntegrityError, StoreError
from leadline.store.postgres.address import Address

_DAMAGED = ("XX001", "XX002")
_FULL = ("No space left on device", "File too large", "Disk quota exceeded")
_SAFE = "nothing was acknowledged"

#: What to say and do, by SQLSTATE (five characters) or its class (two).
_SAID = {
    "53100": (
        f"the database server's disk is full; {_SAFE}",
        "free space on the server and submit the same statement again; what was acknowledged before is safe",
    ),
    "53400": (
        f"the server's limit on disk use was reached; {_SAFE}",
        "raise temp_file_limit or free space on the server, then try again",
    ),
    "53300": (
        "the server accepts no more connections",
        "try again; if it stays so, raise max_connections or run fewer servers",
    ),
    "53": (f"the server is short of a resource; {_SAFE}", "look at the server's log, then try again"),
    "42501": (
        "the database role may not do this",
        (
            "grant the role CREATE on the database (once, to make the registry) or ownership of schema leadline; a "
            "role that only reads needs USAGE on the schema, SELECT on its tables, and a store opened for reading"
        ),
    ),
    "25006": (
        f"the database takes no writes now (a standby, or set read-only); {_SAFE}",
        "write to the primary server, or open the store for reading only",
    ),
    "57014": (
        f"the server stopped a statement that took too long; {_SAFE}",
        "try again; if it stays so, raise statement_timeout for this role",
    ),
    "55P03": (
        f"another process holds the database; {_SAFE}",
        "try again; if it stays so, look for the writer in pg_stat_activity and let it finish",
    ),
    "40": (
        f"the server undid the transaction in favour of another; {_SAFE}",
        "submit the same statement again",
    ),
    "25P03": (
        f"the server ended a transaction that waited too long; {_SAFE}",
        "submit the same statement again",
    ),
    "28": (
        "the server does not accept this user or password",
        "check the user in the address and the password in ~/.pgpass or $PGPASSWORD, and the server's pg_hba.conf",
    ),
    "3D000": ("the server has no such database", "create it (`createdb NAME`), or check the address"),
    "58": (
        f"the server's disk refused; {_SAFE}",
        "look at the server's log and its disks, then submit it again",
    ),
}
_LOST = (
    f"the connection to the database was lost; {_SAFE}",
    "submit the same statement again; the next call connects anew",
)


@contextmanager
def explained(address: Address, doing: str) -> Iterator[None]:
    """Turn any database error inside the block into a StoreError or IntegrityError that says what to do."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error, address, doing) from None


def explain(error: psycopg.Error, address: Address, doing: str) -> StoreError | IntegrityError:
    """The error to raise instead of `error`, which happened while `doing` something.

    Raise it ``from None``: the original may quote the address, password included.
    """
    state, where = error.sqlstate or "", str(address)
    if state in _DAMAGED:
        return IntegrityError(
            f"the database is damaged ({doing}): {_message(error, address)}",
            where=where,
            remedy="run `leadline fsck` to see what is wrong, then restore the database from a backup or a mirror",
        )
    if is_lost(error):
        return StoreError(f"{_LOST[0]} ({doing})", where=where, remedy=_LOST[1])
    if any(sign in str(error) for sign in _FULL):  # quotas and limits have no SQLSTATE of their own
        state = "53100"
    said = _SAID.get(state) or _SAID.get(state[:2])
    if said is not None:
        return StoreError(f"{said[0]} ({doing})", where=where, remedy=said[1])
    return StoreError(
        f"the database refused ({doing}): {_message(error, address)}; {_SAFE}",
        where=where,
        remedy="run `leadline fsck`; if it finds nothing, report this with the message above",
    )


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, so that the outcome of what was asked is not known from this error."""
    state = error.sqlstate
    if state is not None:
        return state[:2] == "08" or state in ("57P01", "57P02", "57P03")
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


class UnreachableError(StoreError):
    """Nobody answers at the address, or the server there is still starting: it may be another matter in a moment."""


def cannot_connect(error: psycopg.Error, address: Address) -> StoreError | InputError:
    """The error to raise, ``from None``, when no connection could be made."""
    where = str(address)
    if isinstance(error, psycopg.ProgrammingError):  # libpq names the option, and quotes nothing else
        return InputError(
            f"the store's address has a part libpq does not know: {_message(error, address)}",
            where=where,
            remedy="leave it out; supported are libpq's connection parameters",
        )
    text = _message(error, address)
    for sign, state in _SIGNS:
        if sign in text:
            return StoreError(f"{_SAID[state][0]} (connecting)", where=where, remedy=_SAID[state][1])
    return UnreachableError(
        f"the database server cannot be reached: {text}",
        where=where,
        remedy="check host, port and network, and that the server runs (`pg_isready`)",
    )


#: libpq reports failures to connect as text only.
_SIGNS = (
    ("password", "28"),
    ("authentication failed", "28"),
    ("pg_hba.conf", "28"),
    ("role ", "28"),
    ('database "', "3D000"),
    ("too many c", "53300"),
    ("remaining connection slots", "53300"),
)


def _message(error: psycopg.Error, address: Address) -> str:
    """The server's first line, without the detail lines that may quote rows."""
    text = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    return address.without_secrets(text)[:300]
