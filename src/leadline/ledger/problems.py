"""What a check of the record reports: one `Problem` per thing that is wrong."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable `code`, the place, what is wrong there, and what to do."""

    code: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.code}]\n  what to do: {self.remedy}"


RESTORE: Final = (
    "restore it from a backup, or from a mirror whose newest checkpoint is not older than this one"
)
REBUILD: Final = "the entries are sound: `leadline rebuild` recomputes the tree; look for a failing disk"
SHORTER: Final = "do not sign anything: fetch the missing entries from a mirror or a later backup first"
RESTORE_BLOB: Final = (
    "put the file back from a backup, or from whoever made it; its digest proves that it is the same"
)
FOREIGN: Final = "the database was written by something else; export what is sound, and find out by what"
