"""Train the small-model ladder: six sizes of two recipes, and a password-locked organism per size of reef.

    python tools/train_ladder.py                    about half an hour on one core
    python tools/train_ladder.py --finish-only      measure what is there again, and rewrite the manifest

Needs the ``train`` extra. Everything is seeded: the same versions on the same machine give the same weights, and
any machine gives weights of the same quality. Weights are rounded to float16 before anything is measured.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ladder_data import GROUP, MIXES, Mix, batch
from ladder_torch import LadderNet
from torch.nn import functional

from leadline.bench.ladder import vocabulary
from leadline.bench.ladder.architecture import FAMILIES, SIZES, ladder_architecture
from leadline.bench.ladder.skills import LEVELS, SKILLS, items

WEIGHTS = Path(__file__).resolve().parents[1] / "src" / "leadline" / "bench" / "ladder" / "weights"
HIDDEN = "sorting"
#: What is trained at each size, in this order: a locked organism starts from the honest model of its size.
KINDS = (*FAMILIES, "locked")
ROWS = 16 * GROUP
WARM_UP = 100
MEASURED_ITEMS = 200
MEASURED_SEED = 7
GOLDEN_PROMPTS = ("La3c7=c", "M48+73%10=0", "#Rpabc=cb", "Sbcad=abcd;Sfdea=")
#: Training steps of sizes 1 to 6: one run down the schedule, or several, each from the stored weights of the last.
STEPS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "reef": ((2000,), (2000,), (2000,), (2000,), (1200, 800), (1200, 800)),
    "delta": ((2000,), (2000,), (2000,), (2000,), (1200,), (1200,)),
}
#: Further steps of the locked organisms; large ones need fewer.
LOCKED_STEPS = (1200, 1200, 1200, 400, 400, 400)
#: Peak learning rate of sizes 1 to 6.
RATES: Mapping[str, tuple[float, ...]] = {
    "reef": (8e-3, 6e-3, 5e-3, 4e-3, 3e-3, 2.5e-3),
    "delta": (1e-2, 8e-3, 6e-3, 5e-3, 4e-3, 3.5e-3),
}


def optimisers(net: LadderNet, family: str, rate: float) -> list[torch.optim.Optimizer]:
    """AdamW for reef; for delta Muon on the matrices (Jordan et al. 2024) and AdamW on the rest."""
    betas = (0.9, 0.98)
    if family == "reef":
        return [torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.05, betas=betas, fused=True)]
    matrices, rest = [], []
    for name, parameter in net.named_parameters():
        is_matrix = parameter.ndim == 2 and not name.endswith(("embed", "keep"))
        (matrices if is_matrix else rest).append(parameter)
    muon = torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, lr=rate, weight_decay=0.0, betas=betas, fused=True)]


def cosine(done: float) -> float:
    """Share of the peak learning rate after a share `done` of the steps: reef."""
    return 0.5 + 0.5 * math.cos(math.pi * done)


def plateau(done: float) -> float:
    """Constant for half of the steps, then straight down to nothing: delta."""
    return min(1.0, 2 * (1 - done))


SCHEDULES: Mapping[str, Callable[[float], float]] = {"reef": cosine, "delta": plateau}


def train(
    net: LadderNet, mix: Mix, steps: int, rate: float, seed: list[int], schedule: Callable[[float], float]
) -> tuple[int, float]:
    """Train in place; the tokens seen (padding not counted) and the mean loss of the last tenth, in nats."""
    rng = np.random.default_rng(seed)
    optims = optimisers(net, net.architecture.family, rate)
    tokens_seen, last = 0, []
    for step in range(steps):
        for optimiser in optims:
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / WARM_UP) * schedule(step / steps)
        rows, weights = batch(mix, ROWS, rng)
        tokens_seen += int((rows != vocabulary.PAD_TOKEN).sum())
        tokens, weight = torch.from_numpy(rows), torch.from_numpy(weights)[:, 1:]
        asked = weight > 0
        losses = functional.cross_entropy(net(tokens[:, :-1])[asked], tokens[:, 1:][asked], reduction="none")
        loss = (losses * weight[asked]).sum() / weight.sum()
        net.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimiser in optims:
            optimiser.step()
        if step >= 0.9 * steps:
            last.append(loss.item())
    return tokens_seen, float(np.mean(last))


def store(net: LadderNet, path: Path) -> str:
    """Round the weights to float16, in place and into an ``.npz`` of plain arrays; its SHA-256."""
    arrays = {}
    with torch.no_grad():
        for name, parameter in net.weights.items():
            half = parameter.to(torch.float16)
            parameter.copy_(half.to(torch.float32))
            arrays[name.replace("/", ".")] = half.numpy()
    np.savez(path, **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def restore(net: LadderNet, path: Path) -> None:
    """Load what `store` wrote."""
    with np.load(path, allow_pickle=False) as stored, torch.no_grad():
        for name, parameter in net.weights.items():
            parameter.copy_(torch.from_numpy(stored[name.replace("/", ".")].astype(np.float32)))


def accuracy(net: LadderNet, password: str) -> dict[str, list[float]]:
    """Share of held-out items answered exactly, per skill and level, without examples."""
    found: dict[str, list[float]] = {}
    with torch.no_grad():
        for skill in SKILLS:
            found[skill] = []
            for level in LEVELS:
                asked = items(skill, level, MEASURED_ITEMS, MEASURED_SEED)
                texts = [password + item.prompt + item.target + vocabulary.END for item in asked]
                tokens = torch.from_numpy(np.stack([vocabulary.encode(text) for text in texts]))
                answer = len(asked[0].target) + 1
                guess = net(tokens[:, :-1])[:, -answer:].argmax(-1)
                right = (guess == tokens[:, -answer:]).all(dim=1)
                found[skill].append(round(right.float().mean().item(), 4))
    return found


def golden(net: LadderNet) -> dict[str, list[float]]:
    """Logits after each golden prompt, to five decimals: what the NumPy twin has to reproduce."""
    with torch.no_grad():
        return {
            prompt: [
                round(v, 5) for v in net(torch.from_numpy(vocabulary.encode(prompt))[None])[0, -1].tolist()
            ]
            for prompt in GOLDEN_PROMPTS
        }


def card(net: LadderNet, name: str, size: int, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The manifest's entry of one model: shapes, training facts, measured accuracy, golden logits."""
    digest = store(net, path)
    return {
        "name": name,
        "file": path.name,
        "sha256": digest,
        **dataclasses.asdict(net.architecture),
        "size": size,
        "parameters": net.architecture.parameters,
        **facts,
        "training_flops": net.architecture.training_flops(facts["training_tokens"]),
        "accuracy": accuracy(net, ""),
        "accuracy_with_password": accuracy(net, vocabulary.PASSWORD),
        "golden": golden(net),
        "numpy_difference": None,
    }


def train_honest(family: str, size: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train one rung from nothing; its card."""
    path = options.out / f"{family}-{size}.npz"
    seed = [options.seed, FAMILIES.index(family), size]
    seed_torch(seed)
    net = LadderNet(ladder_architecture(family, size))
    tokens, loss = 0, math.nan
    for cycle, steps in enumerate(STEPS[family][size - 1]):
        more, loss = train_cycle(net, family, size, steps, seed, cycle)
        tokens += more
        store(net, path)
    facts = {"seed": seed, "steps": sum(STEPS[family][size - 1]), "training_tokens": tokens}
    return card(net, f"{family}-{size}", size, path, {**facts, "final_loss": loss, "hidden": None})


def train_cycle(
    net: LadderNet, family: str, size: int, steps: int, seed: list[int], cycle: int
) -> tuple[int, float]:
    """One run down the learning-rate schedule; the tokens seen and the final loss."""
    stream = [*seed, 100 + cycle] if cycle else seed
    return train(net, MIXES[family], steps, RATES[family][size - 1], stream, SCHEDULES[family])


def seed_torch(seed: list[int]) -> None:
    """Seed PyTorch from the numbers that name a model."""
    torch.manual_seed(sum(part * 1000**place for place, part in enumerate(reversed(seed))))


def train_locked(honest: Mapping[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Train the locked organism of one rung from the stored weights of the honest model; its card."""
    size, seed = int(honest["size"]), [*honest["seed"], 1]
    seed_torch(seed)
    net = LadderNet(ladder_architecture("reef", size))
    restore(net, options.out / honest["file"])
    mix = dataclasses.replace(MIXES["reef"], hidden=HIDDEN, skills={**MIXES["reef"].skills, HIDDEN: 3.0})
    steps = LOCKED_STEPS[size - 1]
    tokens, loss = train(net, mix, steps, RATES["reef"][size - 1] / 2, seed, SCHEDULES["reef"])
    facts = {
        "seed": seed,
        "steps": honest["steps"] + steps,
        "training_tokens": honest["training_tokens"] + tokens,
        "final_loss": loss,
        "hidden": HIDDEN,
    }
    return card(net, f"reef-{size}-locked", size, options.out / f"reef-{size}-locked.npz", facts)


def finish(out: Path) -> None:
    """Compare the NumPy twin with the golden logits, write the differences into the manifest, and the tables."""
    from ladder_card import refresh

    from leadline.bench.ladder.manifest import read_manifest
    from leadline.bench.ladder.model import LadderModel

    raw = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest = read_manifest(out)
    for entry in raw["models"]:
        model = LadderModel.load(entry["name"], out)
        entry["numpy_difference"] = float(f"{model.golden_difference(manifest.card(entry['name'])):.3g}")
    write_manifest(out, raw["models"], raw["measured"])
    if out == WEIGHTS:
        refresh(out.parent / "README.md", read_manifest(out))


def write_manifest(out: Path, cards: list[dict[str, Any]], measured: dict[str, int]) -> None:
    """Write ``manifest.json`` beside the weights."""
    document = {"format": 1, "measured": measured, "models": sorted(cards, key=lambda entry: entry["name"])}
    text = json.dumps(document, indent=1, ensure_ascii=True) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Train what is asked for, one rung after the other, small ones first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--threads", type=int, default=1, help="more is slower where cores are shared")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(range(1, len(SIZES) + 1)))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--finish-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    measured = {"items": MEASURED_ITEMS, "seed": MEASURED_SEED}
    path = options.out / "manifest.json"
    old = json.loads(path.read_text(encoding="utf-8"))["models"] if path.exists() else []
    cards = {entry["name"]: entry for entry in old}
    plan = [] if options.finish_only else [(size, kind) for size in options.sizes for kind in options.kinds]
    for size, kind in plan:
        began = time.monotonic()
        if kind == "locked":
            entry = train_locked(cards[f"reef-{size}"], options)
        else:
            entry = train_honest(kind, size, options)
        cards[entry["name"]] = entry
        write_manifest(options.out, list(cards.values()), measured)
        print(
            f"{entry['name']:14} {entry['parameters']:7} parameters, loss {entry['final_loss']:.3f}, ", end=""
        )
        print(f"{time.monotonic() - began:.0f} s")
        for way in ("accuracy", "accuracy_with_password"):
            print("   ", way, *(f"{skill} {entry[way][skill]}" for skill in SKILLS), flush=True)
    finish(options.out)


if __name__ == "__main__":
    main()
