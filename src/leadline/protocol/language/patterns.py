"""Text patterns: SQL LIKE as a regular expression, and capture groups given names.

Regular expressions run on RE2 (through Arrow): linear time on any text, no backtracking, so a
pattern from a stranger cannot stall an analysis.
"""

import re

from leadline.errors import ExpressionError

MAX_PATTERN = 500
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


def like(pattern: str, *, ignore_case: bool) -> str:
    """The RE2 pattern equal to SQL `LIKE pattern` (no escape character): % is any text, _ one character."""
    body = _SPECIAL.sub(r"\\\1", pattern).replace("%", ".*").replace("_", ".")
    return f"(?{'is' if ignore_case else 's'})\\A{body}\\z"


def check(pattern: str, at: int) -> None:
    """Refuse a pattern RE2 cannot compile, or one that is too long."""
    if len(pattern) > MAX_PATTERN:
        raise ExpressionError(
            f"the pattern at column {at} has {len(pattern)} characters", remedy=f"use at most {MAX_PATTERN}"
        )
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise ExpressionError(
            f"the pattern at column {at} is not a regular expression: {reason}",
            remedy="RE2 syntax is read: no look-around, no back-references",
        ) from error


def named_group(pattern: str, group: int, at: int) -> str:
    """`pattern` with every capture group named ``g0``, ``g1``, ... where ``g0`` is the whole match.

    Arrow extracts named groups only. Raises `ExpressionError` when there is no such group.
    """
    pieces, count, index, in_class = ["(?P<g0>"], 0, 0, False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            end = pattern.find("\\E", index) + 2 if pattern.startswith("\\Q", index) else index + 2
            end = len(pattern) if end < index + 2 else end
            pieces.append(pattern[index:end])
            index = end
            continue
        if character == "[" and not in_class:
            in_class = True
            # A bracket right after the opening (or its negation) is an ordinary member.
            opening = re.compile(r"\[\^?\]?").match(pattern, index)
            assert opening is not None
            pieces.append(opening.group())
            index = opening.end()
            continue
        if character == "]" and in_class:
            in_class = False
        elif in_class and pattern.startswith("[:", index) and ":]" in pattern[index:]:
            end = pattern.index(":]", index) + 2
            pieces.append(pattern[index:end])
            index = end
            continue
        elif character == "(" and not in_class:
            named = re.compile(r"\(\?P?<[A-Za-z0-9_]+>").match(pattern, index)
            if named or not pattern.startswith("(?", index):
                count += 1
                pieces.append(f"(?P<g{count}>")
                index = named.end() if named else index + 1
                continue
        pieces.append(character)
        index += 1
    if not 0 <= group <= count:
        raise ExpressionError(
            f"the pattern at column {at} has {count} groups, group {group} is asked for",
            remedy="put brackets round the part to extract",
        )
    return "".join(pieces) + ")"
