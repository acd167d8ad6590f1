"""The published JSON Schema is the one the code has."""

import json
from pathlib import Path

from leadline.protocol.schema import json_schema, text


def test_the_published_schema_is_current() -> None:
    """`python -m leadline.protocol.schema > docs/protocol.schema.json` has been run since the last change."""
    published = Path(__file__).parents[2] / "docs" / "protocol.schema.json"
    assert published.read_text(encoding="utf-8") == text()


def test_unknown_keys_are_closed_everywhere() -> None:
    """No block of the schema lets an unknown key through."""
    schema = json_schema()
    blocks = [schema, *schema["$defs"].values()]
    assert len(blocks) > 30
    assert all(block["additionalProperties"] is False for block in blocks if "properties" in block)


def test_fields_are_described() -> None:
    """Descriptions come with the schema, so that editors show them."""
    hypothesis = json.loads(text())["$defs"]["Hypothesis"]["properties"]
    assert "Smallest effect of interest" in hypothesis["smallest"]["description"]
