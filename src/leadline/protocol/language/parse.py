"""Text to tree: sqlglot reads the SQL, an allow-list decides what may stay.

Two gates. Before parsing, every token is checked, so that a word which has no place here (SELECT,
a semicolon, an unknown function) is refused at its own column. After parsing, only the shapes of
`leadline.protocol.language.tree` are built; whatever else the parser produced is refused.
"""

from collections.abc import Iterator
from typing import Any

from leadline.errors import ExpressionError
from leadline.protocol.language.tokens import bare_names, tokenize
from leadline.protocol.language.tree import Call, Case, Column, Constant, Node, children
from leadline.protocol.language.vocabulary import (
    ALLOWED,
    FUNCTIONS,
    MAX_CHARACTERS,
    MAX_DEPTH,
    SPELLINGS,
    TYPES,
)


def parse(text: str) -> Node:
    """The tree of an expression; `ExpressionError` names the token, its column and what is allowed."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"the expression has {len(text)} characters, at most {MAX_CHARACTERS} are read",
            remedy="put the list into a metadata field of the dataset and filter on that",
        )
    tokens = tokenize(text)
    if not tokens:
        raise ExpressionError(
            "the expression is empty", remedy="write a condition such as metadata.level = 'hard'"
        )
    names = bare_names(tokens, text)
    builder = _Builder(tokens)
    try:
        tree = builder.build(_sqlglot(text, names))
    except (
        RecursionError
    ):  # the parser's own tree, which it writes out by recursion where we name what is not read
        raise ExpressionError(
            f"the expression nests deeper than {MAX_DEPTH}", remedy="use fewer steps"
        ) from None
    _check_nothing_was_lost(tokens, names, builder.leaves)
    _check_depth(tree)
    return tree


def _sqlglot(text: str, names: list[Any]) -> Any:
    """The parser's tree. Names are quoted first, so that none can be taken for a word of SQL."""
    import sqlglot
    from sqlglot.errors import ParseError, SqlglotError

    pieces, end = [], 0
    for token in names:
        pieces += [text[end : token.start], f'"{text[token.start : token.end + 1]}"']
        end = token.end + 1
    try:
        found = sqlglot.parse("".join([*pieces, text[end:]]), read="duckdb")
    except ParseError as error:
        near = str((error.errors or [{}])[0].get("highlight") or "").strip('"')
        raise ExpressionError(
            "cannot read the expression" + (f" at {near!r}" if near else ""),
            remedy="check brackets, quotation marks ('text' in single ones) and operators",
        ) from error
    except (SqlglotError, RecursionError, ValueError) as error:
        raise ExpressionError("cannot read the expression", remedy="make it simpler") from error
    if len(found) != 1 or found[0] is None:
        raise ExpressionError("one expression is expected", remedy="remove the semicolon")
    return found[0]


def _check_nothing_was_lost(tokens: list[Any], names: list[Any], leaves: int) -> None:
    """Refuse a text of which the parser dropped a part, such as an argument too many.

    Every name and value written must be in the tree.
    """
    values = [token for token in tokens if token.token_type.name in {"STRING", "NUMBER", "IDENTIFIER"}]
    constants = [token for token in tokens if token.text.lower() in {"true", "false", "null"}]
    written = {id(token) for token in (*values, *names, *constants)}
    if len(written) != leaves:
        raise ExpressionError("a part of the expression has no meaning here", remedy=ALLOWED)


def _check_depth(tree: Node) -> None:
    level, nodes = 0, [tree]
    while nodes:
        level += 1
        nodes = [child for node in nodes for child in children(node)]
    if level > MAX_DEPTH:
        raise ExpressionError(
            f"the expression nests deeper than {MAX_DEPTH}", remedy="use in (...), or fewer steps"
        )


_BINARY = {
    "EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=",
    "Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Mod": "%", "DPipe": "||",
    "Like": "like", "ILike": "ilike",
}  # fmt: skip
_NAMED = {
    "Abs": "abs", "Ceil": "ceil", "Coalesce": "coalesce", "Concat": "concat", "Contains": "contains",
    "EndsWith": "ends_with", "Floor": "floor", "Greatest": "greatest", "Least": "least", "Length": "length",
    "Lower": "lower", "Nullif": "nullif", "RegexpExtract": "regexp_extract", "RegexpLike": "regexp_matches",
    "Round": "round", "SplitPart": "split_part", "StartsWith": "starts_with", "Substring": "substr",
    "Trim": "trim", "Upper": "upper",
}  # fmt: skip
#: Where sqlglot keeps arguments, in the order people write them.
_SLOTS = (
    "this", "expression", "delimiter", "start", "decimals", "part_index", "length", "position", "group",
    "expressions",
)  # fmt: skip
#: Where it keeps options that this language does not have.
_OPTIONS = ("flag", "modifiers", "parameters", "occurrence", "truncate")


class _Builder:
    """Turns sqlglot's tree into ours, keeping for each part the column it begins at."""

    def __init__(self, tokens: list[Any]) -> None:
        self._tokens = tokens
        self._next = 0
        #: How many names and values of the text have been built into the tree.
        self.leaves = 0

    def build(self, parsed: Any, depth: int = 0) -> Node:
        if depth > MAX_DEPTH * 4:
            raise ExpressionError(f"the expression nests deeper than {MAX_DEPTH}", remedy="use fewer steps")
        kind = type(parsed).__name__
        if kind in {"And", "Or"}:
            return self._junction(parsed, kind, depth)
        if kind in _BINARY:
            return self._call(_BINARY[kind], (parsed.this, parsed.expression), depth)
        if kind in _NAMED:
            return self._function(parsed, _NAMED[kind], depth)
        method = getattr(self, f"_{kind.lower()}", None)
        if method is None:
            raise ExpressionError(
                f"{parsed.sql(dialect='duckdb')[:60]!r} is not part of the filter language", remedy=ALLOWED
            )
        built: Node = method(parsed, depth)
        return built

    def _call(self, name: str, arguments: tuple[Any, ...], depth: int) -> Node:
        built = tuple(self.build(argument, depth + 1) for argument in arguments)
        return Call(name, built, _start(built))

    def _junction(self, parsed: Any, kind: str, depth: int) -> Node:
        parts = tuple(self.build(part, depth + 1) for part in parsed.flatten(unnest=False))
        return Call(kind.lower(), parts, _start(parts))

    def _function(self, parsed: Any, name: str, depth: int) -> Node:
        arguments: list[Any] = []
        for slot in _SLOTS:
            value = parsed.args.get(slot)
            if isinstance(value, list):
                arguments += value
            elif slot == "group" and value is not None and not value.meta:
                continue  # the parser's own default, written nowhere in the text
            elif value is not None and not isinstance(value, str | bool):
                arguments.append(value)
        at = self._position(name)
        built = tuple(self.build(argument, depth + 1) for argument in arguments)
        fewest, most = FUNCTIONS[name]
        if len(built) < fewest or (most is not None and len(built) > most):
            raise ExpressionError(
                f"{name}() at column {at} has {len(built)} arguments",
                remedy=f"it takes {fewest}"
                + ("" if most == fewest else f" to {most}" if most else " or more"),
            )
        if any(parsed.args.get(slot) for slot in _OPTIONS):
            raise ExpressionError(f"{name}() at column {at} has an option that is not read", remedy=ALLOWED)
        if name == "trim" and len(built) == 1 and isinstance(parsed.args.get("position"), str):
            raise ExpressionError(f"only trim(text) is read, at column {at}", remedy="trim both ends")
        return Call(name, built, at)

    def _position(self, *words: str) -> int:
        """The column (1-based) of the next token spelling one of `words`; tokens are met in reading order."""
        for index in range(self._next, len(self._tokens)):
            spelled = self._tokens[index].text.lower()
            if SPELLINGS.get(spelled, spelled) in words:
                self._next = index + 1
                return int(self._tokens[index].start) + 1
        return int(self._tokens[0].start) + 1

    # -- one method per remaining shape, named after sqlglot's class -----------------------------

    def _paren(self, parsed: Any, depth: int) -> Node:
        return self.build(parsed.this, depth + 1)

    def _not(self, parsed: Any, depth: int) -> Node:
        return self._call("not", (parsed.this,), depth)

    def _neg(self, parsed: Any, depth: int) -> Node:
        return self._call("negative", (parsed.this,), depth)

    def _between(self, parsed: Any, depth: int) -> Node:
        if parsed.args.get("symmetric"):
            raise ExpressionError("between symmetric is not read", remedy="put the lower end first")
        return self._call("between", (parsed.this, parsed.args["low"], parsed.args["high"]), depth)

    def _in(self, parsed: Any, depth: int) -> Node:
        items = parsed.args.get("expressions") or []
        if not items:
            raise ExpressionError("`in` takes a list in brackets", remedy="write: name in ('a', 'b')")
        return self._call("in", (parsed.this, *items), depth)

    def _is(self, parsed: Any, depth: int) -> Node:
        if type(parsed.expression).__name__ not in {"Null", "Boolean"}:
            raise ExpressionError("`is` takes null, true or false", remedy="use = to compare values")
        return self._call("is", (parsed.this, parsed.expression), depth)

    def _case(self, parsed: Any, depth: int) -> Node:
        at = self._position("case")
        given = parsed.args.get("this")
        subject = None if given is None else self.build(given, depth + 1)
        branches = []
        for branch in parsed.args["ifs"]:
            condition = self.build(branch.this, depth + 1)
            if subject is not None:
                condition = Call("=", (subject, condition), at)
            branches.append((condition, self.build(branch.args["true"], depth + 1)))
        default = parsed.args.get("default")
        otherwise: Node = Constant(None, at) if default is None else self.build(default, depth + 1)
        return Case(tuple(branches), otherwise, at)

    def _cast(self, parsed: Any, depth: int) -> Node:
        kind = str(parsed.to.this.name).lower()
        if parsed.to.expressions or kind not in TYPES or parsed.args.get("format"):
            raise ExpressionError(
                f"cannot cast to {parsed.to.sql(dialect='duckdb')}",
                remedy="cast to double, integer, varchar or boolean",
            )
        return self._call(f"cast to {TYPES[kind]}", (parsed.this,), depth)

    def _literal(self, parsed: Any, _depth: int) -> Node:
        at = self._position(str(parsed.this).lower())
        self.leaves += 1
        return Constant(str(parsed.this) if parsed.is_string else float(parsed.this), at)

    def _boolean(self, parsed: Any, _depth: int) -> Node:
        self.leaves += 1
        return Constant(bool(parsed.this), self._position("true", "false"))

    def _null(self, _parsed: Any, _depth: int) -> Node:
        self.leaves += 1
        return Constant(None, self._position("null"))

    def _column(self, parsed: Any, _depth: int) -> Node:
        parts = [str(part.name) for part in parsed.parts]
        at = self._position(parts[0].lower())
        self.leaves += len(parts)
        return Column(".".join(parts), at)


def _start(parts: tuple[Node, ...]) -> int:
    return min((part.at for part in parts), default=1)


def walk(tree: Node) -> Iterator[Node]:
    """Every node of a tree, parents first."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))
