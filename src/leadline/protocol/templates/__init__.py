"""Commented protocols to begin from: complete, so that a newcomer sees something that works.

Values a person always changes stand on lines that end in a mark such as ``# <title>``; `text` fills
them in and leaves every other line, comments included, as it is.
"""

import re
from importlib.resources import files

import yaml

from leadline.errors import InputError, NotFoundError

#: What each template shows, in the order people should meet them.
SUBJECTS = {
    "compare": "technique A against technique B, on the same items",
    "monitor": "does a monitor catch enough, and leave the rest alone",
    "trend": "does an effect hold as models grow",
    "elicitation": "worked example: is a hidden skill brought out again",
    "organisms": "worked example: is a planted behaviour there, and only there",
    "thresholds": "worked example: is a capability below a line",
    "conceptual": "worked example: an argument that stakes itself on observations",
}
#: ``key: value   [comment]   # <field>``; the value may be quoted or plain.
_MARKED = re.compile(
    r"""^(?P<key>[ ]*(?:-[ ])?(?:\{[ ]*)?[a-z_]+:[ ]+)(?P<value>"[^"]*"|.*?)(?P<close>\}?)
        (?P<comment>[ ]{2,}\#.*?)?[ ]{2,}\#[ ]<(?P<field>[a-z]+)>[ ]*$""",
    re.VERBOSE,
)


def names() -> tuple[str, ...]:
    """The templates there are."""
    return tuple(SUBJECTS)


def fields(name: str) -> tuple[str, ...]:
    """The fields `text` can fill in the template of that name."""
    marked = (_MARKED.match(line) for line in _raw(name).splitlines())
    return tuple(dict.fromkeys(match["field"] for match in marked if match))


def text(name: str, **values: str) -> str:
    """The template of that name, with fields such as `title`, `author`, `due`, `model` filled in.

    Marks are removed; a field not given keeps the template's own value. Raises `NotFoundError` for
    an unknown template and `InputError` for a field this template does not have.
    """
    known = fields(name)
    for field in values:
        if field not in known:
            raise InputError(
                f"the template {name!r} has no field {field!r}", remedy=f"fill any of: {', '.join(known)}"
            )
    return "".join(_filled(line, values) + "\n" for line in _raw(name).splitlines())


def _filled(line: str, values: dict[str, str]) -> str:
    match = _MARKED.match(line)
    if match is None:
        return line
    value = values.get(match["field"])
    written = match["value"] if value is None else _quoted(str(value))
    return f"{match['key']}{written}{match['close']}{match['comment'] or ''}".rstrip()


def _quoted(value: str) -> str:
    """A YAML scalar for a text: plain where that is certain to be read back, else in quotation marks."""
    plain = re.fullmatch(r"[A-Za-z]([A-Za-z0-9 ./_-]*[A-Za-z0-9])?|\d{4}-\d{2}-\d{2}", value)
    reserved = value.lower() in {"true", "false", "null", "yes", "no", "on", "off", "none"}
    if plain and not reserved:
        return value
    return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10_000)).strip()


def _raw(name: str) -> str:
    if name not in SUBJECTS:
        raise NotFoundError(f"no template is named {name!r}", remedy=f"choose one of: {', '.join(SUBJECTS)}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
