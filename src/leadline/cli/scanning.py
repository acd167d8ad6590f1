"""Logs are searched for secrets and personal data before anything of them is kept; findings go to standard error."""

from collections.abc import Collection, Sequence
from typing import Annotated, Final

import typer

#: Findings listed one by one before an error sums them up.
_SHOWN: Final = 10

AllowFinding = Annotated[
    list[str] | None,
    typer.Option("--allow-finding", metavar="CODE", help="Publish what a scan found of this kind."),
]


def require_publishable(files: Sequence[str], allow: Collection[str]) -> None:
    """Search files and folders, tell what is found, and raise InputError for what blocks and is not allowed."""
    from leadline.cli.output import busy, note
    from leadline.registry.scan import require_clean, scan_logs

    with busy("searching the logs for secrets"):
        found = scan_logs(files)
    for one in found.blocking()[:_SHOWN]:
        note(f"{one.code}: {one}" + (f", {one.times} times" if one.times > 1 else ""))
    for code in {one.code: None for one in found.findings if not one.blocks}:
        first = next(one for one in found.findings if one.code == code)
        note(f"{code}, {found.totals[code]} times, will be public: {first}")
    require_clean(found, allow)
