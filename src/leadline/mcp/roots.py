"""Which files tools may touch: those under folders that the user declared, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

from leadline.errors import InputError, NotFoundError

#: A folder with more entries is not looked through.
MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders whose files may be attached. Attaching by path publishes a file: with no root there is no path."""

    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, *folders: Path | str) -> "Roots":
        """The folders, resolved now, so that a link made later leads nowhere new. NotFoundError unless they exist."""
        resolved = []
        for folder in folders:
            path = Path(folder).resolve()
            if not path.is_dir():
                raise NotFoundError(
                    "there is no such folder", where=str(folder), remedy="declare an existing folder"
                )
            resolved.append(path)
        return cls(tuple(resolved))

    def file(self, path: str) -> Path:
        """The file or folder at `path`, which must lie in a root after every link is followed.

        One and the same InputError answers a path outside the roots whether or not anything is there.
        """
        outside = InputError(
            "the path does not lead into a declared root",
            remedy="give a path inside a folder named with --root when the server was started",
        )
        if not self.folders or not path or "\0" in path or "://" in path:
            raise outside
        given = Path(path)
        candidates = [given] if given.is_absolute() else [root / given for root in self.folders]
        for candidate in candidates:
            real = candidate.resolve()
            if any(real.is_relative_to(root) for root in self.folders):
                if real.exists():
                    self._confine(real)
                    return real
                missing = real
                break
        else:
            raise outside
        raise NotFoundError(
            "there is no such file in the declared roots", where=missing.name, remedy="check the path"
        )

    def _confine(self, real: Path) -> None:
        """A folder may hold links; none of them may lead out."""
        if not real.is_dir():
            return
        for number, entry in enumerate(real.rglob("*")):
            if number >= MAX_ENTRIES:
                raise InputError(
                    f"the folder holds more than {MAX_ENTRIES:,} files",
                    remedy="attach logs by name, or in parts",
                )
            if entry.is_symlink() and not any(entry.resolve().is_relative_to(root) for root in self.folders):
                raise InputError(
                    "the folder holds a link that leads out of the declared roots",
                    remedy="attach the files by name, without the link",
                )


NO_ROOTS = Roots()
