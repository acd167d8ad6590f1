"""The command a launch runs: the user's, with stamps and derived seeds added, or one for each arm of the protocol."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from leadline.bench.launch.inspect_command import inspect_words
from leadline.bench.launch.stamps import LAUNCH
from leadline.errors import InputError
from leadline.protocol.model import Protocol
from leadline.registry.run import arm_stamp
from leadline.registry.spelling import pair, pairs
from leadline.verdict.arms import expected_generate
from leadline.verdict.seeding import FROM_FREEZE, Seeds

#: The hook without which Inspect must not run.
HOOK: Final = "leadline/launch"
_PROGRAMS: Final = ("inspect", "inspect_ai")
_METADATA: Final = "INSPECT_EVAL_METADATA"


@dataclass(frozen=True, slots=True)
class Command:
    """Words to run, where Inspect's subcommand stands among them (None for a script), and the arm they are for."""

    words: tuple[str, ...]
    at: int | None
    arm: str | None = None

    @property
    def log_dir(self) -> str:
        """Where Inspect was told to write its logs, as it was told."""
        given = _given(self.words, "--log-dir")
        return given or os.environ.get("INSPECT_LOG_DIR") or "logs"


def commands(protocol: Protocol, words: Sequence[str], arms: Sequence[str], seeds: Seeds) -> list[Command]:
    """What is to be run, checked before anything is announced.

    With `words` it is that command, for the one arm that is named (or the protocol's only one); without them one
    `inspect eval` for each arm named, all of them when none is. Raises InputError for an arm the protocol does not
    have, a program that is not there, and an Inspect command that begins no evaluation of its own.
    """
    for name in arms:
        arm_stamp("the protocol", protocol, name, {})
    if words:
        if len(arms) > 1:
            raise InputError(
                "one command is for one arm, or for whichever arm each of its tasks shows itself to be",
                where="--arm",
                remedy="name one arm or none; without a command, `leadline run ID` runs every arm named",
            )
        only = protocol.arms[0].name if len(protocol.arms) == 1 else None
        return [_users(tuple(words), arms[0] if arms else only)]
    chosen = [arm for arm in protocol.arms if not arms or arm.name in arms]
    return [_own(protocol, arm.name, seeds) for arm in chosen]


def prepared(
    command: Command, protocol: Protocol, stamp: Mapping[str, Any], seeds: Seeds, folder: Path
) -> tuple[list[str], dict[str, str]]:
    """The words with stamps and derived seeds as flags, and the environment; a script gets both as variables.

    Raises InputError for metadata that Inspect's command line cannot carry, or that claims another stamp.
    """
    environment = dict(os.environ) | {LAUNCH: str(folder), "INSPECT_REQUIRED_HOOKS": _required()}
    environment.pop("INSPECT_EVAL_DETACH", None)
    said = _metadata(protocol, command.arm, stamp)
    derived = _derived(protocol, command.arm, seeds)
    inherited = environment.pop(_METADATA, "").split()
    if command.at is None:
        environment[_METADATA] = " ".join([*inherited, *(pair(k, v, blanks=False) for k, v in said.items())])
        return list(command.words), {variable: value for _, variable, value in derived} | environment
    own = _metadata_of(command.words)
    for key, value in own.items():
        if key in stamp and value != str(stamp[key]):
            raise InputError(
                f"the command stamps its logs itself: {key}={value}", remedy="leave that --metadata out"
            )
    flags = pairs("--metadata", {key: value for key, value in said.items() if key not in own})
    if not own:
        # Flags hide the variable: what the user said there is said again.
        flags = [word for one in inherited for word in ("--metadata", one)] + flags
    for flag, variable, value in derived:
        if _given(command.words, flag) is None and variable not in environment:
            flags += [flag, value]
    at = command.at + 1
    return [*command.words[:at], *flags, *command.words[at:]], environment


def _users(words: tuple[str, ...], arm: str | None) -> Command:
    if shutil.which(words[0]) is None:
        raise InputError(f"there is no program {words[0]!r}", remedy="check the command after --")
    at = next((i for i, word in enumerate(words) if Path(word).name in _PROGRAMS), None)
    if at is None:
        return Command(words, None, arm)
    verb = words[at + 1] if at + 1 < len(words) else ""
    if verb not in ("eval", "eval-set"):
        raise InputError(
            f"`inspect {verb}` begins no evaluation of its own",
            remedy="run `inspect eval` or `inspect eval-set`; a log that was retried or scored again is attached with "
            "`leadline attach`",
        )
    if "--detach" in words:
        raise InputError(
            "with --detach nobody would see the evaluation end",
            remedy="leave --detach out; nohup keeps it alive",
        )
    return Command(words, at + 1, arm)


def _own(protocol: Protocol, arm: str, seeds: Seeds) -> Command:
    words = inspect_words(protocol, protocol.arm(arm), {}, seeds)
    beside = Path(sys.executable).with_name("inspect")
    program = str(beside) if beside.exists() else shutil.which("inspect")
    if program is None:
        raise InputError(
            "there is no program `inspect`",
            remedy="pip install 'leadline[inspect]', or give the command after --",
        )
    return Command((program, *words[1:]), 1, arm)


def _metadata(protocol: Protocol, arm: str | None, stamp: Mapping[str, Any]) -> dict[str, Any]:
    """The stamp with the metadata of its arm; where the arm is not said, with what all arms have in common."""
    if arm is not None:
        return arm_stamp("the protocol", protocol, arm, stamp)
    first, *others = (one.metadata for one in protocol.arms)
    shared = {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
    return {**shared, **stamp}


def _derived(protocol: Protocol, arm: str | None, seeds: Seeds) -> list[tuple[str, str, str]]:
    """Flag, variable and value of each seed that the freeze decides for all arms concerned."""
    arms = [one for one in protocol.arms if arm in (None, one.name)]
    found = []
    if all(expected_generate(protocol, one).get("seed") == FROM_FREEZE for one in arms):
        found.append(("--seed", "INSPECT_EVAL_SEED", str(seeds.generate)))
    if all(protocol.task(one.task).dataset.order == FROM_FREEZE for one in arms):
        found.append(("--sample-shuffle", "INSPECT_EVAL_SAMPLE_SHUFFLE", str(seeds.shuffle)))
    return found


def _required() -> str:
    others = [
        name for name in os.environ.get("INSPECT_REQUIRED_HOOKS", "").split(",") if name not in ("", HOOK)
    ]
    return ",".join([*others, HOOK])


def _given(words: Sequence[str], flag: str) -> str | None:
    """The value of an option of the command, None where it is not given."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == flag:
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _metadata_of(words: Sequence[str]) -> dict[str, str]:
    """The metadata a command states itself, as texts."""
    given = [following for word, following in pairwise(words) if word == "--metadata"]
    given += [word.partition("=")[2] for word in words if word.startswith("--metadata=")]
    return {key: value for key, _, value in (one.partition("=") for one in given)}
