"""Are these the items that were promised: by content, by id, by number, in the order derived from the freeze?"""

from collections.abc import Iterator
from typing import Any

from leadline.ledger.seeds import order
from leadline.logs.headers import LogHeader
from leadline.protocol.blocks.design import Arm, Task
from leadline.verdict.conformance.context import Context, answered, same
from leadline.verdict.data import promise_of
from leadline.verdict.model import Check
from leadline.verdict.seeding import FROM_FREEZE, shuffle_seed, shuffled


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
    """The order derived from the freeze: Inspect's shuffle with the derived seed, or the derived order of the ids."""
    if task.dataset.order != FROM_FREEZE:
        return
    promised = "the order derived from the freeze"
    ids = [str(sample) for sample in header.dataset.sample_ids or ()]
    if context.registration is None or not ids:
        yield Check("dataset.order", "unknown", promised, "no order logged", arm.name, header.log)
        return
    leaf = context.registration.leaf_hash
    logged = header.config.get("sample_shuffle")
    if logged is None or isinstance(logged, bool):
        matches = ids == order(leaf, sorted(ids))
        found = "matches" if matches else "another order"
        yield Check("dataset.order", answered(matches), promised, found, arm.name, header.log)
    else:
        yield _shuffle(arm, task, header, ids, logged, shuffle_seed(leaf))


def _shuffle(arm: Arm, task: Task, header: LogHeader, ids: list[str], logged: Any, seed: int) -> Check:
    """The logged seed against the derived one, and the order of the ids where the protocol lists them all."""
    promised, found = f"shuffled with the seed {seed}", f"shuffled with the seed {logged}"
    if not same(logged, seed):
        return Check("dataset.order", "deviation", promised, found, arm.name, header.log)
    listed = task.dataset.samples
    if listed is None or shuffled(listed, seed)[: len(ids)] != ids:
        note = (
            "which order this seed gives cannot be computed: the protocol does not list the sample ids"
            if listed is None
            else "it is not the order this seed gives to the promised ids; the dataset may list them in another order"
        )
        return Check("dataset.order", "unknown", promised, found, arm.name, header.log, note)
    return Check("dataset.order", "pass", promised, found, arm.name, header.log)
