"""The Protocol: what a study promises, as one frozen value."""

from typing import Any, Literal

from pydantic import Field

from leadline.protocol.blocks.base import Block, Line, Text
from leadline.protocol.blocks.claims import ConceptualClaim, Control, Family, Forecast, Hypothesis, Takeaway
from leadline.protocol.blocks.conduct import (
    Attempts,
    DataRules,
    Foreknowledge,
    Hazard,
    Robustness,
    SampleSize,
    Timeline,
)
from leadline.protocol.blocks.design import Arm, Measure, Task
from leadline.protocol.blocks.identity import Author, Gaps, Model, Relation, Target


class Protocol(Block):
    """What a study promises to look at, and what each outcome would mean.

    Two protocols are the same exactly when their `digest` is: SHA-256 over canonical JSON
    (RFC 8785) of the document with defaults left out, so that a default spelled out and one left
    out are the same promise (`leadline.protocol.digest`).
    """

    leadline: Literal[1] = 1
    """Version of this schema."""
    title: Line
    authors: tuple[Author, ...] = Field(min_length=1, max_length=200)
    area: tuple[str, ...] = ()
    """Leaves of the research landscape, e.g. `control/monitoring`."""
    status: Literal["confirmatory", "replication", "exploratory"] = "confirmatory"
    licence: str = "CC-BY-4.0"
    funding: Text = ""
    conflicts: Text = ""
    relations: tuple[Relation, ...] = ()

    target: Target | None = None
    gap: Gaps = Gaps()

    models: tuple[Model, ...] = Field(min_length=1, max_length=500)
    tasks: tuple[Task, ...] = Field(min_length=1, max_length=500)
    arms: tuple[Arm, ...] = Field(min_length=1, max_length=500)
    measures: tuple[Measure, ...] = Field(min_length=1, max_length=100)

    hypotheses: tuple[Hypothesis, ...] = Field(min_length=1, max_length=100)
    families: tuple[Family, ...] = (Family(name="primary"),)
    conceptual: tuple[ConceptualClaim, ...] = ()
    takeaways: tuple[Takeaway, ...] = ()
    controls: tuple[Control, ...] = ()
    forecasts: tuple[Forecast, ...] = ()

    data_rules: DataRules = DataRules()
    sample_size: SampleSize
    robustness: tuple[Robustness, ...] = Field(default=(), max_length=200)
    attempts: Attempts = Attempts()
    foreknowledge: Foreknowledge = Foreknowledge(level="none")
    hazard: Hazard = Hazard()
    timeline: Timeline = Timeline()
    notes: Text = ""

    # -- what it is ------------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical bytes."""
        from leadline.protocol.digest import digest

        return digest(self)

    def canonical_bytes(self) -> bytes:
        """The bytes that are frozen: RFC 8785 canonical JSON of the document, defaults left out."""
        from leadline.protocol.digest import canonical_bytes

        return canonical_bytes(self)

    # -- where it comes from ---------------------------------------------------------------

    @classmethod
    def load(cls, path: Any) -> "Protocol":
        """Read a YAML or JSON file; ProtocolError names line and column of the first fault."""
        from leadline.protocol.document import load

        return load(path)

    @classmethod
    def parse(cls, text: str | bytes, *, name: str = "protocol") -> "Protocol":
        """Read YAML or JSON text; `name` is what errors call it."""
        from leadline.protocol.document import parse

        return parse(text, name=name)

    # -- finding one's way -----------------------------------------------------------------

    def arm(self, name: str) -> Arm:
        """The arm of that name (references are checked when a protocol is made)."""
        return next(arm for arm in self.arms if arm.name == name)

    def model(self, name: str) -> Model:
        """The model of that alias."""
        return next(model for model in self.models if model.name == name)

    def task(self, name: str) -> Task:
        """The task of that alias."""
        return next(task for task in self.tasks if task.name == name)

    def measure(self, name: str) -> Measure:
        """The measure of that name."""
        return next(measure for measure in self.measures if measure.name == name)

    def hypothesis(self, name: str) -> Hypothesis:
        """The hypothesis of that id."""
        return next(hypothesis for hypothesis in self.hypotheses if hypothesis.id == name)

    def family(self, name: str) -> Family:
        """The correction family of that name; an unlisted family is corrected by Holm."""
        return next((family for family in self.families if family.name == name), Family(name=name))

    def models_with_role(self, role: str) -> tuple[Model, ...]:
        """The models that play `role`."""
        return tuple(model for model in self.models if model.role == role)

    def model_post_init(self, context: Any, /) -> None:  # noqa: ARG002 -- pydantic passes it
        """Refuse references to what does not exist and numbers that contradict each other."""
        from leadline.protocol.consistency import require_consistent

        require_consistent(self)


__all__ = ["Protocol"]
