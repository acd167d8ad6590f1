"""Backups that no engine owns: a folder with the record, the blobs and the shelf, checked when written and when read.

::

    manifest.json      what is here: format, origin, size of the log, digests of the lists
    log.vkey           the log's public key
    checkpoint         the newest signed checkpoint; `checkpoints.jsonl` has all of them
    tile/entries/...   every statement, in bundles (C2SP tlog-tiles)
    blobs/ab/cdef...   every blob, named by its digest; `blobs.jsonl` lists them and what was taken down
    shelf.jsonl        what stands beside the log: cosignatures, withholdings, outboxes, invitations

The shelf is private (it tells what is withheld), so a backup is as private as the registry; its files are made
readable by their owner alone. Private keys are never in it. Restoring signs nothing: entries go back in under the
checkpoints that were signed for them, into either engine.
"""

from leadline.registry.backup.checking import check_backup, is_backup, read_manifest
from leadline.registry.backup.places import Manifest
from leadline.registry.backup.restoring import restore, restore_registry
from leadline.registry.backup.writing import back_up, copy_keys

__all__ = [
    "Manifest",
    "back_up",
    "check_backup",
    "copy_keys",
    "is_backup",
    "read_manifest",
    "restore",
    "restore_registry",
]
