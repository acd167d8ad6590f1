"""`leadline key`: who signs."""

import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.ledger.keys import SigningKey

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make, announce, replace, recover, revoke the author's key.",
)

Name = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="What the key is called in public, such as example.org/ada.",
        show_default="a random one",
    ),
]


@app.command()
def new(name: Name = None, key: options.Key = None, json: options.Json = False) -> None:
    """Make the author's key; an existing one is never overwritten.

    JSON: {"file", "name", "role", "vkey", "fingerprint"}.
    """
    from leadline.cli.opening import key_path, repeated
    from leadline.cli.output import Page, emit

    path = key_path(key)
    made = _make(path, name)
    if json:
        emit(_form(path, made))
        return
    page = Page()
    page.line("Made a key", "bold")
    page.facts([("private", f"{path} (mode 0600; keep a copy somewhere safe, show it to nobody)")])
    page.line("public, to hand out:", "dim", indent=2)
    page.verbatim(made.public.vkey, indent=4)
    page.head("Next")
    page.verbatim(repeated("leadline register PROTOCOL", key=key))
    page.line("and with an invitation to a registry of others, once:", "dim", indent=2)
    page.verbatim(repeated("leadline register PROTOCOL --store URL --invitation CODE", key=key))


@app.command()
def show(store: options.Store = None, key: options.Key = None, json: options.Json = False) -> None:
    """Show the author's public key, and that of the registry's log.

    Says too when another key has announced itself as the successor of this one: refuse it with `leadline key veto`
    unless it is yours.

    JSON: {"file", "name", "role", "vkey", "fingerprint", "state": what the log says of it or null, "guardians":
    number, "threshold": how many of them suffice or null, "claimed_by": [fingerprint of a pending successor, ...],
    "log_key": vkey or null}.
    """
    from leadline.cli.opening import key_path, load_key, log_key, reading_if_there, repeated
    from leadline.cli.output import Page, emit
    from leadline.store.projections.authority import keys as list_keys

    path, held, state = key_path(key), load_key(key), None
    guardians, threshold, claimed = 0, None, list[str]()
    registry = reading_if_there(store)
    if registry is not None:
        with registry:
            records = list_keys(registry.store)
        own = next((record for record in records if record.fingerprint == held.fingerprint), None)
        if own is not None:
            state, guardians, threshold = own.state, len(own.guardians), own.threshold or None
        claimed = [r.fingerprint for r in records if r.state == "pending" and r.replaces == held.fingerprint]
    log = log_key(store)
    if json:
        quorum = {"guardians": guardians, "threshold": threshold, "claimed_by": claimed}
        emit({**_form(path, held), "state": state, **quorum, "log_key": log})
        return
    page = Page()
    page.line(held.name, "bold")
    page.facts([("file", str(path)), ("role", held.role), ("state", state or "the log does not know it yet"),
                ("guardians", f"{guardians}, of which {threshold} suffice" if guardians else None),
                ("sha256", held.fingerprint)])  # fmt: skip
    page.line("public key", "dim", indent=2)
    page.verbatim(held.public.vkey, indent=4)
    for one in claimed:
        page.line("Another key claims to replace this one. Unless it is yours, refuse it:", "bold")
        page.verbatim(
            repeated(f'leadline key veto {one[:16]} --reason "it is not lost"', store=store, key=key)
        )
    if log is not None:
        page.line("public key of the registry's log", "dim", indent=2)
        page.verbatim(log, indent=4)


@app.command()
def register(
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="Who holds the key.")],
    kind: Annotated[options.HolderKind, typer.Option("--kind", help="What the holder is.")] = "human",
    store: options.Store = None,
    key: options.Key = None,
    origin: options.Origin = None,
    invitation: options.Invitation = None,
    json: options.Json = False,
) -> None:
    """Announce the author's key to the log.

    Registering a study does it too.

    JSON: {"fingerprint", "index": entry, or null when the log knew it already}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key, create=True, origin=origin, invitation=invitation) as registry:
        receipt = registry.register_key(holder, kind)
        fingerprint = registry.author().fingerprint
    if json:
        emit({"fingerprint": fingerprint, "index": None if receipt is None else receipt.index})
    elif receipt is None:
        typer.echo("The log knows this key already.")
    else:
        typer.echo(f"Announced the key of {holder} (entry {receipt.index}).")


@app.command()
def rotate(
    new_file: Annotated[str, typer.Argument(metavar="FILE", help="The new key; made when it is not there.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "rotation",
    name: Name = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Replace the author's key by a new one.

    The new key inherits the rights of the old, which signs nothing any more.

    JSON: {"file", "name", "role", "vkey", "fingerprint", "replaces": fingerprint, "index"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import Page, emit
    from leadline.ledger import keyfile

    path = Path(new_file)
    with writing(store, key) as registry:
        old = registry.author()
        successor = keyfile.load(path) if path.exists() else _make(path, name)
        receipt = registry.rotate_key(successor, reason)
    if json:
        emit({**_form(path, successor), "replaces": old.fingerprint, "index": receipt.index})
        return
    page = Page()
    page.line(f"Rotated (entry {receipt.index}): the old key signs nothing any more", "bold")
    page.line("from now on:", "dim", indent=2)
    page.verbatim(f"--key {shlex.quote(new_file)}", indent=4)


@app.command()
def revoke(
    reason: options.Reason, store: options.Store = None, key: options.Key = None, json: options.Json = False
) -> None:
    """Revoke the author's key: from now on it signs nothing.

    JSON: {"fingerprint", "index"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        receipt = registry.revoke_key(reason)
        fingerprint = registry.author().fingerprint
    if json:
        emit({"fingerprint": fingerprint, "index": receipt.index})
    else:
        typer.echo(f"Revoked (entry {receipt.index}). What the key signed before stays valid.")


def _make(path: Path, name: str | None) -> "SigningKey":
    from leadline.errors import StoreError
    from leadline.ledger import keyfile
    from leadline.ledger.keys import SigningKey

    made = SigningKey.generate(name or f"author-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"the folder for the key cannot be made: {error.strerror}",
            where=str(path.parent),
            remedy="name another place with --key",
        ) from error
    keyfile.save(made, path)
    return made


def _form(path: Path, key: "SigningKey") -> dict[str, Any]:
    return {
        "file": str(path),
        "name": key.name,
        "role": key.role,
        "vkey": key.public.vkey,
        "fingerprint": key.fingerprint,
    }
