"""`leadline register`, `amend`, `withdraw`: what is promised, changed, taken back."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.protocol import Protocol
    from leadline.registry.study import Study


def register(
    protocol: options.ProtocolFile,
    simulate: Annotated[
        bool,
        typer.Option("--simulate/--no-simulate", help="Freeze simulated operating characteristics with it."),
    ] = True,
    store: options.Store = None,
    key: options.Key = None,
    origin: options.Origin = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Freeze a protocol, and write its certificate.

    The certificate goes beside the protocol as ID.tlog-proof: with the log's public key it proves offline
    what was promised and when. Makes the registry where there is none. The same protocol registered twice by
    the same key is one study.

    JSON: {"id", "index", "title", "protocol": digest, "created", "origin", "log_key", "certificate": path,
    "store": path}.
    """
    from leadline.cli.opening import repeated, shown, writing
    from leadline.cli.output import emit, progress
    from leadline.protocol import Protocol

    plan = Protocol.load(protocol)
    _require_no_error(plan, protocol)
    with writing(store, key, create=True, origin=origin, invitation=invitation) as registry:
        with progress("simulating the registered analysis") as tick:
            study = registry.register(plan, simulate=simulate, progress=tick)
        certificate = _write_certificate(study, Path(protocol).parent, store)
        said = {
            "id": study.id,
            "index": study.index,
            "title": plan.title,
            "protocol": plan.digest,
            "created": study.row.created,
            "origin": registry.home.origin,
            "log_key": registry.home.log.vkey,
            "certificate": str(certificate),
            "store": shown(store),
        }
    if json:
        emit(said)
    else:
        _print_registered(said, repeated(f"leadline attempts open {study.id}", store=store, key=key))


def _require_no_error(plan: "Protocol", name: str) -> None:
    """What `leadline check` calls an error blocks; ProtocolError names the first."""
    from datetime import UTC, datetime

    from leadline.errors import ProtocolError
    from leadline.registry.check import check

    errors = [found for found in check(plan, replicates=0, today=datetime.now(UTC).date()) if found.blocks]
    if errors:
        first, rest = errors[0], len(errors) - 1
        more = f", and {rest} more (`leadline check {shlex.quote(name)}`)" if rest else ""
        raise ProtocolError(
            f"{first.message} [{first.code}]{more}", where=f"{name}: {first.where}", remedy=first.remedy
        )


def _write_certificate(study: "Study", folder: Path, store: str | None) -> Path:
    from leadline.cli.opening import repeated
    from leadline.errors import StoreError
    from leadline.ledger.certificate import SUFFIX

    path = folder / f"{study.id}{SUFFIX}"
    try:
        path.write_bytes(study.certificate)
    except OSError as error:
        raise StoreError(
            f"{study.id} is registered, but its certificate cannot be written here: {error.strerror}",
            where=str(path),
            remedy="write it elsewhere: " + repeated(f"leadline export {study.id} FOLDER", store=store),
        ) from error
    return path


def _print_registered(said: dict[str, Any], then: str) -> None:
    from leadline.cli.output import Page

    page = Page()
    page.line(f"Registered {said['id']}", "bold")
    page.line(said["title"], indent=2)
    page.gap()
    page.facts(
        [
            ("entry", f"{said['index']} of {said['origin']}"),
            ("claimed time", said["created"]),
            ("sha256", said["protocol"]),
        ]
    )
    page.head("Keep these two: with them anybody can verify the promise offline")
    page.line("certificate", "dim", indent=2)
    page.verbatim(said["certificate"], indent=4)
    page.line("the log's public key", "dim", indent=2)
    page.verbatim(said["log_key"], indent=4)
    page.head("Next: announce the run before it begins")
    page.verbatim(then)


def amend(
    study: options.StudyId,
    protocol: options.ProtocolFile,
    reason: options.Reason,
    seen: Annotated[
        options.Seen, typer.Option("--seen", help="What you had seen of the data when you changed it.")
    ],
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Record a changed protocol, why, and what had been seen.

    The first freeze stays the one the runs are compared with.

    JSON: {"study", "index", "changes": [pointer, ...]}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, emit
    from leadline.protocol import Protocol
    from leadline.protocol.diff import diff

    plan = Protocol.load(protocol)
    with writing(store, key) as registry:
        found = registry.study(study)
        changes = diff(found.protocol, plan)
        receipt = registry.amend(found.id, plan, reason=reason, seen=seen)
    if json:
        emit({"study": found.id, "index": receipt.index, "changes": [change.pointer for change in changes]})
        return
    page = Page()
    page.line(f"Amended {found.id}, entry {receipt.index}", "bold")
    for change in changes:
        page.line(str(change), indent=2)
    page.line("The first freeze stays the one the runs are compared with.", "dim", indent=2)


def withdraw(
    study: options.StudyId,
    reason: options.Reason,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Put a tombstone on a study; its history stays.

    JSON: {"study", "index"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        found = registry.study(study)
        receipt = registry.withdraw(found.id, reason)
    if json:
        emit({"study": found.id, "index": receipt.index})
    else:
        typer.echo(f"Withdrew {found.id}, entry {receipt.index}. Its history stays.")
