"""Options that several commands share, spelled and explained once.

Choices are written out here because the modules that define them are heavy; a test keeps them equal.
"""

from typing import Annotated, Literal, TypeAlias

import typer

StudyState: TypeAlias = Literal["registered", "running", "attached", "reported", "closed", "withdrawn"]
StudyStatus: TypeAlias = Literal[
    "registered", "running", "reported", "overdue", "closed-undisclosed", "withdrawn"
]
Outcome: TypeAlias = Literal["supported", "refuted", "null", "inconclusive"]
Standing: TypeAlias = Literal["confirmatory", "qualified", "exploratory", "retrospective"]
Seen: TypeAlias = Literal["nothing_run", "not_looked", "looked", "results_known"]
HolderKind: TypeAlias = Literal["human", "llm"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Mapping = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="What the columns of tables mean (YAML or JSON): docs/log-formats.md.",
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="LEADLINE_STORE",
        metavar="ADDRESS",
        help="The registry: a file, postgresql://... or https://...",
        show_default="$LEADLINE_HOME/registry.db",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="LEADLINE_KEY",
        metavar="FILE",
        help="The author's key.",
        show_default="$LEADLINE_HOME/author.key",
    ),
]
Invitation = Annotated[
    str | None,
    typer.Option(
        "--invitation",
        envvar="LEADLINE_INVITATION",
        metavar="CODE",
        help="What lets your key write to a server that asks for it; needed once.",
        show_default=False,
    ),
]
Origin = Annotated[
    str | None,
    typer.Option(
        "--origin",
        metavar="NAME",
        help="What the log of a new registry is called, for ever, such as example.org/lab.",
        show_default="a random name",
    ),
]
StudyId = Annotated[str, typer.Argument(metavar="ID", help="The study's id, LL-...")]
ProtocolFile = Annotated[str, typer.Argument(metavar="PROTOCOL", help="A protocol, YAML or JSON.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it becomes part of the record.")]
