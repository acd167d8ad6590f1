"""`leadline key sign-upload`: announce files to a registry that is served, for a program that sends them itself."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from leadline.cli import options


def sign_upload(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The files to be uploaded.")],
    origin: Annotated[
        str | None,
        typer.Option("--origin", metavar="NAME", help="The registry's log.", show_default="that of --store"),
    ] = None,
    hours: Annotated[
        int, typer.Option("--hours", metavar="N", min=1, max=24, help="How long the uploads may wait.")
    ] = 6,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Sign the announcements without which a registry takes no upload.

    Put each file to the path that is printed, with the header that is printed; then name it by its digest, such as in
    `uploads` of the MCP tool attach. Nothing is sent, and nothing is public before a signed statement names it. Only
    the key that signed can use what was uploaded.

    JSON: {"origin", "uploads": [{"file", "name", "sha256", "size", "expires", "path", "headers": {name: value}}]}.
    """
    from leadline.cli.opening import load_key, reading
    from leadline.cli.output import Page, emit
    from leadline.registry.intake.announcing import announce
    from leadline.registry.registry import utc_now

    signing = load_key(key)
    if origin is None:
        with reading(store) as registry:
            origin = registry.home.origin
    valid = timedelta(hours=hours)
    made = [announce(file, origin=origin, key=signing, now=utc_now(), valid=valid) for file in files]
    if json:
        listed = [
            {
                "file": str(file),
                "name": one.name,
                "sha256": one.sha256,
                "size": one.size,
                "expires": one.expires.isoformat().replace("+00:00", "Z"),
                "path": one.path,
                "headers": one.headers,
            }
            for file, one in zip(files, made, strict=True)
        ]
        emit({"origin": origin, "uploads": listed})
        return
    page = Page()
    for file, one in zip(files, made, strict=True):
        page.line(f"PUT {one.path}", "bold")
        page.facts(
            [("file", str(file)), ("bytes", f"{one.size:,}"), ("until", f"{one.expires:%Y-%m-%d %H:%M} UTC")]
        )
        page.line("with the header", "dim", indent=2)
        page.verbatim(f"Leadline-Upload: {one.ticket}", indent=4)
