"""Two ways to cheat after the fact, tried on a copy of the registry, and what catches them."""

import shutil
import sqlite3
from pathlib import Path

from leadline.errors import Explained
from leadline.ledger.keys import SigningKey
from leadline.registry.registry import Registry
from leadline.verdict.report import Report


def copy_registry(database: Path, copy: Path) -> Path:
    """The registry's file, blobs and keys under another name."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    for path in sorted(database.parent.glob(f"{database.name}*")):
        target = copy.with_name(copy.name + path.name.removeprefix(database.name))
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy2(path, target)
    return copy


def flip_one_bit(copy: Path) -> str:
    """Flip one bit of the newest statement in a copied registry; returns what fsck says of it."""
    db = sqlite3.connect(copy)
    ((index, envelope),) = db.execute("select ix, envelope from entry order by ix desc limit 1").fetchall()
    forged = bytearray(envelope)
    forged[len(forged) // 2] ^= 1
    db.execute("update entry set envelope = ? where ix = ?", (bytes(forged), index))
    db.commit()
    db.close()
    try:
        with Registry.open(copy, create=False) as registry:
            problem = next(iter(registry.fsck()), None)
    except Explained as error:
        return error.diagnosis()
    return "nothing was found" if problem is None else f"{problem.where}: {problem.what}"


def edit_answers(log: Path, forged: Path, scorer: str) -> int:
    """Write a copy of a log in which every wrong answer is right and the aggregates agree; returns how many changed."""
    from inspect_ai.log import read_eval_log, write_eval_log

    evaluation = read_eval_log(str(log))
    changed = 0
    for sample in evaluation.samples or []:
        score = (sample.scores or {}).get(scorer)
        if score is not None and score.value == "I":
            score.value = "C"
            changed += 1
    if evaluation.results is not None:
        for claimed in evaluation.results.scores:
            if "accuracy" in claimed.metrics:
                claimed.metrics["accuracy"].value = 1.0
            if "stderr" in claimed.metrics:
                claimed.metrics["stderr"].value = 0.0
    write_eval_log(evaluation, str(forged))
    return changed


def report_with_forged_log(copy: Path, study: str, forged: Path, key: SigningKey) -> Report:
    """Attach a forged log to the study in a copied registry, as its author could, and analyse again."""
    with Registry.open(copy, key=key, create=False) as registry:
        found = registry.study(study)
        found.attach(forged)
        return found.analyze()
