"""The files that paths name: folders are walked in sorted order, hidden ones and links are not followed."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from leadline.errors import InputError, NotFoundError
from leadline.logs.accounting import Skipped

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def discover(paths: Paths) -> tuple[list[Path], list[Skipped]]:
    """Files in a reproducible order, each once, and the folders that were not entered.

    Raises NotFoundError for a path that does not exist, InputError for an empty list.
    """
    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not named:
        raise InputError("no path was given", where="read_logs", remedy="name at least one log or folder")
    files: list[Path] = []
    skipped: list[Skipped] = []
    for path in map(Path, named):
        if path.is_dir():
            files += _walk(path, skipped)
        elif path.exists():
            files.append(path)
        else:
            raise NotFoundError(
                "there is no such file or folder", where=str(path), remedy="check the spelling of the path"
            )
    return sorted({_real(path): path for path in reversed(files)}.values(), key=_order), skipped


def _walk(folder: Path, skipped: list[Skipped]) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        hidden = [Path(parent, name) for name in sorted(folders) if name.startswith(".")]
        skipped += [Skipped(str(path), "folder", "hidden folder, not entered") for path in hidden]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in sorted(names) if (path := Path(parent, name)).is_file())


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _order(path: Path) -> tuple[str, str]:
    return path.name, str(path)
