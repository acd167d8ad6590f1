"""A reveal that comes while a batch is made."""

import pytest

from leadline.errors import StateError
from leadline.ledger.canon import sha256_hex
from leadline.ledger.fields import OpenedKeys, Opening
from leadline.ledger.predicates import Reveal
from leadline.ledger.sealing.opening import whole_body
from leadline.ledger.statements import make_signed
from leadline.registry.intake import submit
from leadline.registry.intake.wanted import Offered
from leadline.registry.sealing import SealedWork
from leadline.store.projections.seals import seal as find_seal
from registry.sealing.lab import SealedLab


def whole(lab: SealedLab, work: SealedWork) -> tuple[bytes, list[bytes]]:
    """A signed reveal of a study that no batch has had a slot of yet, and the bytes it names."""
    content = work.secrets.content
    salts = {name: salt for name, salt in content.salts.items() if name not in ("freeze", "keys")}
    body = whole_body(content.freeze, salts, {})
    said = Reveal(
        study=work.id,
        scope="whole",
        body=sha256_hex(body),
        freeze=Opening(salt=content.salts["freeze"].hex(), sha256=sha256_hex(content.freeze)),
        keys=OpenedKeys(salt=content.salts["keys"].hex(), keys=content.keys),
        protocol=sha256_hex(content.protocol),
        created=lab.registry.time(),
    )
    return make_signed("reveal", said, lab.registry.author()), [body, content.protocol]


def test_a_reveal_that_a_batch_overtakes_is_refused(lab: SealedLab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole reveal opens every slot. One that lacks the newest would stand in the log, open nothing, and be the last."""
    work = lab.seal()
    envelope, bodies = whole(lab, work)
    keep = Offered.keep

    def overtaken(offered: Offered, keyid: str, digest: str) -> None:
        monkeypatch.setattr(Offered, "keep", keep)
        lab.next_week()
        keep(offered, keyid, digest)

    monkeypatch.setattr(Offered, "keep", overtaken)
    with pytest.raises(StateError, match="changed"):
        submit(lab.registry, [envelope], bodies)
    row = find_seal(lab.registry.store, work.id)
    assert row is not None
    assert row.state == "sealed"
    assert work.reveal().left_out == ()
