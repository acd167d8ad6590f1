"""Schema faults in words: what pydantic found, where it is written, and what to do."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from leadline.protocol.digest import Path, dotted
from leadline.protocol.nodes import Node, Place

MAX_READ = 1_000
"""How many faults of one document are looked at: the work of explaining them stays small for any document."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document: place, path, message, remedy."""

    place: Place
    path: Path
    message: str
    remedy: str | None = None
    subject: str | None = None
    """The missing field, where one is missing."""


def from_validation(error: ValidationError, root: Node, schema: type[BaseModel]) -> list[Fault]:
    """One fault per wrong value, in the order of the document; alternatives of a union become one.

    At most `MAX_READ` of what pydantic found are read.
    """
    details = error.errors(include_url=False)[:MAX_READ]
    inside = _beginnings(detail["loc"] for detail in details)
    grouped: dict[Path, list[Any]] = {}
    for detail in details:
        if not (detail["type"] == "too_short" and detail["loc"] in inside):
            grouped.setdefault(_written_path(detail, root), []).append(detail)
    beginnings = _beginnings(grouped)
    for path in list(grouped):  # a fault inside a branch says more than "none of the branches fits"
        if path in beginnings:
            grouped[path] = [d for d in grouped[path] if d["type"] not in {"literal_error", "string_type"}]
    faults = [_fault(path, found, root, schema) for path, found in grouped.items() if found]
    misspelt = {
        (fault.path[:-1], fault.remedy) for fault in faults if fault.message.startswith("unknown key")
    }
    faults = [fault for fault in faults if (fault.path, f"did you mean {fault.subject!r}?") not in misspelt]
    return sorted(faults, key=lambda fault: (fault.place.line, fault.place.column))


def _beginnings(paths: Iterable[Path]) -> set[Path]:
    """Every path that one of these goes on from.

    pydantic counts only the valid entries of a list as its length, so "too short" echoes what is wrong inside.
    """
    return {path[:length] for path in paths for length in range(len(path))}


def _written_path(detail: Any, root: Node) -> Path:
    """The part of pydantic's location that is a path in the document: it also names branches of unions."""
    *parents, last = detail["loc"] or ("",)
    node = root
    path: Path = ()
    for part in parents:
        _, _, found = node.nearest((part,))
        if found:
            node, path = node.nearest((part,))[0], (*path, part)
    is_key = detail["type"] == "missing" or bool(node.nearest((last,))[2])
    return (*path, last) if is_key else path


def _fault(path: Path, details: list[Any], root: Node, schema: type[BaseModel]) -> Fault:
    detail = details[0]
    kind = detail["type"]
    if kind == "missing":
        _, place, _ = root.nearest(path[:-1])
        return Fault(
            place, path[:-1], f"`{path[-1]}` is missing", _missing_remedy(path, schema), subject=str(path[-1])
        )
    if kind == "extra_forbidden" and len(details) == 1:
        known = list(_fields(schema, path[:-1]))
        near = get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return Fault(root.key_place(path), path, f"unknown key {path[-1]!r}", remedy)
    node, place, _ = root.nearest(path)
    message, advice = _describe(details, node.value)
    return Fault(place, path, message, advice)


def _missing_remedy(path: Path, schema: type[BaseModel]) -> str:
    fields = _fields(schema, path[:-1])
    field = fields.get(str(path[-1]))
    meaning = (field.description or "").split("\n")[0] if field is not None else ""
    return f"add `{path[-1]}: ...`" + (f" ({meaning})" if meaning else "")


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_WANTED = {
    "string_type": ("a text is expected", "put it in quotation marks"),
    "int_type": ("a whole number is expected", None),
    "int_from_float": ("a whole number is expected", None),
    "int_parsing": ("a whole number is expected", None),
    "float_type": ("a number is expected", "write it without quotation marks, with a point: 0.05"),
    "float_parsing": ("a number is expected", "write it with a point: 0.05"),
    "bool_type": ("true or false is expected", "write true or false"),
    "bool_parsing": ("true or false is expected", "write true or false"),
    "dict_type": ("a table of `key: value` is expected", None),
    "model_type": ("a table of `key: value` is expected", None),
    "tuple_type": ("a list is expected", "begin each entry with a dash"),
    "list_type": ("a list is expected", "begin each entry with a dash"),
    "date_from_datetime_parsing": ("a date is expected", "write it as 2026-01-31"),
    "date_parsing": ("a date is expected", "write it as 2026-01-31"),
    "date_type": ("a date is expected", "write it as 2026-01-31"),
    "finite_number": ("a finite number is expected", None),
}


def _describe(details: list[Any], value: Any) -> tuple[str, str | None]:
    """What is wrong with a value, and what to do; several details are branches of one union."""
    choices = [word for detail in details for word in _choices(detail)]
    wanted = [_wanted(detail) for detail in details]
    found = f", found {_show(value)}"
    if choices:
        near = get_close_matches(str(value), choices, n=1, cutoff=0.5)
        shapes = sorted({"a table" for what, _ in wanted if what.startswith("a table")})
        listed = ", ".join([*choices, *shapes])
        return (
            f"one of {listed} is expected{found}",
            f"did you mean {near[0]!r}?" if near else "use one of them",
        )
    message = " or ".join(dict.fromkeys(what for what, _ in wanted))
    remedy = next((remedy for _, remedy in wanted if remedy), None)
    return message + found, remedy or "change it"


def _choices(detail: Any) -> list[str]:
    if detail["type"] not in {"literal_error", "enum"}:
        return []
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"]) or [str(detail["ctx"]["expected"])]


def _wanted(detail: Any) -> tuple[str, str | None]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _WANTED:
        return _WANTED[kind]
    comparisons = {
        "greater_than": ("gt", "above"), "greater_than_equal": ("ge", "at least"),
        "less_than": ("lt", "below"), "less_than_equal": ("le", "at most"),
    }  # fmt: skip
    if kind in comparisons:
        key, word = comparisons[kind]
        return f"must be {word} {context[key]:g}", None
    if kind == "too_short":
        return f"at least {context['min_length']} needed, {context['actual_length']} given", "add to the list"
    if kind == "too_long":
        return f"at most {context['max_length']} are read", "shorten the list"
    if kind == "string_too_short":
        return "the text is empty", "write something"
    if kind == "string_too_long":
        return f"the text is longer than {context['max_length']} characters", "shorten it"
    if kind == "string_pattern_mismatch":
        if "0-9a-f" in context["pattern"]:
            return "64 lower-case hexadecimal digits are expected", "paste the sha256"
        return (
            "a name is expected",
            "letters, digits, dot, dash and underscore, at most 64, beginning with a letter or digit",
        )
    message = str(detail["msg"])
    return message[:1].lower() + message[1:], None


# -- finding the schema at a path ----------------------------------------------------------------


def _fields(schema: type[BaseModel], path: Path) -> dict[str, Any]:
    """The fields of the block at `path`, over all branches of unions on the way."""
    annotations: list[Any] = [schema]
    for part in path:
        annotations = [inner for annotation in annotations for inner in _step(annotation, part)]
    return {
        name: field
        for annotation in annotations
        for model in _models(annotation)
        for name, field in model.model_fields.items()
    }


def _alternatives(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for branch in get_args(annotation):
            yield from _alternatives(branch)
    else:
        yield annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for branch in _alternatives(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            yield branch


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    for branch in _alternatives(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            if part in branch.model_fields:
                yield branch.model_fields[str(part)].annotation
        elif get_origin(branch) is tuple and isinstance(part, int):
            yield get_args(branch)[0]
        elif get_origin(branch) is dict:
            yield get_args(branch)[1]


def place_text(name: str, place: Place) -> str:
    """``study.yaml:12:5``"""
    return f"{name}:{place.line}:{place.column}"


def sentence(fault: Fault, name: str) -> str:
    """A fault on one line, for lists of faults."""
    remedy = f" ({fault.remedy})" if fault.remedy else ""
    return f"{place_text(name, fault.place)}: {dotted(fault.path)}: {fault.message}{remedy}"
