"""What the record holds of a study's authors besides the study: what its report weighs, and what it names.

Siblings share the error level of the hypotheses they have in common with the study. Logs attached to other studies
are compared with the registered dataset, so that a run that was never declared is found wherever its log turns up.
Everything comes from public statements, and from no sealed study before its reveal.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from leadline.errors import Explained
from leadline.registry.siblings import MOST_BYTES, relatives
from leadline.store import ReadView
from leadline.store.projections.attachments import AttachmentRow, attachments, attachments_among
from leadline.store.projections.attempts import attempts_among
from leadline.store.projections.studies import StudyRow
from leadline.store.projections.studies import study as find_study
from leadline.verdict.elsewhere import NOTHING, Elsewhere, RunElsewhere, Sibling
from leadline.verdict.kinship import kin, looks_of, traits

#: Logs of other studies that are compared at most, the newest.
MOST_RUNS: Final = 2_000


def elsewhere(view: ReadView, study: str) -> Elsewhere:
    """Siblings and runs elsewhere as the record has them now; nothing for a study that is not public."""
    own = find_study(view, study)
    others = [] if own is None else sorted(relatives(view, study), key=lambda row: row.ix)
    if own is None or not others:
        return NOTHING
    names = [row.id for row in others]
    logs: dict[str, dict[str, AttachmentRow]] = {}
    for log in attachments_among(view, names):
        logs.setdefault(log.study, {}).setdefault(log.sha256, log)
    ended = attempts_among(view, names)
    mine = _protocol(view, own)
    known = {row.sha256 for row in attachments(view, study)} | _pilots(mine)
    siblings: list[Sibling] = []
    runs: list[RunElsewhere] = []
    for row in others:
        theirs = _protocol(view, row)
        if traits(theirs) & traits(mine):
            # One withdrawn before any run was announced or attached corrected a mistake: it has no result to choose.
            ran = row.state != "withdrawn" or row.id in ended or row.id in logs
            siblings.append(Sibling(row.id, row.ix, row.state, _shared(mine, theirs) if ran else ()))
        unknown = {digest: log for digest, log in logs.get(row.id, {}).items() if digest not in known}
        runs += _runs(unknown, ended.get(row.id, set()), _datasets(theirs))
    kept = sorted(runs, key=lambda run: (run.index, run.sha256))[-MOST_RUNS:]
    return Elsewhere(tuple(siblings), tuple(kept))


def _shared(mine: Any, theirs: Any) -> tuple[str, ...]:
    """Hypotheses of the study that look at what a sibling's look at."""
    others = looks_of(theirs).values()
    return tuple(sorted(name for name, looks in looks_of(mine).items() if kin(looks, others)))


def _runs(
    logs: Mapping[str, AttachmentRow], announced: set[str], promised: set[str]
) -> Iterator[RunElsewhere]:
    """Logs attached to another study, but for those it announced and whose content it promised itself."""
    for digest, log in logs.items():
        if log.dataset is not None and not (digest in announced and log.dataset in promised):
            yield _run(log, digest in announced)


def _run(log: AttachmentRow, announced: bool) -> RunElsewhere:
    return RunElsewhere(
        study=log.study,
        index=log.ix,
        sha256=log.sha256,
        name=log.name,
        task=log.task or "",
        model=log.model or "",
        dataset=log.dataset or "",
        items=log.items or "",
        announced=announced,
    )


def _protocol(view: ReadView, row: StudyRow) -> Any:
    """A frozen protocol as plain JSON values; None where it was taken down, or is of another making."""
    try:
        return json.loads(view.blob(row.protocol, limit=MOST_BYTES))
    except (Explained, ValueError, RecursionError):
        return None


def _datasets(protocol: Any) -> set[str]:
    """Content digests that a protocol promises."""
    tasks = protocol.get("tasks") if isinstance(protocol, dict) else None
    datasets = [task.get("dataset") for task in tasks or () if isinstance(task, dict)]
    return {str(one.get("sha256")) for one in datasets if isinstance(one, dict)}


def _pilots(protocol: Any) -> set[str]:
    """Digests of the logs that a protocol declares to have seen."""
    said = protocol.get("foreknowledge") if isinstance(protocol, dict) else None
    pilots = said.get("pilots") if isinstance(said, dict) else None
    return set(map(str, pilots)) if isinstance(pilots, list) else set()
