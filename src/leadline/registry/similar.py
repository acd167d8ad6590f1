"""Registered studies that are near a draft: duplicates under other words, nulls and work in progress included.

Candidates come from two sides: studies that share the draft's marks (dataset, tasks, techniques, models, measures,
areas), rare marks first, and studies whose text has its more telling words or their synonyms. Each is then compared
in full (`leadline.registry.likeness`). Nothing depends on how a study came out or whether it is finished.

Meaning beyond words is optional: an `Embedder` that turns texts into vectors adds a third voice, the cosine of two
studies' texts. Leadline brings none and calls none by itself.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final, Protocol

from leadline.landscape import technique
from leadline.landscape.synonyms import alternatives, concepts, stem
from leadline.protocol.digest import plain
from leadline.protocol.model import Protocol as Plan
from leadline.registry.likeness import Comparison, Frequencies, Traits, reasons
from leadline.store.listing import Listing
from leadline.store.projections.facets import FACET, facet_rows
from leadline.store.projections.search import STUDY_TEXT
from leadline.store.projections.studies import STUDY, StudyRow, studies, studies_at
from leadline.store.protocol import ReadView
from leadline.store.text import MAX_WORDS, RANK_CAP, TextQuestion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leadline.registry.registry import Registry
    from leadline.registry.study import Study

#: Candidates that share marks, and candidates that share words.
_BY_MARKS: Final = 200
_BY_WORDS: Final = 100
#: Rows of the facet table that may be gone through to find candidates.
_MARK_BUDGET: Final = 30_000
#: A word is telling enough to look for while at most this many of the newest studies have it.
_COMMON: Final = 2_000
_LONGEST: Final = 20_000
#: Studies less like the draft than this are no neighbours.
FLOOR: Final = 0.2
#: What meaning weighs where an embedder is given; marks and words share the rest.
_MEANING: Final = 0.4


class Embedder(Protocol):
    """Turns texts into vectors whose cosine says how near the texts are in meaning."""

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float64]":
        """One row for each text; a row need not have length one."""
        ...


@dataclass(frozen=True, slots=True)
class Similar:
    """A study near a draft: how near (0 to 1), and what agrees, in words."""

    row: StudyRow
    score: float
    why: tuple[str, ...]


def similar(
    registry: "Registry", protocol: Plan, limit: int = 5, *, embedder: Embedder | None = None
) -> list[Similar]:
    """Registered studies near a protocol, nearest first: those of this very protocol before all others."""
    with registry.store.snapshot() as view:
        same = [
            Similar(row, 1.0, ("the very same protocol",))
            for row in studies(view, protocol=protocol.digest, limit=limit)
        ]
        return [*same, *nearest(view, protocol, limit - len(same), embedder=embedder)]


def neighbours(registry: "Registry", protocol: Plan, limit: int = 20) -> Iterator[tuple["Study", float]]:
    """Studies of this very protocol (likeness 1), then those most like it; what was taken down is passed over."""
    from leadline.registry.study import Study

    for near in similar(registry, protocol, limit):
        if registry.store.has_blob(near.row.protocol):
            yield Study(registry, near.row), near.score


def nearest(
    view: ReadView,
    protocol: Plan,
    limit: int = 5,
    *,
    embedder: Embedder | None = None,
    structure: bool = True,
    words: bool = True,
) -> list[Similar]:
    """`similar`, within a view and without the identical protocol; `structure` and `words` switch a half of the comparison off."""
    mine = traits_of(protocol)
    registered = view.count(STUDY)
    known = _mark_counts(view, mine.marks)
    found = dict.fromkeys(_sharing_marks(view, known) if structure else ())
    counts = _word_counts(view, protocol) if words else []
    found |= dict.fromkeys(_sharing_words(view, counts))
    pool = _read(view, list(found), protocol.digest)
    frequencies = _frequencies(registered, known, counts, [theirs for _, theirs in pool])
    comparison = Comparison(mine, frequencies, structure=structure, words=words)
    scores = [comparison.likeness(theirs) for _, theirs in pool]
    if embedder is not None and pool:
        everyone = Listing(view, (row for row, _ in pool))
        near = cosines(embedder, _text_of(protocol), [_text_at(everyone, row) for row, _ in pool])
        scores = [
            (1 - _MEANING) * score + _MEANING * meant for score, meant in zip(scores, near, strict=True)
        ]
    order = sorted(range(len(pool)), key=lambda at: (-scores[at], -pool[at][0].ix))
    return [
        Similar(pool[at][0], round(scores[at], 4), reasons(mine, pool[at][1], frequencies))
        for at in order[:limit]
        if scores[at] >= FLOOR
    ]


def traits_of(protocol: Plan) -> Traits:
    """What a draft is compared by."""
    marks = frozenset(facet_rows(plain(protocol), protocol.area))
    return Traits(marks, Counter(concepts(_text_of(protocol))))


def cosines(embedder: Embedder, text: str, others: Sequence[str]) -> list[float]:
    """Cosine of a text's vector with each of the others', negative ones as 0."""
    import numpy as np

    vectors = np.asarray(embedder.embed([text, *others]), dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return [float(value) for value in np.clip(unit[1:] @ unit[0], 0.0, 1.0)]


# -- candidates ----------------------------------------------------------------------------------


def _mark_counts(view: ReadView, marks: frozenset[str]) -> dict[str, int]:
    """How many studies have each of the draft's marks."""
    counted = view.count_by(FACET, ("mark",), where="mark", among=sorted(marks))
    return {str(mark): number for (mark,), number in counted}


def _sharing_marks(view: ReadView, known: Mapping[str, int]) -> list[int]:
    """Studies that share most of the draft's marks, and those that share its rarest ones."""
    rare: list[str] = []
    chosen: list[str] = []
    rows = 0
    for mark in sorted(known, key=lambda mark: (known[mark], mark)):
        rows += known[mark]
        if rows <= _BY_MARKS:
            rare.append(mark)
        if rows <= _MARK_BUDGET or not chosen:
            chosen.append(mark)
    most = view.count_by(FACET, ("ix",), where="mark", among=chosen, limit=_BY_MARKS)
    least = view.count_by(FACET, ("ix",), where="mark", among=rare, limit=_BY_MARKS)
    return [int(ix) for (ix,), _ in (*least, *most) if isinstance(ix, int)]


def _word_counts(view: ReadView, protocol: Plan) -> list[tuple[int, tuple[str, ...]]]:
    """The draft's techniques and telling words with what may stand for each, and how many studies have one."""
    size = view.size()
    groups = (
        *_technique_names(protocol),
        *((word, *alternatives(word)) for word in _telling_words(protocol)),
    )
    asked = (
        TextQuestion(STUDY_TEXT, (group,), as_of=size, limit=_COMMON + 1, ranked=False) for group in groups
    )
    return [
        (len(view.match_text(question).indexes), group) for question, group in zip(asked, groups, strict=True)
    ]


def _sharing_words(view: ReadView, counts: Sequence[tuple[int, tuple[str, ...]]]) -> list[int]:
    """Studies that have the draft's more telling words, or words that mean the same.

    Words are taken rarest first while all their studies can be ranked: past the cap the older ones would be lost.
    """
    groups: list[tuple[str, ...]] = []
    total = 0
    for number, group in sorted(counts, key=lambda one: one[0]):
        total += number
        if total > RANK_CAP or number > _COMMON:
            break
        groups.append(group)
    if not groups:
        return []
    question = TextQuestion(STUDY_TEXT, tuple(groups), as_of=view.size(), limit=_BY_WORDS, every=False)
    return view.match_text(question).indexes


def _technique_names(protocol: Plan) -> list[tuple[str, ...]]:
    """Each technique of an arm by all its names."""
    named = dict.fromkeys(arm.technique for arm in protocol.arms)
    known = (technique(name) for name in named)
    return [(one.id, *one.aliases) for one in dict.fromkeys(known) if one is not None and one.id != "none"][
        :8
    ]


def _telling_words(protocol: Plan) -> list[str]:
    """Words of claims, title and techniques in turn, each stem once, without the empty ones."""
    sources = (
        " ".join(hypothesis.claim for hypothesis in protocol.hypotheses),
        protocol.title,
        " ".join(arm.technique for arm in protocol.arms if arm.technique != "none"),
    )
    listed = (re.findall(r"[^\W_]+", source[:_LONGEST].casefold()) for source in sources)
    found: dict[str, str] = {}
    for word in chain.from_iterable(zip_longest(*listed, fillvalue="")):
        if len(word) > 1 and concepts(word):
            found.setdefault(stem(word), word)
    return list(found.values())[: MAX_WORDS - 8]


# -- reading -------------------------------------------------------------------------------------


def _read(view: ReadView, indexes: Sequence[int], digest: str) -> list[tuple[StudyRow, Traits]]:
    """The candidates with their traits, without the draft itself."""
    marks: dict[int, set[str]] = defaultdict(set)
    for (ix, mark), _ in view.count_by(FACET, ("ix", "mark"), where="ix", among=indexes):
        if isinstance(ix, int) and isinstance(mark, str):
            marks[ix].add(mark)
    listing = Listing(view, (row for row in studies_at(view, indexes) if row.protocol != digest))
    return [
        (row, Traits(frozenset(marks[row.ix]), Counter(concepts(_text_at(listing, row, marks[row.ix])))))
        for row in listing.studies
    ]


def _frequencies(
    registered: int,
    known: Mapping[str, int],
    counts: Sequence[tuple[int, tuple[str, ...]]],
    pool: Sequence[Traits],
) -> Frequencies:
    """Counts in the whole registry for the draft's marks and words, extrapolated from the candidates for other marks."""
    share = registered / max(len(pool), 1)
    marks = Counter(mark for theirs in pool for mark in theirs.marks)
    words: dict[str, int] = {}
    for number, group in counts:
        for concept in (
            concepts(group[0]) if number else ()
        ):  # what nobody else says cannot tell anybody apart
            words[concept] = max(number, words.get(concept, 0))
    return Frequencies(
        registered, {mark: round(number * share) for mark, number in marks.items()} | dict(known), words
    )


def _text_of(protocol: Plan) -> str:
    """What is compared in words: title, claims and techniques."""
    claims = (hypothesis.claim for hypothesis in protocol.hypotheses)
    techniques = sorted({arm.technique for arm in protocol.arms} - {"none"})
    return "\n".join((protocol.title, *claims, *techniques))


def _text_at(listing: Listing, row: StudyRow, marks: Iterable[str] = ()) -> str:
    """The same of a registered study."""
    claims = (item.claim for item in listing.hypotheses(row))
    names = {mark.partition(":")[2] for mark in marks if mark.startswith("technique:")}
    techniques = sorted(names - {"none"})
    return "\n".join((row.title, *claims, *techniques))
