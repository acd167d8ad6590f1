"""Sealed studies: promised in public, shown to nobody until they are revealed.

``sealing`` makes a seal · ``work`` is what an author does while it lasts · ``office`` the registry as the author meets
it, here or ``elsewhere`` · ``outbox`` keeps the hidden statements, ``waiting`` the seals, and ``flushing`` is the week's
round for both · ``revealing`` opens it · ``release`` trustees and the embargo date · ``door`` what is refused ·
``secrets`` and ``private`` the author's files.
"""

from leadline.registry.sealing.door import check_reveal, check_seal
from leadline.registry.sealing.flushing import Flushed, flush
from leadline.registry.sealing.outbox import deposit
from leadline.registry.sealing.private import load_identity, make_identity
from leadline.registry.sealing.release import Released, combine, make_share, releasable, release_due
from leadline.registry.sealing.revealing import Revealed, reveal, reveal_fields
from leadline.registry.sealing.sealing import Prepared, prepare, seal
from leadline.registry.sealing.secrets import SealSecrets
from leadline.registry.sealing.waiting import enqueue
from leadline.registry.sealing.work import SealedWork

__all__ = [
    "Flushed", "Prepared", "Released", "Revealed", "SealSecrets", "SealedWork", "check_reveal",
    "check_seal", "combine", "deposit", "enqueue", "flush", "load_identity", "make_identity", "make_share", "prepare",
    "releasable", "release_due", "reveal", "reveal_fields", "seal",
]  # fmt: skip
