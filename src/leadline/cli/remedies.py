"""What an error says to run, as it works when pasted: the library that words it knows neither --store nor --key."""

import re
from collections.abc import Sequence
from typing import Any

from leadline.cli.opening import at_a_server, repeated

_COMMAND = re.compile(r"`(leadline [a-z][^`\n]{0,500})`")
#: A server does these by itself, and takes no orders for them over the network.
_BY_ITSELF = (["rebuild"], ["sealed", "flush"])


def completed(remedy: str, arguments: Sequence[str], program: Any) -> str:
    """The remedy, in which each command in backticks names the registry and the key that `arguments` named.

    `arguments` are those of the command that failed, without the program's name; `program` is Typer's command of the
    whole program. Commands that take no registry, or name one, stay as they are.
    """
    store, key = _given(arguments, "--store"), _given(arguments, "--key")
    if store is None and key is None:
        return remedy

    def named(found: re.Match[str]) -> str:
        words = found[1].split()[1:]
        takes = _options(words, program)
        if "--store" not in takes or "--store" in words or (at_a_server(store) and words in _BY_ITSELF):
            return found[0]
        with_key = key if "--key" in takes and "--key" not in words else None
        return f"`{repeated(found[1], store=store, key=with_key)}`"

    return _COMMAND.sub(named, remedy)


def _given(arguments: Sequence[str], option: str) -> str | None:
    """The value an option was given last; None without it. What follows a bare ``--`` is no option."""
    value = None
    for at, word in enumerate(arguments):
        if word == "--":
            break
        if word == option and at + 1 < len(arguments):
            value = arguments[at + 1]
        elif word.startswith(f"{option}="):
            value = word.partition("=")[2]
    return value


def _options(words: Sequence[str], program: Any) -> frozenset[str]:
    """The options of the command that these words call; none where there is no such command."""
    command = program
    for word in words:
        children = getattr(command, "commands", None)
        if children is None:
            break
        if word not in children:
            return frozenset()
        command = children[word]
    return frozenset(name for param in command.params for name in param.opts)
