"""Small protocols for tests of the simulation and of the critical reader."""

from typing import Any

from leadline.protocol import Protocol

ONE_ARM = ("mean", "proportion", "threshold")


def document(kind: str = "greater", estimand: str = "paired_difference", **changes: Any) -> dict[str, Any]:
    """A short plan as plain values; ``hypothesis``, ``size``, ``measure``, ``assume`` and blocks overlay it."""
    arms = ["treated"] if estimand in ONE_ARM else ["treated", "plain"]
    asked: dict[str, Any] = {"type": estimand, "measure": "accuracy", "arms": arms}
    if estimand == "threshold":
        asked["cut"] = 0.7
    hypothesis: dict[str, Any] = {
        "id": "h", "claim": "The technique helps.", "kind": kind, "estimand": asked,
        "smallest": 1.2 if estimand == "ratio" else 0.1,
    }  # fmt: skip
    if estimand in ONE_ARM:
        hypothesis["reference"] = 0.5
    assume = {"baseline": 0.5, "correlation": 0.4, **changes.pop("assume", {})}
    return {
        "title": "Does it help?",
        "authors": [{"name": "A. Researcher"}],
        "models": [{"name": "subject", "id": "mockllm/model"}],
        "tasks": [{"name": "quiz", "task": "quiz"}],
        "arms": [
            {
                "name": "treated",
                "technique": "prompting",
                "model": "subject",
                "task": "quiz",
                "task_args": {"hint": True},
            },
            {
                "name": "plain",
                "technique": "none",
                "model": "subject",
                "task": "quiz",
                "task_args": {"hint": False},
            },
        ],
        "measures": [{"name": "accuracy", "score": "match", **changes.pop("measure", {})}],
        "hypotheses": [{**hypothesis, **changes.pop("hypothesis", {})}],
        "sample_size": {"items": 200, **changes.pop("size", {}), "assumptions": assume},
        **changes,
    }


def plan(kind: str = "greater", estimand: str = "paired_difference", **changes: Any) -> Protocol:
    """`document` as a Protocol."""
    return Protocol.model_validate(document(kind, estimand, **changes))


def family(count: int, correction: str = "holm", **changes: Any) -> Protocol:
    """The same hypothesis ``count`` times in one family."""
    base = document(**changes)
    base["hypotheses"] = [{**base["hypotheses"][0], "id": f"h{number}"} for number in range(count)]
    base["families"] = [{"name": "primary", "correction": correction}]
    return Protocol.model_validate(base)
