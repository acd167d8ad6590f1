"""How a server is set up: one frozen value, from a file and the environment.

A setting is looked for in the environment (``LEADLINE_PORT``), then in the TOML file, else it has its default.
An unknown name or a value that cannot be is an error that says where it stands: a misspelt line of
configuration that is ignored in silence is how a registry ends up open to everybody.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from leadline.errors import Explained, InputError, NotFoundError
from leadline.ledger.cosignature import CosignerKey
from leadline.ledger.keys import check_name
from leadline.ledger.sealing.periods import BUCKET
from leadline.store.projections.status import GRACE_DAYS
from leadline.web import values

AccessMode = Literal["open", "listed", "invited"]
LogFormat = Literal["human", "json"]

_GIB = 1 << 30
_DAY = 86_400
_MOST_CONFIGURATION = 1 << 20
_PREFIX = "LEADLINE_"
#: Variables of the same prefix that are no settings of a server.
_OTHERS: Final = (
    "LEADLINE_HOME",
    "LEADLINE_KEY",
    "LEADLINE_INVITATION",
    "LEADLINE_DEBUG",
    "LEADLINE_CONFIG",
)
_OTHER_PREFIXES: Final = ("LEADLINE_TEST_", "LEADLINE_LADDER_", "LEADLINE_REQUIRE_")


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much one key, or one address without a key, may ask for; buckets refill steadily.

    `statements_per_hour` and `statements_burst` bound what a key writes, `bytes_per_day` the logs it uploads,
    `requests_per_minute` and `requests_burst` what one client reads over the API and MCP, `computing_per_hour` and
    `computing_burst` the seconds in which the server reads drafts for it; 0 turns a bound off.
    """

    statements_per_hour: int = 240
    statements_burst: int = 120
    bytes_per_day: int = 50 * _GIB
    requests_per_minute: int = 600
    requests_burst: int = 300
    computing_per_hour: int = 1800
    computing_burst: int = 900


@dataclass(frozen=True, slots=True)
class Peer:
    """A witness that is asked to cosign this log's checkpoints: its address and its public key."""

    url: str
    vkey: str


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Everything a server is told; every setting has a default that is right for one person's machine.

    `store` is a path or a ``postgresql://`` address, `keys` the folder of the registry's own keys where it is
    not the usual one. `origin` is the name of the log: that of a new one, by default the host of `base_url`, and what
    an existing one must have. `base_url` is the address the public uses; `allowed_hosts` names further ones. `access`
    says who may write: everybody (``open``), the keys in `allowed_keys` (``listed``), or those invited as well
    (``invited``). `hazard_bucket` is what the number of a week's hazard seals is rounded up to with decoys; 0 makes
    none. Times are seconds, sizes bytes, `page_cache` MiB.
    """

    store: str = ""
    keys: Path | None = None
    origin: str | None = None
    host: str = "127.0.0.1"
    port: int = 8300
    base_url: str | None = None
    name: str = "Leadline"
    contact: str | None = None
    access: AccessMode = "listed"
    allowed_keys: tuple[str, ...] = ()
    quotas: Quotas = Quotas()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxy: tuple[str, ...] = ()
    grace_days: int = GRACE_DAYS
    max_blob_bytes: int = 4 * _GIB
    mcp: bool = True
    page_cache: int = 64
    tend: bool = True
    tend_every: int = _DAY
    hazard_bucket: int = BUCKET
    bulk_folder: Path | None = None
    bulk_every: int = _DAY
    log_format: LogFormat = "human"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_addresses: bool = False
    metrics: Literal["local", "open", "off"] = "local"
    shutdown_seconds: int = 30
    insecure: bool = False
    witnesses: tuple[Peer, ...] = ()
    policy: Path | None = None
    source: str = field(default="", compare=False)
    """The file it was read from; empty without one."""

    def __post_init__(self) -> None:
        problem = self._contradiction()
        if problem is not None:
            message, remedy = problem
            raise InputError(message, where=self.source or "the settings of the server", remedy=remedy)

    def _contradiction(self) -> tuple[str, str] | None:
        if self.access == "open" and self.allowed_keys:
            return (
                "access is open, and yet keys are listed",
                'choose access = "listed", or leave allowed_keys out',
            )
        if self.statements_impossible:
            return (
                "a burst of statements is allowed, but none per hour",
                "give statements_per_hour, or 0 for both",
            )
        return None

    @property
    def statements_impossible(self) -> bool:
        """Whether the quota of statements contradicts itself."""
        return self.quotas.statements_per_hour == 0 < self.quotas.statements_burst

    def __repr__(self) -> str:
        shown = ", ".join(f"{one.name}={self._shown(one.name)}" for one in fields(self))
        return f"Settings({shown})"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        return repr(redacted(value) if name == "store" else value)

    def shown(self) -> dict[str, Any]:
        """Every setting as a JSON value, without secrets."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)} | {
            "store": redacted(self.store)
        }

    @property
    def address(self) -> str:
        """The address the public uses, without a slash at its end."""
        if self.base_url is not None:
            return self.base_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def new_origin(self) -> str | None:
        """What a new log is called: `origin`, else the host of `base_url`; None for a name made up at random."""
        if self.origin is not None or self.base_url is None:
            return self.origin
        return urlsplit(self.base_url).hostname

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name a request may be addressed to."""
        own = urlsplit(self.address).hostname or self.host
        local = ("localhost", "127.0.0.1", "[::1]", "::1") if self.loopback else ()
        return tuple(dict.fromkeys((own, *local, *self.allowed_hosts)))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)

    @classmethod
    def load(cls, path: Path | str | None, environ: Mapping[str, str], **given: Any) -> Self:
        """The settings in the TOML file at `path`, overlaid by the environment, overlaid by what is `given`.

        Values of None among the given count as absent. Raises NotFoundError (no such file) or InputError
        that names the file and the key, or the variable, and what would be right.
        """
        found: dict[str, Any] = {} if path is None else _from_file(Path(path))
        found |= _from_environment(environ)
        for name, value in given.items():
            if value is not None:
                found[name] = _read(name, value, f"the option for {name}")
        return cls(**found, source="" if path is None else str(path))


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, Quotas | Peer):
        return asdict(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def redacted(address: str) -> str:
    """A store's address without the password in it."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        if parts.password is None and "password" not in parts.query.lower():
            return address
        user, at, host = parts.netloc.rpartition("@")
        query = "…" if parts.query else ""
        return urlunsplit((parts.scheme, f"{user.partition(':')[0]}:…{at}{host}", parts.path, query, ""))
    except ValueError:
        return f"{address.partition('://')[0]}://…"


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _address(value: Any) -> str:
    found = values.text(2000)(value)
    if "://" in found and not found.startswith(("sqlite://", "postgresql://")):
        raise ValueError("must be a path, sqlite:///path, or postgresql://...")
    return found


def _proxy(value: Any) -> str:
    found = values.text(64)(value)
    try:
        ip_address(found)
    except ValueError:
        raise ValueError("must be the address of the proxy, such as 127.0.0.1") from None
    return found


def _quotas(value: Any) -> Quotas:
    if isinstance(value, Quotas):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be a table of numbers")
    known = {one.name for one in fields(Quotas)}
    read = {**dict.fromkeys(known, values.whole(0, 10**9)), "bytes_per_day": _zero_or(values.size(1 << 50))}
    for name in value:
        if name not in known:
            raise ValueError(f"has no {name!r}; it knows {', '.join(sorted(known))}")
    return Quotas(**{name: _in(name, read[name], one) for name, one in value.items()})


def _zero_or(reader: values.Reader) -> values.Reader:
    return lambda value: 0 if value in (0, "0") and value is not False else reader(value)


def _in(name: str, reader: values.Reader, value: Any) -> Any:
    try:
        return reader(value)
    except ValueError as error:
        raise ValueError(f"has a bad {name}: it {error}") from None


def _peer(value: Any) -> Peer:
    if isinstance(value, Peer):
        return value
    if not isinstance(value, Mapping) or set(value) != {"url", "vkey"}:
        raise ValueError("must be tables with url and vkey")
    vkey = values.text()(value["vkey"])
    try:
        CosignerKey.parse(vkey)
    except Explained as error:
        raise ValueError("need a vkey as `leadline witness init` prints it") from error
    return Peer(values.page_address(value["url"]), vkey)


def _origin(value: Any) -> str:
    found = values.text(100)(value)
    try:
        check_name(found)
    except Explained as error:
        raise ValueError("must be a name without blanks and +, such as registry.example.org/log") from error
    return found


_READERS: Final[dict[str, values.Reader]] = {
    "store": _address,
    "keys": values.path,
    "origin": _origin,
    "host": values.host,
    "port": values.whole(0, 65_535),
    "base_url": values.web_address,
    "name": values.text(100),
    "contact": values.text(200),
    "access": values.choice("open", "listed", "invited"),
    "allowed_keys": values.listed(values.fingerprint),
    "quotas": _quotas,
    "allowed_hosts": values.listed(values.host, 100),
    "trusted_proxy": values.listed(_proxy, 100),
    "grace_days": values.whole(0, 3650),
    "max_blob_bytes": values.size(1 << 44),
    "mcp": values.switch,
    "page_cache": values.whole(0, 1_000_000),
    "tend": values.switch,
    "tend_every": values.duration(30 * _DAY),
    "hazard_bucket": values.whole(0, 100),
    "bulk_folder": values.path,
    "bulk_every": values.duration(365 * _DAY),
    "log_format": values.choice("human", "json"),
    "log_level": values.choice("debug", "info", "warning", "error"),
    "log_addresses": values.switch,
    "metrics": values.choice("local", "open", "off"),
    "shutdown_seconds": values.whole(0, 3600),
    "insecure": values.switch,
    "witnesses": values.listed(_peer, 50),
    "policy": values.path,
}
#: Tables cannot be written in a variable.
_FILE_ONLY: Final = ("quotas", "witnesses")


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_CONFIGURATION + 1)
    except OSError as error:
        raise NotFoundError(
            f"the configuration cannot be read: {error.strerror or error}",
            where=str(path),
            remedy="check the path; a commented example comes with the documentation (docs/examples/leadline.toml)",
        ) from error
    if len(raw) > _MOST_CONFIGURATION:
        raise InputError("the configuration is too long", where=str(path), remedy="give a TOML file")
    try:
        document = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            f"the configuration is not TOML: {error}", where=str(path), remedy="correct that line"
        ) from error
    return {name: _read(name, value, f"{path}: {name}") for name, value in document.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for variable, value in sorted(environ.items()):
        if not variable.startswith(_PREFIX) or variable in _OTHERS or variable.startswith(_OTHER_PREFIXES):
            continue
        name = variable.removeprefix(_PREFIX).lower()
        where = f"the environment variable {variable}"
        if name in _FILE_ONLY:
            raise InputError(
                f"{name} is a table", where=where, remedy=f"write [{name}] into a file (--config)"
            )
        found[name] = _read(name, value, where)
    return found


def _read(name: str, value: Any, where: str) -> Any:
    reader = _READERS.get(name)
    if reader is None:
        near = get_close_matches(name, _READERS, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"settings are {', '.join(_READERS)}"
        raise InputError(f"there is no setting {name!r}", where=where, remedy=remedy)
    try:
        return reader(value)
    except ValueError as error:
        raise InputError(
            f"{name} {error}",
            where=where,
            remedy="correct the value, or leave the line out for the default",
        ) from None
