"""`leadline mirror`: a verified copy of somebody's registry."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def mirror(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the registry is served.")],
    folder: Annotated[str, typer.Argument(metavar="DIR", help="The copy; made where there is none.")],
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="VKEY|FILE",
            help="The log's public key; needed the first time.",
            show_default="the one the copy was made with",
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="Who must have cosigned what is taken over; their cosignatures are kept.",
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Copy a registry and verify every byte of it.

    Entries, tree, signatures, rights and blobs are checked against the log's public key alone. Run again, it
    fetches what is new; a log that shows another history than before, or a shorter one, is refused with status
    5, and both checkpoints are kept in DIR/evidence. The copy can be read and served like any registry:
    --store DIR/registry.db.

    JSON: {"origin", "store", "before", "size", "blobs", "bytes", "absent": [{"sha256", "reason"}]}.
    """
    from leadline.cli.commands.witness import read_policy
    from leadline.cli.output import Page, emit, progress
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.mirroring import DATABASE
    from leadline.registry.mirroring import mirror as copy
    from leadline.registry.outgoing import Http
    from leadline.registry.recheck import key_text

    pinned = None if key is None else VerifyKey.parse(key_text(key))
    rules = None if policy is None else read_policy(policy)
    with progress("copying entries") as told, Http() as http:
        done = copy(url, Path(folder), http, key=pinned, policy=rules, progress=told)
    if json:
        emit(
            {
                "origin": done.origin,
                "store": str(Path(folder) / DATABASE),
                "before": done.before,
                "size": done.size,
                "blobs": done.blobs,
                "bytes": done.bytes,
                "absent": [{"sha256": digest, "reason": why} for digest, why in done.absent.items()],
            }
        )
        return
    page = Page()
    new = done.size - done.before
    page.line(f"{done.origin}: {done.size:,} entries, {new:,} of them new; everything holds", "bold")
    page.facts([("blobs", f"{done.blobs:,} fetched, {done.bytes:,} bytes")])
    for digest, why in done.absent.items():
        page.facts([("absent", f"{digest}: {why}")])
