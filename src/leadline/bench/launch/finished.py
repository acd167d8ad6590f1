"""A finished log: its digest, and where it can be read from here."""

import hashlib
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20


def digested(location: str, copies: Path) -> tuple[str, str]:
    """Path and SHA-256 of the log that Inspect wrote to `location`; one on another machine is copied into `copies`.

    Raises OSError or ValueError when it cannot be read, ImportError when what reads that kind of place is missing.
    """
    if not location:
        raise ValueError("Inspect does not say where it is")
    path = location.removeprefix("file://")
    if "://" not in path:
        with Path(path).open("rb") as source:
            return str(Path(path).resolve()), _digest(source)
    import fsspec  # comes with Inspect

    copy = copies / path.rpartition("/")[2]
    with fsspec.open(path, "rb") as source, copy.open("wb") as target:
        return str(copy), _digest(source, target)


def _digest(source: BinaryIO, target: BinaryIO | None = None) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        if target is not None:
            target.write(block)
    return digest.hexdigest()
