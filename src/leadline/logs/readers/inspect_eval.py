"""Inspect's `.eval` logs, read at the tier asked for, or higher where their summaries cannot answer."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.container import Archive
from leadline.logs.decode import unknown_shape
from leadline.logs.guards import key_guards, log_guards
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.intake import Intake, Key, sort_key
from leadline.logs.readers.base import Format
from leadline.logs.readers.members import HEADER, START, EvalArchive
from leadline.logs.request import Request
from leadline.logs.shapes import Summary
from leadline.logs.source import Source

NAME: Final = "inspect-eval"
#: The highest `version` this reader was checked on.
NEWEST_VERSION: Final = 3


def recognise(source: Source) -> bool:
    """Whether the file is a ZIP that is called `.eval` or holds a log's header."""
    if not source.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    if source.path.suffix == ".eval":
        return True
    try:
        members = Archive(source).members
    except LogError:
        return False
    return HEADER in members or START in members


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    """Read one `.eval` log into the columns and return its header."""
    log = EvalArchive(Archive(source, request.limits), ledger)
    header = build_header(log.header_document(), source, sha256=sha256, format=NAME)
    if header.version > NEWEST_VERSION:
        raise unknown_shape(f"version {header.version}", header.path)
    ledger.claimed = claimed_samples(header)
    if request.tier == "header":
        return replace(header, samples_read=len(log.samples))
    intake = Intake(header, columns, ledger)
    summaries = log.summaries()
    if request.tier == "summary":
        guards = log_guards(header, summarised=log.summarised)
        forced = key_guards(summaries, request.keys)
        if not forced and not (guards and request.escalates):
            ledger.notes += [f"read from summaries, although {guard}" for guard in guards]
            return _from_summaries(log, summaries, intake, ledger)
        ledger.escalated += guards + forced
    return _from_samples(log, summaries, intake, ledger)


def _from_summaries(log: EvalArchive, summaries: list[Summary], intake: Intake, ledger: Ledger) -> LogHeader:
    ledger.tier = "summary"
    names = intake.note_ids([summary.id for summary in summaries])
    keys = [*zip(names, [summary.epoch for summary in summaries], strict=True)]
    kept = dict(zip(keys, summaries, strict=True))
    repeated = Counter(keys) - Counter(kept.keys()) if len(kept) < len(keys) else Counter()
    intake.replaced(_most(repeated, _superseded(log, intake)))
    intake.add_summaries({key: kept[key] for key in sorted(kept, key=lambda key: sort_key(*key))})
    unlisted = log.beyond(kept)
    ledger.leave_out("not in the log's summaries", [f"{name} (epoch {epoch})" for name, epoch in unlisted])
    return intake.finished()


def _from_samples(log: EvalArchive, summaries: list[Summary], intake: Intake, ledger: Ledger) -> LogHeader:
    ledger.tier = "sample"
    intake.expect(summaries)
    intake.replaced(_superseded(log, intake).elements())
    ledger.leave_out("not named like a sample", log.strangers())
    for member in log.samples:
        sample, attachments = log.read_sample(member)
        intake.add_sample(sample, attachments)
    return intake.finished()


def _superseded(log: EvalArchive, intake: Intake) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for key, real in log.superseded():
        counts[key] += 1
        if real is not None:
            intake.note_id(real)
    return counts


def _most(first: Counter[Key], second: Counter[Key]) -> Iterable[Key]:
    """Each key as often as the larger of two counts of the same events says."""
    return (first | second).elements()


def claimed_samples(header: LogHeader) -> int | None:
    """How many samples the header says there are: resolved ones of a drained run, else planned ones."""
    for claim in (header.logged_samples, header.total_samples):
        if claim is not None:
            return claim
    return None if header.dataset.samples is None else header.dataset.samples * header.epochs


FORMAT: Final = Format(NAME, recognise, read)
