"""Help in the order of the loop: commands stand under the stage they belong to."""

from contextlib import suppress
from typing import Any, Final

from typer.core import TyperGroup

#: Heading -> commands, in the order a newcomer meets them.
STAGES: Final[dict[str, tuple[str, ...]]] = {
    "START   two logs, or the whole loop on small models": ("compare", "logs", "demo"),
    "PLAN    what do we promise?": (
        "new",
        "check",
        "diff",
        "similar",
        "register",
        "amend",
        "seal",
        "withhold",
        "withdraw",
    ),
    "RUN     what was really run?": ("run", "attempts", "attach", "sealed"),
    "REPORT  what did it show?": ("report", "reveal", "verify", "import"),
    "WEIGH   what is known already?": ("search", "show", "judge", "export"),
    "SERVE   for others, people and programs": ("serve", "mcp", "mirror", "witness"),
    "CARE    keys and the record": (
        "key",
        "tend",
        "take-down",
        "backup",
        "restore",
        "fsck",
        "rebuild",
        "schema",
    ),
}

USAGE, DISK, FAULT, INTERRUPTED, NO_READER = 2, 4, 70, 130, 141
EXIT_CODES: Final[tuple[tuple[int, str], ...]] = (
    (0, "done, and nothing is wrong"),
    (1, "done, and the answer is no: findings that block, a verification step that fails"),
    (USAGE, "the command line makes no sense"),
    (3, "the input makes no sense, does not exist, comes at the wrong moment, or the key may not do that"),
    (DISK, "the disk or the database refused; nothing was acknowledged"),
    (5, "evidence does not hold: a signature, a proof, stored bytes, a key file"),
    (6, "all that is there holds, but bytes were taken down: nobody can check those, nor compute from them"),
    (FAULT, "a fault in Leadline itself"),
    (INTERRUPTED, "interrupted"),
    (NO_READER, "whoever read the output went away"),
)


ENVIRONMENT: Final[tuple[tuple[str, str], ...]] = (
    ("LEADLINE_HOME", "the folder of registry.db and author.key; ~/.leadline unless set"),
    ("LEADLINE_STORE", "another registry; so does --store"),
    ("LEADLINE_KEY", "another author's key; so does --key"),
)


class LoopGroup(TyperGroup):
    """The top-level group: lists its commands by stage, and the exit statuses below them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Names in the order of the stages."""
        staged = [name for names in STAGES.values() for name in names]
        return [name for name in staged if name in self.commands] + sorted(set(self.commands) - set(staged))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One section per stage."""
        width = max(map(len, self.commands))
        for heading, names in STAGES.items():
            formatter.write_paragraph()
            formatter.write(f"{heading}\n")
            with formatter.indentation():
                rows = [
                    (name.ljust(width), self._short(ctx, name, formatter.width - width - 6)) for name in names
                ]
                formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Where things are kept, as things stand now, and the exit statuses."""
        from leadline.registry.places import default_key, default_store

        with formatter.section("Where things are kept"):
            rows = list(ENVIRONMENT)
            with suppress(RuntimeError):  # a user without a home folder still gets help
                rows.append(("at present", f"{default_store()}, {default_key()}"))
            formatter.write_dl(rows)
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES])

    def _short(self, ctx: Any, name: str, room: int) -> str:
        command = self.get_command(ctx, name)
        return "" if command is None else command.get_short_help_str(room)
