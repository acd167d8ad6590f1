"""Decoys: hazard seals that the installation makes of its own, which nobody can open.

Every value in one that comes from content in a real seal is random: commitments are hashes of salted content, bodies
are encrypted, and a decoy's body is for readers that do not exist. It even has a key for slots, so that a wrong
signature over a slot is answered as for any other study; nobody has that key.
"""

import os
from datetime import date
from typing import TYPE_CHECKING

from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing.body import decoy_body
from leadline.ledger.sealing.fields import FIELDS
from leadline.ledger.sealing.periods import embargo_for, period_time
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.sealing.outbox import register_deposit
from leadline.registry.sealing.writing import installation_key

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


def make_decoy(registry: "Registry", begin: date) -> bytes:
    """The signed seal of a decoy of the week that begins on `begin`; its body is stored.

    Raises StateError where the installation's private keys are not at hand, MissingExtraError without the extra
    ``seal``.
    """
    said = {
        "action": "study",
        "tier": "hazard",
        "commitment": _random(),
        "keys": _random(),
        "fields": {name: _random() for name in FIELDS},
        "embargo": embargo_for(begin, None, "hazard").isoformat(),
        "created": period_time(begin),
        "body": registry.store.put_blob(decoy_body()),
    }
    envelope = make_signed("seal", said, installation_key(registry))
    nobody = SigningKey.generate("deposit").public.public
    register_deposit(registry, study_id(leaf_hash(envelope)), nobody)
    return envelope


def _random() -> str:
    return os.urandom(32).hex()
