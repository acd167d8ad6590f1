"""`leadline witness`: cosigning other logs, and having this one cosigned and time-stamped."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options
from leadline.errors import InputError

if TYPE_CHECKING:
    from leadline.ledger.policy import Policy
    from leadline.registry.cosigning import Asked, Peer
    from leadline.registry.witnessing import Followed

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Cosign other logs; have this one cosigned.",
)

_MOST_POLICY = 1 << 20


@app.command()
def init(store: options.Store = None, json: options.Json = False) -> None:
    """Make this installation's witness key, and let the log know of it.

    Run again, it shows the key. Other logs' operators put the public key and the address of `leadline serve`
    with /witness behind it into their configuration; `leadline witness add` says which logs are cosigned.

    JSON: {"file", "name", "vkey", "cosigner"}; "cosigner" is the same key as policies write it.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import Page, emit
    from leadline.ledger.cosignature import CosignerKey
    from leadline.registry.home import WITNESS_KEY
    from leadline.registry.witnessing import start_witness

    with mending(store) as registry:
        key = start_witness(registry)
        file = registry.home.folder / WITNESS_KEY
    cosigner = CosignerKey.of(key.public)
    if json:
        emit({"file": str(file), "name": key.name, "vkey": key.public.vkey, "cosigner": cosigner.vkey})
        return
    page = Page()
    page.line("This installation can cosign", "bold")
    page.facts([("private", f"{file} (mode 0600; it signs nothing else)")])
    page.line("public, for other logs' policies:", "dim", indent=2)
    page.verbatim(cosigner.vkey, indent=4)


@app.command()
def add(
    key: Annotated[str, typer.Argument(metavar="VKEY|FILE", help="The log's public key.")],
    origin: Annotated[
        str | None,
        typer.Option(
            "--origin",
            metavar="TEXT",
            help="The first line of its checkpoints.",
            show_default="the key's name",
        ),
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Follow a log: cosign its checkpoints when they extend the last one.

    JSON: {"origin", "keys": [vkey, ...], "size": the size cosigned last or null}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.recheck import key_text
    from leadline.registry.witnessing import follow

    found = VerifyKey.parse(key_text(key))
    with mending(store) as registry:
        log = follow(registry.store.shelf, found, origin)
        ready = registry.home.witness is not None
    if json:
        emit(_log(log))
        return
    typer.echo(f"Following {log.origin}.")
    if not ready:
        typer.echo("  what to do: make the key that cosigns, with `leadline witness init`")


@app.command()
def remove(
    origin: Annotated[
        str, typer.Argument(metavar="ORIGIN", help="The log, as `leadline witness list` shows it.")
    ],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Stop following a log; what was cosigned stays remembered.

    JSON: {"origin"}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit
    from leadline.registry.witnessing import unfollow

    with mending(store) as registry:
        unfollow(registry.store.shelf, origin)
    if json:
        emit({"origin": origin})
    else:
        typer.echo(f"No longer following {origin}.")


@app.command("list")
def list_(store: options.Store = None, json: options.Json = False) -> None:
    """List the logs that are followed, and checkpoints that did not fit.

    A checkpoint that was rightly signed and contradicts what was cosigned is kept as evidence: "certain" where
    two roots were signed for one size, "possible" where a proof failed.

    JSON: {"cosigner": vkey or null, "logs": [{"origin", "keys", "size"}], "evidence": [{"certainty", "checkpoint"}]}.
    """
    from leadline.cli.opening import reading, require_here
    from leadline.cli.output import Page, emit
    from leadline.registry.witnessing import evidence, followed, witness_of

    require_here(store, "what a registry has cosigned")
    with reading(store) as registry:
        witness = witness_of(registry)
        logs, found = followed(registry.store.shelf), evidence(registry.store.shelf)
    cosigner = None if witness is None else witness.keys[0].vkey
    if json:
        kept = [{"certainty": how, "checkpoint": note.decode("utf-8", "replace")} for how, note in found]
        emit({"cosigner": cosigner, "logs": [_log(log) for log in logs], "evidence": kept})
        return
    page = Page()
    page.line(
        f"Cosigning as {cosigner}" if cosigner else "No witness key yet: `leadline witness init`", "bold"
    )
    page.facts(
        (log.origin, "nothing cosigned yet" if log.size is None else f"{log.size:,} entries cosigned")
        for log in logs
    )
    for how, note in found:
        page.head(f"Kept as evidence ({how}):")
        for line in note.decode("utf-8", "replace").splitlines():
            page.verbatim(line)


@app.command()
def ask(
    witnesses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[VKEY URL]...", help="Witnesses: a public key and an address each."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="FILE", help="Ask the witnesses of this policy that have an address."
        ),
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Have the newest checkpoint cosigned.

    Certificates made from then on carry the cosignatures. Ends with status 1 when a witness did not cosign, and
    with status 5 when one has seen a larger log than this one: entries were lost, or a second copy writes.

    JSON: {"size", "asked": [{"witness", "url", "outcome", "time", "detail"}], "policy_met": true, false or null}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import Page, busy, emit
    from leadline.registry.cosigning import request_cosignatures
    from leadline.registry.outgoing import Http

    rules = None if policy is None else read_policy(policy)
    peers = _peers(witnesses or [], rules)
    with mending(store) as registry, busy("asking witnesses"), Http() as http:
        asked = request_cosignatures(registry, peers, http)
        size, met = registry.store.size(), _met(registry, rules)
    if json:
        said = [
            {
                "witness": one.peer.key.name,
                "url": one.peer.url,
                "outcome": one.outcome,
                "time": one.time,
                "detail": one.detail,
            }
            for one in asked
        ]
        emit({"size": size, "asked": said, "policy_met": met})
    else:
        page = Page()
        page.line(f"{size:,} entries", "bold")
        page.facts((one.peer.key.name, _outcome(one)) for one in asked)
        if met is not None:
            page.line("The policy is satisfied." if met else "The policy is not satisfied.", indent=2)
    if any(one.outcome == "ahead" for one in asked):
        raise typer.Exit(5)
    if met is False or any(one.outcome != "cosigned" for one in asked):
        raise typer.Exit(1)


@app.command()
def timestamp(
    tsa: Annotated[
        str, typer.Option("--tsa", metavar="URL", help="The time-stamping authority's address (RFC 3161).")
    ],
    roots: Annotated[
        list[str],
        typer.Option("--roots", metavar="FILE", help="PEM file of the certificates you trust for it."),
    ],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Have the newest checkpoint stamped by an outside clock.

    The token is verified under the given certificates and kept beside the log.

    JSON: {"size", "time", "authority"}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import Page, busy, emit
    from leadline.ledger.timestamps import MAX_ROOTS
    from leadline.registry.cosigning import stamp
    from leadline.registry.outgoing import Http

    trusted = [read_file(path, MAX_ROOTS) for path in roots]
    with mending(store) as registry, busy("asking the authority"), Http() as http:
        size, found = stamp(registry, tsa, trusted, http)
    if json:
        emit({"size": size, "time": found.time.isoformat(), "authority": found.authority})
        return
    page = Page()
    page.line(f"{size:,} entries existed by {found.time:%Y-%m-%d %H:%M:%S} UTC", "bold")
    page.facts([("says", found.authority)])


def read_policy(path: str) -> "Policy":
    """The policy in a file; InputError where it is none."""
    from leadline.ledger.policy import Policy

    return Policy.parse(read_file(path, _MOST_POLICY))


def read_file(path: str, limit: int) -> bytes:
    """A small file that an option names; InputError when it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror}", where=path, remedy="check the path"
        ) from None
    if len(data) > limit:
        raise InputError("the file is too long for what it is", where=path, remedy="check the path")
    return data


def _peers(given: list[str], policy: "Policy | None") -> "list[Peer]":
    from leadline.registry.cosigning import Peer, peers_of

    if len(given) % 2:
        raise InputError(
            "a witness is two words: its public key and its address",
            remedy="for example: `leadline witness ask NAME+ID+KEY https://example.org/witness`",
        )
    found = [Peer.parse(vkey, url) for vkey, url in zip(given[::2], given[1::2], strict=True)]
    found += [] if policy is None else peers_of(policy)
    if not found:
        raise InputError(
            "there is no witness to ask",
            remedy="name witnesses, or a policy whose witness lines have addresses (--policy)",
        )
    return found


def _met(registry: Any, policy: "Policy | None") -> bool | None:
    from leadline.errors import SignatureError
    from leadline.registry.cosigning import newest_checkpoint

    if policy is None:
        return None
    try:
        policy.accept(newest_checkpoint(registry.store, registry.store.shelf), [registry.home.log])
    except SignatureError:
        return False
    return True


def _outcome(one: "Asked") -> str:
    from leadline.ledger.certificate import utc_text

    if one.outcome == "cosigned" and one.time is not None:
        return f"cosigned {utc_text(one.time)}"
    return f"{one.outcome}: {one.detail}"


def _log(log: "Followed") -> dict[str, Any]:
    return {"origin": log.origin, "keys": [key.vkey for key in log.keys], "size": log.size}
