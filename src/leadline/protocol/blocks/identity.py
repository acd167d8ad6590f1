"""Who promises, about what, in which part of the field."""

from typing import Literal

from pydantic import Field

from leadline.protocol.blocks.base import Block, Line, Name, Text


class Author(Block):
    """A person, or an automated researcher that says so."""

    name: Line
    kind: Literal["human", "llm"] = "human"
    model: str | None = None
    """The exact model id, for an automated author."""
    key: str | None = None
    """The author's verifier key, if it is to sign too."""
    contact: str | None = None


class Relation(Block):
    """A link to an earlier study."""

    kind: Literal["replicates", "extends", "contradicts", "pilot_of"]
    study: str


class Target(Block):
    """The early-crunch-time problem the experiment serves, and what each outcome would mean for it."""

    problem: Text
    dynamic: Text = ""
    """The dynamic the weak proxy is hoped to capture."""
    case: Literal["incapacity", "control", "trust", "deference"] | None = None
    """Shape of the safety case this evidence would serve."""
    meaning: dict[Literal["supported", "refuted", "null", "inconclusive"], Text] = Field(default_factory=dict)


Distance = Literal["same", "near", "far", "unknown"]


class Gap(Block):
    """How far the proxy is from the target on one axis, with a word of why."""

    distance: Distance
    why: Text = ""


class Gaps(Block):
    """The proxy's distance from the target, axis by axis; what is left out is unknown."""

    scale: Gap = Gap(distance="unknown")
    family: Gap = Gap(distance="unknown")
    task: Gap = Gap(distance="unknown")
    adversary: Gap = Gap(distance="unknown")
    training: Gap = Gap(distance="unknown")
    elicitation: Gap = Gap(distance="unknown")
    measure: Gap = Gap(distance="unknown")
    realism: Gap = Gap(distance="unknown")


class Trust(Block):
    """An assessment of a model: by whom, on what basis. Never a property of the model itself."""

    state: Literal["trusted", "untrusted", "unknown"] = "unknown"
    by: str | None = None
    basis: Text = ""


class Scale(Block):
    """Size of a model."""

    parameters: float | None = Field(default=None, gt=0)
    compute_flop: float | None = Field(default=None, gt=0)


class Model(Block):
    """A model the study uses, under an alias the other blocks refer to."""

    name: Name
    id: str | None = None
    """The exact id as the harness logs it, e.g. `openai/gpt-4o-2024-08-06`."""
    rule: Line | None = None
    """Instead of an id: a rule such as "next eligible release"; fixed by an amendment before running."""
    role: Literal["subject", "monitor", "grader", "organism", "baseline", "data_writer"] = "subject"
    trust: Trust = Trust()
    scale: Scale = Scale()
    family: str | None = None
    """Models of one family share a training recipe."""
    base_url: str | None = None
    args: dict[str, object] = Field(default_factory=dict)
