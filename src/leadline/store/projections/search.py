"""The text index over studies: one document per freeze, under the freeze's log index."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from leadline.errors import InputError
from leadline.ledger.canon import parse_strict
from leadline.ledger.predicates import Freeze
from leadline.store.projection import BlobReader, LogEntry, Table, TableWriter, TextIndex

STUDY_TEXT = TextIndex(
    "study_text", ("title", "claims", "area", "authors", "body"), weights=(8.0, 4.0, 2.0, 2.0, 1.0)
)

#: A protocol longer than this is searchable by title, claims, areas and authors only.
_MAX_PROTOCOL: Final = 4 << 20
_MAX_WORDS: Final = 20_000
#: A word counts at most this often in a column, so that a text stuffed with a keyword ranks no better.
_MAX_REPEATS: Final = 3
_PUNCTUATION: Final = ".,;:!?()[]{}\"'"


class Search:
    """Title, claims, areas, authors and the protocol's own words of every freeze."""

    name = "search"
    version = 1
    tables: tuple[Table, ...] = ()
    texts: tuple[TextIndex, ...] = (STUDY_TEXT,)

    def apply(self, tables: TableWriter, entry: LogEntry, blobs: BlobReader) -> None:
        """Index the study that this entry freezes."""
        said = entry.statement.predicate
        if not isinstance(said, Freeze):
            return
        claims = "\n".join(hypothesis.claim for hypothesis in said.hypotheses)
        texts = (
            said.title,
            claims,
            " ".join(said.area),
            "\n".join(said.authors),
            _body(said.protocol, blobs),
        )
        tables.index_text(STUDY_TEXT, entry.index, [unstuffed(text) for text in texts])


def _body(digest: str, blobs: BlobReader) -> str:
    if blobs.taken_down(digest) is not None:
        return ""
    data = blobs.blob(digest)
    if len(data) > _MAX_PROTOCOL:
        return ""
    try:
        return "\n".join(_strings(parse_strict(data)))
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
    plain = [word.strip(_PUNCTUATION) for word in text.casefold().split()[:_MAX_WORDS]]
    counts = Counter(plain)
    if len(counts) == 0 or max(counts.values()) <= _MAX_REPEATS:
        return " ".join(words)
    seen: Counter[str] = Counter()
    kept = []
    for word, same in zip(words, plain, strict=True):
        seen[same] += 1
        if seen[same] <= _MAX_REPEATS:
            kept.append(word)
    return " ".join(kept)
