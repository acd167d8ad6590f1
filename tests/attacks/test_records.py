"""Cheating with the record: truncating, replaying, forging and editing are all found out."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from leadline.errors import (
    Explained,
    IntegrityError,
    NotFoundError,
    ProofError,
    SecurityError,
    SignatureError,
)
from leadline.ledger.certificate import verify_certificate
from leadline.ledger.keys import SigningKey
from leadline.registry.recheck import studies_of_log, verify_certificate_file, verify_study
from leadline.registry.registry import Registry
from registry.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A registry and a lab in a folder."""
    return World(tmp_path / "world")


def problems(registry: Registry) -> list[str]:
    """Codes of everything fsck finds."""
    return [problem.code for problem in registry.fsck()]


def test_an_honest_record_has_no_problem(world: World) -> None:
    """fsck and verify find nothing wrong with an honest study."""
    study = world.honest_study()
    study.publish()
    assert problems(world.registry) == []
    assert all(step.ok for step in verify_study(world.registry, study.id))


def test_dropping_the_last_entries_is_noticed(world: World) -> None:
    """A truncated log contradicts the checkpoint that was remembered: nothing more is signed."""
    study = world.honest_study()
    path = world.folder / "registry.db"
    world.registry.close()
    db = sqlite3.connect(path)
    db.execute("delete from entry where ix >= (select max(ix) - 1 from entry)")
    db.commit()
    db.close()
    with pytest.raises(Explained):
        registry = Registry.open(path, key=world.key, clock=world.clock)
        assert problems(registry)
        registry.study(study.id).open_attempt()


def test_a_restored_backup_signs_nothing(world: World) -> None:
    """An old copy of the database put back in place is refused as soon as something would be added."""
    study = world.register()
    path = world.folder / "registry.db"
    world.registry.close()
    backup = world.folder / "backup.db"
    shutil.copy(path, backup)
    world.registry = Registry.open(path, key=world.key, clock=world.clock)
    world.registry.study(study.id).open_attempt()
    world.registry.close()
    shutil.copy(backup, path)
    for leftover in world.folder.glob("registry.db-*"):
        leftover.unlink()
    with pytest.raises(IntegrityError):
        Registry.open(path, key=world.key, clock=world.clock).study(study.id).open_attempt()


def test_a_ledger_rebuilt_with_a_new_plan_does_not_bear_the_old_certificate(
    world: World, tmp_path: Path
) -> None:
    """Deleting the ledger and registering another plan gives another log: the old certificate fails there."""
    study = world.register()
    certificate = tmp_path / "study.tlog-proof"
    certificate.write_bytes(study.certificate)
    other = World(tmp_path / "other")
    other.register(other.protocol(title="A plan made to fit"))
    with pytest.raises(SecurityError):
        verify_certificate_file(certificate, other.registry.home.log.vkey)
    with pytest.raises(NotFoundError):
        other.registry.study(study.id)


def test_the_certificate_verifies_offline_with_the_logs_key_alone(world: World, tmp_path: Path) -> None:
    """The file and the public key prove the freeze; the author's key proves the author."""
    study = world.register()
    certificate = tmp_path / "study.tlog-proof"
    certificate.write_bytes(study.certificate)
    found = verify_certificate_file(certificate, world.registry.home.log.vkey, author=world.key.public.vkey)
    assert (found.study, found.protocol_digest, found.author_verified) == (
        study.id,
        study.protocol.digest,
        True,
    )
    assert "single-operator timestamp" in found.warnings


def test_any_flipped_bit_of_a_certificate_is_refused(world: World) -> None:
    """No single bit of the file can change without the verification failing."""
    study = world.register()
    honest = study.certificate
    assert verify_certificate(honest, None, [world.registry.home.log]).index == study.index
    for position in range(len(honest)):
        for bit in range(8):
            forged = bytearray(honest)
            forged[position] ^= 1 << bit
            with pytest.raises(SecurityError):
                verify_certificate(bytes(forged), None, [world.registry.home.log])


def test_the_certificate_of_another_study_proves_that_study_only(world: World, tmp_path: Path) -> None:
    """Showing somebody else's certificate shows somebody else's study."""
    study = world.register()
    other = world.register(world.protocol(title="Another study"))
    path = tmp_path / "other.tlog-proof"
    path.write_bytes(other.certificate)
    found = verify_certificate_file(path, world.registry.home.log.vkey)
    assert found.study == other.id != study.id


def test_a_protocol_edited_after_the_freeze_does_not_match_the_certificate(
    world: World, tmp_path: Path
) -> None:
    """The certificate names the frozen digest; an edited file has another."""
    study = world.register()
    path = tmp_path / "study.tlog-proof"
    path.write_bytes(study.certificate)
    edited = tmp_path / "protocol.json"
    edited.write_bytes(study.protocol.canonical_bytes().replace(b'"smallest":0.15', b'"smallest":0.05'))
    with pytest.raises(IntegrityError, match="digest"):
        verify_certificate_file(path, world.registry.home.log.vkey, protocol=edited)


def test_a_statement_signed_with_a_revoked_key_is_refused(world: World) -> None:
    """Log order decides: after the revocation the key signs nothing, whatever date it writes."""
    study = world.register()
    world.registry.revoke_key("stolen")
    with pytest.raises(SignatureError, match="revoked"):
        study.open_attempt()


def test_a_rotated_key_goes_on_with_the_study(world: World) -> None:
    """The successor inherits the rights of the key it replaces."""
    study = world.register()
    world.registry.rotate_key(SigningKey.generate("example.org/ada-2"))
    assert world.registry.study(study.id).open_attempt().number == 1


def test_an_edited_copy_of_an_attached_log_is_recognised_as_another_file(world: World) -> None:
    """Editing samples after attaching gives a file no study knows; the attached bytes are unchanged."""
    study = world.register()
    paths = world.attempt(study)
    assert studies_of_log(world.registry, paths[0]) == [(study.id, 1)]
    data = bytearray(paths[0].read_bytes())
    data[len(data) // 2] ^= 1
    paths[0].write_bytes(data)
    with pytest.raises(NotFoundError, match="no study has a log"):
        studies_of_log(world.registry, paths[0])
    assert all(step.ok for step in verify_study(world.registry, study.id))


def test_an_edited_stored_log_is_named(world: World) -> None:
    """Changing the stored bytes of a log makes verification name that log."""
    study = world.honest_study()
    db = sqlite3.connect(world.folder / "registry.db")
    row = study.attachments[0]
    folder = next(world.folder.glob("registry.db*blobs"), None)
    target = None if folder is None else next(folder.rglob(row.sha256[2:]), None)
    if target is not None:
        target.chmod(0o600)
        data = bytearray(target.read_bytes())
        data[-1] ^= 1
        target.write_bytes(data)
    else:
        key, content = [name for _, name, *_ in db.execute("pragma table_info(blob)")][:2]
        (data,) = db.execute(
            f"select {content} from blob where {key} = ?", (bytes.fromhex(row.sha256),)
        ).fetchone()
        db.execute(
            f"update blob set {content} = ? where {key} = ?",
            (data[:-1] + bytes([data[-1] ^ 1]), bytes.fromhex(row.sha256)),
        )
        db.commit()
    db.close()
    bad = [step for step in verify_study(world.registry, study.id) if not step.ok]
    assert any(row.name in step.name for step in bad)


def test_a_forged_checkpoint_is_refused(world: World) -> None:
    """Re-signing the tree with another key does not convince anybody who has the log's public key."""
    study = world.register()
    certificate = study.certificate
    other = SigningKey.generate(world.registry.home.origin, "log")
    forged = world.folder / "forged.tlog-proof"
    forged.write_bytes(certificate)
    with pytest.raises((SignatureError, ProofError)):
        verify_certificate_file(forged, other.public.vkey)
