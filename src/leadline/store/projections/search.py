"""What search reads: the text index over studies, and their facets, under the study's log index."""

import re
from collections.abc import Iterator
from typing import Final

from leadline.errors import InputError
from leadline.ledger.canon import parse_strict
from leadline.ledger.predicates import Freeze, Report, Reveal, Withdraw
from leadline.store.projection import BlobReader, LogEntry, Table, TableWriter, TextIndex
from leadline.store.projections.facets import FACET, drop_verdicts, facet_rows, write_marks, write_verdicts
from leadline.store.projections.seals import opened_study
from leadline.store.projections.studies import study

STUDY_TEXT = TextIndex(
    "study_text", ("title", "claims", "area", "authors", "body"), weights=(8.0, 4.0, 2.0, 2.0, 1.0)
)

#: A protocol longer than this is searchable by title, claims, areas and authors only.
_MAX_PROTOCOL: Final = 4 << 20
_MAX_WORDS: Final = 20_000
#: A word counts at most this often in a column, so that a text stuffed with a keyword ranks no better.
_MAX_REPEATS: Final = 3
_PUNCTUATION: Final = ".,;:!?()[]{}\"'"
_MARKS: Final = re.compile(f"[{re.escape(_PUNCTUATION)}]")


class Search:
    """Title, claims, areas, authors and the protocol's own words of every study, and its facets."""

    name = "search"
    version = 3
    tables: tuple[Table, ...] = (FACET,)
    texts: tuple[TextIndex, ...] = (STUDY_TEXT,)

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Index the study that this entry freezes, or the verdicts that it reports."""
        match entry.statement.predicate:
            case Freeze() as said:
                index_study(tables, entry.index, said, protocol_bytes(said.protocol, blobs))
            case Reveal():
                found = opened_study(tables, entry, blobs)
                if found is not None:
                    frozen = found.freeze
                    index_study(tables, entry.index, frozen, protocol_bytes(frozen.protocol, blobs))
            case Report() as said:
                row = study(tables, said.study)
                if row is not None:  # reports of a sealed study show nothing here before it is revealed
                    write_verdicts(tables, row.ix, said)
            case Withdraw() as said:
                row = study(tables, said.study)
                if row is not None:  # what was withdrawn counts among no outcomes
                    drop_verdicts(tables, row.ix)
            case _:
                pass


def index_study(tables: TableWriter, index: int, said: Freeze, protocol: bytes) -> None:
    """Make a study findable under log index `index` by what its freeze says and its protocol's bytes hold.

    Empty bytes stand for a protocol that was taken down or is too long: the study is found by its freeze alone.
    """
    document = _parsed(protocol)
    claims = "\n".join(hypothesis.claim for hypothesis in said.hypotheses)
    body = document if isinstance(document, str) else "\n".join(_strings(document))
    texts = (said.title, claims, " ".join(said.area), "\n".join(said.authors), body)
    tables.index_text(STUDY_TEXT, index, [unstuffed(text) for text in texts])
    write_marks(tables, index, facet_rows(document, said.area))


def protocol_bytes(digest: str, blobs: BlobReader) -> bytes:
    """The protocol's bytes, or none where they were taken down or are longer than is indexed."""
    if blobs.taken_down(digest) is not None:
        return b""
    data = blobs.blob(digest)
    return data if len(data) <= _MAX_PROTOCOL else b""


def _parsed(data: bytes) -> object:
    """The document, or the bytes as plain text where they are not strict JSON."""
    try:
        return parse_strict(data)
    except InputError:
        return data.decode("utf-8", "replace")


def _strings(value: object) -> Iterator[str]:
    """Every string value of a document, in its order; keys are the schema's words, not the author's."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child)


def unstuffed(text: str) -> str:
    """The text's first 20,000 words without the fourth and later occurrences of each."""
    words = text.split()[:_MAX_WORDS]
    if len(words) <= _MAX_REPEATS:
        return " ".join(words)
    plain = _plain(text)
    if len(plain) - len(set(plain)) < _MAX_REPEATS:  # so few repeats in all: no word has too many
        return " ".join(words)
    left = dict.fromkeys(plain, _MAX_REPEATS)
    kept = []
    for word, same in zip(words, plain, strict=True):
        if left[same]:
            left[same] -= 1
            kept.append(word)
    return " ".join(kept)


def _plain(text: str) -> list[str]:
    """What the words are compared by: regardless of case and of punctuation around them."""
    folded = text.casefold().split()[:_MAX_WORDS]
    if not _MARKS.search(text):
        return folded
    return [word.strip(_PUNCTUATION) for word in folded]
