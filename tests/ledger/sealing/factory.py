"""Contents of seals for tests: any protocol bytes, a fixed author, fresh age identities."""

from typing import Any

from leadline.ledger.canon import canonical, sha256_hex
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.body import Content, Trustees, new_salts
from leadline.ledger.statements import make_signed

AUTHOR = SigningKey("ada.example", "author", bytes(range(32)))
TIME = "2026-11-18T10:11:12Z"


def introduction(key: SigningKey = AUTHOR) -> bytes:
    """The key's announcement of itself."""
    holder = {"name": "Ada", "kind": "human"}
    said = {"action": "register", "role": "author", "public": key.public.vkey, "holder": holder, "time": TIME}
    return make_signed("key", said, key)


def content(
    document: dict[str, Any] | None = None,
    *,
    title: str = "T",
    authors: tuple[str, ...] = ("Ada",),
    reader: str | None = None,
    release: str | None = None,
    trustees: Trustees | None = None,
    characteristics: bytes | None = None,
) -> Content:
    """A content whose protocol is `document`."""
    protocol = canonical({"leadline": 1, "title": title, **(document or {})})
    said: dict[str, Any] = {
        "title": title,
        "protocol": sha256_hex(protocol),
        "authors": list(authors),
        "created": TIME,
    }
    if characteristics is not None:
        said["characteristics"] = sha256_hex(characteristics)
    return Content(
        freeze=make_signed("freeze", said, AUTHOR),
        introduction=introduction(),
        protocol=protocol,
        characteristics=characteristics,
        keys=(AUTHOR.fingerprint,),
        salts=new_salts(),
        deposit=bytes(32),
        author=reader or age.recipient_of(age.generate()),
        release=release or age.recipient_of(age.generate()),
        trustees=trustees or Trustees(),
    )
