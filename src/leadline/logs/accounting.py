"""Where every file and every sample went: read, kept, or left out and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

_EXAMPLES = 5

SkipKind = Literal["not a log", "unreadable", "copy", "folder", "companion", "aggregate"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Samples that were read and are not in the table; `examples` names up to five of them."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fallback:
    """A slower decoder that had to be used, how often, and why: `decoder` is "json" or "inspect"."""

    decoder: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A score whose value in the log's summaries is not the one in its sample (JSON text of both)."""

    sample: str
    score: str
    summary: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class LogAccount:
    """One log's balance: `read` = `kept` + everything in `left_out`, in samples (an epoch is a sample).

    `present` counts the samples in the file, which are not read at tier "header".
    `claimed` is the number of samples the log's own header speaks of, None where it does not say;
    `absent` are those it claims and does not hold. `tier` is what was really read. `escalated` says why
    summaries could not answer. `mismatches` lists score values that summaries and samples disagree on.
    """

    log: str
    path: str
    sha256: str
    format: str
    tier: str
    read: int
    kept: int
    rows: int
    present: int = 0
    claimed: int | None = None
    left_out: tuple[LeftOut, ...] = ()
    fallbacks: tuple[Fallback, ...] = ()
    escalated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def absent(self) -> int:
        """Samples the header claims and the file does not hold."""
        return max(0, (self.claimed or 0) - self.present)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that gave no rows; `kind` says of which sort, `reason` says why in words."""

    path: str
    kind: SkipKind
    reason: str


@dataclass(frozen=True, slots=True)
class Accounting:
    """The balance of one `read_logs`: per log, and the files that are no logs, copies, or unreadable."""

    logs: tuple[LogAccount, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def read(self) -> int:
        """Samples read from all logs."""
        return sum(log.read for log in self.logs)

    @property
    def kept(self) -> int:
        """Samples in the table."""
        return sum(log.kept for log in self.logs)

    @property
    def left_out(self) -> dict[str, int]:
        """Samples read and not in the table, by reason."""
        counts: Counter[str] = Counter()
        for log in self.logs:
            for left in log.left_out:
                counts[left.reason] += left.count
        return dict(counts)

    @property
    def absent(self) -> int:
        """Samples that headers claim and files do not hold."""
        return sum(log.absent for log in self.logs)

    @property
    def fallbacks(self) -> tuple[tuple[str, Fallback], ...]:
        """Every fallback used, with the name of its log."""
        return tuple((log.log, fallback) for log in self.logs for fallback in log.fallbacks)

    @property
    def mismatches(self) -> tuple[tuple[str, Mismatch], ...]:
        """Every disagreement between summaries and samples, with the name of its log."""
        return tuple((log.log, mismatch) for log in self.logs for mismatch in log.mismatches)

    def __str__(self) -> str:
        lines = [f"{len(self.logs)} logs, {self.read:,} samples read, {self.kept:,} kept"]
        lines += [f"  left out {count:,}: {reason}" for reason, count in self.left_out.items()]
        if self.absent:
            lines.append(f"  claimed by headers and not in the files: {self.absent:,}")
        for log, fallback in self.fallbacks:
            lines.append(f"  {log}: {fallback.count} read with {fallback.decoder} ({fallback.reason})")
        if self.mismatches:
            lines.append(f"  score values that summaries and samples disagree on: {len(self.mismatches)}")
        lines += [f"  {log.log}: {note}" for log in self.logs for note in log.notes]
        lines += [f"  skipped {skip.path}: {skip.reason}" for skip in self.skipped]
        return "\n".join(lines)

    def joined(self, other: "Accounting") -> "Accounting":
        """The balance of both."""
        return Accounting(self.logs + other.logs, self.skipped + other.skipped)


@dataclass(slots=True)
class Ledger:
    """The account of one log while it is being read."""

    tier: str = "header"
    read: int = 0
    rows: int = 0
    claimed: int | None = None
    fallbacks: Counter[tuple[str, str]] = field(default_factory=Counter)
    escalated: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    _left: dict[str, list[str]] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, samples: Iterable[str]) -> None:
        """Count samples that were read and will not be in the table."""
        for sample in samples:
            examples = self._left.setdefault(reason, [])
            self._counts[reason] += 1
            self.read += 1
            if len(examples) < _EXAMPLES:
                examples.append(sample)

    def retried(self, reason: str) -> None:
        """Count one document that the fast decoder refused."""
        self.fallbacks["json", reason] += 1

    def closed(self, *, log: str, path: str, sha256: str, format: str, present: int) -> LogAccount:  # noqa: A002
        """The finished account; what was read and not left out was kept."""
        left = tuple(LeftOut(why, self._counts[why], tuple(names)) for why, names in self._left.items())
        return LogAccount(
            log=log,
            path=path,
            sha256=sha256,
            format=format,
            tier=self.tier,
            read=self.read,
            kept=self.read - sum(self._counts.values()),
            rows=self.rows,
            present=present,
            claimed=self.claimed,
            left_out=left,
            fallbacks=tuple(Fallback(d, why, n) for (d, why), n in sorted(self.fallbacks.items())),
            escalated=tuple(self.escalated),
            notes=tuple(self.notes),
            mismatches=tuple(self.mismatches),
        )


def set_aside(account: LogAccount, reason: str) -> LogAccount:
    """The account of a log whose samples were all taken out of the table again."""
    left = (*account.left_out, LeftOut(reason, account.kept)) if account.kept else account.left_out
    return replace(account, kept=0, rows=0, left_out=left)
