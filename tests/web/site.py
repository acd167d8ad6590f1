"""A registry with a good variety in it: every outcome, standing and state, long titles, several authors.

`build` makes it in a folder; ``python tests/web/site.py FOLDER [PORT]`` serves it for looking at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

from leadline.ledger.keys import SigningKey
from leadline.protocol.model import Protocol
from leadline.registry.judging import judge
from leadline.registry.lifecycle.tending import tend
from leadline.registry.study import Study
from logs.factory import sample
from registry.world import World, document

Fate = Literal["supported", "refuted", "null", "inconclusive"]
ITEMS = 60
#: The day the site is looked at.
TODAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_RIGHT: dict[Fate, tuple[float, float]] = {
    "supported": (0.5, 0.85),
    "refuted": (0.7, 0.35),
    "null": (0.5, 0.5),
    "inconclusive": (0.5, 0.52),
}


@dataclass(frozen=True)
class Plot:
    """What becomes of one study."""

    title: str
    claim: str
    area: str
    techniques: tuple[str, str]
    end: str
    """An outcome, or a state."""
    author: str = "Ada Example"
    registered: tuple[int, int] = (3, 1)
    due: tuple[int, int] | None = (9, 1)
    more: dict[str, Any] = field(default_factory=dict)


PLOTS: tuple[Plot, ...] = (
    Plot(
        "Scratchpads for weak monitors",
        "A monitor with a private scratchpad catches more backdoors than the same monitor without one",
        "control/monitoring",
        ("private scratchpad", "no scratchpad"),
        "supported",
        registered=(4, 2),
    ),
    Plot(
        "Sandbagging probes against a judge on a 2B model, password-locked organisms, two locks",
        "An activation probe finds sandbagging better than a judge that reads the answers",
        "organisms/elicitation",
        ("activation probe", "LLM judge"),
        "null",
        registered=(4, 20),
    ),
    Plot(
        "Debate for hard reading questions",
        "Debate raises the accuracy of a weak judge on hard reading comprehension over consultancy",
        "oversight/debate",
        ("debate", "consultancy"),
        "refuted",
        author="Bo Writer",
        registered=(5, 3),
    ),
    Plot(
        "Paraphrasing and hidden reasoning",
        "Paraphrasing the chain of thought lowers the share of encoded messages that get through",
        "control/steganography",
        ("paraphrase", "none"),
        "inconclusive",
        registered=(5, 9),
    ),
    Plot(
        "Self-consistency as a cheap monitor",
        "Disagreement between five samples flags untrusted code better than one careful reading",
        "control/monitoring",
        ("self-consistency", "single reading"),
        "exploratory",
        author="Bo Writer",
        registered=(5, 21),
    ),
    Plot(
        "Latent adversarial training against jailbreaks",
        "Latent adversarial training lowers attack success further than adversarial training on inputs",
        "robustness/adversarial",
        ("latent adversarial training", "adversarial training"),
        "null",
        author="Chen Robust",
        registered=(6, 2),
    ),
    Plot(
        "Unlearning that stays",
        "After gradient ascent on the forget set, ten steps of fine-tuning do not bring the knowledge back",
        "control/unlearning",
        ("gradient ascent", "none"),
        "overdue",
        author="Chen Robust",
        registered=(6, 12),
        due=(10, 1),
    ),
    Plot(
        "Weak-to-strong on code",
        "A strong student trained on a weak teacher's labels recovers at least half of the gap on code review",
        "oversight/weak-to-strong",
        ("weak-to-strong", "weak labels only"),
        "running",
        registered=(10, 12),
        due=(12, 24),
    ),
    Plot(
        "Constitutional feedback and sycophancy",
        "Feedback written from a constitution leaves less sycophancy than feedback from raters",
        "oversight/reward-hacking",
        ("constitutional feedback", "rater feedback"),
        "registered",
        author="Bo Writer",
        registered=(11, 2),
        due=(12, 31),
    ),
    Plot(
        "Steering vectors for honesty",
        "Adding an honesty vector raises truthful answers under pressure",
        "interpretability/activation-engineering",
        ("steering vector", "none"),
        "withdrawn",
        registered=(7, 7),
    ),
    Plot(
        "Sleeper agents after safety training",
        "Triggered behaviour survives safety training in at least nine of ten seeds",
        "organisms/trojans",
        ("safety training", "none"),
        "closed",
        author="Chen Robust",
        registered=(3, 15),
        due=(6, 1),
    ),
    Plot(
        "Tool-use injections: does a trusted summariser in front of the agent keep planted instructions in web "
        "pages, e-mails and calendar entries from being followed, and what does it cost in tasks that are done",
        "A trusted summariser in front of an agent lowers the share of planted instructions that are followed, "
        "whatever channel they come through, without a loss of useful work that anybody would notice",
        "security/applications",
        ("trusted summariser", "no filter"),
        "supported",
        author="Dana Verylongname-Hyphenated of the Institute for Reproducible Safety Experiments",
        registered=(7, 18),
    ),
)
_SUBJECTS = ("arithmetic", "code review", "long documents", "agent traces", "medical questions", "law exams")
_AREAS = ("control/monitoring", "oversight/feedback", "robustness/jailbreaks", "other/calibration")
_ENDS = ("registered", "supported", "null", "running", "overdue", "inconclusive", "registered")


def variations(count: int) -> list[Plot]:
    """More of the same kind, so that lists and pages fill."""
    found = []
    for n in range(count):
        subject, end = _SUBJECTS[n % len(_SUBJECTS)], _ENDS[n % len(_ENDS)]
        late = end in ("registered", "running")
        found.append(
            Plot(
                f"Confidence elicitation on {subject}, part {n + 1}",
                f"Asking for a probability lowers the calibration error on {subject} against asking for a word",
                _AREAS[n % len(_AREAS)],
                ("verbal probability", "verbal category"),
                end,
                author=("Ada Example", "Bo Writer", "probe-agent")[n % 3],
                registered=(8 + n % 3, 1 + n % 27),
                due=(12, 1 + n % 28) if late else (11, 1 + n % 15),
            )
        )
    return found


class Lab(World):
    """The world of the registry tests, with several authors and every fate.

    `sealed` are ids of sealed studies, by what became of them.
    """

    sealed: dict[str, str]

    def build(self, plots: Sequence[Plot]) -> dict[str, Study]:
        """All studies, in order of registration; by title."""
        self.keys: dict[str, SigningKey] = {}
        made: dict[str, Study] = {}
        for plot in sorted(plots, key=lambda plot: plot.registered):
            self.clock.now = max(
                self.clock.now, datetime(2026, *plot.registered, 9, tzinfo=UTC) + timedelta(minutes=len(made))
            )
            self.registry.key = self.keys.setdefault(plot.author, self._key(plot.author))
            made[plot.title] = self._live(plot, len(made))
        return made

    def _key(self, author: str) -> SigningKey:
        return SigningKey.generate("example.org/" + "".join(c for c in author.lower() if c.isalnum())[:20])

    def _live(self, plot: Plot, number: int) -> Study:
        study = self.registry.register(self.plan(plot), simulate=number < 2)
        if plot.end in ("registered", "overdue", "closed"):
            return study
        if plot.end == "withdrawn":
            self.registry.withdraw(study.id, "the vector was computed from the test items")
            return study
        fate: Fate = plot.end if plot.end in _RIGHT else "supported"
        with study.attempt() as run:
            folder = self.folder / f"logs{number}"
            folder.mkdir()
            odd = {"temperature": 0.7, "seed": 11, "max_tokens": 64} if plot.end == "exploratory" else None
            paths = [
                self.write_arm(
                    study,
                    run,
                    arm,
                    folder / f"{arm}.eval",
                    samples=results(arm, fate, number, self.items),
                    generate=odd,
                )
                for arm in ("plain", "hint", "given")
            ]
            run.attach(paths)
        if plot.end != "running":
            study.publish()
        return study

    def plan(self, plot: Plot) -> Protocol:
        """The world's protocol in the words of a plot."""
        base = document(self.dataset_sha256(), self.items)
        arms = [dict(arm) for arm in base["arms"]]
        arms[0]["technique"], arms[1]["technique"] = plot.techniques[1], plot.techniques[0]
        kind = "llm" if plot.author.endswith("-agent") else "human"
        author = {"name": plot.author, "kind": kind} | ({"model": "example/agent-1"} if kind == "llm" else {})
        changes = {
            "title": plot.title,
            "authors": [author],
            "area": [plot.area],
            "arms": arms,
            "hypotheses": [base["hypotheses"][0] | {"claim": plot.claim, "smallest": 0.15}],
            "gap": {
                "scale": {"distance": "far", "why": "2B here, frontier there"},
                "task": {"distance": "near"},
            },
            "timeline": {
                "due": None if plot.due is None else datetime(2026, *plot.due, tzinfo=UTC).date().isoformat()
            },
            "forecasts": [
                {
                    "by": plot.author,
                    "hypothesis": "H1",
                    "probabilities": {"supported": 0.5, "refuted": 0.0, "null": 0.3, "inconclusive": 0.2},
                }
            ],
            **plot.more,
        }
        return Protocol.model_validate(base | changes)


def results(arm: str, fate: Fate, seed: int, items: int) -> list[dict[str, Any]]:
    """The samples of one arm: arms share the difficulty of each item."""
    shared, own = Random(seed), Random(f"{arm}{seed}")
    low, high = _RIGHT[fate]
    share = {"plain": low, "hint": high, "given": 1.0}[arm]
    found = []
    for i in range(items):
        difficulty = shared.random()
        drawn = own.random() if fate == "inconclusive" else difficulty
        score = "C" if drawn < share else "I"
        found.append(
            sample(
                f"item-{i:03d}x",
                score,
                input=f"question {i}",
                target=f"answer {i}",
                metadata={"level": i % 4},
            )
        )
    return found


def build(folder: Path, more: int = 32, *, sealed: bool = False) -> tuple[Lab, dict[str, Study]]:
    """The registry and its studies by title, as of `TODAY`; with `sealed`, sealed studies too (`Lab.sealed`)."""
    lab = Lab(folder, items=ITEMS)
    studies = lab.build([*PLOTS, *variations(more)])
    lab.clock.now = TODAY
    lab.registry.key = lab.keys["Bo Writer"]
    _talk(lab, studies)
    tend(lab.registry, TODAY.date())
    lab.sealed = _seal(lab, folder) if sealed else {}
    return lab, studies


def _seal(lab: Lab, folder: Path) -> dict[str, str]:
    """One study that stays sealed, one sealed for its hazard, and one of which a field was opened; their ids."""
    from leadline.ledger.sealing import age
    from leadline.registry.sealing import seal

    reader = age.recipient_of(age.generate())
    made = {}
    tiers: dict[str, Literal["ordinary", "hazard"]] = {
        "sealed": "ordinary",
        "hazard": "hazard",
        "opened": "ordinary",
    }
    for name, tier in tiers.items():
        plan = lab.protocol(title=f"A sealed study, {name}", area=["control/monitoring"])
        work = seal(lab.registry, plan, reader, tier=tier, place=folder / "seals")
        if name == "opened":
            work.reveal_fields(["title"])
        made[name] = work.id
    return made


def _talk(lab: Lab, studies: dict[str, Study]) -> None:
    """What others say: critiques with and without a crux, reviews (one of an author's own study), trust, a
    forecast; and an amendment.
    """
    praised, doubted, coming = (studies[PLOTS[n].title].id for n in (0, 1, 8))
    full = {
        "question": "Does the scratchpad help because it is private, or because it is longer?",
        "attempt": "Compared the token counts in the two arms of the attached logs: 1.8 times as many.",
        "hypothesis": "H1",
        "answers": [
            {"answer": "it is the length", "moves": -0.6},
            {"answer": "it is the privacy", "moves": 0.2},
        ],
        "who": "whoever can run the same monitor with a visible scratchpad",
    }
    judge(lab.registry, praised, type="critique", part=full, minutes=25)
    judge(lab.registry, doubted, type="critique", part={"question": "Were both locks tried?"})
    judge(lab.registry, praised, type="review", part={"replicates": 0.7, "useful": 0.4}, minutes=40)
    trust = {
        "subject": "model",
        "level": "trusted",
        "basis": "too small to scheme",
        "purpose": "as a monitor",
    }
    judge(lab.registry, praised, type="trust", target="mockllm/tiny", part=trust)
    own = studies[PLOTS[2].title].id
    judge(
        lab.registry,
        own,
        type="review",
        part={"replicates": 0.8, "useful": 0.6},
        text="Written by its author.",
    )
    chances = {"H1": {"supported": 0.25, "refuted": 0.05, "null": 0.5, "inconclusive": 0.2}}
    judge(lab.registry, coming, type="forecast", part=chances, minutes=5)
    changed = studies[PLOTS[8].title].protocol.model_copy(
        update={"notes": "The raters are named in the appendix."}
    )
    lab.registry.amend(coming, changed, reason="The appendix was missing", seen="nothing_run")


def ends(lab: Lab, studies: dict[str, Study]) -> dict[str, str]:
    """The id of one study for each way a study can end, and of those that are sealed."""
    return {plot.end: studies[plot.title].id for plot in reversed(PLOTS)} | {
        "long": studies[PLOTS[-1].title].id,
        "author": lab.keys["Ada Example"].fingerprint,
        **lab.sealed,
    }


def main() -> None:
    """Serve the registry for looking at; prints, as one line of JSON, where it is and what is in it."""
    import json
    import sys
    from dataclasses import replace

    import uvicorn

    from leadline.web.app import create_app
    from leadline.web.serving import bound
    from leadline.web.settings import Settings

    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8399
    lab, studies = build(Path(sys.argv[1]), sealed=True)
    settings = Settings(store="site", port=port, name="Leadline")
    with bound(settings) as listener:
        listener.listen()
        settings = replace(settings, port=listener.getsockname()[1])
        print(json.dumps({"address": settings.address, "studies": ends(lab, studies)}), flush=True)
        app = create_app(lab.registry, settings, clock=lambda: TODAY)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
