"""The map of the field: areas and leaves, versioned, as data.

The areas follow Aaron Scher's "Slightly Aspirational AGI Safety research landscape". A study may
carry any number of leaves; a leaf is a label, never the only key to a study.
"""

from dataclasses import dataclass

#: Grows when a leaf is added or reworded; a leaf's id never changes its meaning.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """One subfield: ``id`` is `area/leaf`; ``words`` are what people also call it."""

    id: str
    title: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A group of subfields."""

    id: str
    title: str
    leaves: tuple[Leaf, ...]


def _area(identifier: str, title: str, *leaves: tuple[str, str, str]) -> Area:
    return Area(
        identifier,
        title,
        tuple(Leaf(f"{identifier}/{leaf}", name, tuple(words.split("; "))) for leaf, name, words in leaves),
    )


AREAS: tuple[Area, ...] = (
    _area(
        "interpretability",
        "Interpretability",
        ("circuits", "Circuits", "circuit analysis; mechanistic interpretability; attribution graphs"),
        ("superposition", "Superposition", "sparse autoencoders; SAE; dictionary learning; features"),
        (
            "activation-engineering",
            "Activation engineering",
            "steering vectors; probes; representation engineering",
        ),
        ("developmental", "Developmental interpretability", "training dynamics; phase transitions"),
    ),
    _area(
        "understanding",
        "Understanding deep learning",
        ("scaling", "Scaling laws and forecasting", "scaling trends; compute; extrapolation"),
        (
            "dangerous-capabilities",
            "Dangerous capability evaluations",
            "biosecurity; self-proliferation; autonomy",
        ),
        ("capabilities", "Other capability evaluations", "benchmarking; benchmarks; persona evaluations"),
        (
            "familiar-phenomena",
            "Ordinary but poorly understood phenomena",
            "in-context learning; memorisation",
        ),
        ("strange-phenomena", "Strange phenomena", "grokking; reversal curse; emergent misalignment"),
        (
            "fine-tuning",
            "How fine-tuning for helpfulness and harmlessness works",
            "RLHF effects; instruction tuning",
        ),
    ),
    _area(
        "control",
        "AI control",
        (
            "monitoring",
            "Supervising untrusted models",
            "monitors; control protocols; trusted monitoring; oversight",
        ),
        ("unlearning", "Unlearning", "removing knowledge; forgetting"),
        (
            "steganography",
            "Steganography and faithful reasoning",
            "chain of thought faithfulness; hidden reasoning",
        ),
        ("censorship", "What censoring a model does", "filtering; redaction; data filtering"),
    ),
    _area(
        "organisms",
        "Model organisms of misalignment",
        (
            "deception",
            "Demonstrations of deception and reward hacking",
            "deceptive alignment; scheming; sycophancy",
        ),
        ("trojans", "Trojans", "backdoors; sleeper agents; triggers"),
        ("alignment-evaluations", "Alignment evaluations", "propensity; honesty under pressure; audits"),
        (
            "elicitation",
            "Capability elicitation",
            "sandbagging; password-locked models; fine-tuning elicitation",
        ),
    ),
    _area(
        "oversight",
        "Scalable oversight",
        ("feedback", "Learning from human or AI feedback", "RLHF; RLAIF; reward models; constitutional"),
        ("debate", "Debate and its relatives", "market making; imitative generalization; critiques"),
        ("reward-hacking", "Reward hacking and sycophancy", "overoptimization; specification gaming"),
        ("weak-to-strong", "Weak-to-strong generalization", "weak supervision; easy-to-hard"),
        (
            "decomposition",
            "Decomposition",
            "factored cognition; iterated amplification; recursive reward modeling",
        ),
    ),
    _area(
        "robustness",
        "Robustness",
        (
            "anomaly-detection",
            "Anomaly detection",
            "mechanistic anomaly detection; out-of-distribution detection",
        ),
        ("distribution-shift", "Distribution shift and generalization", "spurious correlations; transfer"),
        ("jailbreaks", "Jailbreaks by users", "prompt attacks; refusals; red teaming"),
        (
            "adversarial",
            "Adversarial attacks and training",
            "latent adversarial training; adversarial examples",
        ),
    ),
    _area(
        "security",
        "AI security",
        ("extraction", "Extracting models or their data", "model stealing; membership inference; privacy"),
        ("applications", "Attacks on applications", "prompt injection; worms; tool abuse; agents"),
    ),
    _area(
        "multi-agent",
        "Multi-agent safety",
        ("conflict", "Conflict", "bargaining; escalation; negotiation"),
        ("cascades", "Cascading failures", "contagion; correlated failure"),
        ("optimization", "Optimization among many agents", "collusion; emergent goals; selection"),
        ("attack-defence", "Attack against defence", "offence; defence; arms races"),
    ),
    _area(
        "other",
        "Other",
        ("watermarking", "Watermarks and detection of generated text", "provenance; AI text detection"),
        ("honesty", "Honesty", "saying what it believes; lie detection"),
        ("truthfulness", "Truthfulness", "hallucination; factual accuracy"),
        ("calibration", "Uncertainty and calibration", "confidence; forecasts; abstention"),
        ("landscape", "New paradigms", "compound systems; self-play; risk landscape"),
    ),
)
