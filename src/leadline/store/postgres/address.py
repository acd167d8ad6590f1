"""The address of a registry on PostgreSQL: where it is, without the password in anything that is shown."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from leadline.errors import InputError

SCHEMES = ("postgresql", "postgres")
_REMEDY = "write it as postgresql://user@host:port/database; keep the password in ~/.pgpass or $PGPASSWORD"


@dataclass(frozen=True)
class Address:
    """Host (or folder of a Unix socket), port and database, and all that libpq is given to connect.

    What the address leaves open libpq takes from its environment variables, as `psql` does.
    """

    host: str
    port: str
    database: str
    parameters: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """The address in a ``postgresql://`` URL; InputError, which never repeats the password, for other text."""
        try:
            parts = urlsplit(url)
            port = parts.port
            query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise _bad("it is not an address of one host and one port") from None
        if parts.scheme not in SCHEMES or parts.fragment or "\0" in unquote(url):
            raise _bad("it is not a PostgreSQL address")
        found = {
            "host": unquote(parts.netloc.rpartition("@")[2].removesuffix(f":{port}")).strip("[]"),
            "port": "" if port is None else str(port),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "dbname": unquote(parts.path.removeprefix("/")),
        }
        if "/" in found["dbname"]:
            raise _bad("the name of its database holds a slash")
        given = {name: value for name, value in found.items() if value} | dict(query)
        return cls(
            host=given.get("host") or os.environ.get("PGHOST") or "local",
            port=given.get("port") or os.environ.get("PGPORT") or "5432",
            database=given.get("dbname")
            or os.environ.get("PGDATABASE")
            or given.get("user")
            or os.environ.get("PGUSER")
            or "default",
            parameters=given,
        )

    def __str__(self) -> str:
        """The address to show: without user parameters and password."""
        user = self.parameters.get("user")
        host = self.host if "/" not in self.host else self.host.replace("/", "%2F")
        return f"postgresql://{user + '@' if user else ''}{host}:{self.port}/{self.database}"

    def keys_folder(self) -> Path:
        """This machine's folder for the registry's keys and the newest checkpoint it remembers.

        $LEADLINE_KEYS, or keys/<host>_<port>_<database> in $LEADLINE_HOME (default ~/.leadline).
        """
        named = os.environ.get("LEADLINE_KEYS")
        if named:
            return Path(named)
        home = Path(os.environ.get("LEADLINE_HOME") or Path.home() / ".leadline")
        return home / "keys" / "_".join(_file_name(part) for part in (self.host, self.port, self.database))

    def without_secrets(self, text: str) -> str:
        """`text` (a message of the server or of libpq) with the password replaced."""
        for secret in (self.parameters.get("password"), os.environ.get("PGPASSWORD")):
            if secret:
                text = text.replace(secret, "***")
        return text


def _file_name(part: str) -> str:
    """The part as a file name; where characters had to go, a digest keeps different parts apart."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip(".-")
    return plain if plain == part else f"{plain}.{sha256(part.encode()).hexdigest()[:8]}"


def _bad(why: str) -> InputError:
    return InputError(f"the store's address cannot be used: {why}", remedy=_REMEDY)
