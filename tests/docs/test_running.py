"""docs/running.md: its commands exist, and its test vector is what the program computes."""

import re
import shlex
from pathlib import Path

from cli.test_surface import COMMANDS
from leadline.bench.launch.command import HOOK
from leadline.ledger.seeds import order
from leadline.verdict.seeding import Seeds, shuffled

GUIDE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")


def test_the_published_vector_is_what_is_computed() -> None:
    """Seeds and both orders, for the leaf hash that counts from 0."""
    leaf = bytes(range(32))
    seeds = Seeds.of(leaf)
    rows = dict(re.findall(r"^([a-z-]+(?:/v1)?)  +(.+)$", GUIDE.rpartition("```text")[2], re.MULTILINE))
    assert int(rows["model-seed/v1"]) == seeds.generate
    assert int(rows["shuffle/v1"]) == seeds.shuffle
    assert rows["shuffled"].split("->")[1].split() == shuffled("abcdef", seeds.shuffle)
    assert rows["item-order/v1"].split("->")[1].split() == order(leaf, "abcdef")


def test_every_command_and_option_exists() -> None:
    """Whatever the guide tells anybody to type."""
    lines = [
        line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()
    ]
    lines += re.findall(r"`(leadline [^`]+)`", GUIDE)
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line.partition("#")[0].partition(" -- ")[0])
        path = next(path for path in COMMANDS if tuple(words[1 : 1 + len(path)]) == path)
        known = {name for param in COMMANDS[path].params for name in param.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_hook_is_the_one_that_is_required() -> None:
    """Its name is in the table of what is added."""
    assert f"INSPECT_REQUIRED_HOOKS={HOOK}" in GUIDE
