"""The program `leadline`: which commands there are, and how it ends.

Nothing heavy is imported on the way to ``--help``: each command imports what it needs when it runs.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from leadline.cli.commands import (
    attempts,
    backup,
    care,
    exchange,
    importing,
    invite,
    key,
    lifecycle,
    lookup,
    own_keys,
    recovery,
    registering,
    sealed,
    sealing,
    signing,
    uploading,
    witness,
)
from leadline.cli.commands.attach import attach
from leadline.cli.commands.check import check
from leadline.cli.commands.compare import compare
from leadline.cli.commands.demo import demo
from leadline.cli.commands.diff import diff
from leadline.cli.commands.judge import judge
from leadline.cli.commands.logs import logs
from leadline.cli.commands.mcp import mcp
from leadline.cli.commands.mirror import mirror
from leadline.cli.commands.new import new
from leadline.cli.commands.report import report
from leadline.cli.commands.run import run
from leadline.cli.commands.serve import serve
from leadline.cli.commands.show import show
from leadline.cli.commands.verify import verify
from leadline.cli.groups import INTERRUPTED, LoopGroup

app = typer.Typer(
    name="leadline",
    cls=LoopGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)

#: Commands named after their functions; where each stands in the help is said in `leadline.cli.groups`.
COMMANDS: tuple[Callable[..., None], ...] = (
    compare,
    logs,
    demo,
    new,
    check,
    diff,
    report,
    verify,
    run,
    attach,
    registering.register,
    registering.amend,
    sealing.seal,
    sealing.reveal,
    registering.withdraw,
    lifecycle.withhold,
    judge,
    lookup.search,
    lookup.similar,
    show,
    exchange.export,
    serve,
    backup.backup,
    backup.restore,
    mcp,
    mirror,
    lifecycle.tend,
    care.fsck,
    care.rebuild,
    care.schema,
)
for command in COMMANDS:
    app.command()(command)
app.command("import")(importing.import_)
app.command("take-down")(lifecycle.take_down)
for command in (*recovery.COMMANDS, signing.sign, uploading.sign_upload, *invite.COMMANDS):
    key.app.command()(command)
key.app.command("rotate-own")(own_keys.rotate_own)
app.add_typer(attempts.app, name="attempts")
app.add_typer(key.app, name="key")
app.add_typer(witness.app, name="witness")
app.add_typer(sealed.app, name="sealed")
key.app.command("seal")(sealing.key_seal)


def _version(asked: bool) -> None:
    if asked:
        from leadline import __version__

        typer.echo(f"leadline {__version__}")
        raise typer.Exit


@app.callback()
def leadline(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Register an experiment before it runs; let the registered analysis compute the verdict."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status (see `leadline.cli.groups.EXIT_CODES`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(args=given or ["--help"], prog_name="leadline", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # Typer has turned the interrupt into a status; say what it means
            raise KeyboardInterrupt
    except BaseException as error:  # noqa: BLE001 (the last line of defence: explained, never hidden)
        from leadline.cli.errors import explain

        debug = _has(given, "--debug") or "LEADLINE_DEBUG" in os.environ
        return explain(
            error, as_json=_has(given, "--json"), debug=debug, complete=lambda said: _completed(said, given)
        )
    return status if isinstance(status, int) else 0


def _completed(remedy: str, given: list[str]) -> str:
    from leadline.cli.remedies import completed

    return completed(remedy, given, typer.main.get_command(app))


def _has(arguments: list[str], flag: str) -> bool:
    """Whether a flag was given, before anything that follows a bare ``--``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return flag in arguments[:end]


if __name__ == "__main__":
    sys.exit(main())
