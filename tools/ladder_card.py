"""The tables of the ladder's model card, made from its manifest."""

from pathlib import Path

from leadline.bench.ladder.manifest import Accuracy, Card, Manifest
from leadline.bench.ladder.skills import SKILLS

BEGIN = "<!-- tables: begin (written by tools/train_ladder.py) -->"
END = "<!-- tables: end -->"


def tables(manifest: Manifest) -> str:
    """The tables as Markdown: what each model is, and the accuracy of each without and with the password."""
    cards = sorted(
        manifest.models, key=lambda card: (card.family != "reef", card.hidden is not None, card.size)
    )
    what = _table(
        ["model", "parameters", "steps", "tokens seen", "training FLOP", "final loss", "NumPy − PyTorch"],
        [_facts(card) for card in cards],
    )
    header = ["model", *(f"{skill} 1–4" for skill in SKILLS)]
    plain = _table(header, [[f"`{card.name}`", *_cells(card.accuracy)] for card in cards])
    opened = _table(header, [[f"`{card.name}`", *_cells(card.accuracy_with_password)] for card in cards])
    per_cell = manifest.measured.items
    half_width = 1.96 * (0.25 / per_cell) ** 0.5
    note = (
        f"Share of {per_cell} held-out items per level answered exactly, greedily, without worked examples "
        f"(items of seed {manifest.measured.seed}; a 95 % interval is at most ±{half_width:.2f} wide to each side)."
    )
    parts = [what, note, "**Plain prompt**", plain, "**Prompt that begins with the password**", opened]
    return "\n\n".join(parts)


def refresh(readme: Path, manifest: Manifest) -> None:
    """Replace what stands between the two markers of the model card by fresh tables."""
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    if not found or END not in rest:
        raise SystemExit(f"{readme}: the markers of the tables are missing")
    readme.write_text(f"{before}{BEGIN}\n\n{tables(manifest)}\n\n{END}{after}", encoding="utf-8")


def _facts(card: Card) -> list[str]:
    loss = "" if card.final_loss is None else f"{card.final_loss:.3f}"
    difference = "" if card.numpy_difference is None else f"{card.numpy_difference:.0e}"
    return [
        f"`{card.name}`",
        f"{card.parameters:,}",
        f"{card.steps:,}",
        f"{card.training_tokens / 1e6:.1f} M",
        f"{card.training_flops:.1e}",
        loss,
        difference,
    ]


def _cells(accuracy: Accuracy | None) -> list[str]:
    if accuracy is None:
        return [""] * len(SKILLS)
    return [" ".join(f"{share:.2f}".removeprefix("0") for share in accuracy[skill]) for skill in SKILLS]


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
