"""Everything a reader of another log format needs, in one place; see docs/log-formats.md for a whole example.

A format is one module with a `FORMAT = Format(name, recognise, read)`. `read` makes a `LogHeader` with `new_header`,
gives an `Intake` every sample as a `Sample`, and returns what `Intake.finished` says. What it cannot read is a
`LogError` with a remedy. `leadline.logs.testing` has the tests that every format has to pass.
"""

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import decode_object, unknown_shape
from leadline.logs.headers import ClaimedMetric, DatasetNote, LogHeader
from leadline.logs.headers_new import evaluation_id, new_header
from leadline.logs.intake import Intake, sort_key
from leadline.logs.limits import Limits
from leadline.logs.lines import first_object, lines, objects, text_of
from leadline.logs.readers.base import Format
from leadline.logs.readers.enabled import GROUP, VARIABLE
from leadline.logs.request import Request
from leadline.logs.shapes import Sample, Score
from leadline.logs.source import Source

__all__ = [
    "GROUP",
    "VARIABLE",
    "ClaimedMetric",
    "Columns",
    "DatasetNote",
    "Format",
    "Intake",
    "Ledger",
    "Limits",
    "LogError",
    "LogHeader",
    "Request",
    "Sample",
    "Score",
    "Source",
    "decode_object",
    "evaluation_id",
    "first_object",
    "lines",
    "new_header",
    "objects",
    "sort_key",
    "text_of",
    "unknown_shape",
]
