"""Ten thousand invented studies, and a hundred of them written again by somebody else in other words.

A study is composed of a technique, a phenomenon, a setting, tasks, models, measures and an area. A paraphrase tells
the same study with other words for everything, shares no word of the title, and differs where two laboratories
would: another build of the model, a measure by another name, the task without its package, at times another
version of the dataset. The phrase tables are written without regard to the synonyms the matcher knows.
"""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random
from typing import Any

from leadline.landscape import leaves
from leadline.protocol.model import Protocol

#: Each row: ways to say one thing. The first is the original's, the others are the paraphrase's.
TECHNIQUES = (
    ("linear probe", "logistic regression on hidden states", "logistic probe"),
    ("steering vector", "adding a contrast direction", "activation addition"),
    ("sparse autoencoder", "overcomplete dictionary", "SAE"),
    ("LoRA fine-tuning", "low-rank adapters", "low-rank adaptation"),
    ("supervised fine-tuning", "imitation on demonstrations", "SFT"),
    ("few-shot prompting", "worked samples in context", "in-context examples"),
    ("chain of thought", "scratchpad before replying", "step by step"),
    ("prompted monitor", "cheap watcher", "trusted monitor"),
    ("trusted editing", "rewriting by a vetted helper", "edit untrusted output"),
    ("resampling", "drawing afresh on alarm", "defer to resample"),
    ("debate", "two-sided argument", "AI debate"),
    ("model as judge", "automatic marking", "LLM judge"),
    ("adversarial training", "hardening on found breaks", "red-team training"),
    ("paraphrasing", "rewording transcripts", "paraphrase defence"),
    ("unlearning", "scrubbing knowledge", "machine unlearning"),
    ("password lock", "gated ability", "password-locked model"),
    ("system prompt", "standing orders", "prompting"),
    ("representation noising", "latent scrambling", "hidden-state corruption"),
    ("consistency voting", "majority over rewrites", "agreement among copies"),
    ("gradient routing", "masked updates", "localised learning"),
    ("honeypot tasks", "bait episodes", "planted temptations"),
    ("perplexity filter", "surprise screen", "likelihood gate"),
    ("constitution sampling", "principle-led revision", "charter critique"),
    ("influence tracing", "training-point attribution", "data blame"),
)
PHENOMENA = (
    ("sandbagging", "deliberate underperformance", "feigned incompetence"),
    ("deceptive replies", "lying outputs", "insincere statements"),
    ("reward hacking", "specification gaming", "loophole seeking"),
    ("sycophancy", "flattery", "agreeing against evidence"),
    ("backdoors", "trojans", "dormant triggers"),
    ("steganographic reasoning", "coded rationales", "smuggled thoughts"),
    ("prompt injection", "instruction hijacking", "embedded commands"),
    ("collusion", "secret coordination", "tacit cooperation"),
    ("evaluation awareness", "test recognition", "knowing it is watched"),
    ("goal drift", "wandering objectives", "loss of aim"),
    ("hallucinated citations", "fabricated references", "invented sources"),
    ("power seeking", "resource grabbing", "influence accumulation"),
    ("memorised secrets", "leaked private strings", "verbatim recall"),
    ("overconfidence", "miscalibrated certainty", "unwarranted surety"),
    ("jailbreak success", "safeguard circumvention", "guardrail defeat"),
    ("unfaithful explanations", "misleading justifications", "post-hoc stories"),
)
VERBS = (
    ("detects", "flags", "picks out"),
    ("reduces", "diminishes", "brings down"),
    ("predicts", "foretells", "anticipates"),
    ("amplifies", "magnifies", "makes worse"),
    ("reveals", "brings to light", "unmasks"),
    ("prevents", "forestalls", "stops"),
)
SETTINGS = (
    ("coding agents", "software assistants", "programming bots"),
    ("arithmetic problems", "sums", "numeric exercises"),
    ("medical advice", "clinical guidance", "patient counselling"),
    ("long documents", "book-length inputs", "extended texts"),
    ("negotiation games", "bargaining play", "deal making"),
    ("multilingual chat", "conversation across languages", "polyglot dialogue"),
    ("tool use", "function calling", "external actions"),
    ("web browsing", "navigating sites", "online navigation"),
    ("chemistry questions", "molecular quizzes", "reaction puzzles"),
    ("legal summaries", "case digests", "court abridgements"),
)
MEASURES = (
    ("accuracy", "correct_rate"),
    ("auroc", "ranking_area"),
    ("detection_rate", "hits"),
    ("refusal_rate", "declines"),
    ("attack_success", "breach_share"),
    ("pass_at_1", "solved_first"),
    ("calibration_error", "ece"),
    ("win_rate", "preferred"),
)
MODELS = tuple(
    (f"{maker}/{name}-{size}", f"{maker}/{name}-{size}-2026-0{size[0] if size[0] in '123456' else '7'}-01")
    for maker, name in (
        ("acme", "orca"), ("acme", "heron"), ("borea", "lynx"), ("borea", "stoat"), ("cirrus", "vega"),
        ("delta", "finch"), ("delta", "wren"), ("ember", "onyx"),
    )
    for size in ("1b", "3b", "8b", "70b")
)  # fmt: skip
SUITES = ("alpha_evals", "safety_suite", "crunch_bench", "open_tasks", "probe_lab")
_TITLES = (
    "Does {technique} {verb} {phenomenon} in {setting}?",
    "{technique} and {phenomenon}: evidence from {setting}",
    "Measuring {phenomenon} under {technique} for {setting}",
)
_RETITLES = (
    "On {phenomenon} with {setting}",
    "{phenomenon} among {setting} given {technique}",
    "How {technique} meets {phenomenon}",
)
_CLAIMS = (
    "{technique} {verb} {phenomenon} in {setting} by a margin that matters",
    "Compared with no intervention, {technique} {verb} {phenomenon} when models face {setting}",
)
_RECLAIMS = (
    "Against the untreated arm, {technique} {verb} {phenomenon} throughout {setting}",
    "We expect that {technique} {verb} {phenomenon}, at least with {setting}",
)


def words(text: str) -> set[str]:
    """The words of a text in lower case."""
    return set(re.findall(r"[a-z0-9]+", text.casefold()))


def digest(text: str) -> str:
    """Some SHA-256."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Idea:
    """What a study is about, as rows of the tables."""

    technique: int
    phenomenon: int
    verb: int
    setting: int
    measure: int
    models: tuple[int, ...]
    task: int
    version: int
    area: str
    kind: str
    seed: int = field(compare=False)


def idea(draw: Random) -> Idea:
    """A study somebody might run."""
    return Idea(
        draw.randrange(len(TECHNIQUES)),
        draw.randrange(len(PHENOMENA)),
        draw.randrange(len(VERBS)),
        draw.randrange(len(SETTINGS)),
        draw.randrange(len(MEASURES)),
        tuple(sorted(draw.sample(range(len(MODELS)), draw.choice((1, 1, 2))))),
        draw.randrange(200),
        draw.randrange(2),
        draw.choice([leaf.id for leaf in leaves()]),
        draw.choice(("greater", "greater", "differs", "no_worse", "equivalent")),
        draw.randrange(1 << 30),
    )


def original(about: Idea) -> dict[str, Any]:
    """The protocol as its first author wrote it."""
    draw = Random(about.seed)
    said = _said(about, (0, 0, 0, 0))
    suite = SUITES[about.task % len(SUITES)]
    return _document(
        draw.choice(_TITLES).format(**said),
        draw.choice(_CLAIMS).format(**said),
        said["technique"],
        area=about.area,
        task=f"{suite}/task_{about.task}",
        sha256=digest(f"{about.task} {about.version}"),
        models=[MODELS[model][0] for model in about.models],
        measure=MEASURES[about.measure][0],
        kind=about.kind,
        author=f"Author {about.seed % 997}",
    )


def paraphrase(about: Idea, *, terms: bool = False) -> dict[str, Any]:
    """The same study by another laboratory: no word of the title is kept.

    With `terms` the claim keeps the names of the technique and the phenomenon, as people of one field do.
    """
    draw = Random(f"again {about.seed}")
    first = words(original(about)["title"])
    while True:
        said = _said(about, tuple(draw.choice((1, 2)) for _ in range(4)))
        title = draw.choice(_RETITLES).format(**said)
        if not words(title) & first:
            break
    if terms:
        said |= {name: _said(about, (0, 0, 0, 0))[name] for name in ("technique", "phenomenon")}
    suite = SUITES[about.task % len(SUITES)]
    near = [leaf.id for leaf in leaves() if leaf.id.partition("/")[0] == about.area.partition("/")[0]]
    fate, naming = draw.random(), draw.random()
    name = f"{suite}/task_{about.task}" if naming < 0.5 else f"task_{about.task}"
    return _document(
        title,
        draw.choice(_RECLAIMS).format(**said),
        said["technique"],
        area=about.area if draw.random() < 0.75 else draw.choice(near),
        task=name if naming < 0.85 else f"house_{about.seed}",
        sha256=digest(f"{about.task} {about.version}")
        if fate < 0.6
        else None
        if fate < 0.8
        else digest(title),
        models=[MODELS[model][int(draw.random() < 0.4)] for model in about.models],
        measure=MEASURES[about.measure][int(draw.random() < 0.4)],
        kind=about.kind if draw.random() < 0.8 else "greater",
        author="Somebody Else",
    )


def _said(about: Idea, ways: tuple[int, ...]) -> dict[str, str]:
    tables = (TECHNIQUES, PHENOMENA, VERBS, SETTINGS)
    rows = (about.technique, about.phenomenon, about.verb, about.setting)
    names = ("technique", "phenomenon", "verb", "setting")
    return {name: table[row][way] for name, table, row, way in zip(names, tables, rows, ways, strict=True)}


def _document(
    title: str,
    claim: str,
    technique: str,
    *,
    area: str,
    task: str,
    sha256: str | None,
    models: list[str],
    measure: str,
    kind: str,
    author: str,
) -> dict[str, Any]:
    named = [{"name": f"m{position}", "id": model} for position, model in enumerate(models)]
    arms = [
        {"name": f"{name}{model['name']}", "technique": what, "model": model["name"], "task": "task"}
        for model in named
        for name, what in (("treated-", technique), ("plain-", "none"))
    ]
    return {
        "title": title[:1].upper() + title[1:],
        "authors": [{"name": author}],
        "area": [area],
        "models": named,
        "tasks": [{"name": "task", "task": task, "dataset": {"sha256": sha256, "n": 200}}],
        "arms": arms,
        "measures": [{"name": measure, "score": measure}],
        "hypotheses": [
            {
                "id": "H1",
                "claim": claim,
                "kind": kind,
                "estimand": {
                    "type": "paired_difference",
                    "measure": measure,
                    "arms": [arms[0]["name"], arms[1]["name"]],
                },
                "smallest": 0.1,
            }
        ],
        "sample_size": {"items": 200},
    }


def draft(document: dict[str, Any]) -> Protocol:
    """The document as a draft."""
    return Protocol.model_validate(document)
