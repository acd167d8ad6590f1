"""The author's file of a sealed study: what it is, what was said under seal, and what opens each slot.

Kept as ``<id>.seal``, mode 0600, beside the author's key. It can be made again from the sealed body with the author's
age identity (`leadline.registry.sealing.release.recover`), except for what was not yet in a batch.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from leadline.errors import InputError, KeyFileError
from leadline.ledger.canon import parse_strict
from leadline.ledger.encoding import b64decode, b64encode
from leadline.ledger.sealing import slots as slotting
from leadline.ledger.sealing.body import Content
from leadline.ledger.sealing.slots import SlotOpening
from leadline.registry.places import default_home
from leadline.registry.sealing import private

SUFFIX: Final = ".seal"
_FORM: Final = "leadline.dev/sealed-study@v1: private, keep it secret"
_MAX: Final = 256 << 20


def folder() -> Path:
    """Where an author's files of sealed studies are kept: ``seals`` in $LEADLINE_HOME."""
    return default_home() / "seals"


@dataclass
class SealSecrets:
    """Everything that only the author has of a sealed study.

    `statements` are the envelopes signed so far, in order; `made` what opens each slot that was deposited, the
    newest last; `committed` which of these the log took, by log index of the batch; `files` where each attached log
    and each report is, by digest; `sequence` numbers the deposits.
    """

    study: str
    index: int
    leaf: bytes
    content: Content
    path: Path
    statements: list[bytes] = field(default_factory=list)
    made: list[SlotOpening] = field(default_factory=list)
    committed: dict[int, SlotOpening] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    sequence: int = 0

    # -- the stream ----------------------------------------------------------------------------

    def pending(self) -> bytes:
        """What was said and no batch has committed to yet."""
        done = sum(len(one.piece) for one in self.committed.values())
        return slotting.stream_of(self.statements)[done:]

    def commitments(self) -> list[tuple[int, bytes]]:
        """(log index of the batch, envelope) of every statement that batches have committed to."""
        pieces = [(index, one.piece) for index, one in sorted(self.committed.items())]
        return list(slotting.records(pieces))

    def learn(self, seen: list[tuple[int, bytes]]) -> int:
        """Take note of the study's slots in the log, (batch, commitment); returns how many were ours and new."""
        known = {one.commitment: one for one in self.made}
        new = [(batch, known[c]) for batch, c in seen if batch not in self.committed and c in known]
        self.committed.update(new)
        if new:
            taken = {one.commitment for one in self.committed.values()}
            self.made = [one for one in self.made if one.commitment not in taken]
        return len(new)

    # -- the file ------------------------------------------------------------------------------

    def save(self, *, new: bool = False) -> None:
        """Write the file; StateError when it is `new` and there is one already, StoreError when the disk refuses."""
        document = {
            "form": _FORM,
            "study": self.study,
            "index": self.index,
            "leaf": self.leaf.hex(),
            "content": self.content.to_json(),
            "statements": [one.decode() for one in self.statements],
            "made": [_opening_form(one) for one in self.made],
            "committed": {str(batch): _opening_form(one) for batch, one in sorted(self.committed.items())},
            "files": self.files,
            "sequence": self.sequence,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private.write(self.path, (json.dumps(document) + "\n").encode(), new=new)

    @classmethod
    def load(cls, path: Path) -> "SealSecrets":
        """Read a file that `save` wrote; NotFoundError, or KeyFileError for anything else."""
        data = private.read(path, _MAX)
        try:
            values = parse_strict(data)
            if values["form"] != _FORM:
                raise ValueError("another form")
            return cls(
                study=str(values["study"]),
                index=int(values["index"]),
                leaf=bytes.fromhex(values["leaf"]),
                content=Content.from_json(values["content"]),
                path=path,
                statements=[str(one).encode() for one in values["statements"]],
                made=[_opening(one) for one in values["made"]],
                committed={int(batch): _opening(one) for batch, one in values["committed"].items()},
                files={str(digest): str(place) for digest, place in values["files"].items()},
                sequence=int(values["sequence"]),
            )
        except (InputError, ValueError, KeyError, TypeError, AttributeError):
            raise KeyFileError(
                "this is not an intact file of a sealed study",
                where=str(path),
                remedy="restore it from a backup, or make it again: `leadline sealed recover ID`",
            ) from None


def _opening_form(one: SlotOpening) -> dict[str, Any]:
    return {
        "salt": one.salt.hex(),
        "verdict_salt": one.verdict_salt.hex(),
        "piece": b64encode(one.piece),
        "verdict": one.verdict.decode(),
    }


def _opening(values: dict[str, Any]) -> SlotOpening:
    return SlotOpening(
        bytes.fromhex(values["salt"]),
        bytes.fromhex(values["verdict_salt"]),
        b64decode(values["piece"].encode()),
        values["verdict"].encode(),
    )
