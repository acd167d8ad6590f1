"""`leadline demo`: the whole loop on small models."""

import os
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def demo(
    output: Annotated[
        str, typer.Option("--output", metavar="DIR", help="Where everything is written.")
    ] = "leadline-demo",
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="DIR", help="Other weights than the shipped ones.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Run four registered studies for real, then try to cheat.

    On small models that come with Leadline, under Inspect. Whatever the verdicts are, they are what the data
    say.

    JSON: {"ok", "output", "store"}; what happens is then told on standard error.
    """
    # Many tiny matrix products: threads of the linear algebra library would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rich.console import Console

    from leadline.bench.demo.run import run_demo
    from leadline.cli.output import console, emit

    told = Console(stderr=True, highlight=False) if json else console()
    status = run_demo(Path(output), weights=None if weights is None else Path(weights), console=told)
    if json:
        emit({"ok": status == 0, "output": output, "store": str(Path(output) / "registry.db")})
    if status:
        raise typer.Exit(status)
