"""Opening a seal: whole, with everything that was said under it, or some fields alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.errors import InputError, LeadlineError, NotFoundError, StateError
from leadline.ledger.canon import canonical, parse_strict, sha256_hex
from leadline.ledger.dsse import decode
from leadline.ledger.fields import OpenedKeys, Opening
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.predicates import Key, Report, Reveal
from leadline.ledger.sealing.body import Content
from leadline.ledger.sealing.fields import FIELDS, VERDICT, field_contents
from leadline.ledger.sealing.opening import verdict_opening, whole_body
from leadline.ledger.sealing.slots import NO_VERDICT, SlotOpening, batch_slots, open_slot, records
from leadline.ledger.statements import make_signed, parse
from leadline.ledger.tlog.tree import leaf_hash
from leadline.registry.publication import statement_of
from leadline.registry.sealing.brought import Brought
from leadline.registry.sealing.door import check_reveal
from leadline.registry.sealing.entering import said_in, until_report
from leadline.registry.sealing.office import office_of
from leadline.registry.sealing.writing import installation_key
from leadline.store import Appended
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seals import batches, slots
from leadline.store.projections.seals import seal as find_seal

if TYPE_CHECKING:
    from leadline.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a reveal did: its receipt, the later statements that entered with it, and (leaf, why) of those left out."""

    receipt: Appended
    entered: tuple[Appended, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def reveal(
    registry: "Registry",
    study: str,
    content: Content,
    *,
    known: Mapping[int, SlotOpening] | None = None,
    later: Sequence[bytes] = (),
    files: Mapping[str, Path] | None = None,
    identity: str | None = None,
) -> Revealed:
    """Reveal a study as a whole, and enter what it said under seal as ordinary statements, byte for byte.

    `known` are the slots' openings that the author kept; others are opened with `identity` (the author's age identity,
    or the release identity that trustees have put together) or shown to be silent. `later` are statements that no
    batch committed to. `files` are logs and reports by digest: a statement whose files are not here is opened but not
    entered; enter it afterwards with `enter`. Signed by the registry's author key, else by the installation.

    Raises StateError when the study is not sealed, or a slot cannot be opened; StatementError when what is revealed
    is not what was sealed.
    """
    office = office_of(registry)
    silent = office.own(study, deposit_key(content)).silent
    openings = slot_openings(registry, study, known or {}, identity, silent=silent)
    pieces = [(batch, one.piece) for batch, one in sorted(openings.items())]
    statements = list(dict.fromkeys([*(said for _, said in records(pieces)), *later]))
    author = _author_of(content)
    said, named = _whole(registry, study, content, openings)
    check_reveal(registry.store, Brought(named, registry.store), said, key=author)
    for data in named:
        registry.store.put_blob(data)
    envelope = make_signed("reveal", said, registry.key or installation_key(registry))
    introduction = None if find_key(registry.store, author.fingerprint) is not None else content.introduction
    before = until_report(statements)
    missing = _store_files(registry, before, files or {})
    receipt, first = office.reveal(introduction, envelope, before, missing, openings)
    rest, refused = enter(registry, study, statements[len(before) :], files or {})
    left = {**first.left, **refused}
    return Revealed(receipt, (*first.receipts, *rest), tuple(left.items()))


def enter(
    registry: "Registry", study: str, statements: Sequence[bytes], files: Mapping[str, Path]
) -> tuple[list[Appended], dict[str, str]]:
    """Enter statements made under seal, in order, after the reveal; nothing happens for those in the log already.

    A report enters only if the analysis, computed again from what the log now holds, gives these very bytes: nobody
    types a verdict. Returns the receipts, and (leaf hash in hex -> why) of what is left out.
    """
    office = office_of(registry)
    entered: list[Appended] = []
    left: dict[str, str] = {}
    with registry.store.snapshot() as view:
        queue = [one for one in statements if view.index_of(leaf_hash(one)) is None]
    while queue:
        part = until_report(queue) or queue[:1]
        queue = queue[len(part) :]
        said = said_in(part[0])
        reason = None
        if isinstance(said, Report) and not office.recomputes:
            reason = _recomputed(registry, study, said)
        missing = {part[0]: reason} if reason is not None else {}
        if not isinstance(said, Report):
            missing = _store_files(registry, part, files)
        done = office.enter(part, missing)
        entered += done.receipts
        left |= done.left
    return entered, left


def reveal_fields(
    registry: "Registry", study: str, content: Content, names: Sequence[str], known: Mapping[int, SlotOpening]
) -> Revealed:
    """Open some fields of a sealed study and nothing else; ``verdict`` is what its newest sealed report concluded.

    Signed by whoever sealed it. Raises InputError for a name that is no field, NotFoundError when there is no
    verdict in a batch yet, StateError when the study is not sealed.
    """
    row = find_seal(registry.store, study)
    characteristics = None if content.characteristics is None else sha256_hex(content.characteristics)
    contents = field_contents(content.protocol, characteristics)
    values: dict[str, Any] = {}
    salts: dict[str, str] = {}
    for name in names:
        if name == VERDICT:
            batch, slot = _verdict_slot(study, known)
            values[name], salts[name] = verdict_opening(batch, slot), slot.verdict_salt.hex()
        elif name in contents:
            values[name], salts[name] = parse_strict(contents[name]), content.salts[name].hex()
        else:
            raise InputError(
                f"{name[:80]!r} is no field of a sealed study",
                remedy=f"the fields are {', '.join((*FIELDS, VERDICT))}",
            )
    body = canonical(values)
    said = Reveal(study=study, scope="fields", body=sha256_hex(body), salts=salts, created=registry.time())
    check_reveal(registry.store, Brought([body], registry.store), said)
    hazard = row is not None and row.tier == "hazard"
    own = deposit_key(content)
    return Revealed(office_of(registry).open_fields(said, body, own, hazard=hazard))


def slot_openings(
    registry: "Registry",
    study: str,
    known: Mapping[int, SlotOpening],
    identity: str | None,
    *,
    silent: Mapping[int, SlotOpening],
) -> dict[int, SlotOpening]:
    """What opens each slot the study ever had; StateError names the first that nothing opens.

    `known` are those the author kept, `silent` those in which nothing was said; others are opened with `identity`.
    """
    bodies = {one.ix: one.body for one in batches(registry.store)}
    found: dict[int, SlotOpening] = {}
    for batch, commitment in slots(registry.store, study):
        opening = known.get(batch) or silent.get(batch)
        if opening is None and identity is not None:
            inside = dict(batch_slots(registry.store.blob(bodies[batch])))
            opening = open_slot(inside[study], identity)
        if opening is None or opening.commitment != commitment:
            raise StateError(
                f"nothing here opens the slot of batch {batch}, and a whole reveal opens every slot",
                where=study,
                remedy="use the newest file of the sealed study, or give its age identity",
            )
        found[batch] = opening
    return found


def deposit_key(content: Content) -> SigningKey:
    """The key that signs a study's slots: made for this seal alone, so that it points to nobody."""
    return SigningKey("deposit", "author", content.deposit)


def _verdict_slot(study: str, known: Mapping[int, SlotOpening]) -> tuple[int, SlotOpening]:
    for batch, slot in sorted(known.items(), reverse=True):
        if slot.verdict != NO_VERDICT:
            return batch, slot
    raise NotFoundError(
        "no batch has committed to a verdict of this study yet",
        where=study,
        remedy="report it with `leadline sealed report`, and open it when the week's batch is in the log: a server makes it "
        "by itself, a registry of your own with `leadline sealed flush`",
    )


def _whole(
    registry: "Registry", study: str, content: Content, openings: Mapping[int, SlotOpening]
) -> tuple[Reveal, list[bytes]]:
    """The statement of a whole reveal, and the bytes it names."""
    salts = {name: salt for name, salt in content.salts.items() if name not in ("freeze", "keys")}
    characteristics = content.characteristics
    body = whole_body(content.freeze, salts, openings)
    named = [body, content.protocol] + ([] if characteristics is None else [characteristics])
    said = Reveal(
        study=study,
        scope="whole",
        body=sha256_hex(body),
        freeze=Opening(salt=content.salts["freeze"].hex(), sha256=sha256_hex(content.freeze)),
        keys=OpenedKeys(salt=content.salts["keys"].hex(), keys=content.keys),
        protocol=sha256_hex(content.protocol),
        characteristics=None if characteristics is None else sha256_hex(characteristics),
        created=registry.time(),
    )
    return said, named


def _author_of(content: Content) -> VerifyKey:
    said = parse(decode(content.introduction).payload).predicate
    if not isinstance(said, Key) or decode(content.freeze).keyid != VerifyKey.parse(said.public).fingerprint:
        raise StateError(
            "the content of the seal does not introduce its author", remedy="ask whoever sealed it"
        )
    return VerifyKey.parse(said.public)


def _recomputed(registry: "Registry", study: str, said: Report) -> str | None:
    """Keep the report that the analysis gives now, as under seal without what its authors registered besides; why it is not the stated one, or None when it is."""
    try:
        body = registry.study(study).analyze(alone=True).to_json()
    except LeadlineError as error:
        return f"the report cannot be computed here: {error.message}"
    expected = {"protocol": said.protocol, **statement_of(body, sha256_hex(body))}
    stated = said.model_dump(mode="json", include=set(expected))
    if {**stated, "logs": sorted(stated["logs"])} != expected:
        return "it is not what the analysis gives when it is computed here"
    registry.store.put_blob(body)
    return None


def _store_files(
    registry: "Registry", statements: Sequence[bytes], files: Mapping[str, Path]
) -> dict[bytes, str]:
    """Store every file the statements name; for those whose files cannot be had, why."""
    missing: dict[bytes, str] = {}
    for envelope in statements:
        for name, digest in said_in(envelope).blobs():
            if registry.store.has_blob(digest):
                continue
            path = files.get(digest)
            if path is None or not path.is_file():
                missing[envelope] = f"{name} ({digest[:16]}…) is not here"
                continue
            with path.open("rb") as source:
                stored = registry.store.put_blob(source)
            if stored != digest:
                missing[envelope] = f"{path} is not the file that was attached: it changed since"
    return missing
