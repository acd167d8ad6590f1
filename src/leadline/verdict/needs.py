"""Which sample columns a protocol's analysis reads."""

from collections.abc import Iterable

from leadline.protocol.expression import compile as compile_expression
from leadline.protocol.model import Protocol
from leadline.verdict.model import Attempt


def required_columns(protocol: Protocol) -> tuple[str, ...]:
    """Columns named by any registered expression, sorted; pass them to `read_logs(columns=...)`."""
    names: set[str] = set()
    for text in _expressions(protocol):
        names |= set(compile_expression(text).columns)
    return tuple(sorted(names))


def closed_with(attempts: Iterable[Attempt]) -> frozenset[str]:
    """Digests of the files that announced attempts ended with; pass them to `read_logs(prefer=...)`."""
    return frozenset(sha for attempt in attempts for sha in attempt.logs)


def _expressions(protocol: Protocol) -> list[str]:
    texts: list[str | None] = []
    for measure in protocol.measures:
        texts += [measure.cluster, measure.transform]
    texts += [hypothesis.estimand.where for hypothesis in protocol.hypotheses]
    texts += [control.estimand.where for control in protocol.controls]
    rules = [protocol.data_rules]
    for alternative in protocol.robustness:
        change = alternative.change
        texts += [change.where, None if change.cluster == "item" else change.cluster]
        rules += [change.data_rules] if change.data_rules else []
    for rule in rules:
        texts.append(rule.refusal_when)
        texts += [exclusion.when for exclusion in rule.exclusions]
    return [text for text in texts if text is not None]
