"""The desk behind the tools: one registry, and how writing to it works here.

A local desk (stdio, started with ``--write``) holds its user's key and records at once. A signing desk (HTTP)
holds nobody's key: it hands statements out to be signed and takes envelopes back. A reading desk does neither.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from leadline.errors import InputError, StateError
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.keys import VerifyKey
from leadline.mcp.answers import ToSign, Upload
from leadline.mcp.roots import NO_ROOTS, Roots
from leadline.registry.computing import HERE, Computing
from leadline.registry.drafting import Draft, Unneeded, draft
from leadline.registry.filenames import file_name
from leadline.registry.intake import Gate, Staging
from leadline.registry.intake.apart import LOGS, Apart
from leadline.registry.intake.places import UNSIGNED, turn
from leadline.registry.registry import Registry
from leadline.store import Appended

Step: TypeAlias = Callable[[Registry], object]
#: Bytes of uploads laid out for one draft, at most: they lie on the server's disk until it is made.
MOST_FETCHED: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Visitor:
    """From where a request came, and the invitation it brought along."""

    address: str
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """What the caller of a write brings along where the server holds no key."""

    key: str | None = None
    envelopes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Outcome of a write: the result of the step (local), receipts (signed elsewhere) or a draft to sign."""

    value: object = None
    receipts: tuple[Appended, ...] = ()
    draft: Draft | None = None

    def to_sign(self) -> ToSign | None:
        """The draft as an answer."""
        if self.draft is None:
            return None
        return ToSign(
            payload_type=self.draft.payload_type,
            keyid=self.draft.keyid,
            payloads=[b64encode(payload) for payload in self.draft.payloads],
        )


class Desk(Protocol):
    """Where tools read and write."""

    @property
    def registry(self) -> Registry:
        """The registry read from and written to."""
        ...

    @property
    def roots(self) -> Roots:
        """Where files may be attached from."""
        ...

    @property
    def computing(self) -> Computing:
        """How whatever takes time is computed."""
        ...

    def write(self, step: Step, signing: Signing, *, brings: bool = False) -> Done:
        """Carry out one step of the loop; raises from the error tree when it is refused.

        `brings` says that the step makes bytes which its statements refer to and nobody has uploaded.
        """
        ...

    def fetch(self, uploads: Sequence[Upload], signing: Signing, folder: Path) -> list[Path]:
        """Lay logs that the caller has uploaded out in `folder`, under the names they are to have."""
        ...


@dataclass(frozen=True)
class ReadingDesk:
    """Reads only."""

    registry: Registry
    roots: Roots = NO_ROOTS

    @property
    def computing(self) -> Computing:
        """In this process: it is its user's own."""
        return HERE

    def write(self, step: Step, signing: Signing, *, brings: bool = False) -> Done:  # noqa: ARG002
        """Refuse."""
        raise StateError(
            "this server was started for reading only",
            remedy="start it as `leadline mcp --write --root FOLDER` to record anything",
        )

    def fetch(self, uploads: Sequence[Upload], signing: Signing, folder: Path) -> list[Path]:  # noqa: ARG002
        """Nothing can have been uploaded."""
        return _no_uploads(uploads)


@dataclass(frozen=True)
class LocalDesk:
    """Records at once, with the key of whoever started the server."""

    registry: Registry
    roots: Roots = NO_ROOTS

    @property
    def computing(self) -> Computing:
        """In this process: it is its user's own."""
        return HERE

    def write(self, step: Step, signing: Signing, *, brings: bool = False) -> Done:  # noqa: ARG002
        """Carry the step out."""
        if signing.key or signing.envelopes:
            raise InputError(
                "this server signs with its user's key",
                remedy="leave `key` and `envelopes` out",
            )
        return Done(value=step(self.registry))

    def fetch(self, uploads: Sequence[Upload], signing: Signing, folder: Path) -> list[Path]:  # noqa: ARG002
        """Nothing can have been uploaded."""
        return _no_uploads(uploads)


@dataclass(frozen=True)
class SigningDesk:
    """Hands statements out to be signed, and takes envelopes back.

    Whoever asks has shown nothing of themselves: what a draft costs is computed apart, within limits, and charged to
    `visitor`'s address beforehand. Envelopes pass the `gate` and must be signed before anything is done about them.
    """

    registry: Registry
    gate: Gate
    visitor: Callable[[], Visitor]
    roots: Roots = NO_ROOTS

    @property
    def computing(self) -> Computing:
        """Apart, at the expense of the visitor's address."""
        return Apart(self.gate.purse(self.visitor().address))

    def write(self, step: Step, signing: Signing, *, brings: bool = False) -> Done:
        """Draft without envelopes, submit with them."""
        key = _whose(signing)
        if not signing.envelopes:
            drafted = draft(self.registry, key, step, self.computing)
            return Done(value=drafted.value) if isinstance(drafted, Unneeded) else Done(draft=drafted)
        visitor = self.visitor()
        envelopes = [_decoded(text) for text in signing.envelopes]
        incoming = self.gate.let_in(envelopes, address=visitor.address, invitation=visitor.invitation)
        incoming.require_signed()
        blobs: tuple[bytes, ...] = ()
        if brings:
            again = draft(self.registry, key, step, self.computing)
            blobs = () if isinstance(again, Unneeded) else tuple(again.blobs.values())
        return Done(receipts=tuple(incoming.submit(blobs)))

    def fetch(self, uploads: Sequence[Upload], signing: Signing, folder: Path) -> list[Path]:
        """What waits under the caller's key; NotFoundError for what it has not uploaded, whoever else has.

        Copying it is charged to the visitor's address like computing: nobody has shown that they hold the key.
        """
        keyid, staging = _whose(signing).fingerprint, Staging(self.registry.store.shelf)
        paths = []
        with turn(LOGS.wall_seconds, places=UNSIGNED, purse=self.gate.purse(self.visitor().address)):
            if sum(staging.size(keyid, upload.sha256) for upload in uploads) > MOST_FETCHED:
                raise InputError(
                    f"these logs have more than {MOST_FETCHED:,} bytes together",
                    remedy="attach them in several statements",
                )
            for upload in uploads:
                place = folder / upload.sha256
                place.mkdir(exist_ok=True)
                path = place / file_name(upload.name)
                with staging.open(keyid, upload.sha256) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                paths.append(path)
        return paths


def _whose(signing: Signing) -> VerifyKey:
    if not signing.key:
        raise InputError(
            "whose statement this is must be said",
            remedy="pass `key`: the verifier key (vkey) of your author key, from `leadline key show`",
        )
    return VerifyKey.parse(signing.key)


def _no_uploads(uploads: Sequence[Upload]) -> list[Path]:
    if uploads:
        raise InputError("nothing is uploaded to this server", remedy="name the logs by their paths")
    return []


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"))
    except ValueError:
        raise InputError(
            "an envelope is not standard base64", remedy="encode the exact bytes of the DSSE envelope"
        ) from None
