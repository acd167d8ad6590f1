"""`leadline serve`: the registry as a shared service."""

from typing import Annotated, Literal, TypeAlias

import typer

from leadline.cli import options

Access: TypeAlias = Literal["open", "listed", "invited"]


def serve(
    config: Annotated[
        str | None,
        typer.Option("--config", envvar="LEADLINE_CONFIG", metavar="FILE", help="Settings, as TOML."),
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="ADDRESS", help="Listen here.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", help="Listen at this port; 0 takes any.", show_default="8300"),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="The address the public uses, https://...")
    ] = None,
    access: Annotated[
        Access | None,
        typer.Option("--access", help="Which keys may write.", show_default="listed"),
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Make a new registry where none is.")] = False,
    origin: Annotated[
        str | None,
        typer.Option(
            "--origin",
            metavar="NAME",
            help="With --create: what its log is called, for ever, such as registry.example.org.",
            show_default="the host of --base-url, else a random name",
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Serve other machines without base_url; for development.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look at the settings.")] = False,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Serve the registry: pages, API, MCP, and its log.

    Settings come from options, then the environment (LEADLINE_PORT, ...), then the file. Ends in order on
    SIGTERM or Ctrl-C: requests in flight are finished first.

    JSON: with --check {"settings": {name: value}, "warnings": [sentence, ...]}; otherwise the journal as JSON lines.
    """
    import os

    from leadline.cli.output import Page, emit, note
    from leadline.web.serving import serve as run
    from leadline.web.serving import warnings, who_may_write
    from leadline.web.settings import Settings

    environ = {name: value for name, value in os.environ.items() if name != "LEADLINE_STORE"}
    settings = Settings.load(
        config,
        environ,
        store=store,
        host=host,
        port=port,
        base_url=base_url,
        origin=origin,
        access=access,
        insecure=insecure or None,
        log_format="json" if json and not check else None,
    )
    if check:
        warned = list(warnings(settings))
        if json:
            emit({"settings": settings.shown(), "warnings": warned})
            return
        page = Page()
        page.line("The settings make sense", "bold")
        page.facts((name, str(value)) for name, value in settings.shown().items())
        for warning in warned:
            page.line(f"Warning: {warning}", indent=2)
        return
    run(settings, create=create, listening=lambda at: note(f"Leadline is at {at}; {who_may_write(settings)}"))
