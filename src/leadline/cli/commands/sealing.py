"""`leadline seal`, `reveal`, `key seal`: promise in public, show later."""

import json as json_module
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.ledger.sealing.shares import Share
    from leadline.registry.sealing import Revealed

Tier = Literal["ordinary", "hazard"]
Identity = Annotated[
    str | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="The age identity.",
        show_default="$LEADLINE_HOME/author.age",
    ),
]
_SHARE = "leadline.dev/seal-share@v1: keep it secret until the reveal"
_MAX_SHARE = 4096


def seal(
    protocol: options.ProtocolFile,
    tier: Annotated[
        Tier,
        typer.Option(
            "--tier",
            help="Count it under your key, or (hazard) under this installation.",
            show_default="ordinary",
        ),
    ] = "ordinary",
    trustee: Annotated[
        list[str] | None,
        typer.Option(
            "--trustee", metavar="AGE1...", help="An age recipient who may help to open it; repeatable."
        ),
    ] = None,
    quorum: Annotated[
        int, typer.Option("--quorum", metavar="K", min=1, help="How many trustees open it together.")
    ] = 1,
    release: Annotated[
        str | None,
        typer.Option(
            "--release", metavar="DATE", help="When it should open; rounded up to the end of a quarter."
        ),
    ] = None,
    simulate: Annotated[
        bool,
        typer.Option("--simulate/--no-simulate", help="Seal simulated operating characteristics with it."),
    ] = True,
    wait: Annotated[
        bool, typer.Option("--wait", help="Let it enter with next week's round, as it does on a server.")
    ] = False,
    identity: Identity = None,
    store: options.Store = None,
    key: options.Key = None,
    origin: options.Origin = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Promise a protocol that nobody can read yet.

    The log gets a commitment of one length for any content, dated to the week: at once in a registry of your own,
    with next week's round on a server, so that its place tells no day. Work under it may begin meanwhile. Its
    secrets stay in $LEADLINE_HOME/seals, and can be made again with the age identity (`leadline key seal`).

    JSON: {"id", "index": entry or null while it waits, "tier", "period", "embargo", "secrets": path}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit, progress
    from leadline.ledger.sealing import age
    from leadline.ledger.sealing.periods import embargo_for, period_of
    from leadline.protocol import Protocol
    from leadline.registry.sealing import load_identity
    from leadline.registry.sealing import seal as make_seal

    reader = age.recipient_of(load_identity(identity_path(identity)))
    plan = Protocol.load(protocol)
    characteristics = None
    if simulate:
        from leadline.verdict.simulation import operating_characteristics

        with progress("simulating the registered analysis") as tick:
            characteristics = operating_characteristics(plan, progress=tick).to_json()
    with writing(store, key, create=True, origin=origin, invitation=invitation) as registry:
        work = make_seal(
            registry,
            plan,
            reader,
            tier=tier,
            trustees=trustee or (),
            quorum=quorum,
            release=None if release is None else _date(release),
            characteristics=characteristics,
            wait=wait,
        )
        period, embargo = period_of(registry.clock().date()), None if release is None else _date(release)
        index = None if work.secrets.index < 0 else work.secrets.index
    said = {
        "id": work.id,
        "index": index,
        "tier": tier,
        "period": period.isoformat(),
        "embargo": embargo_for(period, embargo, tier).isoformat(),
        "secrets": str(work.secrets.path),
    }
    if json:
        emit(said)
        return
    page = Page()
    page.line(f"Sealed as {work.id}", "bold")
    page.facts(
        [
            ("entry", "waits for next week's round" if index is None else str(index)),
            ("dated", f"the week of {said['period']}"),
            ("may stay sealed until", str(said["embargo"])),
            ("its secrets", f"{work.secrets.path} (mode 0600; keep a copy somewhere safe)"),
        ]
    )
    page.head("Next: announce the run before it begins, under seal")
    page.verbatim(repeated(f"leadline sealed attempt {work.id}", store=store, key=key))


def reveal(
    study: options.StudyId,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME", help="Open this field only (or 'verdict'); repeatable."),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", metavar="FILE", help="Open it with trustees' shares; repeatable."),
    ] = None,
    logs: Annotated[
        str | None, typer.Option("--logs", metavar="FOLDER", help="With --share: where its logs are.")
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Open a sealed study: whole, or some fields.

    A whole reveal opens every slot the study ever had, and what it said under seal becomes part of the open
    record, byte for byte. Reports are computed again. A statement whose files are not here is named, and enters
    when `leadline sealed enter ID` finds them.

    JSON: {"study", "index", "scope": "whole" or "fields", "fields": [name, ...], "entered": entries,
    "left_out": [{"leaf", "why"}]}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit
    from leadline.errors import InputError
    from leadline.ledger.ids import read_study_id
    from leadline.registry.sealing import SealedWork
    from leadline.registry.sealing.release import reveal_with_shares

    if field and share:
        raise InputError("trustees open a study as a whole", remedy="leave --field out, or --share")
    name = read_study_id(study)
    with writing(store, key) as registry:
        if share:
            done = reveal_with_shares(registry, name, [_read_share(one, name) for one in share], _files(logs))
        elif field:
            done = SealedWork.open(registry, name).reveal_fields(field)
        else:
            done = SealedWork.open(registry, name).reveal()
    said = revealed_form(name, done, field or ())
    if json:
        emit(said)
        return
    page = Page()
    page.line(
        f"{'Opened ' + ', '.join(field) + ' of' if field else 'Revealed'} {name}, entry {said['index']}",
        "bold",
    )
    if done.entered:
        page.line(f"{len(done.entered)} statements made under seal are in the open record now.", indent=2)
    for one in said["left_out"]:
        page.line(f"left out: {one['why']}", "yellow", indent=2)
    if done.left_out:
        page.verbatim(repeated(f"leadline sealed enter {name}", store=store, key=key), indent=4)


def key_seal(identity: Identity = None, json: options.Json = False) -> None:
    """Make the age identity that opens your sealed studies, or show its recipient.

    The recipient is what others name you by as their trustee. An existing identity is never overwritten.

    JSON: {"file", "recipient", "made": true or false}.
    """
    from leadline.cli.output import Page, emit
    from leadline.ledger.sealing import age
    from leadline.registry.sealing import load_identity, make_identity

    path = identity_path(identity)
    made = not path.exists()
    recipient = make_identity(path) if made else age.recipient_of(load_identity(path))
    if json:
        emit({"file": str(path), "recipient": recipient, "made": made})
        return
    page = Page()
    page.line("Made an age identity" if made else "Your age identity", "bold")
    page.facts([("private", f"{path} (mode 0600; keep a copy somewhere safe, show it to nobody)")])
    page.line("public, to hand out:", "dim", indent=2)
    page.verbatim(recipient, indent=4)


def identity_path(given: str | None) -> Path:
    """Where the age identity is kept."""
    from leadline.registry.places import default_home
    from leadline.registry.sealing.private import AUTHOR

    return Path(given) if given else default_home() / AUTHOR


def revealed_form(study: str, done: "Revealed", fields: Any) -> dict[str, Any]:
    """A reveal as JSON values."""
    return {
        "study": study,
        "index": done.receipt.index,
        "scope": "fields" if fields else "whole",
        "fields": list(fields),
        "entered": len(done.entered),
        "left_out": [{"leaf": leaf, "why": why} for leaf, why in done.left_out],
    }


def write_share(path: Path, study: str, share: "Share") -> None:
    """A trustee's share as a private text file; StateError when there is a file already."""
    from leadline.registry.sealing import private

    document = {"form": _SHARE, "study": study, "share": share.encode().hex()}
    private.write(path, (json_module.dumps(document, indent=1) + "\n").encode(), new=True)


def _read_share(path: str, study: str) -> "Share":
    from leadline.errors import InputError, NotFoundError
    from leadline.ledger.canon import parse_strict
    from leadline.ledger.sealing.shares import Share

    try:
        with Path(path).open("rb") as file:
            values = parse_strict(file.read(_MAX_SHARE))
    except OSError as error:
        raise NotFoundError(
            f"the share cannot be read: {error.strerror}", where=path, remedy="check the path"
        ) from None
    try:
        if values["form"] != _SHARE or values["study"] != study:
            raise ValueError("another form or study")
        return Share.decode(bytes.fromhex(values["share"]))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"this is no trustee's share of {study}",
            where=path,
            remedy=f"ask the trustee for one: `leadline sealed share {study} --out FILE`",
        ) from None


def _files(folder: str | None) -> dict[str, Path]:
    """Every file below a folder, by digest."""
    from hashlib import sha256

    found: dict[str, Path] = {}
    for path in sorted(Path(folder).rglob("*")) if folder else ():
        if path.is_file():
            hasher = sha256()
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    hasher.update(chunk)
            found[hasher.hexdigest()] = path
    return found


def _date(text: str) -> date:
    from leadline.errors import InputError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text[:40]!r} is not a date", remedy="write it as 2027-03-31") from None
