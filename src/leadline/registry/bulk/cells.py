"""Cells of a table that a spreadsheet will open."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutral(value: object) -> str:
    """A value as the text of a CSV cell that no spreadsheet takes for a formula (OWASP, "CSV Injection").

    Numbers stay numbers; a text that begins like a formula gets an apostrophe in front.
    """
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return neutral(str(value))
    if isinstance(value, int | float):
        return str(value)
    clean = value.replace("\0", "\ufffd")
    return f"'{clean}" if clean.lstrip(" ").startswith(_FORMULA) else clean
