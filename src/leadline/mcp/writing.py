"""The tools that write: register, attempt, attach, report. Each is one step of the loop through a desk."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadline.errors import InputError
from leadline.ledger.dsse import decode
from leadline.ledger.ids import study_id
from leadline.ledger.statements import parse
from leadline.mcp.answers import Provenance, Upload, Written
from leadline.mcp.desk import Desk, Done, Signing, Step
from leadline.mcp.reading import referee, results
from leadline.registry.publication import publish_computed
from leadline.registry.registry import Registry
from leadline.registry.run import Run
from leadline.registry.scan import require_clean
from leadline.store import Appended
from leadline.store.listing import Listing
from leadline.store.projections.judgements import JudgementType

if TYPE_CHECKING:
    from leadline.registry.study import Study

AttemptAction = Literal["open", "close", "abandon"]
Ending = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Judging:
    """What a judgement says; see `leadline.registry.judging.judge`."""

    type: JudgementType
    text: str | None
    minutes: int | None
    part: dict[str, Any] | None
    target: str | None
    revokes: int | None


def register(desk: Desk, protocol: str, signing: Signing, *, simulate: bool) -> Written:
    """Freeze a plan that passes the critical reading; the same plan by the same key is one study."""

    def step(registry: Registry) -> object:
        document, found = referee(registry, registry.computing, protocol, replicates=0, today=None)
        errors = [one for one in found if one.blocks]
        if errors:
            raise InputError(
                "the plan cannot be registered: "
                + "; ".join(f"{one.code} {one.where}" for one in errors[:10]),
                remedy="call check_protocol and correct every error it names",
            )
        return registry.register(document, simulate=simulate)

    done = desk.write(step, signing, brings=True)
    if done.draft is not None or done.receipts:
        return _signed(desk, done, kind="freeze")
    study: Study = done.value  # type: ignore[assignment]
    return _recorded(desk.registry, study.id, study.index, sha256=study.row.protocol)


def attempt(
    desk: Desk,
    study: str,
    action: AttemptAction,
    signing: Signing,
    *,
    number: int | None,
    ending: Ending,
    note: str,
) -> Written:
    """Announce a run before it begins, or say how it ended."""
    found = desk.registry.study(study)
    if action != "open" and number is None:
        raise InputError("which attempt ends must be said", remedy="pass its `number`")
    step: Step
    if action == "open":
        step = lambda registry: registry.study(study).open_attempt(note)  # noqa: E731
    elif action == "close":
        logs = [row.sha256 for row in found.attachments if row.attempt == number]
        step = lambda registry: registry.study(study).close_attempt(number or 0, logs, ending, note)  # noqa: E731
    else:
        step = lambda registry: registry.study(study).abandon_attempt(number or 0, note)  # noqa: E731
    done = desk.write(step, signing)
    if done.draft is not None:
        return _signed(desk, done, kind="attempt", study=found.id)
    if isinstance(done.value, Run):
        return _opened(desk.registry, done.value)
    receipts = done.receipts or (done.value,)
    last = receipts[-1]
    assert isinstance(last, Appended), "ending an attempt is one statement"
    if action == "open":
        number = _number_of(desk.registry, last.index)
        return _opened(desk.registry, Run(found, number, last.leaf_hash.hex()))
    answer = _recorded(desk.registry, found.id, last.index)
    answer.attempt = number
    return answer


def attach(
    desk: Desk,
    study: str,
    paths: Sequence[str],
    uploads: Sequence[Upload],
    signing: Signing,
    *,
    number: int | None,
) -> Written:
    """Hand over logs, which publishes them: files in a root that the user declared, or uploads of the same key."""
    if not paths and not uploads:
        raise InputError("no log was named", remedy="give `paths`, or `uploads` of this key")
    files = [desk.roots.file(path) for path in paths]
    before = len(desk.registry.study(study).attachments)
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        if not signing.envelopes:  # what was signed is fetched, and searched again, where it is submitted
            files += desk.fetch(uploads, signing, Path(folder))

        def step(registry: Registry) -> object:
            require_clean(registry.computing.scan(files))
            return registry.study(study).attach(files, attempt=number)

        done = desk.write(step, signing)
    return _attached(desk, study, number, done, before)


def _attached(desk: Desk, study: str, number: int | None, done: Done, before: int) -> Written:
    found = desk.registry.study(study)
    if done.draft is not None or done.receipts:
        return _signed(desk, done, kind="attach", study=found.id)
    added = found.attachments[before:]
    answer = _recorded(desk.registry, found.id, added[-1].ix if added else None)
    answer.attempt = number
    answer.status = "recorded" if added else "known"
    answer.note = f"{len(added)} file{'' if len(added) == 1 else 's'} attached"
    return answer


def report(desk: Desk, study: str, signing: Signing) -> Written:
    """Compute the registered analysis from the attached logs and publish it, whatever it says."""
    before = len(desk.registry.study(study).reports)
    done = desk.write(lambda registry: publish_computed(registry.study(study)), signing)
    found = desk.registry.study(study)
    if done.draft is not None:
        return _signed(desk, done, kind="report", study=found.id)
    published = found.reports
    answer = _recorded(desk.registry, found.id, published[-1].ix if published else None)
    answer.status = "recorded" if len(published) > before else "known"
    answer.results = results(Listing(found.registry.store, (found.row,)).verdicts(found.row))
    return answer


def judge(desk: Desk, study: str, said: Judging, signing: Signing) -> Written:
    """Sign a forecast, review, critique, trust assessment or observed outcome."""
    from leadline.registry.judging import Judged
    from leadline.registry.judging import judge as judging

    found = desk.registry.study(study)
    done = desk.write(
        lambda registry: judging(
            registry,
            found.id,
            type=said.type,
            target=said.target,
            text=said.text,
            minutes=said.minutes,
            part=said.part,
            revokes=said.revokes,
        ),
        signing,
    )
    if done.draft is not None or done.receipts:
        return _signed(desk, done, kind="judgement", study=found.id)
    assert isinstance(done.value, Judged)
    answer = _recorded(desk.registry, found.id, done.value.index)
    if not done.value.counts:
        answer.note = "the study has a report already, so this forecast is listed and not scored"
    return answer


# -- answers ------------------------------------------------------------------------------------


def _recorded(registry: Registry, study: str, index: int | None, sha256: str | None = None) -> Written:
    provenance = Provenance(
        origin=registry.home.origin,
        as_of=registry.store.size(),
        study=study,
        log_index=index,
        sha256=sha256,
    )
    return Written(status="recorded", provenance=provenance)


def _signed(desk: Desk, done: Done, *, kind: str, study: str | None = None) -> Written:
    """The answer of a signing desk: what to sign, or what was recorded of it."""
    registry = desk.registry
    origin, size = registry.home.origin, registry.store.size()
    if done.draft is not None:
        return Written(
            status="to_sign",
            provenance=Provenance(origin=origin, as_of=size, study=study),
            to_sign=done.to_sign(),
            note="sign every payload with your key, then call this tool again with `envelopes`",
        )
    last = done.receipts[-1]
    if kind == "freeze":
        study = study_id(last.leaf_hash)
    provenance = Provenance(origin=origin, as_of=size, study=study, log_index=last.index)
    return Written(status="known" if last.duplicate else "recorded", provenance=provenance)


def _opened(registry: Registry, run: Run) -> Written:
    answer = _recorded(registry, run.study.id, None)
    answer.provenance.log_index = registry.store.index_of(bytes.fromhex(run.token))
    answer.attempt = run.number
    answer.stamp = {key: str(value) for key, value in run.stamp().items()}
    return answer


def _number_of(registry: Registry, index: int) -> int:
    said = parse(decode(registry.store.entry(index)).payload).predicate
    return int(getattr(said, "number", 0))
