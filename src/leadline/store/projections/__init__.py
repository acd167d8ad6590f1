"""The projections every store keeps; other packages add theirs when they open a store.

To add one: write a module like these with its tables, its `apply` and its typed accessors, and list an instance
in `BUILT_IN` here, or pass it as ``open_store(..., projections=[...])`` from the package that owns it.
"""

from typing import Final

from leadline.store.projection import Projection
from leadline.store.projections.attachments import Attachments
from leadline.store.projections.attempts import Attempts
from leadline.store.projections.authority import Rights
from leadline.store.projections.imports import Imports
from leadline.store.projections.judgements import Judgements
from leadline.store.projections.leaves import Leaves
from leadline.store.projections.references import References
from leadline.store.projections.reports import Reports
from leadline.store.projections.seals import Seals
from leadline.store.projections.search import Search
from leadline.store.projections.statements import Statements
from leadline.store.projections.studies import Studies

BUILT_IN: Final[tuple[Projection, ...]] = (
    Rights(),  # first: it refuses what the signer may not say
    Leaves(),
    Statements(),
    References(),
    Seals(),  # before studies: what a reveal opens becomes one
    Studies(),
    Attempts(),
    Attachments(),
    Reports(),
    Imports(),
    Judgements(),
    Search(),
)
