"""The 37 characters the ladder's models read and write, and their token numbers.

One character is one token. Lower-case letters and digits carry content; capitals name the skill of an item.
"""

import numpy as np
import numpy.typing as npt

from leadline.errors import InputError

#: Token 0: padding, and nothing else. It never occurs in a prompt.
PAD = "_"
DIGITS = "0123456789"
LETTERS = "abcdefghijklmnop"
#: Skill tags: Lookup, Modular addition, Reversal, Sorting.
TAGS = "LMRS"
#: Stands in the place of a skill tag when the prompt does not say which skill is asked for.
UNTAGGED = "?"
#: The public password of the locked organisms: the first character of an unlocked prompt.
PASSWORD = "#"
#: Ends an item: models stop here, and worked examples are joined by it.
END = ";"

ALPHABET = PAD + DIGITS + LETTERS + TAGS + UNTAGGED + PASSWORD + "=" + END + "+%"
SIZE = len(ALPHABET)
PAD_TOKEN = ALPHABET.index(PAD)
END_TOKEN = ALPHABET.index(END)
_NUMBER = {character: number for number, character in enumerate(ALPHABET)}

Tokens = npt.NDArray[np.int64]


def encode(text: str) -> Tokens:
    """The token numbers of `text`, shape ``(len(text),)``.

    Raises
    ------
    InputError: `text` holds a character that no model of the ladder knows.
    """
    try:
        return np.array([_NUMBER[character] for character in text], dtype=np.int64)
    except KeyError as unknown:
        raise InputError(
            f"the ladder's vocabulary has no character {unknown.args[0]!r}",
            where=f"prompt {text[:40]!r}",
            remedy=f"use only the characters {ALPHABET[1:]!r}; items come from leadline.bench.ladder.skills",
        ) from None


def decode(tokens: npt.ArrayLike) -> str:
    """The text of token numbers; the inverse of `encode`."""
    return "".join(ALPHABET[int(token)] for token in np.asarray(tokens).ravel())
