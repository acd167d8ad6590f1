"""The transparency log's tree, proofs, tiles, signed notes, checkpoints and proof files.

Everything here is pure: hashes come from a `HashReader`, bytes go in and out. Notes, checkpoints and
proof files are in the submodules `note`, `checkpoint` and `proof`.
"""

from leadline.ledger.tlog.frontier import Frontier
from leadline.ledger.tlog.prove import prove_consistency, prove_inclusion
from leadline.ledger.tlog.tree import (
    EMPTY_ROOT,
    HASH_SIZE,
    HashReader,
    leaf_hash,
    node_hash,
    root,
    stored_count,
    stored_hashes,
    stored_index,
    stored_position,
    tree_hash,
)
from leadline.ledger.tlog.verify import verify_consistency, verify_inclusion

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "Frontier",
    "HashReader",
    "leaf_hash",
    "node_hash",
    "prove_consistency",
    "prove_inclusion",
    "root",
    "stored_count",
    "stored_hashes",
    "stored_index",
    "stored_position",
    "tree_hash",
    "verify_consistency",
    "verify_inclusion",
]
