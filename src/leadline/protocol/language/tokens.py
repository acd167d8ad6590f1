"""The first gate: every token of an expression is checked before anything parses it."""

import re
from typing import Any

from leadline.errors import ExpressionError
from leadline.protocol.language.columns import SAMPLE_COLUMNS
from leadline.protocol.language.vocabulary import (
    ALLOWED,
    FORBIDDEN,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_TOKENS,
    NUMBER,
    OPERATORS,
    SPELLINGS,
    TYPES,
    WORDS,
)


def tokenize(text: str) -> list[Any]:
    """The tokens of an expression, each with its text and place."""
    from sqlglot import Dialect
    from sqlglot.errors import TokenError

    try:
        tokens = Dialect.get_or_raise("duckdb").tokenize(text)
    except TokenError as error:
        raise ExpressionError(
            "the expression breaks off inside a text or a quoted name", remedy="close the quotation mark"
        ) from error
    if len(tokens) > MAX_TOKENS:
        raise ExpressionError(
            f"the expression has {len(tokens)} parts, at most {MAX_TOKENS} are read", remedy=None
        )
    return list(tokens)


def bare_names(tokens: list[Any], text: str) -> list[Any]:
    """Refuse every token that has no place here; return the bare names among them."""
    depth = 0
    names = []
    for index, token in enumerate(tokens):
        kind, word, at = token.token_type.name, token.text.lower(), token.start + 1
        if token.comments:
            raise refusal("a comment", at, "move the remark into the protocol, beside the expression")
        if kind in {"STRING", "IDENTIFIER"}:
            continue
        if kind == "NUMBER":
            if not NUMBER.fullmatch(token.text):
                raise refusal(f"the number {token.text}", at, "write a plain decimal number such as 0.25")
        elif re.fullmatch(r"[A-Za-z_]\w*", text[token.start : token.end + 1]):
            if _is_name(word, tokens[index - 1] if index else None, tokens[index + 1 : index + 2], at):
                names.append(token)
        elif word not in OPERATORS:
            raise refusal(f"{token.text!r}", at, ALLOWED)
        depth += (word == "(") - (word == ")")
        if depth > MAX_DEPTH:
            raise ExpressionError(
                f"parentheses nest deeper than {MAX_DEPTH} at column {at}", remedy="flatten it"
            )
    return names


def _is_name(word: str, before: Any, after: list[Any], at: int) -> bool:
    """Whether a bare word names a column, rather than being syntax, a type or a function."""
    previous = before.text.lower() if before is not None else ""
    if previous == ".":
        return True
    if word in WORDS or word == "cast":
        return False
    called = bool(after) and after[0].token_type.name == "L_PAREN"
    if word in TYPES and previous in {"as", "::"}:
        if called:
            raise refusal(f"{word}(...)", at, "leave the length out")
        return False
    if called:
        if SPELLINGS.get(word, word) not in FUNCTIONS:
            raise refusal(f"the function {word}()", at, ALLOWED)
        return False
    if word in FORBIDDEN and word not in SAMPLE_COLUMNS:
        raise refusal(word.upper(), at, ALLOWED)
    return previous not in {"as", "::"}


def refusal(what: str, at: int, remedy: str) -> ExpressionError:
    """The error for something that has no place in the language; `at` is its column, from 1."""
    return ExpressionError(f"{what} at column {at} is not part of the filter language", remedy=remedy)
