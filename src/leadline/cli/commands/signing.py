"""`leadline key sign`: sign what a server drafted, after saying what it is."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.ledger.statements import Statement

#: A draft holds at most 64 statements of at most 64 KiB.
_LONGEST = 8 << 20


def sign(
    draft: Annotated[
        str, typer.Argument(metavar="DRAFT", help="A file with `to_sign`; - for standard input.")
    ],
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Sign the statements that a server's answer asks to have signed.

    The draft is the JSON answer of an MCP tool (status "to_sign") or its `to_sign` part. What each statement says
    is shown on standard error; the envelopes, base64, are printed for the next call. Only well-formed statements
    are signed, and none that names another key.

    JSON: {"envelopes": [base64, ...]}.
    """
    from leadline.cli.opening import load_key
    from leadline.cli.output import emit, note
    from leadline.errors import SignatureError
    from leadline.ledger import dsse
    from leadline.ledger.encoding import b64encode
    from leadline.ledger.statements import parse

    asked = _read(draft)
    signing = load_key(key)
    if asked["keyid"] != signing.fingerprint:
        raise SignatureError(
            "the draft is for another key",
            where=f"key {str(asked['keyid'])[:16]}",
            remedy=f"this key is {signing.fingerprint[:16]}; choose the other with --key",
        )
    envelopes = []
    for payload in asked["payloads"]:
        statement = parse(payload)
        note(f"signing: {_said(statement)}")
        envelopes.append(b64encode(dsse.sign(payload, dsse.PAYLOAD_TYPE, signing)))
    if json:
        emit({"envelopes": envelopes})
    else:
        typer.echo("\n".join(envelopes))


def _said(statement: "Statement") -> str:
    """What a statement is: its kind, what it is about by name and digest, and the title or study it names."""
    about = ", ".join(f"{name} sha256 {digest}" for name, digest in statement.subject)
    fields = ("title", "study", "number", "action", "status", "reason")
    found = ((name, getattr(statement.predicate, name, None)) for name in fields)
    words = ", ".join(f"{name} {str(value)!r}" for name, value in found if value is not None)
    return f"{statement.kind} of {about}" + (f" ({words})" if words else "")


def _read(draft: str) -> dict[str, Any]:
    """The keyid and decoded payloads of a draft; InputError for anything else."""
    from leadline.errors import InputError, NotFoundError
    from leadline.ledger import dsse
    from leadline.ledger.canon import parse_strict
    from leadline.ledger.encoding import b64decode

    try:
        text = sys.stdin.buffer.read(_LONGEST + 1) if draft == "-" else Path(draft).read_bytes()
    except OSError as error:
        raise NotFoundError(
            f"the draft cannot be read: {error.strerror}", where=draft, remedy="check the path"
        ) from error
    wrong = InputError(
        "this is not a draft to sign",
        where=draft,
        remedy='give the JSON of an answer whose status is "to_sign"',
    )
    if len(text) > _LONGEST:
        raise wrong
    document = parse_strict(text)
    if isinstance(document, dict) and isinstance(document.get("to_sign"), dict):
        document = document["to_sign"]
    if not isinstance(document, dict) or document.get("payload_type") != dsse.PAYLOAD_TYPE:
        raise wrong
    payloads = document.get("payloads")
    if not isinstance(payloads, list) or not isinstance(document.get("keyid"), str):
        raise wrong
    try:
        decoded = [b64decode(str(payload).encode("ascii")) for payload in payloads]
    except ValueError:
        raise wrong from None
    return {"keyid": document["keyid"], "payloads": decoded}
