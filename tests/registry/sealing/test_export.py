"""An exported study that was sealed: verified from its files alone, and every way of altering it."""

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.registry.bundle import verify_bundle
from leadline.registry.exchange import export_registry, export_study
from leadline.registry.recheck import Step
from registry.sealing.lab import SealedLab


@pytest.fixture
def folder(lab: SealedLab) -> Path:
    """The export of a study that was sealed, run, reported and revealed, among others."""
    for number in range(3):
        lab.seal(protocol=lab.world.protocol(title=f"Another {number}"))
    work = lab.reported(lab.seal())
    work.reveal()
    export_study(lab.registry, work.id, lab.folder / "out")
    return lab.folder / "out"


def steps(lab: SealedLab, folder: Path) -> list[Step]:
    """Every step of verifying the folder with the log's public key alone."""
    return list(verify_bundle(folder, lab.registry.home.log))


def test_an_exported_study_verifies_from_its_files(lab: SealedLab, folder: Path) -> None:
    """Seal, reveal, batches and slots hold, and the report is computed again; others' slots are not needed."""
    found = steps(lab, folder)
    assert [step.detail for step in found if not step.ok] == []
    names = [step.name for step in found]
    assert names[:4] == ["statements", "seal", "certificate", "protocol"]
    assert names[-1] == "recomputed report"
    assert max(path.stat().st_size for path in folder.rglob("*.json")) < 100_000


def _edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("revealed.json", lambda d: d["slots"].pop()),
        ("revealed.json", lambda d: d["salts"].update(title="00" * 32)),
        ("slots.json", lambda d: d.pop()),
        ("slots.json", lambda d: d[0].update(commitment="00" * 32)),
        ("slots.json", lambda d: d[0].update(place=(d[0]["place"] + 1) % d[0]["size"])),
        ("slots.json", lambda d: d[0].update(batch=0)),
        ("slots.json", lambda d: d[0].update(path=7)),
        ("protocol.json", lambda d: d.update(title="Hindsight")),
    ],
)
def test_altered_files_are_noticed(lab: SealedLab, folder: Path, name: str, change: object) -> None:
    """What was opened, the proofs of the slots, and the protocol."""
    _edit(folder / name, change)
    assert not all(step.ok for step in steps(lab, folder))


def test_the_whole_registry_exports_with_sealed_studies_in_it(lab: SealedLab) -> None:
    """Static files hold the ciphertexts, and the table of studies only what is open."""
    lab.seal()
    lab.next_week()
    written = export_registry(lab.registry, lab.folder / "all")
    assert (lab.folder / "all" / "studies.jsonl").read_text() == ""
    assert lab.folder / "all" / "checkpoint" in written
