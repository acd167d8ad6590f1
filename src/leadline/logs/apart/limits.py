"""What a process apart may use."""

from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20
GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class ApartLimits:
    """Bounds of one run: bytes of address space, seconds of processor and of clock, bytes of any file it writes.

    The answer is such a file. `files` is how many may be open at once.
    """

    memory: int = 4 * GIB
    cpu_seconds: int = 120
    wall_seconds: float = 300.0
    output: int = GIB
    files: int = 256


DEFAULT: Final = ApartLimits()
