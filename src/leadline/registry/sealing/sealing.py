"""Making a seal: at the author, who keeps every secret; then into the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.ledger.canon import sha256_hex
from leadline.ledger.ids import study_id
from leadline.ledger.keys import SigningKey
from leadline.ledger.sealing import age
from leadline.ledger.sealing.body import Content, Trustees, new_salts, seal_body
from leadline.ledger.sealing.periods import embargo_for, period_of, period_time
from leadline.ledger.statements import make_signed
from leadline.ledger.tlog.tree import leaf_hash
from leadline.protocol.model import Protocol
from leadline.registry.freezing import frozen_fields
from leadline.registry.sealing.office import WAITING, Submitted, office_of
from leadline.registry.sealing.revealing import deposit_key
from leadline.registry.sealing.secrets import SUFFIX, SealSecrets, folder
from leadline.registry.sealing.work import SealedWork
from leadline.registry.sealing.writing import introduction as introduce
from leadline.store.projections.seals import Tier

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Prepared:
    """A seal before it is signed: `said` is the statement, `body` the bytes it names, `content` the secrets."""

    said: Mapping[str, Any]
    body: bytes
    content: Content

    @property
    def deposit_public(self) -> bytes:
        """The public key that the study's slots will be signed with; the log never shows it."""
        return deposit_key(self.content).public.public


def prepare(
    protocol: Protocol,
    key: SigningKey,
    reader: str,
    *,
    now: str,
    today: date,
    tier: Tier = "ordinary",
    trustees: Trustees | None = None,
    release: date | None = None,
    characteristics: bytes | None = None,
) -> Prepared:
    """Freeze and encrypt a protocol, without any registry.

    `key` signs the freeze inside; `reader` is the author's age recipient; `now` the time the freeze claims, `today`
    the day by which everything public is dated. `release` is the day the author wants it open: the embargo is the
    end of a quarter not before it, for the hazard tier always the same distance ahead. Raises InputError for content
    beyond the cap, ProtocolError when the plan does not execute, MissingExtraError without the extra ``seal``.
    """
    from leadline.verdict.simulation import execute

    execute(protocol)
    begin = period_of(today)
    digest = None if characteristics is None else sha256_hex(characteristics)
    said = {**frozen_fields(protocol), "characteristics": digest, "created": now}
    first = protocol.authors[0]
    secret = age.generate()
    content = Content(
        freeze=make_signed("freeze", said, key),
        introduction=introduce(key, first.name, first.kind, period_time(begin)),
        protocol=protocol.canonical_bytes(),
        characteristics=characteristics,
        keys=(key.fingerprint,),
        salts=new_salts(),
        deposit=SigningKey.generate("deposit").seed,
        author=age.check_recipient(reader),
        release=age.recipient_of(secret),
        trustees=trustees or Trustees(),
    )
    made = content.commitments()
    public = {
        "action": "study",
        "tier": tier,
        "commitment": made.freeze,
        "keys": made.keys,
        "fields": made.fields,
        "embargo": embargo_for(begin, release, tier).isoformat(),
        "created": period_time(begin),
    }
    body = seal_body(content, age.secret_of(secret))
    return Prepared({**public, "body": sha256_hex(body)}, body, content)


def seal(
    registry: "Registry",
    protocol: Protocol,
    reader: str,
    *,
    tier: Tier = "ordinary",
    trustees: Sequence[str] = (),
    quorum: int = 1,
    release: date | None = None,
    characteristics: bytes | None = None,
    place: Path | None = None,
    wait: bool = False,
) -> SealedWork:
    """Seal a protocol, and keep its secrets in `place` (default: ``seals`` in $LEADLINE_HOME) as ``<id>.seal``.

    The secrets are on disk before the registry learns of the seal. Ordinary seals are signed by the author's key,
    hazard seals by the installation's. A seal enters the log at once in an embedded registry, unless it is to `wait`;
    at an address it always waits for the week's round, and work under it may begin meanwhile. Arguments and errors
    as `prepare`, and those of `Registry.append`.
    """
    key = registry.author()
    today = registry.clock().date()
    made = prepare(
        protocol,
        key,
        reader,
        now=registry.time(),
        today=today,
        tier=tier,
        trustees=Trustees(tuple(trustees), quorum),
        release=release,
        characteristics=characteristics,
    )
    office = office_of(registry)
    own = tier == "ordinary"
    envelope = make_signed("seal", made.said, key) if own else office.sign_hazard(made.said, key)
    study = study_id(leaf_hash(envelope))
    secrets = SealSecrets(
        study, WAITING, leaf_hash(envelope), made.content, (place or folder()) / f"{study}{SUFFIX}"
    )
    secrets.save(new=True)
    introduction = made.content.introduction if own else None
    seal = Submitted(study, envelope, made.body, made.deposit_public, introduction)
    secrets.index = office.take_seal(seal, wait=wait)
    secrets.save()
    return SealedWork(registry, secrets, key)
