"""A small study, as text and as a value, for tests that vary one thing about it."""

from typing import Any

from leadline.protocol.document import parse
from leadline.protocol.model import Protocol

STUDY = """\
title: A first study
authors:
  - name: Ada
models:
  - {name: small, id: mockllm/model}
tasks:
  - name: t
    task: lookup
    limits: {message_limit: 10}
arms:
  - {name: treated, technique: linear probe, model: small, task: t}
  - {name: base, technique: none, model: small, task: t}
measures:
  - {name: acc, score: match}
hypotheses:
  - id: h1
    claim: it helps
    kind: greater
    estimand: {type: paired_difference, measure: acc, arms: [treated, base]}
    smallest: 0.05
takeaways:
  - hypothesis: h1
    supported: try treated before base for acc
sample_size: {items: 100}
timeline: {due: 2027-01-31}
"""


def study() -> Protocol:
    """The small study."""
    return parse(STUDY)


def changed(old: str, new: str) -> str:
    """The text of the small study with one passage replaced; the passage must be there."""
    assert old in STUDY, old
    return STUDY.replace(old, new, 1)


def with_fields(**fields: Any) -> Protocol:
    """The small study with top-level blocks replaced or added."""
    return Protocol.model_validate({**study().model_dump(mode="json"), **fields})
