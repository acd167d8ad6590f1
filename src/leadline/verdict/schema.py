"""JSON Schemas (draft 2020-12) of reports and comparisons, generated from `leadline.verdict.form`.

``python -m leadline.verdict.schema docs`` writes the published files anew.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from leadline.verdict.form import ComparisonForm, ReportForm

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def report_schema() -> dict[str, Any]:
    """The schema every report's JSON satisfies."""
    return {"$schema": _DIALECT, "title": "Leadline report", **_of(ReportForm)}


def comparison_schema() -> dict[str, Any]:
    """The schema every comparison's JSON satisfies."""
    return {"$schema": _DIALECT, "title": "Leadline comparison", **_of(ComparisonForm)}


def published() -> dict[str, str]:
    """File name and text of each published schema."""
    schemas = {"report.schema.json": report_schema(), "comparison.schema.json": comparison_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _of(form: Any) -> dict[str, Any]:
    schema = TypeAdapter(form).json_schema()
    schema.pop("title", None)
    return schema


def main(folder: str) -> None:
    """Write the published files into ``folder``."""
    for name, text in published().items():
        (Path(folder) / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs")
