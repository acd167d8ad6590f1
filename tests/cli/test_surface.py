"""What the command line looks like from outside: help, documentation, and every command anybody is told to type."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

import leadline as package
from cli.shell import leadline
from leadline.cli import options
from leadline.cli.groups import EXIT_CODES, STAGES
from leadline.cli.main import app
from leadline.errors import Explained

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "scipy",
    "pydantic",
    "pyarrow",
    "rich",
    "duckdb",
    "pandas",
    "inspect_ai",
    "sqlglot",
    "yaml",
    "cryptography",
)


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    command = typer.main.get_command(app) if command is None else command
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from commands(child, (*path, name))


COMMANDS = dict(commands())
#: These answer in protocols of their own for as long as they run.
SERVERS = {("mcp",), ("serve",)}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    """Help text, the shape of its JSON, `--json`, and a word about every argument and option."""
    command = COMMANDS[path]
    if path not in SERVERS:
        assert "JSON: " in command.help
        assert "--json" in {name for param in command.params for name in param.opts}
    for param in command.params:
        assert param.get_help_record(typer.Context(command, info_name=" ".join(path)))[1], param.name
    shown = leadline(*path, "--help")
    assert command.help.split("\n", 1)[0] in shown.out


def test_help_groups_every_command_by_its_stage() -> None:
    """Each command stands under exactly one stage, with its first sentence whole, in 80 columns."""
    staged = [name for names in STAGES.values() for name in names]
    assert sorted(staged) == sorted({path[0] for path in COMMANDS})
    shown = leadline("--help").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.partition("\n")[2]
    for heading in STAGES:
        assert f"\n{heading}\n" in shown
    for code, meaning in EXIT_CODES:
        assert re.search(rf"^  {code} +{meaning[:30]}", shown, re.MULTILINE)


def test_help_says_where_things_are_kept(home: Path) -> None:
    """The environment variables, and the places they lead to now."""
    shown = "".join(leadline("--help").out.split())
    for said in (
        "LEADLINE_HOME",
        "LEADLINE_STORE",
        "LEADLINE_KEY",
        home / "registry.db",
        home / "author.key",
    ):
        assert str(said) in shown
    assert "$LEADLINE_HOME/registry.db" in "".join(leadline("show", "--help").out.split())


def test_no_arguments_show_the_help_and_version_prints_it() -> None:
    """The bare program helps instead of complaining."""
    assert leadline().out == leadline("--help").out == leadline("-h").out
    assert leadline("--version").out == f"leadline {package.__version__}\n"


def test_exit_statuses_of_errors_are_documented() -> None:
    """Every status an error of the tree may end with is in the list."""

    def tree(kind: type[Explained]) -> Iterator[type[Explained]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    assert {kind.exit_code for kind in tree(Explained)} <= {code for code, _ in EXIT_CODES}


def test_the_reference_page_is_current() -> None:
    """`python -m tools.docs` has been run since the last change; the page names every command."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.docs", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert "commands.md" not in json.loads(done.stdout)["stale"]
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for path in COMMANDS:
        assert f"### `leadline {' '.join(path)}`" in page


def test_choices_are_those_of_the_modules_they_stand_for() -> None:
    """The light copies in the options say what the heavy modules say."""
    from leadline.ledger.predicates import Amend
    from leadline.protocol.blocks.identity import Author
    from leadline.store.projections.studies import State

    assert get_args(options.StudyState) == get_args(State)
    for choices, model, name in ((options.Seen, Amend, "seen"), (options.HolderKind, Author, "kind")):
        described = json.dumps(_annotation(model, name))
        assert all(f'"{choice}"' in described for choice in get_args(choices)), name


def _annotation(model: Any, name: str) -> list[str]:
    """The texts a field may take."""
    if hasattr(model, "model_fields"):
        return list(get_args(model.model_fields[name].annotation))
    return list(get_args(typing_hints(model)[name]))


def typing_hints(model: Any) -> dict[str, Any]:
    """The resolved annotations of a class."""
    from typing import get_type_hints

    return get_type_hints(model)


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import leadline", set()),
        ("from leadline.cli.main import main; main(['--help'])", set()),
        # Typer itself reads the options of a subcommand with pydantic.
        ("from leadline.cli.main import main; main(['key', '--help'])", {"pydantic"}),
        ("from leadline.cli.main import main; main(['compare', '--help'])", {"pydantic"}),
    ],
    ids=["import", "help", "group help", "command help"],
)
def test_nothing_heavy_is_imported_for_help(code: str, allowed: set[str]) -> None:
    """Neither `import leadline` nor any help loads the scientific stack."""
    heavy = set(HEAVY) - allowed
    script = f"{code}\nimport sys; print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"


# -- what people are told to type -------------------------------------------------------------------

_TOLD = re.compile(
    r"`(?:\$ )?leadline ([a-z][^`\n]*)`|^\s*leadline ([a-z][^\n]*)$|<pre>leadline ([^<]*)</pre>", re.MULTILINE
)


def told() -> Iterator[tuple[str, str]]:
    """Every `leadline ...` that the project prints or writes, with the file that says it."""
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md"), *ROOT.glob("design/*.md")]
    for kind in ("py", "yaml", "html", "md"):
        files += (ROOT / "src" / "leadline").rglob(f"*.{kind}")
    for file in files:
        for match in _TOLD.finditer(file.read_text(encoding="utf-8")):
            words = next(filter(None, match.groups())).split(" #")[0].strip()
            if not words.startswith(("import ", "from ")):
                yield str(file.relative_to(ROOT)), words


@pytest.mark.parametrize(("file", "words"), sorted(set(told())))
def test_every_command_anybody_is_told_to_type_exists(file: str, words: str) -> None:
    """Error remedies, templates, pages and documents name commands and options that there are."""
    given = words.partition(" -- ")[0].split()  # the rest is another program's
    path = tuple(given[:2]) if tuple(given[:2]) in COMMANDS else tuple(given[:1])
    groups = {path[0] for path in COMMANDS if len(path) > 1}
    if path[0] in groups and len(given) == 1:
        return
    assert path in COMMANDS, f"{file}: no command {' '.join(path)}"
    known = {name for param in COMMANDS[path].params for name in (*param.opts, *param.secondary_opts)} | {
        "--help"
    }
    used = {re.match(r"--?[A-Za-z-]+", word)[0] for word in given if re.match(r"--?[A-Za-z]", word)}  # type: ignore[index]
    assert used <= known, f"{file}: {words}"


def _readme_lines() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("leadline ")]


@pytest.mark.parametrize("line", _readme_lines())
def test_every_command_line_of_the_readme_parses(line: str) -> None:
    """As written: arguments and options are accepted (what they do is tested by doing it)."""
    words = shlex.split(line.replace("LL-…", "LL-0123456789abc"))[1:]
    command: Any = typer.main.get_command(app)
    while children := getattr(command, "commands", None):
        command, words = children[words[0]], words[1:]
    with command.make_context("leadline", words) as context:
        assert context.params


def test_the_readme_shows_the_loop() -> None:
    """The parametrised test above has lines to try."""
    assert len(_readme_lines()) >= 9


@pytest.mark.parametrize(
    "line",
    [
        "report LL-0123456789abc --json",
        "report --protocol p.yaml a.eval b.eval --json",
        "compare A B --save-protocol next.yaml",
    ],
)
def test_the_commands_that_reports_print_parse(line: str) -> None:
    """What pages tell a stranger to type to check a result is accepted."""
    words = line.split()
    with COMMANDS[(words[0],)].make_context("leadline", words[1:]) as context:
        assert context.params
