"""Holding a sealed study back from its release: asked for with the study's own key, shown nowhere."""

from typing import TYPE_CHECKING, Final

from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing.body import Content
from leadline.registry.sealing.outbox import check_own
from leadline.registry.sealing.spaces import HELD

if TYPE_CHECKING:
    from leadline.registry.registry import Registry

_HOLD: Final = b"leadline.dev/seal-hold/v1\x00"


def hold_message(study: str) -> bytes:
    """What a study's own key signs to say that it is not to be released by itself."""
    return _HOLD + study.encode()


def sign_hold(content: Content, study: str) -> bytes:
    """The signature that `hold` asks for."""
    return SigningKey("deposit", "author", content.deposit).sign(hold_message(study))


def hold(registry: "Registry", study: str, signature: bytes) -> None:
    """Leave a sealed study out of the release at its embargo's end; publishes nothing, and nothing shows it.

    Raises SignatureError unless the key made for this seal signed `hold_message`.
    """
    check_own(registry, study, hold_message(study), signature)
    registry.store.shelf.put(HELD, study, signature)
