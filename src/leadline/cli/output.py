"""What commands print: JSON, or calm text that reads at 80 columns without colour. Progress goes to standard error."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.errors import StateError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
_WIDEST = 100
#: Control characters of the second kind, bidirectional marks, and line ends that JSON leaves as they are.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def emit(value: Any) -> None:
    """Print a value as indented JSON; a dictionary keeps the documented order of its keys.

    What could steer a terminal or turn text round is written as an escape: the same value, harmless to look at.
    """
    print(
        _STEERING.sub(
            lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, indent=2, ensure_ascii=False)
        )
    )


def emit_bytes(body: bytes) -> None:
    """Print JSON that exists as bytes already, byte for byte, and a line end."""
    sys.stdout.write(body.decode() + "\n")


def note(text: str) -> None:
    """A remark on standard error, where it cannot get into a pipe; control characters are made visible."""
    from leadline.draw.svg import visible

    print(visible(text.replace("\t", " ").replace("\r", "\ufffd")), file=sys.stderr)


def console() -> "Console":
    """Rich's console on standard output; it leaves colour out for pipes and where NO_COLOR is set."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


# -- progress -------------------------------------------------------------------------------------


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A bar on standard error while work with a known end is done; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda done, total: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def busy(label: str) -> Iterator[None]:
    """A sign of life on standard error while work without a known end is done."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(label):
        yield


# -- files ----------------------------------------------------------------------------------------


def write_text(path: str, text: str) -> None:
    """Write a file, replacing what is there; StoreError when the disk refuses."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the file cannot be written: {error.strerror}",
            where=path,
            remedy="check that the folder exists, is writable and has space left",
        ) from error


def write_new(path: str, text: str, *, force: bool = False) -> None:
    """Write a file that a person will edit; an existing one is replaced only when asked to."""
    if not force and Path(path).exists():
        raise StateError(
            "there is a file already", where=path, remedy="name another file, or move this one away"
        )
    write_text(path, text)


# -- text -----------------------------------------------------------------------------------------


def _broken(text: str, room: int) -> list[str]:
    """The text in lines of at most `room` cells, broken between words; at least one line.

    A longer word stays whole on a line of its own: keys, paths and digests are there to be copied. Only text of
    scripts that put no blanks between words is broken anywhere.
    """
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for word in text.split():
        for piece in [word] if word.isascii() else chop_cells(word, room):
            longer = f"{lines[-1]} {piece}" if lines[-1] else piece
            if lines[-1] and cell_len(longer) > room:
                lines.append(piece)
            else:
                lines[-1] = longer
    return lines


class Page:
    """Lines, aligned facts and tables on a console; whatever strangers wrote is cleaned."""

    def __init__(self, out: "Console | None" = None) -> None:
        self.console = out or console()
        self.width = min(self.console.width, _WIDEST)
        self.unicode = self.console.encoding.lower().replace("-", "").startswith("utf")

    def clean(self, text: str) -> str:
        """One line without control characters, in what this terminal can show."""
        from leadline.draw.svg import visible

        plain = " ".join(visible(text).split())
        if self.unicode:
            return plain
        for fancy, simple in (("·", "-"), ("…", "..."), ("−", "-"), ("±", "+/-"), ("→", "->")):
            plain = plain.replace(fancy, simple)
        return plain.encode("ascii", "replace").decode()

    def line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        """A line, broken between words at the width and continued under its indent; a key or path stays whole."""
        from rich.text import Text

        for part in _broken(self.clean(text), max(self.width - indent, 10)):
            self.console.print(Text(" " * indent).append(part, style=style), soft_wrap=True)

    def verbatim(self, text: str, indent: int = 2) -> None:
        """Something to be copied (a command, a key, a path): never folded."""
        from rich.text import Text

        self.console.print(Text(" " * indent + self.clean(text)), soft_wrap=True)

    def gap(self) -> None:
        """An empty line."""
        self.console.print()

    def head(self, text: str) -> None:
        """A heading, with a line of air above."""
        self.gap()
        self.line(text, "bold")

    def facts(self, pairs: Iterable[tuple[str, str | None]], indent: int = 2) -> None:
        """Labels and values in two columns, long values continued under themselves; pairs without one are left out."""
        from rich.text import Text

        shown = [(self.clean(label), self.clean(value)) for label, value in pairs if value]
        column = min(max((len(label) for label, _ in shown), default=0), self.width // 2)
        room = max(self.width - indent - column - 2, 10)
        for label, value in shown:
            first, *rest = _broken(value, room)
            start = Text(" " * indent).append(label.ljust(column), style="dim").append("  ")
            if len(first) > room:
                self.console.print(start, soft_wrap=True)
                start = Text(" " * (indent + 2))
            self.console.print(start.append(first), soft_wrap=True)
            for line in rest:
                self.console.print(Text(" " * (indent + column + 2)).append(line), soft_wrap=True)

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = (), indent: int = 2
    ) -> None:
        """A table with a rule under its heads; `right` names columns of numbers."""
        from rich import box
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        shape = box.SIMPLE_HEAD if self.unicode else box.ASCII2
        table = Table(box=shape, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1))
        for position, head in enumerate(heads):
            table.add_column(head, justify="right" if position in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(self.clean(cell)) for cell in row))
        with self.console.capture() as captured:
            self.console.print(Padding(table, (0, 0, 0, indent), expand=False), width=self.width)
        # In a pipe the blanks that fill the last column up are only in the way.
        for line in captured.get().splitlines():
            self.console.file.write((line if self.console.is_terminal else line.rstrip()) + "\n")
