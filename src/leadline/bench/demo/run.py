"""The demonstration from beginning to end: register, run, judge, publish, verify, attack."""

import shlex
import shutil
import time
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.bench.demo.lab import run_study
from leadline.bench.demo.tamper import copy_registry, edit_answers, flip_one_bit, report_with_forged_log
from leadline.errors import MissingExtraError, StateError
from leadline.ledger import keyfile
from leadline.ledger.certificate import SUFFIX
from leadline.ledger.keys import SigningKey
from leadline.protocol.model import Protocol
from leadline.registry.recheck import verify_certificate_file, verify_study
from leadline.registry.registry import Registry
from leadline.registry.study import Study

if TYPE_CHECKING:
    from rich.console import Console

#: Left by an earlier demonstration, so that the folder may be replaced.
MARK = "made-by-leadline-demo"


def protocols() -> list[tuple[str, Protocol]]:
    """The demonstration's protocols, by file name, in order."""
    folder = files("leadline.bench.demo") / "protocols"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return [(name, Protocol.parse((folder / name).read_text(encoding="utf-8"), name=name)) for name in names]


def run_demo(output: Path, *, weights: Path | None = None, console: "Console") -> int:
    """Run the demonstration into the folder `output`; returns 0 when everything that must hold held.

    ``weights`` swaps other weights in: the same protocols then get the verdicts those models earn.
    Raises StateError when `output` holds files that no demonstration made.
    """
    start = time.monotonic()
    _require_inspect()
    _clear(output)
    key = SigningKey.generate("demo.leadline/author")
    keyfile.save(key, output / "author.key")
    database = output / "registry.db"
    _heading(console, "Leadline: four promises, kept in public")
    ok = True
    with Registry.open(database, key=key) as registry:
        studies = [
            _study(registry, name, protocol, output, weights, console) for name, protocol in protocols()
        ]
        ok &= _verify(registry, studies, output, console)
        target, log = studies[0], _log_of(studies[0], output)
    ok &= _attack(database, target, log, key, output, console)
    _heading(console, "Where to look")
    for study in studies:
        console.print(f"  {output / f'{study.id}.html'}", soft_wrap=True, highlight=False)
    console.print(f"\n  Everything took {time.monotonic() - start:.0f} s. Try next:")
    for command in ("show", "report", "verify"):
        told = shlex.join(["leadline", command, studies[0].id, "--store", str(database)])
        console.print(f"  {told}", soft_wrap=True, highlight=False)
    return 0 if ok else 1


def _study(
    registry: Registry, name: str, protocol: Protocol, output: Path, weights: Path | None, console: "Console"
) -> Study:
    from leadline.verdict.terminal import print_report

    _heading(console, f"Protocol {name}")
    console.print(f"  promised  sha256 {protocol.digest[:16]}…", highlight=False)
    with console.status("simulating the registered analysis before anything is run"):
        study = registry.register(protocol)
    console.print(f"  frozen    {study.id}, entry {study.index} of {registry.home.origin}", highlight=False)
    (output / f"{study.id}{SUFFIX}").write_bytes(study.certificate)
    with console.status("running the evaluations") as status:
        run_study(study, output / "logs" / study.id, weights=weights, say=status.update)
    report = study.publish()
    (output / f"{study.id}.json").write_bytes(report.to_json())
    (output / f"{study.id}.html").write_text(report.to_html(), encoding="utf-8")
    print_report(report, console, shlex.join(["--store", str(output / "registry.db")]))
    return study


def _verify(registry: Registry, studies: list[Study], output: Path, console: "Console") -> bool:
    """Offline from the certificate, then everything again from the record, report included."""
    _heading(console, "Checking it as a stranger would")
    ok = True
    for study in studies:
        check = verify_certificate_file(output / f"{study.id}{SUFFIX}", registry.home.log.vkey)
        steps = list(verify_study(registry, study.id))
        bad = [step for step in steps if not step.ok]
        ok &= not bad and check.study == study.id
        said = (
            "recomputed byte for byte"
            if not bad
            else "; ".join(f"{step.name}: {step.detail}" for step in bad)
        )
        console.print(f"  {study.id}  certificate holds; {len(steps)} steps; report {said}", highlight=False)
    problems = list(registry.fsck())
    console.print(f"  fsck: {len(problems)} problems in {registry.store.size()} entries", highlight=False)
    return ok and not problems


def _attack(
    database: Path, study: Study, log: Path, key: SigningKey, output: Path, console: "Console"
) -> bool:
    """Cheat on copies, and show what catches it."""
    _heading(console, "Cheating, on a copy")
    forged = output / "forged" / log.name
    forged.parent.mkdir()
    changed = edit_answers(log, forged, study_scorer(study))
    copy = copy_registry(database, output / "forged" / "registry.db")
    report = report_with_forged_log(copy, study.id, forged, key)
    caught = [check for check in report.conformance if check.answer == "deviation"]
    console.print(
        f"  {changed} wrong answers of {log.name} made right, aggregates adjusted, attached by the author:",
        highlight=False,
        soft_wrap=True,
    )
    for check in caught[:3]:
        console.print(f"    caught by {check.id}: {check.found}", highlight=False, soft_wrap=True)
    console.print(f"    standing is now {report.standing}", highlight=False)
    copy = copy_registry(database, output / "forged" / "flipped" / "registry.db")
    finding = flip_one_bit(copy)
    console.print("  one bit of the newest statement flipped in the database:", highlight=False)
    console.print(f"    fsck: {finding}", highlight=False, soft_wrap=True)
    return bool(caught) and report.standing != "confirmatory" and finding != "nothing was found"


def study_scorer(study: Study) -> str:
    """The score the study's first measure reads."""
    return study.protocol.measures[0].score


def _log_of(study: Study, output: Path) -> Path:
    """The log of the first hypothesis' second arm: the one a cheat would most like to change."""
    report = study.analyze()
    arm = study.protocol.hypotheses[0].estimand.arms[-1]
    name = next(log.name for log in report.logs if log.arm == arm)
    return output / "logs" / study.id / name


def _require_inspect() -> None:
    """Said before anything is registered that could then not be run."""
    if find_spec("inspect_ai") is None:
        raise MissingExtraError("the demonstration runs Inspect", remedy="pip install 'leadline[inspect]'")


def _heading(console: "Console", words: str) -> None:
    from rich.text import Text

    console.print()
    console.rule(Text(words, style="bold"), align="left")


def _clear(output: Path) -> None:
    """An empty folder; one that an earlier demonstration made is replaced, anything else is left alone."""
    if output.exists() and any(output.iterdir()):
        if not (output / MARK).exists():
            raise StateError(
                "this folder holds files that no demonstration made",
                where=str(output),
                remedy="name a new folder with --output",
            )
        shutil.rmtree(output)
    output.mkdir(parents=True, exist_ok=True)
    (output / MARK).touch()
