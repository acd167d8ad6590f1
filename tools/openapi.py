"""Write docs/openapi.json, the published copy of the API's description: ``python -m tools.openapi`` (``--check`` compares)."""

import json
import sys
import tempfile
from pathlib import Path

from leadline.registry.registry import Registry, utc_now
from leadline.web.api.app import openapi_document
from leadline.web.context import Site
from leadline.web.settings import Settings

TARGET = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def text() -> str:
    """The document as it is published: indented, one final newline."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "registry.db"
        with Registry.open(store) as registry:
            site = Site(registry, Settings(store=str(store)), utc_now)
            return json.dumps(openapi_document(site), indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file, or say whether it is current."""
    made = text()
    if "--check" in arguments:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == made
        print("docs/openapi.json is current" if current else "docs/openapi.json is out of date")
        return 0 if current else 1
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
