"""The demonstration's protocols are current, run for real, and get the verdicts their models earn."""

from pathlib import Path

import pytest

from leadline.bench.demo.lab import run_study
from leadline.bench.demo.run import protocols, run_demo
from leadline.bench.demo.tamper import copy_registry, flip_one_bit
from leadline.bench.ladder import randomise, read_manifest
from leadline.bench.ladder.weights import weights_folder
from leadline.errors import StateError
from leadline.ledger.keys import SigningKey
from leadline.protocol import templates
from leadline.protocol.model import Protocol
from leadline.registry.registry import Registry

# Inspect's own: a deprecated retry option, and streams it leaves to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]


def test_at_least_three_protocols_bind_the_shipped_weights() -> None:
    """Each arm names the digest of the weights it was written for, and the manifest agrees."""
    manifest = read_manifest(weights_folder(None, {}))
    found = protocols()
    assert len(found) >= 3
    for name, protocol in found:
        for arm in protocol.arms:
            model = (protocol.model(arm.model).id or "").removeprefix("ladder/")
            assert arm.metadata["ladder_weights_sha256"] == manifest.card(model).sha256, f"{name}: {arm.name}"


def test_random_weights_still_run_and_change_the_verdict(tmp_path: Path) -> None:
    """Nothing is canned: other weights give another outcome, and the swap itself is a deviation."""
    random = tmp_path / "weights"
    randomise(random, 1)
    _, protocol = protocols()[0]
    key = SigningKey.generate("example.org/ada")
    outcomes = {}
    for name, weights in (("shipped", None), ("random", random)):
        folder = tmp_path / name
        folder.mkdir()
        with Registry.open(folder / "registry.db", key=key) as registry:
            study = registry.register(protocol, simulate=False)
            run_study(study, folder / "logs", weights=weights, say=lambda text: None)
            report = study.analyze()
        outcomes[name] = report
    shipped, other = outcomes["shipped"], outcomes["random"]
    assert shipped.standing == "confirmatory"
    faults = {check.id for check in other.conformance if check.answer != "pass"}
    assert "metadata.ladder_weights_sha256" in faults
    assert other.standing == "exploratory"
    one, two = shipped.verdicts["examples-unlock"], other.verdicts["examples-unlock"]
    assert (one.outcome, one.estimate) != (two.outcome, two.estimate)
    assert other.controls[0].outcome != "passed"


def test_a_flipped_bit_in_a_copied_registry_is_named(tmp_path: Path) -> None:
    """The demonstration's attack is real: fsck says where."""
    database = tmp_path / "registry.db"
    with Registry.open(database, key=SigningKey.generate("example.org/ada")) as registry:
        registry.register_key("Ada")
    finding = flip_one_bit(copy_registry(database, tmp_path / "copy" / "registry.db"))
    assert "entry" in finding


def test_a_folder_with_somebodys_files_is_left_alone(tmp_path: Path) -> None:
    """The demonstration replaces its own folder only."""
    from rich.console import Console

    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(StateError, match="no demonstration made"):
        run_demo(tmp_path, console=Console(quiet=True))
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("name", templates.names())
def test_every_template_runs_for_real_and_its_controls_pass(name: str, tmp_path: Path) -> None:
    """A template, unedited, is run on the shipped models with no deviation, and its controls show that it can see."""
    protocol = Protocol.parse(templates.text(name))
    with Registry.open(tmp_path / "registry.db", key=SigningKey.generate("example.org/ada")) as registry:
        study = registry.register(protocol, simulate=False)
        run_study(study, tmp_path / "logs", weights=None, say=lambda text: None)
        report = study.analyze()
    assert [check for check in report.conformance if check.answer != "pass"] == []
    assert report.standing == "confirmatory"
    assert {control.outcome for control in report.controls} == {"passed"}
    assert all(verdict.outcome != "inconclusive" for verdict in report.verdicts.values())
