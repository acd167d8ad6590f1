"""Judgements: forecasts, reviews, critiques, trust and outcomes, each signed by whoever says it.

Critiques are ordered, never hidden: a question whose writer tried to answer it, or that says which answer would
move what, comes before one that does neither. Nobody's words are counted or rated. A forecast counts only when
it stands in the log before the study's outcome was known to anybody (`leadline.registry.scoring`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import InputError, NotFoundError, StateError
from leadline.ledger.predicates import Judgement
from leadline.registry.scoring import outcome_known_since
from leadline.registry.stub import require_unsealed
from leadline.store import ReadView
from leadline.store.projection import TableReader
from leadline.store.projections.judgements import (
    PARTS,
    JudgementRow,
    JudgementType,
    judgement_at,
    judgements,
)
from leadline.store.projections.studies import hypotheses
from leadline.store.projections.studies import study as find_study

if TYPE_CHECKING:
    from leadline.registry.registry import Registry, Said

#: What the writer of a question may ask in private before signing it (docs: the self-check). Never stored.
SELF_CHECK: Final = (
    "Do you care about the answer?",
    "Have you spent a few minutes trying to find it yourself?",
    "Would some answer change what you believe about the overall argument?",
    "Does the question ask more of the other side than the answer is worth?",
)

#: Bytes of a judgement's longer text.
MOST_BODY: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Judged:
    """Where a judgement stands: its log index and leaf hash (hex), with which it can be revoked.

    `counts` is False for a forecast that came after the outcome was known.
    """

    index: int
    leaf: str
    counts: bool = True


def judge(
    registry: "Registry",
    study: str,
    *,
    type: JudgementType,  # noqa: A002 (the field's name in the statement)
    target: str | None = None,
    text: str | None = None,
    minutes: int | None = None,
    part: Mapping[str, Any] | None = None,
    verdict: str | None = None,
    body: bytes | None = None,
    revokes: int | str | None = None,
) -> Judged:
    """Sign and log a judgement of a study.

    Parameters
    ----------
    type: forecast, review, critique, trust or outcome.
    target: what it is of, such as a model's id; the study unless given.
    text: up to 4,000 characters; `body` holds a longer one.
    minutes: what it took, by the writer's own account.
    part: what the type has of its own: a forecast's {hypothesis: {outcome: probability}}, or the fields of
        `leadline.ledger.judging` Review, Critique, Trust or Observed.
    verdict: a word of the writer's own.
    revokes: log index or leaf hash of an earlier judgement of the same key, study and type, now taken back.

    Raises NotFoundError (no such study or judgement), InputError (a hypothesis the study does not have, or nothing
    said), StatementError (fields out of bounds), SignatureError (somebody else's judgement, or a key the log
    does not know).
    """
    found = registry.study(study)
    store = registry.store
    if all(one is None for one in (part, text, verdict, body, revokes)):
        raise _says_nothing(type, found.id)
    _require_hypotheses(store, found.id, _named(type, part))
    digest = None if body is None else store.put_blob(checked_body(body))
    counted = True

    def build(view: ReadView) -> "list[Said]":
        nonlocal counted
        counted = type != "forecast" or outcome_known_since(view, found.id) is None
        fields = {
            "type": type,
            "study": found.id,
            "target": target or found.id,
            "verdict": verdict,
            "text": text,
            "minutes": minutes,
            "body": digest,
            "revokes": None if revokes is None else earlier(view, revokes),
            "created": registry.time(),
            **({} if part is None else {PARTS[type]: dict(part)}),
        }
        said = {name: value for name, value in fields.items() if value is not None}
        return [("judgement", said, registry.author())]

    receipt = registry.append(build)[0]
    return Judged(receipt.index, receipt.leaf_hash.hex(), counted)


def earlier(view: ReadView, judged: int | str) -> str:
    """Leaf hash of a judgement given by its log index or by that hash; NotFoundError when it is none."""
    if isinstance(judged, str) and not judged.isdecimal():
        return judged
    row = judgement_at(view, int(judged))
    if row is None:
        raise NotFoundError(
            f"entry {judged} is no judgement", remedy="see a study's judgements with `leadline show ID`"
        )
    return row.leaf


def critiques(view: ReadView, study: str) -> list[JudgementRow]:
    """A study's critiques in the order in which to read them; see `in_order`."""
    return in_order(judgements(view, study, "critique"))


def in_order(rows: Iterable[JudgementRow]) -> list[JudgementRow]:
    """Critiques with both an attempt and a crux first, then with either, then the others; newest first in each."""
    return sorted(rows, key=lambda row: (-weight(row), -row.ix))


def weight(row: JudgementRow) -> int:
    """0, 1 or 2: whether a critique's writer tried to answer it, and whether an answer would move something."""
    said = row.critique
    return 0 if said is None else (said.attempt is not None) + said.crux


def require_fitting(view: TableReader, said: Judgement) -> None:
    """What `judge` refuses although the ledger's rules would let it pass, of a judgement made elsewhere.

    InputError when it says nothing or is of a hypothesis that the study does not have; StateError when the study is
    sealed.
    """
    part = getattr(said, PARTS[said.type])
    if all(one is None for one in (part, said.text, said.verdict, said.body, said.revokes)):
        raise _says_nothing(said.type, said.study or said.target)
    if said.study is None:
        return
    require_unsealed(view, said.study)
    fields = part if isinstance(part, Mapping) or part is None else part.model_dump()
    _require_hypotheses(view, said.study, _named(said.type, fields))


def checked_body(body: bytes) -> bytes:
    """The longer text of a judgement; InputError when it is no text, or has more than 1 MiB."""
    try:
        short = len(body) <= MOST_BODY and bool(body.decode("utf-8", "strict"))
    except UnicodeDecodeError:
        short = False
    if not short:
        raise InputError(
            f"the longer text of a judgement is UTF-8 text of 1 to {MOST_BODY:,} bytes",
            remedy="write it as plain text, and name where anything longer is kept",
        )
    return body


def _says_nothing(type_: JudgementType, where: str) -> InputError:
    return InputError(
        f"this {type_} says nothing",
        where=where,
        remedy="give a text, or the type's own fields; or --revokes to take an earlier one back",
    )


def _named(type_: JudgementType, part: Mapping[str, Any] | None) -> set[str]:
    """The hypotheses that a forecast or critique is of."""
    if part is None or type_ not in ("forecast", "critique"):
        return set()
    named = list(part) if type_ == "forecast" else [part.get("hypothesis")]
    return {str(one) for one in named if one is not None}


def _require_hypotheses(view: TableReader, study: str, named: set[str]) -> None:
    """InputError when one of the hypotheses that are named is not the study's, as far as the log holds the study."""
    row = find_study(view, study)
    known = [] if row is None else [one.id for one in hypotheses(view, row.ix)]
    unknown = sorted(named - set(known))
    if row is not None and unknown:
        raise InputError(
            f"the study has no hypothesis {unknown[0][:80]!r}",
            where=study,
            remedy=f"name one of its hypotheses: {', '.join(known) or 'it has none'}",
        )


def revoke(registry: "Registry", index: int) -> Judged:
    """Take a judgement of one's own back, saying nothing else; its history stays.

    Raises NotFoundError when the entry is no judgement, StateError when it is of no study.
    """
    row = judgement_at(registry.store, index)
    if row is None:
        raise NotFoundError(f"entry {index} is no judgement", remedy="see `leadline show ID`")
    if row.study is None:
        raise StateError("only judgements of studies are taken back here", where=f"entry {index}")
    return judge(registry, row.study, type=row.type, target=row.target, revokes=row.leaf)
