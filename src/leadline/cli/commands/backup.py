"""`leadline backup`, `restore`: the whole registry, out and in again."""

from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def backup(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A new folder for the backup.")],
    keys: Annotated[
        str | None,
        typer.Option("--keys", metavar="DIR2", help="Copy the private keys too, into a folder of their own."),
    ] = None,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Write the whole registry into a folder, and check it.

    Entries, checkpoints, blobs, and what stands beside the log; of one moment, while the registry goes on.
    The folder is as private as the registry. It restores into a file or into PostgreSQL.

    JSON: {"folder", "origin", "entries", "blobs", "taken_down", "beside_the_log", "keys": folder or null}.
    """
    from leadline.cli.opening import reading, require_here
    from leadline.cli.output import Page, emit, note, progress
    from leadline.errors import InputError
    from leadline.registry.backup import back_up, copy_keys

    require_here(store, "a backup, which holds what is not public,")
    if keys is not None and _inside(Path(keys), Path(folder)):
        raise InputError(
            "whoever finds the backup would find the keys",
            where=keys,
            remedy="give the keys a folder elsewhere, best on another disk",
        )
    with reading(store) as registry:
        with progress("writing the backup") as shown:
            made = back_up(registry, Path(folder), progress=shown)
        if keys is not None:
            copy_keys(registry, Path(keys))
            note(
                f"The private keys are in {keys}: keep them offline; whoever has them can sign for this registry."
            )
    if json:
        emit(
            {
                "folder": folder,
                "origin": made.origin,
                "entries": made.size,
                "blobs": made.blobs,
                "taken_down": made.taken_down,
                "beside_the_log": made.shelf,
                "keys": keys,
            }
        )
        return
    page = Page()
    page.line(f"Backed up {made.origin} to {folder}", "bold")
    page.facts([("entries", f"{made.size:,}"), ("blobs", f"{made.blobs:,}"), ("checked", "every byte")])
    if keys is None:
        page.line(
            "The private keys are not in it: copy them once with --keys, and keep them apart.", indent=2
        )


def restore(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A backup.")],
    keys: Annotated[
        str | None, typer.Option("--keys", metavar="DIR2", help="The registry's private keys.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the backup, byte by byte.")] = False,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Put a backup back into a new place.

    The place is --store, a file or postgresql://...; nothing is overwritten and nothing signed. A place that
    remembers a newer checkpoint than the backup's is refused: going on from there would make a second history.

    JSON: {"store": address or null, "origin", "entries", "blobs", "problems": [{"code", "where", "what"}]}.
    """
    from leadline.cli.opening import address, shown
    from leadline.cli.output import Page, busy, emit, progress
    from leadline.registry.backup import check_backup, restore_registry
    from leadline.registry.registry import Registry

    problems = []
    if check:
        with busy("checking the backup"):
            made = check_backup(Path(folder))
    else:
        with progress("restoring") as bar:
            made = restore_registry(
                Path(folder), address(store), keys=None if keys is None else Path(keys), progress=bar
            )
        with busy("checking the registry"), Registry.open(address(store), read_only=True) as registry:
            problems = list(registry.fsck())
    if json:
        listed = [{"code": p.code, "where": p.where, "what": p.what} for p in problems]
        place = None if check else shown(store)
        emit(
            {
                "store": place,
                "origin": made.origin,
                "entries": made.size,
                "blobs": made.blobs,
                "problems": listed,
            }
        )
    else:
        page = Page()
        page.line(
            f"The backup of {made.origin} is sound" if check else f"Restored {made.origin} to {shown(store)}",
            "bold",
        )
        page.facts([("entries", f"{made.size:,}"), ("blobs", f"{made.blobs:,}")])
        for problem in problems:
            page.line(f"{problem.where}: {problem.what} [{problem.code}]", indent=2)
        if not check and keys is None:
            page.line("Without its keys (--keys) it can be read, and nothing can be added.", indent=2)
    if problems:
        raise typer.Exit(5)


def _inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in (path.resolve(), *path.resolve().parents)
