"""The words of the filter language: functions, types, operators, and the caps on size."""

import re

MAX_CHARACTERS = 4_000
MAX_TOKENS = 1_500
MAX_DEPTH = 60

#: name -> (fewest, most) arguments; None = any number.
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "coalesce": (1, None),
    "concat": (1, None),
    "contains": (2, 2),
    "ends_with": (2, 2),
    "floor": (1, 1),
    "greatest": (1, None),
    "least": (1, None),
    "length": (1, 1),
    "lower": (1, 1),
    "nullif": (2, 2),
    "regexp_extract": (2, 3),
    "regexp_matches": (2, 2),
    "round": (1, 2),
    "split_part": (3, 3),
    "starts_with": (2, 2),
    "substr": (2, 3),
    "trim": (1, 1),
    "upper": (1, 1),
}
#: Other spellings of functions.
SPELLINGS = {"ceiling": "ceil", "substring": "substr"}
#: Words that are syntax.
WORDS = frozenset(
    {
        "and", "or", "not", "in", "between", "is", "null", "like", "ilike",
        "case", "when", "then", "else", "end", "true", "false", "as",
    }
)  # fmt: skip
#: Types a value may be cast to, and what each is here.
TYPES = {
    "double": "number",
    "integer": "integer",
    "int": "integer",
    "bigint": "integer",
    "varchar": "text",
    "text": "text",
    "boolean": "truth",
}
OPERATORS = frozenset(
    {"(", ")", ",", ".", "+", "-", "*", "/", "%", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "||", "::"}
)
#: SQL words that would otherwise be reported as columns that do not exist.
FORBIDDEN = frozenset(
    {
        "select", "from", "where", "join", "union", "with", "over", "partition", "group", "having", "order",
        "limit", "offset", "exists", "any", "all", "some", "interval", "distinct", "lateral", "unnest",
        "values", "insert", "update", "delete", "create", "drop", "alter", "attach", "copy", "pragma",
        "similar", "glob", "regexp", "rlike", "escape", "collate", "filter", "qualify", "window", "using",
        "lambda", "array", "struct", "map",
    }
)  # fmt: skip
NUMBER = re.compile(r"(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
ALLOWED = (
    "allowed: and or not, = <> < <= > >=, + - * / %, in (...), between, is [not] null, [not] like/ilike, "
    f"case when, cast(... as double|integer|varchar|boolean), || and the functions {', '.join(sorted(FUNCTIONS))}"
)
