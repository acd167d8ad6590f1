"""Key files: private, whole, and never overwritten."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import KeyFileError, NotFoundError, StateError, StoreError
from leadline.ledger import keyfile
from ledger.record import ALICE, LOG, SERVICE


@pytest.mark.parametrize("which", [ALICE, LOG, SERVICE], ids=lambda key: key.role)
def test_keys_come_back_from_their_files(tmp_path: Path, which: keyfile.SigningKey) -> None:
    """A saved key is loaded again, and its file is mode 0600 even under a generous umask."""
    old = os.umask(0)
    try:
        keyfile.save(which, tmp_path / "key")
    finally:
        os.umask(old)
    assert keyfile.load(tmp_path / "key") == which
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    """Saving over any file is refused and leaves it alone."""
    path = tmp_path / "key"
    path.write_text("precious")
    with pytest.raises(StateError, match="never overwritten"):
        keyfile.save(ALICE, path)
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_files_that_others_can_access_are_refused(tmp_path: Path, mode: int) -> None:
    """Any group or world permission is refused, and the remedy is the command that mends it."""
    path = tmp_path / "key"
    keyfile.save(ALICE, path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="accessed by others") as caught:
        keyfile.load(path)
    assert caught.value.remedy() == f"chmod 600 {path}"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    """No file is NotFoundError; a folder or a pipe is no key file, and a pipe does not hang."""
    with pytest.raises(NotFoundError):
        keyfile.load(tmp_path / "none")
    with pytest.raises(KeyFileError):
        keyfile.load(tmp_path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="not a regular file"):
        keyfile.load(tmp_path / "pipe")


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """Saving into no folder is a StoreError that names the path."""
    with pytest.raises(StoreError, match="none"):
        keyfile.save(ALICE, tmp_path / "none" / "key")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk refuses to keep the bytes, no file remains and the error says so."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="no key was saved"):
        keyfile.save(ALICE, tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_bit_of_a_key_file_is_refused() -> None:
    """No bit of a key file can change unnoticed."""
    data = keyfile.format_key(ALICE)
    for at in range(len(data) * 8):
        bad = bytearray(data)
        bad[at // 8] ^= 1 << at % 8
        with pytest.raises(KeyFileError):
            keyfile.parse_key(bytes(bad))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_key_file(data: bytes) -> None:
    """Whatever is in the file, the error is KeyFileError."""
    with pytest.raises(KeyFileError):
        keyfile.parse_key(data)
    with pytest.raises(KeyFileError):
        keyfile.parse_key(keyfile.HEADER.encode() + b"\n" + data)


def test_a_long_file_is_not_read_whole(tmp_path: Path) -> None:
    """A file of the wrong kind is refused by its length."""
    path = tmp_path / "key"
    path.write_bytes(bytes(10_000))
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="too long"):
        keyfile.load(path)
