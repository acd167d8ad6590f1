"""`leadline key invite`: who may write to a registry that is served by invitation."""

from typing import Annotated

import typer

from leadline.cli import options


def invite(
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What the key may do: register, report, judge, seal, admin; repeat it.",
            show_default="all but admin",
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="For whom; shown to nobody else.")] = "",
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Make an invitation: one key may write to this registry's server with it.

    The token is printed once and kept nowhere; the invited person gives it with the first thing written, to
    `leadline key register`, `register`, `seal`, `judge` or `import` as --invitation, or in $LEADLINE_INVITATION. For
    servers with access = "invited".

    JSON: {"token", "scopes", "note"}.
    """
    from leadline.cli.opening import mending, require_here
    from leadline.cli.output import Page, emit
    from leadline.registry.access import EVERYDAY, SCOPES
    from leadline.registry.access import invite as make

    scopes = scope or [one for one in SCOPES if one in EVERYDAY]
    require_here(store, "invitations")
    with mending(store) as registry:
        token = make(registry.store.shelf, scopes=scopes, note=note)
    if json:
        emit({"token": token, "scopes": scopes, "note": note})
        return
    page = Page()
    page.line("An invitation, for one key", "bold")
    page.facts([("scopes", ", ".join(scopes)), ("note", note or "none")])
    page.line("hand over, on a private way; it is not shown again:", "dim", indent=2)
    page.verbatim(token, indent=4)
    page.line("who has it writes for the first time with:", "dim", indent=2)
    page.verbatim(f"leadline key register NAME --store https://HOST --invitation {token}", indent=4)


def invitations(store: options.Store = None, json: options.Json = False) -> None:
    """List the invitations that were made, and which keys used them.

    JSON: [{"name", "scopes", "note", "used_by": fingerprint or null}].
    """
    from leadline.cli.opening import mending, require_here
    from leadline.cli.output import Page, emit
    from leadline.registry.access import invitations as listed

    require_here(store, "invitations")
    with mending(store) as registry:
        found = listed(registry.store.shelf)
    if json:
        emit(
            [
                {"name": one.name, "scopes": list(one.scopes), "note": one.note, "used_by": one.used_by}
                for one in found
            ]
        )
        return
    page = Page()
    page.line(f"{len(found)} invitations", "bold")
    for one in found:
        used = f"used by {one.used_by[:16]}" if one.used_by else "not used yet"
        page.facts([(one.name, f"{used}; {', '.join(one.scopes)}{f'; {one.note}' if one.note else ''}")])


def uninvite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `leadline key invitations` shows it.")],
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Take an invitation back; the key that used it writes no more.

    What the key signed before stays in the log.

    JSON: {"name", "used_by": fingerprint or null}.
    """
    from leadline.cli.opening import mending, require_here
    from leadline.cli.output import emit
    from leadline.registry.access import revoke_invitation

    require_here(store, "invitations")
    with mending(store) as registry:
        gone = revoke_invitation(registry.store.shelf, name)
    if json:
        emit({"name": gone.name, "used_by": gone.used_by})
    else:
        whom = f"; the key {gone.used_by[:16]} writes no more" if gone.used_by else ""
        typer.echo(f"Took the invitation {gone.name} back{whom}.")


COMMANDS = (invite, invitations, uninvite)
