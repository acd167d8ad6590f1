"""What takes time to find out about a statement: does the plan run, can the logs be read, is the report right?

Each examination happens outside the write transaction and only for statements whose signature and rights hold.
What it found out about the record is compared again inside.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import LogError, StateError, StatementError
from leadline.ledger.canon import parse_strict, sha256_hex
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import (
    Amend,
    Attach,
    Freeze,
    Import,
    Judgement,
    Predicate,
    Report,
    Reveal,
    Seal,
)
from leadline.protocol.diff import diff
from leadline.protocol.model import Protocol
from leadline.protocol.nodes import MAX_BYTES
from leadline.registry.filenames import file_name
from leadline.registry.handover import SAID
from leadline.registry.intake import work
from leadline.registry.intake.wanted import MissingBlobsError, Offered
from leadline.registry.judging import MOST_BODY, checked_body
from leadline.registry.publication import facts_of as report_facts
from leadline.registry.publication import statement_of
from leadline.registry.sealing.door import check_reveal, check_seal
from leadline.store import ReadView
from leadline.store.projections.seals import slots

if TYPE_CHECKING:
    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

#: Looks at a folder of logs for what should not be published; the findings, in words. Empty when nothing was found.
Scan = Callable[[Path], Iterable[object]]
#: Attached logs of one study beyond this many bytes are not analysed while somebody waits.
MOST_LOGS: Final = 16 << 30
_MOST_CHARACTERISTICS: Final = 4 << 20
#: The body of a seal has one size for every content; this only bounds what is read.
_MOST_SEALED: Final = 8 << 20
_MOST_REPORT: Final = 256 << 20
_COPY: Final = 1 << 20


@dataclass(slots=True)
class Examined:
    """What the examination of one statement established: the blobs to keep, and the record it rests on."""

    blobs: list[str] = field(default_factory=list)
    body: bytes | None = None
    """Bytes made here: the report that was computed."""
    facts: Any = None


def examine(
    registry: "Registry", key: VerifyKey, said: Predicate, offered: Offered, scan: Scan | None = None
) -> Examined:
    """Examine one statement by `key`; InputError, StateError or LogError when it does not hold what it says."""
    keyid = key.fingerprint
    match said:
        case Freeze():
            _freeze(keyid, said, offered)
        case Amend():
            _amend(registry, keyid, said, offered)
        case Attach():
            _attach(keyid, said, offered, scan)
        case Report():
            return _report(registry, said)
        case Import():
            return _import(keyid, said, offered)
        case Seal():
            body = offered.read(keyid, said.body, _MOST_SEALED)
            check_seal(said, body, registry.clock().date())
        case Reveal():
            return _reveal(registry, key, said, offered)
        case Judgement(body=str(body)):
            checked_body(offered.read(keyid, body, MOST_BODY))
        case _:
            pass
    return Examined([digest for _, digest in said.blobs()])


# -- plans ----------------------------------------------------------------------------------------


def _freeze(keyid: str, said: Freeze, offered: Offered) -> None:
    body = offered.read(keyid, said.protocol, MAX_BYTES)
    protocol = work.read_protocol(body, where="protocol")
    _agree(
        promised(protocol),
        {name: getattr(said, name) for name in ("title", "authors", "area", "due")}
        | {
            "seen_checkpoint": None if said.seen_checkpoint is None else said.seen_checkpoint.model_dump(),
            "hypotheses": tuple((one.id, one.kind, one.claim) for one in said.hypotheses),
        },
        "the freeze",
        "the protocol",
    )
    if said.characteristics is not None:
        _characteristics(offered.read(keyid, said.characteristics, _MOST_CHARACTERISTICS), said.protocol)
    work.rehearse(protocol, body)


def promised(protocol: Protocol) -> dict[str, Any]:
    """What a freeze of this protocol must repeat of it."""
    seen = protocol.timeline.checkpoint
    due = protocol.timeline.due
    return {
        "title": protocol.title,
        "authors": tuple(author.name for author in protocol.authors),
        "area": tuple(protocol.area),
        "due": None if due is None else due.isoformat(),
        "seen_checkpoint": None if seen is None else seen.model_dump(mode="json"),
        "hypotheses": tuple((one.id, one.kind, one.claim) for one in protocol.hypotheses),
    }


def _characteristics(body: bytes, digest: str) -> None:
    document = parse_strict(body)
    if not isinstance(document, dict) or document.get("protocol") != digest:
        raise StatementError(
            "the operating characteristics are of another protocol",
            where="freeze statement",
            remedy="simulate this very protocol, or leave them out",
        )


def _amend(registry: "Registry", keyid: str, said: Amend, offered: Offered) -> None:
    new = work.read_protocol(offered.read(keyid, said.protocol, MAX_BYTES), where="protocol")
    old = registry.study(said.study).protocol
    changed = [change.pointer for change in diff(old, new)][:200]
    if not changed:
        raise StateError("the new protocol promises exactly the same", remedy="nothing needs to be amended")
    _agree({"changed": tuple(changed)}, {"changed": said.changed}, "the amendment", "the two protocols")


# -- logs -----------------------------------------------------------------------------------------


def _attach(keyid: str, said: Attach, offered: Offered, scan: Scan | None) -> None:
    with tempfile.TemporaryDirectory(prefix="leadline-intake-") as folder:
        for log in {one.sha256: one for one in said.logs}.values():
            path = _place(Path(folder), log.sha256, log.name)
            with offered.open(keyid, log.sha256) as source, path.open("wb") as target:
                while chunk := source.read(_COPY):
                    target.write(chunk)
        findings = [] if scan is None else list(scan(Path(folder)))
        if findings:
            raise LogError(
                f"a log holds what should not be published: {str(findings[0])[:300]}"
                + (f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""),
                where="attach statement",
                remedy="take it out of the log and attach the cleaned file; attached logs are public",
            )
        read = {one.sha256: one for one in work.summaries(Path(folder))}
    for log in said.logs:
        found = read.get(log.sha256)
        if found is None:
            raise LogError(
                f"{log.name} is no evaluation log",
                where="attach statement",
                remedy="attach logs of a format that this registry reads, and a table together with its bound mapping",
            )
        _agree(
            {name: getattr(found, name) for name in SAID},
            {name: getattr(log, name) for name in SAID},
            f"the attach statement about {log.name}",
            "the log",
        )


def _place(folder: Path, digest: str, name: str) -> Path:
    """Where a file goes in a temporary folder: under its own last name, whatever path that name pretends."""
    place = folder / digest
    place.mkdir(exist_ok=True)
    return place / file_name(name)


# -- results --------------------------------------------------------------------------------------


def _report(registry: "Registry", said: Report) -> Examined:
    """Compute the report again: nobody types a verdict, and nobody sends one either."""
    study = registry.study(said.study)
    with registry.store.snapshot() as view:
        facts = facts_of(view, study.id)
    with tempfile.TemporaryDirectory(prefix="leadline-intake-") as folder:
        paths = _lay_out(registry, study, Path(folder))
        body = work.report_bytes(
            study.protocol, paths, study.registration, study.attempts, facts[0].elsewhere
        )
    expected = {**statement_of(body, sha256_hex(body)), "protocol": study.row.protocol}
    given = said.model_dump(mode="json", include=set(expected))
    given["logs"] = sorted(given["logs"])
    if expected["engine"] != given["engine"]:
        raise StatementError(
            f"the report was computed by {given['engine'][:80]}; this registry computes with {expected['engine']}",
            where="report statement",
            remedy=f"report with that version: pip install 'leadline=={str(expected['engine']).split()[-1]}'",
        )
    _agree(expected, given, "the report statement", "the analysis, computed again here,")
    return Examined([expected["report"]], body, facts)


def _lay_out(registry: "Registry", study: "Study", folder: Path) -> list[Path]:
    files = study.files.values()
    if not files:
        raise StateError(
            "no logs are attached to this study",
            where=study.id,
            remedy=f"attach them: `leadline attach {study.id} LOGS`",
        )
    total = sum(row.size for row in files)
    if total > MOST_LOGS:
        raise StateError(
            f"its logs have {total:,} bytes; at most {MOST_LOGS:,} are analysed while somebody waits",
            where=study.id,
            remedy="ask the operator to publish the report: it is computed by the service when it is due",
        )
    paths = []
    for row in files:
        path = _place(folder, row.sha256, row.name)
        with registry.store.open_blob(row.sha256) as source, path.open("wb") as target:
            while chunk := source.read(_COPY):
                target.write(chunk)
        paths.append(path)
    return paths


def facts_of(view: ReadView, study: str) -> Any:
    """Everything in the record that a report or a reveal depends on besides what was promised."""
    return report_facts(view, study), slots(view, study)


def _reveal(registry: "Registry", key: VerifyKey, said: Reveal, offered: Offered) -> Examined:
    """A whole reveal opens every slot: one that a batch adds meanwhile would make it open nothing, for ever."""
    with registry.store.snapshot() as view:
        facts = facts_of(view, said.study)
        check_reveal(view, offered.blobs_for(key.fingerprint), said, key=key)
    return Examined([digest for _, digest in said.blobs()], facts=facts)


def _import(keyid: str, said: Import, offered: Offered) -> Examined:
    """An imported report is computed again from the logs it names.

    A comparison or a table promised nothing and proves nothing: it is taken for what its source says, and every
    import is marked retrospective.

    Protocol and logs are kept with the report, though only the report names them.
    """
    if said.content != "report":
        return Examined([digest for _, digest in said.blobs()])
    body = offered.read(keyid, said.digest, _MOST_REPORT)
    named = work.named_in_report(body)
    if named is None:
        return Examined([said.digest])
    protocol_digest, logs = named
    missing = [
        one for one in (protocol_digest, *(digest for digest, _ in logs)) if not offered.has(keyid, one)
    ]
    if missing:
        raise MissingBlobsError(missing)
    protocol = work.read_protocol(offered.read(keyid, protocol_digest, MAX_BYTES), where="protocol")
    with tempfile.TemporaryDirectory(prefix="leadline-intake-") as folder:
        paths = []
        for digest, name in logs:
            path = _place(Path(folder), digest, name)
            with offered.open(keyid, digest) as source, path.open("wb") as target:
                while chunk := source.read(_COPY):
                    target.write(chunk)
            paths.append(path)
        computed = work.report_bytes(protocol, paths, None, ())
    if computed != body:
        raise StatementError(
            "the imported report is not what its logs give when it is computed again",
            where="import statement",
            remedy="import the logs with the version of Leadline this registry runs",
        )
    return Examined([said.digest, protocol_digest, *(digest for digest, _ in logs)])


def _agree(expected: dict[str, Any], given: dict[str, Any], who: str, what: str) -> None:
    """StatementError naming the first field in which a statement is not what it is about."""
    for name, right in expected.items():
        if given[name] != right:
            raise StatementError(
                f"{who} says {name} {_shown(given[name])}, but {what} says {_shown(right)}",
                remedy="make the statement from the very bytes it names",
            )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:119] + "…"
