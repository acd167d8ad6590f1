"""Mappings bound to their tables, as files beside them: what is attached with a table so that it reads the same again."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from leadline.errors import InputError
from leadline.logs.mapping import MappingLike
from leadline.logs.read import read_logs

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def bound_mappings(paths: Paths, mapping: MappingLike) -> dict[str, str]:
    """Name and text of the mapping bound to each table among the files that it is for.

    Raises InputError when there is no such table, LogError for a mapping or a table that is not valid.
    """
    table = read_logs(paths, tier="header", mapping=mapping)
    beside = [one for header in table.headers for one in header.companions if one.text is not None]
    if not beside:
        raise InputError(
            "no table here is for this mapping",
            where="mapping",
            remedy="name the tables among the logs, or leave the mapping out: other formats need none",
        )
    return {f"{one.sha256[:16]}/{one.name}": one.text or "" for one in beside}


@contextmanager
def with_mapping(paths: Paths, mapping: MappingLike | None) -> Iterator[list[str | os.PathLike[str]]]:
    """The paths, and in the end a temporary folder with the bound mappings where one is given."""
    named = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if mapping is None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="leadline-mapping-") as folder:
        for name, text in bound_mappings(named, mapping).items():
            path = Path(folder, name)
            path.parent.mkdir()
            path.write_bytes(text.encode())
        yield [*named, folder]
