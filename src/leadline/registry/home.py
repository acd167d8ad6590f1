"""Where a registry keeps its keys, and how new ones are made.

Beside a database ``registry.db`` stands a folder ``registry.db.keys``; a registry on PostgreSQL has one on each
machine that may sign for it (`leadline.registry.places.shared_keys`). In it are, each mode 0600:

* ``log.key`` signs checkpoints only;
* ``service.key`` signs automatic reports and closings only;
* ``installation.key`` signs what this installation seals or flushes in its own name;
* ``witness.key`` cosigns other logs' checkpoints; made when it is first needed;

and ``log.vkey``, the public key to hand out: with it and a certificate anybody can verify offline.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from leadline.errors import KeyFileError, NotFoundError, StateError, StoreError
from leadline.ledger import keyfile
from leadline.ledger.keys import Role, SigningKey, VerifyKey

LOG_KEY, SERVICE_KEY, PUBLIC = "log.key", "service.key", "log.vkey"
INSTALLATION_KEY, WITNESS_KEY = "installation.key", "witness.key"

#: A key that `Home.ensure` makes on first need.
Own = Literal["installation", "witness"]
_OWN: Final[dict[Own, tuple[str, Role]]] = {
    "installation": (INSTALLATION_KEY, "author"),
    "witness": (WITNESS_KEY, "witness"),
}


@dataclass
class Home:
    """The registry's own keys; `signing` is None where only the public key is at hand (read-only use).

    `installation` and `witness` are None until they were needed for the first time: see `ensure`.
    """

    folder: Path
    log: VerifyKey
    signing: SigningKey | None
    service: SigningKey | None
    installation: SigningKey | None = None
    witness: SigningKey | None = None

    @property
    def origin(self) -> str:
        """The log's identity: the first line of its checkpoints."""
        return self.log.name

    def ensure(self, name: Own) -> SigningKey:
        """This key, made and kept in the folder when it is not there yet; the log learns of it elsewhere.

        Raises StateError where the registry's private keys are not at hand, StoreError when the disk refuses.
        """
        file, role = _OWN[name]
        found: SigningKey | None = getattr(self, name)
        if found is None:
            if self.signing is None:
                raise StateError(
                    f"this registry's private keys are not here, so it gets no {name} key",
                    where=str(self.folder),
                    remedy="work on the machine that holds the keys",
                )
            path = self.folder / file
            with suppress(StateError):  # another process made it meanwhile
                if not path.exists():
                    keyfile.save(SigningKey.generate(f"{self.origin}/{name}", role), path)
            found = keyfile.load(path)
            setattr(self, name, found)
        return found


def keys_folder(database: Path) -> Path:
    """The folder of the own keys of a registry in a file."""
    return database.with_name(database.name + ".keys")


def load_home(folder: Path) -> Home:
    """Read the registry's keys; without access to the private ones, the public key alone."""
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
    if signing is not None and signing.public != log:
        raise KeyFileError(
            "log.key and log.vkey do not belong together",
            where=str(folder),
            remedy="restore both from one backup",
        )
    others = (_load_if_there(folder / file) for file in (SERVICE_KEY, INSTALLATION_KEY, WITNESS_KEY))
    return Home(folder, log, signing, *others)


def make_home(folder: Path, origin: str | None = None) -> Home:
    """New keys for a new registry; the origin is a name nobody else has unless one is given."""
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
    home = Home(folder, signing.public, signing, service)
    home.ensure("installation")
    (folder / PUBLIC).write_text(signing.public.vkey + "\n")
    return home


def _load_if_there(path: Path) -> SigningKey | None:
    return keyfile.load(path) if path.exists() else None
