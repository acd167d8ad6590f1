"""`leadline diff`: what changed between two protocols."""

from typing import Annotated

import typer

from leadline.cli import options


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A protocol.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The protocol it is compared with.")],
    json: options.Json = False,
) -> None:
    """Show what two protocols promise differently.

    JSON: {"same", "changes": [{"pointer", "kind", "weight", "old", "new"}]}; weight is material for promises,
    editorial for texts that explain.
    """
    from dataclasses import asdict

    from leadline.cli.output import Page, emit
    from leadline.protocol import Protocol
    from leadline.protocol.diff import diff as compare

    changes = compare(Protocol.load(old), Protocol.load(new))
    if json:
        keys = ("pointer", "kind", "weight", "old", "new")
        rows = [asdict(change) for change in changes]
        emit({"same": not changes, "changes": [{key: row[key] for key in keys} for row in rows]})
        return
    page = Page()
    if not changes:
        page.line("No difference: both promise the same, under the same digest.")
    for weight, heading in (("material", "Promises that differ"), ("editorial", "Texts that differ")):
        some = [change for change in changes if change.weight == weight]
        if some:
            page.line(heading, "bold")
            for change in some:
                page.line(str(change).removesuffix("  (editorial)"), indent=2)
