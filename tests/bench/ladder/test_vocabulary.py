"""The alphabet of the ladder."""

import pytest

from leadline.bench.ladder import vocabulary
from leadline.errors import InputError


def test_every_character_survives_a_round_trip() -> None:
    """Encoding and decoding are inverse on the whole alphabet, in which no character occurs twice."""
    assert vocabulary.decode(vocabulary.encode(vocabulary.ALPHABET)) == vocabulary.ALPHABET
    assert len(set(vocabulary.ALPHABET)) == vocabulary.SIZE == 37


@pytest.mark.parametrize("text", ["Sabz=", "é", "S a"])
def test_an_unknown_character_is_named(text: str) -> None:
    """What no model can read is refused, with the character and what to do."""
    with pytest.raises(InputError, match="vocabulary has no character") as caught:
        vocabulary.encode(text)
    assert caught.value.remedy()
