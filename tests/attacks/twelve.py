"""The suite of attacks: each is carried out on a throw-away registry, and says which checks of Leadline answered.

`python -m tools.attacks` runs it and prints a table; `docs/attacks.md` is that table. To add an attack, write a
function ``(World) -> Answer`` and list it in `SUITE` with the checks it must change.
"""

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from leadline.errors import Explained
from leadline.ledger.tlog import verify_consistency
from leadline.logs import read_logs
from leadline.registry.recheck import verify_certificate_file
from leadline.registry.registry import Registry
from leadline.registry.study import Study
from leadline.verdict.analysis import analyze
from leadline.verdict.report import Report
from registry.world import START, World, samples_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What Leadline answers: the checks that stopped passing (or the error that refused), and whether it was clean."""

    checks: frozenset[str]
    says: str
    clean: bool


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack: what is done, how, and which checks must change (all of them, and no other)."""

    name: str
    carry_out: Callable[[World], Answer]
    checks: frozenset[str]


def of_report(report: Report) -> Answer:
    """The answer of a report: every check that did not pass, the standing, and the verdict on H1."""
    changed = frozenset(check.id for check in report.conformance if check.answer != "pass")
    verdict = report.verdicts["H1"]
    reason = f" ({verdict.reason})" if verdict.reason else ""
    clean = report.standing == "confirmatory"
    return Answer(changed, f"{report.standing}, {verdict.outcome}{reason}", clean)


def of_refusal(refused: Callable[[], object]) -> Answer:
    """The answer of what raises: the kind of error. Nothing raised is a clean pass."""
    try:
        refused()
    except Explained as error:
        return Answer(frozenset({type(error).__name__}), _refusal(error.message), clean=False)
    return Answer(frozenset(), "accepted", clean=True)


def _refusal(message: str) -> str:
    """What an error says, without what differs from one registry to the next, so that the table is the same each time."""
    plain = re.sub(r"[0-9a-f]{64}", lambda found: f"{found[0][:8]}…", message)
    return f"refused: {plain.split(' (')[0]}"


def unattacked(world: World) -> Answer:
    """What a careful lab gets."""
    return of_report(world.honest_study().analyze())


def run_with(**cheat: Any) -> Callable[[World], Answer]:
    """A registered study whose one announced run cheats in this way."""

    def carry_out(world: World) -> Answer:
        study = world.register()
        world.attempt(study, **cheat)
        return of_report(study.analyze())

    return carry_out


def moved_threshold(world: World) -> Answer:
    """Judge by a protocol whose smallest effect was edited after the freeze."""
    study = world.honest_study()
    document = study.protocol.model_dump(mode="json")
    document["hypotheses"][0]["smallest"] = 0.01
    easier = type(study.protocol).model_validate(document)
    return of_report(
        analyze(easier, study.samples(), registration=study.registration, attempts=study.attempts)
    )


def truncated(world: World) -> Answer:
    """Drop the last entries of the log, and go on."""
    study = world.honest_study()
    path = world.folder / "registry.db"
    world.registry.close()
    with sqlite3.connect(path) as db:
        db.execute("delete from entry where ix >= (select max(ix) - 1 from entry)")
    db.close()

    def go_on() -> None:
        with Registry.open(path, key=world.key, clock=world.clock) as registry:
            registry.study(study.id).open_attempt()

    return of_refusal(go_on)


def edited_in_place(world: World) -> Answer:
    """Change the newest statement where it is stored; a reader checks the whole record."""
    world.honest_study()
    path = world.folder / "registry.db"
    with sqlite3.connect(path) as db:
        ((index, envelope),) = db.execute(
            "select ix, envelope from entry order by ix desc limit 1"
        ).fetchall()
        forged = bytearray(envelope)
        forged[len(forged) // 2] ^= 1
        db.execute("update entry set envelope = ? where ix = ?", (bytes(forged), index))
    db.close()
    problem = next(iter(world.registry.fsck()), None)
    if problem is None:
        return Answer(frozenset(), "nothing was found", clean=True)
    return Answer(frozenset({"fsck"}), f"fsck: {problem.what}", clean=False)


def rechained(world: World) -> Answer:
    """Go back before the run and write another history with the log's own key; a reader kept one checkpoint."""
    study = world.register()
    fork = world.folder.with_name(f"{world.folder.name}-fork")
    world.registry.close()
    shutil.copytree(world.folder, fork)
    try:
        world.registry = Registry.open(world.folder / "registry.db", key=world.key, clock=world.clock)
        world.attempt(world.registry.study(study.id))
        size, remembered = world.registry.store.size(), world.registry.store.root()
        with Registry.open(fork / "registry.db", key=world.key, clock=world.clock) as other:
            other.study(study.id).open_attempt("this time it comes out well")
            while other.store.size() <= size:
                other.study(study.id).open_attempt()
            now, proof = other.store.size(), other.store.consistency_proof(size)
            root = other.store.root()
        return of_refusal(lambda: verify_consistency(size, now, proof, remembered, root))
    finally:
        shutil.rmtree(fork, ignore_errors=True)


def shown_elsewhere(world: World, study: Study) -> tuple[Path, World]:
    """A study's certificate, and a second registry that was built to replace the first."""
    certificate = world.folder / "study.tlog-proof"
    certificate.write_bytes(study.certificate)
    return certificate, World(world.folder / "rebuilt")


def replayed(world: World) -> Answer:
    """Delete the ledger, build a new one with a plan that fits, and show the old certificate beside it."""
    certificate, other = shown_elsewhere(world, world.register())
    other.register(other.protocol(title="A plan made to fit"))
    answer = of_refusal(lambda: verify_certificate_file(certificate, other.registry.home.log.vkey))
    other.registry.close()
    return answer


def forged_freeze(world: World) -> Answer:
    """Edit the plan and show it with the certificate of the frozen one."""
    study = world.register()
    certificate, other = shown_elsewhere(world, study)
    other.registry.close()
    edited = world.folder / "protocol.json"
    edited.write_bytes(study.protocol.canonical_bytes().replace(b'"smallest":0.15', b'"smallest":0.05'))
    key = world.registry.home.log.vkey
    return of_refusal(lambda: verify_certificate_file(certificate, key, protocol=edited))


def good_run_only(world: World) -> Answer:
    """Announce two runs and show one."""
    study = world.register()
    study.open_attempt("the one that came out badly")
    world.attempt(study)
    return of_report(study.analyze())


def fabricated(world: World) -> Answer:
    """Attach logs of a run that nobody announced: there is nothing to hold their clocks against."""
    study = world.register()
    study.attach(world.lab_run(study, None))
    return of_report(study.analyze())


def hidden_run(world: World) -> Answer:
    """Run the registered dataset under another study of one's own."""
    plan = world.protocol().model_dump(mode="json")
    study = world.register()
    tasks = [{**task, "dataset": {"name": "other", "n": 5}} for task in plan["tasks"]]
    other = world.register(world.protocol(title="Something else", tasks=tasks))
    other.attach(world.lab_run(study, None, name="hidden", arms=("hint",)))
    world.attempt(study)
    return of_report(study.analyze())


def rezipped(world: World) -> Answer:
    """After closing, hand in an edited copy of a log: other scores, aggregates that agree, the same evaluation."""
    study = world.register()
    with study.attempt() as run:
        paths = world.lab_run(study, run)
        run.attach(paths)
    honest = paths[0]
    evaluation = read_logs(honest, tier="header").headers[0].eval_id
    rows = [
        {**row, "scores": {"match": {"value": "I", "history": []}}}
        for row in samples_of("plain", world.items)
    ]
    edited = honest.with_name("edited.eval")
    study.attach(world.write_arm(study, run, "plain", edited, eval_id=evaluation, samples=rows))
    return of_report(study.analyze())


def duplicated(world: World) -> Answer:
    """Give some items twice under further ids, to have more of what came out well."""
    study = world.register()
    rows = samples_of("hint", world.items)
    copies = [{**row, "id": f"copy-{row['id']}"} for row in rows[:9]]
    with study.attempt() as run:
        paths = world.lab_run(study, run, arms=("plain", "given"))
        path = world.folder / "hint.eval"
        paths.append(world.write_arm(study, run, "hint", path, samples=[*rows, *copies]))
        run.attach(paths)
    return of_report(study.analyze())


def _attack(name: str, carry_out: Callable[[World], Answer], *checks: str) -> Attack:
    return Attack(name, carry_out, frozenset(checks))


_DATA = ("dataset.content", "dataset.samples", "dataset.n")
_JUDGE = {"eval_fields": {"model_roles": {"grader": {"model": "mockllm/judge"}}}}
SUITE: tuple[Attack, ...] = (
    _attack("run four of forty samples", run_with(only=slice(0, 4)), *_DATA),
    _attack("pick the samples by hand", run_with(only=slice(2, 5)), *_DATA),
    _attack(
        "decode otherwise",
        run_with(generate={"temperature": 1.9, "seed": 7, "max_tokens": 64}),
        "generate.temperature",
        "generate.seed",
    ),
    _attack("move the threshold afterwards", moved_threshold, "protocol.frozen"),
    _attack(
        "edit the aggregate in a log", run_with(edit_aggregate=0.999, cheat_arm="hint"), "log.recomputed"
    ),
    _attack("run another model", run_with(model="mockllm/large"), "model.id"),
    _attack("drop the last entries of the log", truncated, "IntegrityError"),
    _attack("rebuild the registry around a plan that fits", replayed, "SignatureError"),
    _attack("edit an entry where it is stored", edited_in_place, "fsck"),
    _attack("write another history and chain it with the log's key", rechained, "ProofError"),
    _attack("forge the freeze record", forged_freeze, "IntegrityError"),
    _attack("run twice and show the good run", good_run_only, "attempts.accounted"),
    _attack(
        "register after the result",
        run_with(created=START - timedelta(days=3), force=True),
        "run.after_freeze",
    ),
    _attack("swap the judge", run_with(**_JUDGE), "judge.undeclared"),
    _attack("fabricate rows that no attempt announced", fabricated, "attempts.accounted", "run.after_freeze"),
    _attack("duplicate samples", duplicated, *_DATA),
    _attack("edit scores and aggregates, and zip the log again", rezipped, "log.rival"),
    _attack("run the registered dataset under another study", hidden_run, "attempts.undeclared"),
)


def carried_out(attack: Callable[[World], Answer]) -> Answer:
    """Carry an attack out on a registry in a temporary folder, which is removed."""
    folder = Path(tempfile.mkdtemp(prefix="leadline-attack-"))
    try:
        world = World(folder)
        try:
            with redirect_stderr(StringIO()):
                return attack(world)
        finally:
            world.registry.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def table() -> Iterator[tuple[str, str, str, bool]]:
    """Attack, named checks, what Leadline answers, and whether it is the right answer; the unattacked study first."""
    honest = carried_out(unattacked)
    yield "none: the honest study", "none", honest.says, honest.clean and not honest.checks
    for attack in SUITE:
        answer = carried_out(attack.carry_out)
        named = ", ".join(f"`{name}`" for name in sorted(answer.checks))
        yield attack.name, named, answer.says, answer.checks == attack.checks and not answer.clean
