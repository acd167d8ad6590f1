"""`leadline verify`: does the evidence hold?"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli import options
from leadline.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.cli.output import Page
    from leadline.registry.recheck import Step


def verify(
    subject: Annotated[
        str,
        typer.Argument(metavar="FILE|DIR|ID", help="A certificate, an attached log, an export, or a study."),
    ],
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="VKEY|FILE",
            help="The log's public key, for a certificate or an export.",
            show_default="that of the registry at hand; for an exported study the folder's",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", metavar="FILE", help="Is this the protocol the certificate froze?"),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(
            "--author", metavar="VKEY|FILE", help="The author's public key, to check the signature too."
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="For a certificate: which logs and cosigners you trust; must be satisfied.",
        ),
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute/--no-recompute", help="For a study: compute its newest report again.")
    ] = True,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Verify a certificate, log, exported record or study.

    A certificate, and a folder that `leadline export` wrote, need only the log's public key. For a study, in
    the registry or exported, every proof, signature and byte is checked, and the published report is computed
    again. A log file is looked up by its digest.

    JSON: of a certificate {"kind": "certificate", "holds", "study", "title", "protocol", "created", "index",
    "size", "origin", "keyid", "author_verified", "protocol_matches", "standing", "cosigned": [{"name", "time"}],
    "time", "warnings"}; of a study {"kind": "study",
    "holds", "study", "steps": [{"name", "ok", "detail"}], "limit"}; of an exported study the same with "kind":
    "bundle" and "folder", and "limits": [text, ...]; of a log {"kind": "log", "holds", "file",
    "attached": [{"study", "attempt"}]}; of a whole record {"kind": "export", "holds", "folder", "problems":
    [{"code", "where", "what", "remedy"}]}.
    """
    path = Path(subject)
    if path.is_dir() and _is_bundle(path):
        _bundle(path, key, store, recompute=recompute, json=json)
    elif path.is_dir():
        _export(path, key, store, json=json)
    elif not path.is_file():
        _study(subject, store, recompute=recompute, json=json)
    elif _is_certificate(path):
        _certificate(path, key, protocol, author, policy, store, json=json)
    else:
        _log(path, store, json=json)


def _export(folder: Path, key: str | None, store: str | None, *, json: bool) -> None:
    from dataclasses import asdict

    from leadline.cli.opening import log_key
    from leadline.cli.output import Page, emit
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.recheck import key_text
    from leadline.registry.static import is_export, verify_export

    if not is_export(folder):
        raise InputError(
            "this folder holds no exported study or record",
            where=str(folder),
            remedy="export one with `leadline export ID` or `leadline export DIR`, or name a certificate, a log or a study",
        )
    public = key or log_key(store)
    if public is None:
        raise InputError(
            "an export is verified with the public key of its log",
            where=str(folder),
            remedy="pass it with --key: the text name+id+base64, or a file that holds it (log.vkey)",
        )
    problems = list(verify_export(folder, VerifyKey.parse(key_text(public))))
    if json:
        found = [asdict(problem) for problem in problems]
        emit({"kind": "export", "holds": not problems, "folder": str(folder), "problems": found})
    else:
        page = Page()
        if not problems:
            page.line(
                "The export is sound: entries, tiles, signatures, rights and blobs agree with the checkpoint."
            )
        for problem in problems:
            page.line(str(problem))
    if problems:
        raise typer.Exit(5)


def _is_bundle(folder: Path) -> bool:
    from leadline.registry.bundle import is_bundle
    from leadline.registry.static import is_export

    return is_bundle(folder) and not is_export(folder)


def _bundle(folder: Path, key: str | None, store: str | None, *, recompute: bool, json: bool) -> None:
    from leadline.cli.opening import log_key
    from leadline.cli.output import Page, busy, emit
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.bundle import LIMITS, study_of, verify_bundle
    from leadline.registry.recheck import Step, key_text

    public = VerifyKey.parse(key_text(key or folder / "log.vkey"))
    at_hand = log_key(store)
    if key is not None:
        whose = "given with --key"
    elif at_hand == public.vkey:
        whose = "in the folder, and the one of the registry at hand"
    else:
        whose = "in the folder itself: compare it with the key the log is known by, or pass that with --key"
    with busy("verifying"):
        steps = [Step("log key", True, f"{public.vkey} ({whose})")]
        steps += verify_bundle(folder, public, recompute=recompute)
    study, holds = study_of(folder), all(step.ok for step in steps)
    if json:
        emit(
            {
                "kind": "bundle",
                "holds": holds,
                "study": study,
                "folder": str(folder),
                "steps": [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in steps],
                "limits": list(LIMITS),
            }
        )
    else:
        _print_steps(Page(), study or folder.name, steps, LIMITS)
    if not holds:
        raise typer.Exit(1)


def _print_steps(page: "Page", name: str, steps: "Sequence[Step]", limits: "Sequence[str]") -> None:
    holds = all(step.ok for step in steps)
    page.line(f"{name}: {'everything holds' if holds else 'something does not hold'}", "bold")
    for step in steps:
        page.facts([("ok" if step.ok else "FAILS", f"{step.name}: {_short(step.detail)}")])
    for limit in limits:
        page.line(f"note: {limit}", "dim", indent=2)


def _is_certificate(path: Path) -> bool:
    from leadline.ledger.certificate import SUFFIX

    if path.suffix == SUFFIX:
        return True
    with path.open("rb") as file:
        return file.read(19) == b"c2sp.org/tlog-proof"


def _certificate(
    path: Path,
    key: str | None,
    protocol: str | None,
    author: str | None,
    policy: str | None,
    store: str | None,
    *,
    json: bool,
) -> None:
    from leadline.cli.commands.witness import read_policy
    from leadline.cli.opening import log_key, shown
    from leadline.cli.output import Page, emit
    from leadline.registry.recheck import verify_certificate_file

    rules = None if policy is None else read_policy(policy)
    public = key or log_key(store)
    if public is None and not (rules is not None and rules.logs):
        raise InputError(
            "a certificate is verified with the public key of its log",
            where=str(path),
            remedy="pass it with --key: the text name+id+base64, or a file that holds it (log.vkey)",
        )
    found = verify_certificate_file(
        path,
        public,
        protocol=None if protocol is None else Path(protocol),
        author=author,
        policy=rules,
    )
    if json:
        emit(
            {
                "kind": "certificate",
                "holds": True,
                "study": found.study,
                "title": found.title,
                "protocol": found.protocol_digest,
                "created": found.created,
                "index": found.index,
                "size": found.size,
                "origin": found.origin,
                "keyid": found.keyid,
                "author_verified": found.author_verified,
                "protocol_matches": found.protocol_matches,
                "standing": found.standing,
                "cosigned": [{"name": name, "time": time} for name, time in found.cosigned],
                "time": found.time,
                "warnings": list(found.warnings),
            }
        )
        return
    page = Page()
    page.line("The certificate holds", "bold")
    for line in found.lines():
        page.line(line, indent=2)
    if rules is not None:
        page.line(f"the policy {policy} is satisfied", indent=2)
    if key is None and not (rules is not None and rules.logs):
        page.line(
            f"verified with the log key of {shown(store)}; with --key it needs no registry",
            "dim",
            indent=2,
        )


def _study(subject: str, store: str | None, *, recompute: bool, json: bool) -> None:
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, busy, emit
    from leadline.ledger.ids import read_study_id
    from leadline.registry.recheck import LIMIT, verify_study

    try:
        read_study_id(subject)
    except InputError:
        raise NotFoundError(
            f"{subject!r} is neither a file nor a study id",
            remedy="name a certificate, an attached log, or an id such as LL-0123456789abc",
        ) from None
    with reading(store) as registry:
        study = registry.study(subject)
        with busy("verifying"):
            steps = list(verify_study(registry, study.id, recompute=recompute))
    holds = all(step.ok for step in steps)
    if json:
        listed = [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in steps]
        emit({"kind": "study", "holds": holds, "study": study.id, "steps": listed, "limit": LIMIT})
    else:
        _print_steps(Page(), study.id, steps, [LIMIT])
    if not holds:
        raise typer.Exit(1)


def _short(detail: str) -> str:
    """The detail with digests cut to their first sixteen digits; the JSON has them whole."""
    return re.sub(r"\b([0-9a-f]{16})[0-9a-f]{48}\b", r"\1…", detail)


def _log(path: Path, store: str | None, *, json: bool) -> None:
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit
    from leadline.registry.recheck import studies_of_log

    with reading(store) as registry:
        try:
            attached = studies_of_log(registry, path)
        except NotFoundError as error:
            if json:
                emit({"kind": "log", "holds": False, "file": str(path), "attached": []})
            else:
                page = Page()
                page.line(f"{path.name} is not what any study rests on", "bold")
                page.line(error.message, indent=2)
                page.line(f"what to do: {error.remedy()}", indent=2)
            raise typer.Exit(1) from None
    if json:
        listed = [{"study": study, "attempt": attempt} for study, attempt in attached]
        emit({"kind": "log", "holds": True, "file": str(path), "attached": listed})
        return
    page = Page()
    page.line(f"{path.name} is, byte for byte, a log attached to", "bold")
    page.facts(
        (study, "no attempt" if attempt is None else f"attempt {attempt}") for study, attempt in attached
    )
