"""The manifest of a weights folder: one card per model, with shapes, digests, training facts and measurements."""

from pathlib import Path

import msgspec

from leadline.bench.ladder.architecture import Architecture
from leadline.bench.ladder.skills import LEVELS, SKILLS
from leadline.errors import InputError, NotFoundError

#: The weights that ship with Leadline.
SHIPPED = Path(__file__).parent / "weights"
FILE_NAME = "manifest.json"
_MOST_BYTES = 4 * 2**20

#: Share of items answered exactly: skill -> levels 1 to 4.
Accuracy = dict[str, list[float]]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about one model.

    ``training_tokens`` counts the tokens seen, padding left out, those of the honest model included for a locked
    one; ``final_loss`` is in nats per answer token over the last tenth of training; ``accuracy`` was measured on
    held-out items without worked examples, as was ``accuracy_with_password``; ``golden`` holds logits after a few
    prompts, computed in PyTorch, and ``numpy_difference`` how far NumPy was from them at most. ``random`` marks
    weights made by `randomise`: such a card has no measurements.
    """

    name: str
    file: str
    sha256: str
    family: str
    width: int
    layers: int
    heads: int
    size: int
    parameters: int
    seed: list[int]
    steps: int
    training_tokens: int
    final_loss: float | None
    training_flops: float
    hidden: str | None
    accuracy: Accuracy | None
    accuracy_with_password: Accuracy | None
    golden: dict[str, list[float]]
    numpy_difference: float | None
    random: bool = False

    def __post_init__(self) -> None:
        if self.file != f"{self.name}.npz" or "/" in self.name or "\\" in self.name:
            raise ValueError(f"the file of model {self.name!r} must be {self.name!r}.npz in the same folder")
        for table in (self.accuracy, self.accuracy_with_password):
            if table is not None and (
                set(table) != set(SKILLS) or any(len(row) != len(LEVELS) for row in table.values())
            ):
                raise ValueError(f"the accuracy table of {self.name!r} has other skills or levels")

    @property
    def architecture(self) -> Architecture:
        """The recipe and shapes of the model."""
        return Architecture(self.family, self.width, self.layers, self.heads)


class Measured(msgspec.Struct, frozen=True):
    """The items on which accuracies were measured: how many per skill and level, and their seed."""

    items: int
    seed: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All cards of a weights folder; ``format`` is 1."""

    format: int
    measured: Measured
    models: list[Card]

    @property
    def names(self) -> list[str]:
        """The names of all models, sorted."""
        return sorted(card.name for card in self.models)

    def card(self, name: str) -> Card:
        """The card of one model.

        Raises
        ------
        NotFoundError: the folder has no such model.
        """
        for card in self.models:
            if card.name == name:
                return card
        raise NotFoundError(
            f"the ladder has no model {name!r}",
            where="ladder",
            remedy=f"choose one of {', '.join(self.names)}",
        )


def read_manifest(folder: Path | None = None) -> Manifest:
    """Read and check ``manifest.json`` of a weights folder, by default the shipped one.

    Raises
    ------
    NotFoundError: there is no such file.
    InputError: it is no manifest of format 1.
    """
    path = (folder or SHIPPED) / FILE_NAME
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise NotFoundError(
            f"cannot read the ladder's manifest: {problem.strerror or problem}",
            where=str(path),
            remedy="give the folder that tools/train_ladder.py or randomise() wrote",
        ) from problem
    remedy = "write the folder again with tools/train_ladder.py, or use the shipped weights"
    if len(raw) > _MOST_BYTES:
        raise InputError(f"the manifest is larger than {_MOST_BYTES} bytes", where=str(path), remedy=remedy)
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InputError(f"not a ladder manifest: {problem}", where=str(path), remedy=remedy) from problem
    if manifest.format != 1:
        raise InputError(f"manifest format {manifest.format} is not known", where=str(path), remedy=remedy)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a weights folder."""
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / FILE_NAME).write_bytes(raw + b"\n")
