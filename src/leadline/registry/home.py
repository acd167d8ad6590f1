"""Where a registry keeps its keys, and how a new one is made.

Beside a database ``registry.db`` stands a folder ``registry.db.keys`` with the log key (signs checkpoints
only) and the service key (signs automatic reports and closings only), both mode 0600, and ``log.vkey``,
the public key to hand out: with it and a certificate anybody can verify offline.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from leadline.errors import KeyFileError, NotFoundError, StoreError
from leadline.ledger import keyfile
from leadline.ledger.keys import SigningKey, VerifyKey

LOG_KEY, SERVICE_KEY, PUBLIC = "log.key", "service.key", "log.vkey"


@dataclass(frozen=True)
class Home:
    """The registry's own keys; `signing` is None where only the public key is at hand (read-only use)."""

    folder: Path
    log: VerifyKey
    signing: SigningKey | None
    service: SigningKey | None

    @property
    def origin(self) -> str:
        """The log's identity: the first line of its checkpoints."""
        return self.log.name


def keys_folder(database: Path) -> Path:
    """The folder of a registry's own keys."""
    return database.with_name(database.name + ".keys")


def load_home(database: Path) -> Home:
    """Read the registry's keys; without access to the private ones, the public key alone."""
    folder = keys_folder(database)
    public = folder / PUBLIC
    try:
        log = VerifyKey.parse(public.read_text().strip())
    except FileNotFoundError:
        raise NotFoundError(
            "the registry's public key is missing",
            where=str(public),
            remedy="restore the folder from a backup; without the log key nothing can be added to this registry",
        ) from None
    signing = _load_if_there(folder / LOG_KEY)
    service = _load_if_there(folder / SERVICE_KEY)
    if signing is not None and signing.public != log:
        raise KeyFileError(
            "log.key and log.vkey do not belong together",
            where=str(folder),
            remedy="restore both from one backup",
        )
    return Home(folder, log, signing, service)


def make_home(database: Path, origin: str | None = None) -> Home:
    """New keys for a new registry; the origin is a name nobody else has unless one is given."""
    folder = keys_folder(database)
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder for the registry's keys cannot be made: {error.strerror}",
            where=str(folder),
            remedy="check that the place is writable and has space left",
        ) from error
    name = origin or f"leadline.local/{secrets.token_hex(8)}"
    signing = SigningKey.generate(name, "log")
    service = SigningKey.generate(f"{name}/service", "service")
    keyfile.save(signing, folder / LOG_KEY)
    keyfile.save(service, folder / SERVICE_KEY)
    (folder / PUBLIC).write_text(signing.public.vkey + "\n")
    return Home(folder, signing.public, signing, service)


def _load_if_there(path: Path) -> SigningKey | None:
    return keyfile.load(path) if path.exists() else None
