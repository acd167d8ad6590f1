"""The published JSON Schema of a protocol.

``python -m leadline.protocol.schema`` prints it; the copy in the documentation is that text.
"""

import json
import sys
from typing import Any

from leadline.protocol.model import Protocol


def json_schema() -> dict[str, Any]:
    """The schema (JSON Schema, draft 2020-12) of a protocol document, descriptions included.

    What a schema cannot say (references, numbers that must agree, expressions, takeaways) is in
    `leadline.protocol.consistency`.
    """
    schema = Protocol.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def text() -> str:
    """The schema as the bytes that are published: indented, ASCII, one final newline."""
    return json.dumps(json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
