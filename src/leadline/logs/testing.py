"""The tests that every log format has to pass: subclass `FormatConformance` in a test file of your own.

    class TestTally(FormatConformance):
        format = tally.FORMAT
        files = (Path("tests/data/one.tally"), Path("tests/data/two.tally"))

pytest finds the tests by their names; nothing here needs more of it than `tmp_path`.
"""

import random
import shutil
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

import pyarrow as pa

from leadline.errors import LogError
from leadline.logs.limits import Limits
from leadline.logs.read import read_logs
from leadline.logs.readers import FORMATS, Format
from leadline.logs.request import AskedTier
from leadline.logs.schema import table_schema
from leadline.logs.source import Source, opened
from leadline.logs.table import SampleTable

_MIB: Final = 1 << 20
_TIERS: Final[tuple[AskedTier, ...]] = ("header", "summary", "sample", "auto")
#: Content that belongs to no log format.
FOREIGN: Final[dict[str, bytes]] = {
    "empty": b"",
    "text": b"Nothing of interest.\n",
    "binary": bytes(range(256)) * 8,
    "zip": b"PK\x05\x06" + bytes(18),
    "object": b'{"a": 1}',
    "lines": b'{"a": 1}\n{"a": 2}\n',
    "list": b"[1, 2]",
    "csv": b"id,value\n1,0\n",
    "parquet": b"PAR1" + bytes(8) + b"PAR1",
}


class FormatConformance:
    """What is asked of a format; `format` and `files` are yours to set.

    `files` are whole logs of the format, small ones: each is read some hundred times. `mutations` is how many damaged
    copies of each file are read, half of them cut short and half with bytes changed.
    """

    format: ClassVar[Format]
    files: ClassVar[Sequence[Path]]
    mutations: ClassVar[int] = 48

    def read(self, path: Path, tier: AskedTier = "sample", **options: Any) -> SampleTable:
        """One file as a table; errors come through."""
        return read_logs(path, tier=tier, strict=True, formats=(self.format,), **options)

    def test_it_has_files_to_be_tried_on(self) -> None:
        """Without files nothing is shown."""
        assert self.files, "name at least one file of the format in `files`"

    def test_it_recognises_its_files_and_no_other_format_does(self) -> None:
        """By content alone: of all formats, this one and no other."""
        for path in self.files:
            with opened(path) as source:
                assert self.format.recognise(source), f"{path} is not recognised"
                others = [other.name for other in FORMATS if _recognises(other, source)]
                rest = [name for name in others if name != self.format.name]
            assert rest == [], f"{path} is taken for {', '.join(rest)} as well"

    def test_it_recognises_nothing_else(self, tmp_path: Path) -> None:
        """Empty, foreign and damaged content is answered with False, and with nothing raised."""
        for name, content in FOREIGN.items():
            path = tmp_path / name
            path.write_bytes(content)
            with opened(path) as source:
                assert self.format.recognise(source) is False, (
                    f"{name} content is taken for {self.format.name}"
                )

    def test_the_name_of_a_file_does_not_matter(self, tmp_path: Path) -> None:
        """Under another name a file has the same rows."""
        for number, path in enumerate(self.files):
            copy = tmp_path / f"{number}.renamed"
            shutil.copyfile(path, copy)
            assert _rows(self.read(copy)) == _rows(self.read(path)), (
                f"{path} reads otherwise under another name"
            )

    def test_reading_is_deterministic(self) -> None:
        """The same bytes give the same table and the same header."""
        for path in self.files:
            first, second = self.read(path), self.read(path)
            assert first.to_arrow().equals(second.to_arrow()), f"{path}: two readings differ in their rows"
            assert first.headers == second.headers, f"{path}: two readings differ in their headers"
            assert first.accounting == second.accounting, f"{path}: two readings differ in their accounts"

    def test_the_account_balances(self) -> None:
        """Samples read are those kept and those left out with a reason; the rows are those of the kept ones."""
        for path in self.files:
            table = self.read(path)
            for account in table.accounting.logs:
                left = sum(one.count for one in account.left_out)
                assert account.read == account.kept + left, (
                    f"{path}: {account.read} read, {account.kept} + {left}"
                )
            rows = table.to_arrow(decoded=True).select(["sha256", "sample_id", "epoch"]).to_pylist()
            samples = {(row["sha256"], row["sample_id"], row["epoch"]) for row in rows}
            assert len(samples) == table.accounting.kept, (
                f"{path}: {len(samples)} samples, {table.accounting.kept}"
            )
            assert len(rows) == sum(log.rows for log in table.accounting.logs), (
                f"{path}: rows are not accounted for"
            )

    def test_columns_have_their_types(self) -> None:
        """Every column is there, of its type; digests are those of the file."""
        for path in self.files:
            table = self.read(path)
            wanted = table_schema(samples=True)
            assert table.to_arrow().schema.equals(wanted), f"{path}: columns are {table.to_arrow().schema}"
            for header in table.headers:
                assert header.format, f"{path}: the header names no format"
                assert header.size == path.stat().st_size, f"{path}: the header has another size"

    def test_scores_have_a_value_or_a_reason(self) -> None:
        """A value is null exactly where a reason says why."""
        for path in self.files:
            table = self.read(path).to_arrow(decoded=True)
            pairs = zip(table["value"].to_pylist(), table["unscored_reason"].to_pylist(), strict=True)
            wrong = [pair for pair in pairs if (pair[0] is None) == (pair[1] is None)]
            assert wrong == [], f"{path}: value and reason {wrong[:3]}"

    def test_every_tier_answers(self) -> None:
        """Tier "header" gives no rows and the same header facts; the others give the same samples."""
        for path in self.files:
            tables = {tier: self.read(path, tier) for tier in _TIERS}
            assert len(tables["header"]) == 0, f"{path}: rows at tier header"
            kept = {tier: tables[tier].accounting.kept for tier in _TIERS if tier != "header"}
            assert len(set(kept.values())) == 1, f"{path}: samples by tier {kept}"
            facts = {(h.eval_id, h.task, h.model, h.samples_read) for t in tables.values() for h in t.headers}
            assert len(facts) == len(tables["header"].headers), f"{path}: headers differ by tier: {facts}"

    def test_damage_is_a_log_error(self, tmp_path: Path) -> None:
        """A cut or changed file is read, or is a LogError with a remedy; never another exception."""
        for path in self.files:
            for number, content in enumerate(self.damaged(path.read_bytes())):
                copy = tmp_path / f"{path.name}.{number}"
                copy.write_bytes(content)
                try:
                    self.read(copy)
                except LogError as error:
                    assert error.remedy(), f"{path}, damage {number}: {error} has no remedy"
                copy.unlink()

    def test_memory_is_bounded_by_the_file(self) -> None:
        """Reading takes at most 64 MiB and a hundred times the file."""
        for path in self.files:
            tracemalloc.start()
            try:
                self.read(path)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            allowed = 64 * _MIB + 100 * path.stat().st_size
            assert peak <= allowed, f"{path}: {peak:,} bytes were held for a file of {path.stat().st_size:,}"

    def test_limits_hold(self) -> None:
        """A file beyond a limit is a LogError, or was read without meeting it."""
        tight = replace(Limits(), member=16, document=16, total=16, total_free=16, line=16, rows=1)
        for path in self.files:
            try:
                table = self.read(path, limits=tight)
            except LogError as error:
                assert error.remedy(), f"{path}: {error} has no remedy"
            else:
                assert table.accounting.kept <= 1, f"{path}: read in spite of limits of 16 bytes and one row"

    def damaged(self, content: bytes) -> Iterator[bytes]:
        """Damaged copies of a file's content, the same ones every time."""
        chance = random.Random(len(content))  # noqa: S311 (damage, no secret)
        for _ in range(self.mutations // 2):
            yield content[: chance.randrange(len(content) or 1)]
        for _ in range(self.mutations - self.mutations // 2):
            changed = bytearray(content)
            for _ in range(chance.randint(1, 8)):
                if changed:
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
            yield bytes(changed)


def _recognises(form: Format, source: Source) -> bool:
    if form.whole and source.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] != b"{":
        return False
    return form.recognise(source)


def _rows(table: SampleTable) -> Any:
    names: Sequence[str] = [name for name in table.column_names if name != "log"]
    rows: pa.Table = table.to_arrow(decoded=True)
    return rows.select(names).to_pylist()
