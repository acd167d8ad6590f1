"""Words that mean the same in this field, and the light stemming that lets two forms of a word meet.

`concepts` turns a text into what it speaks about: names of techniques (under any alias) become one concept each,
and so do the words of a synonym group; every other word becomes its stem. `alternatives` gives, for a word
somebody searches for, the other words of its group.
"""

import re
from functools import cache, lru_cache
from typing import Final

from leadline.landscape.techniques import TECHNIQUES

#: Longer texts are read up to here.
_LONGEST: Final = 20_000
_LONGEST_WORD: Final = 64
_WORD: Final = re.compile(r"[^\W_]+")

_GROUPS: Final[tuple[str, ...]] = (
    "detect find catch identify recognise recognize spot flag discover",
    "increase raise improve boost enhance heighten",
    "decrease lower reduce diminish lessen cut",
    "hide conceal mask disguise",
    "reveal expose uncover elicit surface",
    "deception deceive lying lie dishonesty dishonest deceptive",
    "honesty honest truthfulness truthful",
    "sandbagging underperformance underperform",
    "monitor supervisor overseer watchdog",
    "oversight supervision",
    "backdoor trojan",
    "trigger passphrase password",
    "jailbreak bypass circumvent",
    "refusal refuse decline",
    "hallucination confabulation fabrication",
    "unlearning forgetting erasure",
    "steering steer",
    "probe classifier",
    "activation representation embedding",
    "accuracy correctness",
    "performance capability ability skill competence",
    "error mistake failure fault",
    "transfer generalise generalize generalization generalisation carry",
    "robust resilient stable",
    "attack exploit",
    "adversary attacker opponent",
    "defence defense protection safeguard",
    "harmful dangerous unsafe hazardous",
    "benign harmless safe",
    "strong powerful capable",
    "weak limited",
    "large big",
    "small tiny little",
    "train finetune tune",
    "prompt instruction",
    "answer response reply output completion",
    "question query item",
    "reasoning thinking thought",
    "explanation rationale justification",
    "persuade convince",
    "sycophancy flattery",
    "collusion collude conspire",
    "judge grader rater assessor",
    "agent assistant",
    "model network llm",
    "dataset corpus benchmark",
    "threshold cutoff",
    "confidence certainty",
    "calibration calibrated",
    "compare contrast",
    "affect influence change",
    "code program software",
    "math mathematics arithmetic",
    "language multilingual",
)
_SMALL: Final = (
    "a an and any are as at be been but by can do does for from had has have how if in into is it its "
    "more most no not of on or our than that the their them then there these they this to under was we "
    "were what when where whether which while who will with would"
)
#: Words too common to say what a text is about.
_EMPTY: Final = frozenset(_SMALL.split())
_ENDINGS: Final = (
    "isations", "izations", "isation", "ization", "ations", "ation", "ingly", "ments", "ness",
    "ment", "ings", "ions", "ies", "ers", "ors", "ing", "ion", "ive", "als", "ed", "er", "or", "es", "ly", "al",
    "s", "e", "y",
)  # fmt: skip


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    """Endings go one after the other until none is left, so that `monitored` and `monitors` meet."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return _stem(word[: -len(ending)])
    return word


def stem(word: str) -> str:
    """A word in lower case without its endings; at least four letters stay, shorter words stay as they are."""
    return _stem(word.casefold()[:_LONGEST_WORD])


def concepts(text: str) -> list[str]:
    """What a text speaks about, in its order, repeats kept: techniques, synonym groups, stems of other words."""
    words = [word.casefold() for word in _WORD.findall(text[:_LONGEST])]
    stems = [stem(word) for word in words]
    names, groups = _technique_names(), _group_of()
    found: list[str] = []
    at = 0
    while at < len(words):
        name, length = _name_at(names.get(stems[at], ()), stems, at)
        if name is not None:
            found.append(name)
        elif words[at] not in _EMPTY:
            found.append(groups.get(stems[at]) or stems[at])
        at += length
    return found


def _name_at(
    named: tuple[tuple[tuple[str, ...], str], ...], stems: list[str], at: int
) -> tuple[str | None, int]:
    """The technique named from this word on, and how many words its name has; otherwise one word is passed over."""
    for name, technique in named:
        if tuple(stems[at : at + len(name)]) == name:
            return technique, len(name)
    return None, 1


def alternatives(word: str) -> tuple[str, ...]:
    """Other words for a word, by its synonym group; none for a word that has no group."""
    base = stem(word)
    number = _group_of().get(base)
    if number is None:
        return ()
    return tuple(other for other in _GROUPS[int(number[1:])].split() if stem(other) != base)


@cache
def _group_of() -> dict[str, str]:
    """The group of each stem, as a name no word can have."""
    return {stem(word): f"={number}" for number, group in enumerate(_GROUPS) for word in group.split()}


@cache
def _technique_names() -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """The techniques whose names begin with a stem: all stems of each name, and the concept; longer names first."""
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for known in TECHNIQUES:
        for name in (known.id, *known.aliases):
            stems = tuple(stem(word) for word in _WORD.findall(name))
            alone = len(stems) == 1 and (stems[0] in _group_of() or known.id == "none")
            if stems and not alone:
                found.setdefault(stems[0], {}).setdefault(stems, f"#{known.id}")
    return {
        first: tuple(sorted(names.items(), key=lambda item: (-len(item[0]), item[0])))
        for first, names in found.items()
    }
