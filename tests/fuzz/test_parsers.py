"""Whatever comes from outside is taken, or refused by an error of the tree that says what to do: never anything else."""

import pytest

from fuzz.mutation import fuzz
from fuzz.sealed import SEALED
from fuzz.targets import TARGETS, Target

ALL = (*TARGETS, *SEALED)


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_a_parser_survives_what_is_nearly_right(target: Target, fuzz_seconds: int) -> None:
    """Honest input, mutated as bytes and as JSON, never raises anything but an error of Leadline's own, and never hangs."""
    fuzz(
        target.feed,
        target.seeds(),
        as_json=target.json,
        examples=target.examples,
        seconds=fuzz_seconds / len(ALL),
    )
