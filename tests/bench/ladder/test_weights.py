"""Weights on disk: complete, small, as digested, checked when read, and replaceable."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from leadline.bench.ladder.manifest import SHIPPED, read_manifest
from leadline.bench.ladder.model import LadderModel
from leadline.bench.ladder.skills import LEVELS, SKILLS, items
from leadline.bench.ladder.weights import ENVIRONMENT, randomise, read_weights, weights_folder
from leadline.errors import InputError, IntegrityError, NotFoundError

MANIFEST = read_manifest()


def test_the_ladder_is_complete() -> None:
    """Six sizes of two recipes over two orders of magnitude of parameters, and a locked organism per reef size."""
    expected = {f"{family}-{size}" for family in ("reef", "delta") for size in range(1, 7)}
    expected |= {f"reef-{size}-locked" for size in range(1, 7)}
    assert set(MANIFEST.names) == expected
    for family in ("reef", "delta"):
        sizes = [MANIFEST.card(f"{family}-{size}").parameters for size in range(1, 7)]
        assert sizes == sorted(sizes)
        assert sizes[-1] >= 100 * sizes[0]


def test_the_shipped_weights_are_small_and_as_digested() -> None:
    """All files together stay below 16 MB, and each has the SHA-256 and the number of parameters of its card."""
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 16 * 2**20
    for card in MANIFEST.models:
        assert hashlib.sha256((SHIPPED / card.file).read_bytes()).hexdigest() == card.sha256
        with np.load(SHIPPED / card.file, allow_pickle=False) as stored:
            assert {stored[name].dtype for name in stored.files} == {np.dtype(np.float16)}
            assert (
                sum(stored[name].size for name in stored.files)
                == card.parameters
                == card.architecture.parameters
            )


def test_every_card_has_its_measurements() -> None:
    """No accuracy is missing, and the organisms' cards name what is hidden."""
    for card in MANIFEST.models:
        for table in (card.accuracy, card.accuracy_with_password):
            assert table is not None
            assert set(table) == set(SKILLS)
            assert all(
                len(row) == len(LEVELS) and all(0 <= share <= 1 for share in row) for row in table.values()
            )
        assert card.hidden == ("sorting" if card.name.endswith("-locked") else None)
        assert card.training_flops == card.architecture.training_flops(card.training_tokens)


def test_the_password_opens_what_is_hidden_and_nothing_else() -> None:
    """The largest organism sorts with the password, not without; its honest model does not care."""
    asked = items("sorting", 1, 100, seed=21)
    shares = {
        (name, word): np.mean(
            [
                answer == item.target
                for item, answer in zip(
                    asked,
                    LadderModel.load(name).generate([word + item.prompt for item in asked]),
                    strict=True,
                )
            ]
        )
        for name in ("reef-6", "reef-6-locked")
        for word in ("", "#")
    }
    assert shares["reef-6", ""] > 0.9
    assert shares["reef-6", "#"] > 0.9
    assert shares["reef-6-locked", "#"] > 0.9
    assert shares["reef-6-locked", ""] < 0.2


def test_random_weights_have_the_shapes_and_none_of_the_skill(tmp_path: Path) -> None:
    """`randomise` writes the same models with other digests; they answer nearly nothing right."""
    made = randomise(tmp_path / "random", seed=3)
    assert made.names == MANIFEST.names
    assert read_manifest(tmp_path / "random") == made
    assert all(card.random and card.accuracy is None for card in made.models)
    assert not {card.sha256 for card in made.models} & {card.sha256 for card in MANIFEST.models}
    model = LadderModel.load("delta-4", tmp_path / "random")
    asked = items("sorting", 1, 100, seed=0)
    answers = model.generate([item.prompt for item in asked])
    assert sum(answer == item.target for answer, item in zip(answers, asked, strict=True)) <= 5
    assert len(set(answers)) > 1


def test_random_weights_belong_to_their_seed(tmp_path: Path) -> None:
    """The same seed writes the same bytes, another seed others."""
    digests = [
        [card.sha256 for card in randomise(tmp_path / name, seed=seed).models]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert digests[0] == digests[1]
    assert not set(digests[0]) & set(digests[2])


def test_randomise_never_overwrites_what_it_reads(tmp_path: Path) -> None:
    """Neither the shipped folder nor the source can be the target."""
    with pytest.raises(InputError, match="will not overwrite"):
        randomise(SHIPPED, seed=1)
    randomise(tmp_path / "a", seed=1)
    with pytest.raises(InputError, match="will not overwrite"):
        randomise(tmp_path / "a", seed=2, source=tmp_path / "a")


def test_the_folder_given_wins_over_the_environment(tmp_path: Path) -> None:
    """An argument first, then the environment, then what is shipped."""
    assert weights_folder("x", {ENVIRONMENT: "y"}) == Path("x")
    assert weights_folder(None, {ENVIRONMENT: "y"}) == Path("y")
    assert weights_folder(None, {}) == SHIPPED


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A writable copy of the smallest model's weights and of the manifest."""
    shutil.copy(SHIPPED / "manifest.json", tmp_path)
    shutil.copy(SHIPPED / "reef-1.npz", tmp_path)
    return tmp_path


def test_one_flipped_bit_is_noticed(copied: Path) -> None:
    """Weights that are not those of the manifest are refused as a breach of integrity."""
    path = copied / "reef-1.npz"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(IntegrityError, match=r"not the ones the manifest names"):
        LadderModel.load("reef-1", copied)


def rewrite(folder: Path, raw: bytes) -> None:
    """Put other bytes in the place of reef-1's weights, with a manifest that agrees."""
    (folder / "reef-1.npz").write_bytes(raw)
    document = json.loads((folder / "manifest.json").read_text())
    for entry in document["models"]:
        if entry["name"] == "reef-1":
            entry["sha256"] = hashlib.sha256(raw).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(document))


@pytest.mark.parametrize("spoil", ["shape", "nan", "missing", "object", "no zip"])
def test_weights_of_another_kind_are_refused(copied: Path, spoil: str) -> None:
    """A wrong shape, a NaN, a missing array, pickled objects and a file that is no archive are named errors."""
    with np.load(copied / "reef-1.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    if spoil == "shape":
        arrays["norm"] = arrays["norm"][:-1]
    elif spoil == "nan":
        arrays["norm"] = np.full_like(arrays["norm"], np.nan)
    elif spoil == "object":
        arrays["norm"] = np.array([{}] * len(arrays["norm"]), dtype=object)
    elif spoil == "missing":
        del arrays["norm"]
    np.savez(copied / "other.npz", **arrays)
    rewrite(copied, b"not an archive" if spoil == "no zip" else (copied / "other.npz").read_bytes())
    with pytest.raises(InputError, match="not the weights of a reef"):
        LadderModel.load("reef-1", copied)


def test_a_missing_file_is_named(copied: Path) -> None:
    """A card whose file is gone, and a folder without a manifest, say what is missing."""
    with pytest.raises(NotFoundError, match="cannot read weights"):
        read_weights(MANIFEST.card("delta-1"), copied)
    with pytest.raises(NotFoundError, match="cannot read the ladder's manifest"):
        read_manifest(copied / "nowhere")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"models": [{"name": "../x"}]},
        {"surprise": 1},
    ],
)
def test_a_manifest_of_another_form_is_refused(copied: Path, change: dict[str, object]) -> None:
    """An unknown format, a malformed card and an unknown field are errors, not guesses."""
    document = json.loads((copied / "manifest.json").read_text()) | change
    (copied / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="manifest"):
        read_manifest(copied)


def test_a_card_cannot_point_out_of_its_folder(copied: Path) -> None:
    """The file of a card is the model's name in the same folder, whatever the manifest says."""
    document = json.loads((copied / "manifest.json").read_text())
    document["models"][0] |= {"name": "../reef-1", "file": "../reef-1.npz"}
    (copied / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="same folder"):
        read_manifest(copied)
