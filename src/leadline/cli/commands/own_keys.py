"""`leadline key rotate-own`: replacing a key the registry itself signs with."""

from typing import Annotated, Literal

import typer

from leadline.cli import options


def rotate_own(
    which: Annotated[
        Literal["service", "installation"], typer.Argument(help="Which of the registry's keys.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "rotation",
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Replace a key the registry itself signs with.

    The service key signs automatic reports and closings, the installation key what is sealed here. Restart a
    running server afterwards. The log key has no successor: a stolen one ends its log.

    JSON: {"which", "fingerprint", "index": entry, or null when an interrupted rotation was only finished}.
    """
    from leadline.cli.opening import mending
    from leadline.cli.output import emit
    from leadline.registry.own_keys import rotate_own as run

    with mending(store) as registry:
        receipt = run(registry, which, reason)
        home = registry.home
        key = home.service if which == "service" else home.installation
    assert key is not None, "it was rotated"
    if json:
        emit({"which": which, "fingerprint": key.fingerprint, "index": receipt and receipt.index})
        return
    done = "finished an interrupted rotation" if receipt is None else f"entry {receipt.index}"
    typer.echo(
        f"The registry has a new {which} key ({done}). Restart the server, and back the keys up again."
    )
