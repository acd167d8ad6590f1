"""The axes on which a proxy can differ from what it stands for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of difference; ``meaning`` in one line, ``near`` an example of a small step on it."""

    id: str
    meaning: str
    near: str


AXES: tuple[Axis, ...] = (
    Axis("scale", "how large the model is, in parameters or training compute", "up to about ten times"),
    Axis("family", "which training recipe made the model", "a later model of the same developer"),
    Axis("task", "what the model is asked to do, on which data", "other items of the same benchmark"),
    Axis("adversary", "who works against the technique, knowing what", "the same attacks, better tuned"),
    Axis("training", "how the behaviour came about", "fine-tuned in, rather than learned in the main run"),
    Axis("elicitation", "how hard the capability was brought out", "other prompts, the same scaffold"),
    Axis("measure", "what is counted as success", "another threshold on the same score"),
    Axis("realism", "how much the setting looks like use in earnest", "real repositories, planted goals"),
)
