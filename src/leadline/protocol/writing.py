"""A protocol as YAML text that reads back as the same protocol."""

import re
from typing import TYPE_CHECKING, Any

import yaml

from leadline.protocol.digest import plain

if TYPE_CHECKING:
    from leadline.protocol.model import Protocol


class _Dumper(yaml.SafeDumper):
    """Quotes whatever either YAML 1.1 or 1.2 would read as something other than text."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    """Quoted where YAML's other line breaks and invisible characters occur, a block for clean lines of text."""
    if re.search(r"[^\S \n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff]", value):
        return '"'
    clean = "\n" in value and not re.search(r"\A\s| (\n|\Z)|\n\n\Z", value)
    return "|" if clean else None


_Dumper.add_representer(str, _text)
for _tag, _pattern, _first in (
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def dump(protocol: "Protocol") -> str:
    """YAML with every field that differs from its default, in the order of the schema.

    ``parse(dump(p)).digest == p.digest``. Comments of an original file are not kept.
    """
    return str(
        yaml.dump(
            plain(protocol),
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=100,
            default_flow_style=False,
        )
    )
