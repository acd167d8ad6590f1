"""The parts of a judgement: a review's chances, a critique's question, trust with its basis, what came true."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from leadline.ledger.fields import Date, Fields, Ident, Line, Probability, Text

Minutes: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=100_000)]
"""Minutes somebody says they spent."""
Shift: TypeAlias = Annotated[float, Field(strict=True, ge=-1, le=1, allow_inf_nan=False)]
"""How far an answer would move the writer's belief: -1 sinks the claim, 0 changes nothing, 1 settles it."""
Level: TypeAlias = Literal["trusted", "untrusted", "unknown"]
Subject: TypeAlias = Literal["model", "dataset", "judge", "scorer", "tool", "study"]
Event: TypeAlias = Literal["replicates", "useful"]


class Review(Fields):
    """A reviewer's chances, each to be scored when an outcome is known.

    `replicates`: that an independent run with the same protocol gets the same outcome. `useful`: that somebody
    builds on it within twelve months.
    """

    replicates: Probability | None = None
    useful: Probability | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.replicates is None and self.useful is None:
            raise ValueError("a review's numbers give at least one of replicates and useful")
        return self


class Answer(Fields):
    """One possible answer to a critique's question, and how far it would move the claim."""

    answer: Line
    moves: Shift


class Critique(Fields):
    """A question about a study, with what its writer did to answer it.

    `attempt` is the writer's own answer; without one the writer did not try. `hypothesis` (an id) or `claim`
    (in words) is what it bears on; `answers` say how far each answer would move that; `who` could answer.
    """

    question: Text
    attempt: Text | None = None
    hypothesis: Ident | None = None
    claim: Line | None = None
    answers: Annotated[tuple[Answer, ...], Field(max_length=10)] = ()
    who: Line | None = None

    @property
    def crux(self) -> bool:
        """Whether it names what it bears on, and some answer that would move it."""
        names = self.hypothesis is not None or self.claim is not None
        return names and any(answer.moves != 0 for answer in self.answers)


class Trust(Fields):
    """How far something that studies rest on is trusted, on what basis, for what purpose."""

    subject: Subject
    level: Level
    basis: Text
    purpose: Line


class Observed(Fields):
    """Whether what reviews gave chances for came true, and how that is known."""

    event: Event
    happened: Annotated[bool, Field(strict=True)]
    on: Date | None = None
    basis: Text
