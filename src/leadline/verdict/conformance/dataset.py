"""Are these the items that were promised: by content, by id, by number, in the order derived from the freeze?"""

from collections.abc import Iterator

from leadline.ledger.seeds import order
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.design import Arm, Task
from leadline.verdict.conformance.context import Context, answered
from leadline.verdict.data import promise_of
from leadline.verdict.model import Check


def dataset_checks(context: Context) -> Iterator[Check]:
    """Content digest, sample ids, number of samples and order, per log."""
    for arm, task, header in context.pairs():
        yield from _content(context, arm, task, header)
        yield from _samples(context, arm, task, header)
        yield from _order(context, arm, task, header)


def _content(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    promised = task.dataset.sha256
    if promised is None:
        return
    found = context.seen[header.sha256].dataset_sha256
    if found is None:
        note = "the logs were not read deeply enough, or hold no full samples"
        yield Check("dataset.content", "unknown", promised, "not computed", arm.name, header.log, note)
        return
    yield Check("dataset.content", answered(found == promised), promised, found, arm.name, header.log)


def _samples(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    found = set(context.seen[header.sha256].samples)
    if task.dataset.samples is not None:
        promised = set(task.dataset.samples)
        missing, extra = sorted(promised - found), sorted(found - promised)
        answer = answered(not (missing or extra))
        note = "; ".join(
            f"{word}: {', '.join(ids[:10])}{' …' if len(ids) > 10 else ''}"
            for word, ids in (("missing", missing), ("not promised", extra))
            if ids
        )
        text = f"{len(found & promised)} of {len(promised)}, {len(extra)} others"
        yield Check("dataset.samples", answer, f"{len(promised)} ids", text, arm.name, header.log, note)
    n = promise_of(context.protocol, arm.name).items
    yield Check("dataset.n", answered(len(found) == n), str(n), str(len(found)), arm.name, header.log)
    seen = context.seen[header.sha256]
    absent = len(found) * task.epochs - seen.results
    kept = seen.epochs == task.epochs and not absent
    note = f"{absent} results of a sample and an epoch are not in the log" if absent > 0 else ""
    yield Check("epochs.run", answered(kept), str(task.epochs), str(seen.epochs), arm.name, header.log, note)


def _order(context: Context, arm: Arm, task: Task, header: LogHeader) -> Iterator[Check]:
    if task.dataset.order != "from_freeze":
        return
    promised = "the order derived from the freeze"
    ids = [str(sample) for sample in header.dataset.sample_ids or ()]
    if context.registration is None or not ids:
        yield Check("dataset.order", "unknown", promised, "no order logged", arm.name, header.log)
        return
    expected = order(context.registration.leaf_hash, sorted(ids))
    matches = ids == list(expected)
    yield Check(
        "dataset.order",
        answered(matches),
        promised,
        "matches" if matches else "another order",
        arm.name,
        header.log,
    )
