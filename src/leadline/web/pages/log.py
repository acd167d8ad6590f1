"""The log for people: statements newest first, one entry with its proof, the keys that signed."""

import json
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import InputError, NotFoundError
from leadline.ledger.dsse import decode
from leadline.ledger.keys import VerifyKey
from leadline.ledger.predicates import Predicate
from leadline.ledger.statements import parse
from leadline.registry.cosigning import newest_checkpoint
from leadline.store.projections.authority import key as find_key
from leadline.store.projections.seals import SEAL
from leadline.store.projections.studies import study as find_study
from leadline.store.projections.studies import study_at
from leadline.store.protocol import ReadView
from leadline.web.answer import JSON, TEXT, Answer
from leadline.web.context import Site
from leadline.web.environment import render
from leadline.web.render import Asked
from leadline.web.views.proof import certificate, cosigners, said_of

_PAGE: Final = 50
_ROLES: Final = {
    "author": "An author's key: signs statements",
    "log": "The log's key: signs checkpoints, and nothing else",
    "service": "The registry's service key: signs automatic reports and closings, and nothing else",
    "witness": "A witness's key: cosigns checkpoints, and nothing else",
}
_STATES: Final = {
    "pending": "announced, not confirmed yet",
    "active": "active",
    "rotated": "replaced by a newer key",
    "revoked": "revoked: it signs nothing any more",
}


@dataclass(frozen=True, slots=True)
class EntryView:
    """A statement in a list."""

    index: int
    kind: str
    about: str
    href: str
    keyid: str
    holder: str
    created: str


def log_page(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/log``: entries below ``before``."""
    size = view.size()
    before = min(number(asked.query.get("before", str(size)), "before"), size)
    start = max(before - _PAGE, 0)
    entries = [_entry(view, start + i, data) for i, data in enumerate(view.entries(start, before))]
    checkpoint = newest_checkpoint(view, site.registry.store.shelf)
    return Answer.page(
        render(
            site,
            "site/log.html",
            title="The log",
            description="Every statement of this registry, in order, with proofs.",
            here="/log",
            canonical=f"{site.address}/log" if before == size else None,
            feeds=(),
            size=size,
            entries=list(reversed(entries)),
            older=str(start) if start else None,
            newer=str(min(before + _PAGE, size)) if before < size else None,
            checkpoint=checkpoint.decode("utf-8", "replace"),
            checkpoint_words=said_of(cosigners(site, checkpoint)),
            vkey=site.registry.home.log.vkey,
        )
    )


def entry_page(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/log/<index>``."""
    index = _index(view, asked)
    data = view.entry(index)
    envelope = decode(data)
    said = parse(envelope.payload)
    shown = _entry(view, index, data)
    return Answer.page(
        render(
            site,
            "site/entry.html",
            title=f"Entry {index}: {said.kind}",
            description=f"Statement {index} of the log.",
            here="",
            canonical=f"{site.address}/log/{index}",
            feeds=(),
            size=view.size(),
            index=index,
            kind=said.kind,
            key=find_key(view, envelope.keyid),
            keyid=envelope.keyid,
            created=shown.created,
            about=shown.about,
            href=shown.href,
            leaf=view.leaf_hash(index).hex(),
            subjects=said.predicate.subjects()[:50],
            payload=json.dumps(json.loads(envelope.payload), ensure_ascii=False, indent=2),
        )
    )


def entry_certificate(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The certificate of one entry."""
    index = _index(view, asked)
    return Answer(certificate(site, view, index), TEXT, filename=f"entry-{index}.tlog-proof")


def entry_statement(site: Site, view: ReadView, asked: Asked) -> Answer:  # noqa: ARG001
    """One entry, byte for byte."""
    index = _index(view, asked)
    return Answer(view.entry(index), JSON, filename=f"entry-{index}.dsse.json")


def key_page(site: Site, view: ReadView, asked: Asked) -> Answer:
    """The page at ``/key/<fingerprint>``."""
    found = find_key(view, asked.names["fingerprint"])
    if found is None:
        raise NotFoundError(
            "the log knows no such key", remedy="Keys are listed with the statements in the log."
        )
    return Answer.page(
        render(
            site,
            "site/key.html",
            title=f"Key of {found.holder}",
            description="A key that this log knows.",
            here="",
            canonical=f"{site.address}/key/{found.fingerprint}",
            feeds=(),
            size=view.size(),
            key=found,
            kind={"human": "A person", "llm": "An automated researcher"}.get(found.holder_kind, "A service"),
            name=VerifyKey.parse(found.vkey).name,
            state=_STATES[found.state],
            role=_ROLES[found.role],
        )
    )


def number(text: str, name: str) -> int:
    """A count from an address; InputError for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise InputError(f"{name} is not a number", remedy="Follow the links of the page.")
    return int(text)


def _index(view: ReadView, asked: Asked) -> int:
    index = number(asked.names["index"], "the entry")
    if index >= view.size():
        raise NotFoundError(
            f"the log has no entry {index} yet", remedy=f"It has {view.size()} entries, from 0."
        )
    return index


def _entry(view: ReadView, index: int, data: bytes) -> EntryView:
    envelope = decode(data)
    said = parse(envelope.payload)
    about, href = _about(view, index, said.predicate)
    key = find_key(view, envelope.keyid)
    created = str(getattr(said.predicate, "created", None) or getattr(said.predicate, "time", ""))
    holder = envelope.keyid[:16] if key is None else key.holder
    return EntryView(
        index, said.kind, about, href, envelope.keyid, holder, created.replace("T", " ").replace("Z", "")
    )


def _about(view: ReadView, index: int, said: Predicate) -> tuple[str, str]:
    """What a statement is about, in words, and the page of it; no page where there is none."""
    fields: dict[str, Any] = said.model_dump(include={"title", "study", "public", "studies", "target"})
    frozen = study_at(view, index)
    if frozen is not None:
        return frozen.title, f"/study/{frozen.id}"
    if said.kind == "seal":
        rows = view.select(SEAL, {"ix": index}, limit=1)
        return (
            ("a sealed study", f"/study/{rows[0]['id']!s}") if rows else ("what sealed studies say later", "")
        )
    if fields.get("study"):
        name = str(fields["study"])
        row = find_study(view, name)
        return (row.title if row else name), f"/study/{name}"
    if fields.get("public"):
        key = VerifyKey.parse(str(fields["public"]))
        return key.name, f"/key/{key.fingerprint}"
    if fields.get("studies"):
        many = len(fields["studies"])
        return f"{many} {'study' if many == 1 else 'studies'}", ""
    return str(fields.get("title") or fields.get("target") or ""), ""
