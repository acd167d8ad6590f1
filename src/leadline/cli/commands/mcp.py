"""`leadline mcp`: the registry for an automated researcher, on standard input and output."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def mcp(
    write: Annotated[
        bool, typer.Option("--write", help="Let tools register, attach and report with your key.")
    ] = False,
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", help="A folder whose files tools may attach (publish); repeat for more."),
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
) -> None:
    """Serve the registry to a program, over MCP on stdio.

    Reads only, unless started with --write. Attaching a file publishes it: only files under a --root can be attached.
    """
    from leadline.cli.opening import reading, writing
    from leadline.errors import MissingExtraError, StateError
    from leadline.mcp.desk import Desk, LocalDesk, ReadingDesk
    from leadline.mcp.roots import Roots

    try:
        from leadline.mcp.server import create_server
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "the Model Context Protocol is not installed", remedy="pip install 'leadline[mcp]'"
        ) from error
    roots = Roots.of(*(root or ()))
    if roots.folders and not write:
        raise StateError(
            "roots are for attaching files, which a reading server does not do", remedy="add --write"
        )
    with writing(store, key) if write else reading(store) as registry:
        desk: Desk = LocalDesk(registry, roots) if write else ReadingDesk(registry)
        create_server(desk).run("stdio")
