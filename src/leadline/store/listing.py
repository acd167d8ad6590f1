"""What a list shows of its studies, read for all of them at once."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from leadline.store.projection import Row, Table
from leadline.store.projections.facets import FACET
from leadline.store.projections.reports import NEWEST_REPORT, REPORT, VERDICT, ReportRow, VerdictRow
from leadline.store.projections.rows import typed
from leadline.store.projections.studies import AREA, AUTHOR, HYPOTHESIS, HypothesisRow, StudyRow
from leadline.store.protocol import ReadView


class Listing:
    """Some studies of one view, with what belongs to them: each kind of thing is one read, made when first asked for.

    Where a study is given, it is one of `studies`.
    """

    def __init__(self, view: ReadView, studies: Iterable[StudyRow]) -> None:
        self.view = view
        self.studies = tuple(studies)

    def authors(self, study: StudyRow) -> list[str]:
        """Names of the authors, in their order."""
        return [str(row["name"]) for row in self._authors.get(study.ix, ())]

    def areas(self, study: StudyRow) -> list[str]:
        """Areas, sorted."""
        return [str(row["area"]) for row in self._areas.get(study.ix, ())]

    def hypotheses(self, study: StudyRow) -> list[HypothesisRow]:
        """Hypotheses, in their order."""
        return [typed(HypothesisRow, row) for row in self._hypotheses.get(study.ix, ())]

    def marks(self, study: StudyRow) -> list[str]:
        """Marks (`leadline.store.projections.facets`), sorted."""
        return [str(row["mark"]) for row in self._marks.get(study.ix, ())]

    def report(self, study: StudyRow) -> ReportRow | None:
        """The newest report, or None."""
        newest = self._newest.get(study.id)
        return None if newest is None else self._reports.get(newest)

    def verdicts(self, study: StudyRow) -> list[VerdictRow]:
        """Verdicts of the newest report, by hypothesis id; none before there is one."""
        newest = self._newest.get(study.id)
        return [] if newest is None else [typed(VerdictRow, row) for row in self._verdicts.get(newest, ())]

    @cached_property
    def _authors(self) -> dict[int, list[Row]]:
        return self._belonging(AUTHOR)

    @cached_property
    def _areas(self) -> dict[int, list[Row]]:
        return self._belonging(AREA)

    @cached_property
    def _hypotheses(self) -> dict[int, list[Row]]:
        return self._belonging(HYPOTHESIS)

    @cached_property
    def _marks(self) -> dict[int, list[Row]]:
        return self._belonging(FACET)

    @cached_property
    def _newest(self) -> dict[str, int]:
        """Log index of the newest report, by study: the older ones, however many, are not read."""
        rows = self.view.select_among(NEWEST_REPORT, "study", [study.id for study in self.studies])
        return {str(row["study"]): int(row["ix"] or 0) for row in rows}

    @cached_property
    def _reports(self) -> dict[int, ReportRow]:
        rows = self.view.select_among(REPORT, "ix", list(self._newest.values()))
        return {int(row["ix"] or 0): typed(ReportRow, row) for row in rows}

    @cached_property
    def _verdicts(self) -> dict[int, list[Row]]:
        return _by_index(self.view, VERDICT, list(self._newest.values()))

    def _belonging(self, table: Table) -> dict[int, list[Row]]:
        return _by_index(self.view, table, [study.ix for study in self.studies])


def _by_index(view: ReadView, table: Table, indexes: list[int]) -> dict[int, list[Row]]:
    """Rows of a table by the log index they belong to, each one's in order of the key."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in view.select_among(table, "ix", indexes):
        found[int(row["ix"] or 0)].append(row)
    return found
