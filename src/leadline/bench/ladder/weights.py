"""Weights on disk: read and checked, or replaced by random ones of the same shapes."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from leadline.bench.ladder.architecture import Architecture
from leadline.bench.ladder.manifest import SHIPPED, Card, Manifest, read_manifest, write_manifest
from leadline.errors import InputError, IntegrityError, NotFoundError

#: Environment variable that names another weights folder.
ENVIRONMENT = "LEADLINE_LADDER_WEIGHTS"
_MOST_BYTES = 16 * 2**20

Array = npt.NDArray[np.float32]


def weights_folder(given: str | Path | None, environment: Mapping[str, str]) -> Path:
    """The folder to read weights from: the one given, else the environment's, else the shipped one."""
    return Path(given or environment.get(ENVIRONMENT) or SHIPPED)


def read_weights(card: Card, folder: Path) -> dict[str, Array]:
    """The weight arrays of one model as float32, by name.

    Raises
    ------
    NotFoundError: the file is absent.
    IntegrityError: its SHA-256 is not the manifest's.
    InputError: an array is missing, has another shape or type, or holds what is not a finite number.
    """
    path = folder / card.file
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise NotFoundError(
            f"cannot read weights: {problem.strerror or problem}",
            where=str(path),
            remedy="restore the file, or point the weights folder at a complete one",
        ) from problem
    if hashlib.sha256(raw).hexdigest() != card.sha256:
        raise IntegrityError(
            "the weights are not the ones the manifest names",
            where=str(path),
            remedy="restore the file; weights swapped in on purpose need a manifest of their own",
        )
    try:
        return _arrays(raw, card.architecture)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as problem:
        raise InputError(
            f"not the weights of a {card.family} of width {card.width}: {problem}",
            where=str(path),
            remedy="write the folder again with tools/train_ladder.py",
        ) from problem


def _arrays(raw: bytes, architecture: Architecture) -> dict[str, Array]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if sum(member.file_size for member in archive.infolist()) > 2 * _MOST_BYTES:
            raise ValueError("the arrays are too large")
    found: dict[str, Array] = {}
    with np.load(io.BytesIO(raw), allow_pickle=False) as stored:
        for name, shape in architecture.shapes().items():
            array = stored[name]
            if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
                raise ValueError(f"array {name} is not {shape} of finite floats")
            found[name] = np.ascontiguousarray(array, dtype=np.float32)
    return found


def randomise(target: Path, seed: int, source: Path | None = None) -> Manifest:
    """Write a weights folder with the same models and shapes as `source` (the shipped one), but random weights.

    Models that learnt nothing: verdicts about the ladder that survive this swap do not come from its weights.
    Returns the manifest written to `target`, which is created where absent.

    Raises
    ------
    InputError: `target` is the shipped folder or `source` itself.
    """
    origin = source or SHIPPED
    if target.resolve() in {origin.resolve(), SHIPPED.resolve()}:
        raise InputError(
            "will not overwrite the weights read from", where=str(target), remedy="give a new folder"
        )
    target.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(origin)
    cards = []
    for number, card in enumerate(sorted(manifest.models, key=lambda card: card.name)):
        rng = np.random.default_rng([seed, number])
        arrays = {name: _random(name, shape, rng) for name, shape in card.architecture.shapes().items()}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        (target / card.file).write_bytes(buffer.getvalue())
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()
        cards.append(_random_card(card, digest, seed))
    made = Manifest(format=manifest.format, measured=manifest.measured, models=cards)
    write_manifest(target, made)
    return made


def _random(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float16]:
    """Gains of one and matrices that keep lengths: logits then spread enough for answers to differ by prompt."""
    if name.endswith(("norm", "norm1", "norm2", "now")):
        return np.ones(shape, dtype=np.float16)
    scale = 1.0 if len(shape) == 1 else 1 / np.sqrt(shape[-1] if name == "embed" else shape[0])
    return (rng.standard_normal(shape) * scale).astype(np.float16)


def _random_card(card: Card, digest: str, seed: int) -> Card:
    return msgspec.structs.replace(
        card,
        sha256=digest,
        seed=[seed],
        steps=0,
        training_tokens=0,
        training_flops=0.0,
        final_loss=None,
        accuracy=None,
        accuracy_with_password=None,
        golden={},
        numpy_difference=None,
        random=True,
    )
