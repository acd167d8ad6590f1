"""Inputs and targets as one text each."""

from collections.abc import Mapping
from typing import Any, TypeVar

_Value = TypeVar("_Value")
_REFERENCE = "attachment://"


def input_text(value: str | list[dict[str, Any]]) -> str:
    """A text input as it is; messages as role and text, with an empty line between them."""
    if isinstance(value, str):
        return value
    return "\n\n".join([f"{message.get('role', '')}:\n{_message_text(message)}" for message in value])


def target_text(value: str | list[str]) -> str:
    """A text target as it is; several joined with commas, as Inspect's data frames show them."""
    return value if isinstance(value, str) else ",".join(value)


def _message_text(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content.strip()
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "\n".join([text for text in texts if isinstance(text, str)]).strip()


def with_attachments(value: _Value, attachments: Mapping[str, str]) -> _Value:
    """An input with attachments in the place of references to them; a reference to nothing stays as it is."""
    changed: Any = value
    if isinstance(value, str) and value.startswith(_REFERENCE):
        changed = attachments.get(value.removeprefix(_REFERENCE), value)
    elif isinstance(value, list):
        changed = [with_attachments(part, attachments) for part in value]
    elif isinstance(value, dict):
        changed = {key: with_attachments(part, attachments) for key, part in value.items()}
    return changed  # type: ignore[no-any-return]
