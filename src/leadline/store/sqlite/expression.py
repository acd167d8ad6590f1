"""What people typed, as an FTS5 expression."""


def fts_expression(words: tuple[tuple[str, ...], ...], *, every: bool) -> str:
    """An FTS5 expression in which user text occurs only inside double quotes, so none of it is syntax."""
    groups = [
        "(" + " OR ".join('"' + word.replace('"', '""') + '"' for word in group) + ")" for group in words
    ]
    return (" AND " if every else " OR ").join(groups)
