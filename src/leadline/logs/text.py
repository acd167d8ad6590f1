"""Inputs and targets as one text each."""

from typing import Any


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
