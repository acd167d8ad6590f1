"""`leadline key guardians`, `recover`, `vouch`, `veto`: when a key is lost."""

from typing import Annotated

import typer

from leadline.cli import options

Fingerprint = Annotated[
    str, typer.Argument(metavar="KEY", help="A key's fingerprint, or its first 8 characters and more.")
]


def guardians(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY...", help="Fingerprints of other people's keys, or beginnings of them."),
    ] = None,
    threshold: Annotated[
        int | None,
        typer.Option(
            "--threshold", metavar="N", min=2, help="How many suffice.", show_default="more than half"
        ),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Take an earlier naming back.")] = False,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Name whose keys may together confirm a new key when this one is lost.

    A quorum of guardians that conspires can take the key: name people you trust, in different places.

    JSON: {"fingerprint", "index", "guardians": number, "threshold"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit
    from leadline.errors import InputError
    from leadline.store.projections.authority import key as find_key

    named = list(keys or ())
    if bool(named) == none:
        raise InputError("name guardians, or say --none", remedy="`leadline key guardians KEY KEY KEY`")
    with writing(store, key) as registry:
        receipt = registry.name_guardians(named, threshold)
        fingerprint = registry.author().fingerprint
        record = find_key(registry.store, fingerprint)
    needed = 0 if record is None else record.threshold
    if json:
        emit(
            {
                "fingerprint": fingerprint,
                "index": receipt.index,
                "guardians": len(named),
                "threshold": needed or None,
            }
        )
    elif named:
        typer.echo(
            f"Named {len(named)} guardians (entry {receipt.index}); {needed} of them can confirm a new key."
        )
    else:
        typer.echo(f"The key has no guardians any more (entry {receipt.index}).")


def recover(
    lost: Fingerprint,
    holder: Annotated[
        str | None,
        typer.Option(
            "--holder", metavar="NAME", help="Who holds the new key.", show_default="as for the lost one"
        ),
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Announce a new key (--key) in place of a lost one, and ask for vouching.

    With guardians the new key waits until enough of them have vouched for it, and then has all the rights of the
    old one. Without, co-authors vouch for it, study by study.

    JSON: {"fingerprint", "replaces": fingerprint, "index", "state": "pending" or "active", "needed": vouchings for
    all rights, or null where co-authors vouch study by study}.
    """
    from leadline.cli.opening import repeated, writing
    from leadline.cli.output import Page, emit
    from leadline.registry.keys import known_key
    from leadline.store.projections.authority import key as find_key

    with writing(store, key) as registry:
        old = known_key(registry.store, lost)
        receipt = registry.recover_key(old.fingerprint, holder=holder)
        made = find_key(registry.store, registry.author().fingerprint)
    assert made is not None, "it was just registered"
    pending = made.state == "pending"
    if json:
        emit(
            {
                "fingerprint": made.fingerprint,
                "replaces": old.fingerprint,
                "index": receipt.index,
                "state": made.state,
                "needed": old.threshold if pending else None,
            }
        )
        return
    page = Page()
    page.line(f"Announced the new key of {made.holder} (entry {receipt.index})", "bold")
    if pending:
        page.line(
            f"It waits for {old.threshold} of its {len(old.guardians)} guardians, who each run:", indent=2
        )
        page.verbatim(repeated(f"leadline key vouch {made.fingerprint[:16]}", store=store), indent=4)
        return
    page.line("The lost key names no guardians. For each study, most of its other authors run:", indent=2)
    voice = f"leadline key vouch {made.fingerprint[:16]} --lost {old.fingerprint[:16]} --study ID"
    page.verbatim(repeated(voice, store=store), indent=4)


def vouch(
    new: Fingerprint,
    lost: Annotated[
        str | None,
        typer.Option("--lost", metavar="KEY", help="The lost key, where the new one does not say it."),
    ] = None,
    study: Annotated[
        str | None, typer.Option("--study", metavar="ID", help="As a co-author: for this study only.")
    ] = None,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Confirm that a new key is held by the person who lost the old one.

    Ask them by a way that whoever stole the old key could not use: in person, or by telephone.

    JSON: {"fingerprint", "index", "state": of the new key, "study": id or null, "granted": whether it has the
    rights now}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit
    from leadline.ledger.ids import read_study_id
    from leadline.registry.keys import known_key
    from leadline.store.projections.authority import right

    with writing(store, key) as registry:
        name = None if study is None else read_study_id(study)
        receipt = registry.vouch_for_key(new, lost=lost, study=name)
        record = known_key(registry.store, new)
        rights = None if name is None else right(registry.store, name)
    granted = record.state == "active" if rights is None else record.lineage in rights.lineages
    if json:
        emit(
            {
                "fingerprint": record.fingerprint,
                "index": receipt.index,
                "state": record.state,
                "study": name,
                "granted": granted,
            }
        )
        return
    then = "the new key has its rights now" if granted else "more voices are needed"
    typer.echo(f"Vouched for the key of {record.holder} (entry {receipt.index}): {then}.")


def veto(
    pending: Fingerprint,
    reason: options.Reason,
    store: options.Store = None,
    key: options.Key = None,
    json: options.Json = False,
) -> None:
    """Refuse a key that claims to replace yours: yours is not lost.

    JSON: {"index"}.
    """
    from leadline.cli.opening import writing
    from leadline.cli.output import emit

    with writing(store, key) as registry:
        receipt = registry.veto_key(pending, reason)
    if json:
        emit({"index": receipt.index})
    else:
        typer.echo(f"Refused it (entry {receipt.index}): that key signs nothing.")


COMMANDS = (guardians, recover, vouch, veto)
