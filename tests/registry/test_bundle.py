"""An exported study verifies from its folder and the log's public key alone, and any change to it is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from leadline.errors import Explained
from leadline.ledger.keys import SigningKey
from leadline.logs import read_logs
from leadline.registry.bundle import is_bundle, verify_bundle
from leadline.registry.exchange import export_study
from leadline.registry.recheck import verify_study
from leadline.registry.study import Study
from registry.world import World


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World, Study]:
    """A published study of a log that holds another one, as a folder."""
    world = World(tmp_path_factory.mktemp("bundle"))
    world.register(world.protocol(title="Another study"))
    study = world.honest_study()
    study.publish()
    folder = world.folder / "out"
    export_study(world.registry, study.id, folder)
    return folder, world, study


@pytest.fixture
def copy(exported: tuple[Path, World, Study], tmp_path: Path) -> Path:
    """The folder, to be tampered with."""
    return Path(shutil.copytree(exported[0], tmp_path / "copy"))


def failing(folder: Path, world: World, *, recompute: bool = True) -> list[str]:
    """Names of the steps that do not hold."""
    return [
        step.name
        for step in verify_bundle(folder, world.registry.home.log, recompute=recompute)
        if not step.ok
    ]


def test_an_honest_folder_holds_with_its_report_computed_again(exported: tuple[Path, World, Study]) -> None:
    """Every step holds, and the report comes out byte for byte."""
    folder, world, study = exported
    assert is_bundle(folder)
    steps = list(verify_bundle(folder, world.registry.home.log))
    assert [step for step in steps if not step.ok] == []
    assert (steps[-1].name, steps[-1].detail) == ("recomputed report", "byte for byte the same")
    assert study.id in steps[0].detail
    assert sum(step.name.startswith("log ") for step in steps) == 3


def test_a_flip_in_any_file_is_noticed(copy: Path, exported: tuple[Path, World, Study]) -> None:
    """No file of the folder can change without a step failing (the key file aside, which the reader replaces)."""
    world = exported[1]
    for path in sorted(path for path in copy.rglob("*") if path.is_file() and path.name != "log.vkey"):
        honest = path.read_bytes()
        for at in (0, len(honest) // 2, len(honest) - 2):
            forged = bytearray(honest)
            forged[at] ^= 1
            path.write_bytes(forged)
            if path.name == "protocol.yaml" and forged[at : at + 1] in (b"\n", b" "):
                continue  # white space is not part of the promise
            assert failing(copy, world, recompute=False), f"byte {at} of {path.relative_to(copy)}"
        path.write_bytes(honest)
    assert failing(copy, world) == []


def test_a_missing_file_is_noticed(copy: Path, exported: tuple[Path, World, Study]) -> None:
    """Logs, reports, proofs and statements must all be there; the YAML spelling of the protocol may be left out."""
    world = exported[1]
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        if path.name in ("log.vkey", "protocol.yaml"):
            continue
        if path.parent.name == "statements" and path.name.endswith(".dsse.json"):
            said = path.name.split(".")[0]
            if int(said) == max(int(one.name.split(".")[0]) for one in path.parent.glob("*.dsse.json")):
                continue  # leaving out the report statement makes the report a stray file: tested below
        aside = copy.parent / "aside"
        path.rename(aside)
        assert failing(copy, world), str(path.relative_to(copy))
        aside.rename(path)


def test_leaving_out_the_report_statement_leaves_a_stray_report(
    copy: Path, exported: tuple[Path, World, Study]
) -> None:
    """A report that no statement names is not taken for the study's."""
    newest = max(int(path.name.split(".")[0]) for path in (copy / "statements").glob("*.dsse.json"))
    (copy / "statements" / f"{newest}.dsse.json").unlink()
    assert failing(copy, exported[1]) == ["nothing else"]


def test_a_log_that_no_statement_names_is_pointed_out(
    copy: Path, exported: tuple[Path, World, Study]
) -> None:
    """A file slipped into the folder is named."""
    shutil.copy(next((copy / "logs").rglob("*.eval")), copy / "logs" / "better.eval")
    [step] = [one for one in verify_bundle(copy, exported[1].registry.home.log) if not one.ok]
    assert step.name == "nothing else"
    assert "better.eval" in step.detail


def test_another_logs_key_proves_nothing(exported: tuple[Path, World, Study]) -> None:
    """With the wrong public key the statements fail, and no later step runs."""
    folder, world, _ = exported
    other = SigningKey.generate(world.registry.home.origin, "log").public
    steps = list(verify_bundle(folder, other))
    assert [(step.name, step.ok) for step in steps] == [("statements", False)]


def test_statements_of_another_study_do_not_belong(
    copy: Path, exported: tuple[Path, World, Study], tmp_path: Path
) -> None:
    """A folder is about one study: a second freeze in it is refused."""
    _, world, study = exported
    other = next(one for one in world.registry.studies() if one.id != study.id)
    export_study(world.registry, other.id, tmp_path / "other")
    for path in (tmp_path / "other" / "statements").iterdir():
        shutil.copy(path, copy / "statements" / path.name)
    [step] = verify_bundle(copy, world.registry.home.log)
    assert not step.ok
    assert "one freeze, not 2" in step.detail


def test_a_statement_under_another_index_is_refused(copy: Path, exported: tuple[Path, World, Study]) -> None:
    """The order of statements is what the log proves, not what files are called."""
    _, world, study = exported
    newest = study.reports[-1].ix
    for suffix in (".dsse.json", ".tlog-proof"):
        (copy / "statements" / f"{newest}{suffix}").rename(copy / "statements" / f"9999{suffix}")
    [step] = verify_bundle(copy, world.registry.home.log)
    assert not step.ok
    assert f"the proof is of entry {newest}" in step.detail


def _rotated(world: World, study: Study) -> None:
    world.registry.rotate_key(SigningKey.generate("example.org/ada-2"))
    world.attempt(study, name="second")


def _amended(world: World, study: Study) -> None:
    plan = study.protocol.model_dump(mode="json")
    plan["hypotheses"][0]["smallest"] = 0.2
    world.registry.amend(study.id, type(study.protocol).model_validate(plan), reason="none", seen="looked")


def _abandoned(world: World, study: Study) -> None:
    study.abandon_attempt(study.open_attempt("second try").number, "power cut")
    study.open_attempt()


def _rival(world: World, study: Study) -> None:
    honest = next(world.folder.rglob("*-plain.eval"))
    same = read_logs(honest, tier="header").headers[0].eval_id
    study.attach(world.write_arm(study, None, "plain", honest.with_name("rival.eval"), eval_id=same))


def _unattached(world: World, study: Study) -> None:
    study.close_attempt(study.open_attempt().number, [], "failed", "nothing came")


@pytest.mark.parametrize("happen", [_rotated, _amended, _abandoned, _rival, _unattached])
def test_whatever_the_record_says_the_report_comes_out_again(
    happen: Callable[[World, Study], None], tmp_path: Path
) -> None:
    """Before the report or after it: rotated keys, amendments, lost attempts, rival files."""
    world = World(tmp_path / "world")
    study = world.honest_study()
    happen(world, study)
    study.publish()
    for folder in ("before", "after"):
        export_study(world.registry, study.id, tmp_path / folder)
        assert failing(tmp_path / folder, world) == []
        assert [step for step in verify_study(world.registry, study.id) if not step.ok] == []
        if folder == "before":
            happen_again = _abandoned if happen is not _abandoned else _unattached
            happen_again(world, study)
            study.attach(world.write_arm(study, None, "hint", world.folder / "late.eval"))
            world.registry.withdraw(study.id, "enough")


def test_a_study_without_a_report_or_a_log_verifies(tmp_path: Path) -> None:
    """A fresh registration is a folder that holds, too."""
    world = World(tmp_path / "world")
    study = world.register()
    export_study(world.registry, study.id, tmp_path / "out")
    assert failing(tmp_path / "out", world) == []
    with pytest.raises(Explained, match="no logs"):
        study.publish()
