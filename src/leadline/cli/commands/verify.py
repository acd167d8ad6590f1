"""`leadline verify`: does the evidence hold?"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadline.cli import options
from leadline.errors import InputError, NotFoundError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.cli.output import Page
    from leadline.ledger.policy import Policy
    from leadline.registry.recheck import Step

#: The exit status where all that is there holds, but bytes were taken down.
INCOMPLETE = 6


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
            help="Which logs and cosigners you trust; the checkpoint must satisfy it.",
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
    again. A log file is looked up by its digest. An id names the study in the registry, and a folder of that name only
    where the registry has no such study: ./ID is always the folder.

    Ends with status 6 where all that is there holds, but something was taken down and can be checked by nobody.

    JSON: of a certificate {"kind": "certificate", "holds", "study", "title", "protocol", "created", "index",
    "size", "origin", "keyid", "author_verified", "protocol_matches", "standing", "cosigned": [{"name", "time"}],
    "time", "warnings"}; of a study {"kind": "study",
    "holds", "study", "steps": [{"name", "ok": true, false, or null for what was taken down, "detail"}], "limit"}; of an exported study the same with "kind":
    "bundle" and "folder", and "limits": [text, ...]; of a log {"kind": "log", "holds", "file",
    "attached": [{"study", "attempt"}]}; of a whole record {"kind": "export", "holds", "folder", "problems":
    [{"code", "where", "what", "remedy"}]}.
    """
    from leadline.cli.commands.witness import read_policy

    path = Path(subject)
    certified = path.is_file() and _is_certificate(path)
    rules = None if policy is None else read_policy(policy)
    if not certified and (protocol or author):
        raise InputError(
            "--protocol and --author go with a certificate",
            remedy="name the ID.tlog-proof file to compare with",
        )
    if certified:
        _certificate(path, key, protocol, author, rules, store, json=json)
    elif _names_a_study(subject, store):
        _study(subject, key, rules, store, recompute=recompute, json=json)
    elif path.is_dir() and _is_bundle(path):
        _bundle(path, key, rules, store, recompute=recompute, json=json)
    elif path.is_dir():
        _export(path, key, rules, store, json=json)
    elif path.is_file() and rules is not None:
        raise InputError(
            "a policy says nothing of a log file",
            remedy="give --policy with a study, a certificate or an export",
        )
    else:
        _log(path, store, json=json)


def _names_a_study(subject: str, store: str | None) -> bool:
    """Whether the subject is a study's id and no path; a folder of that name stands in where no registry has it."""
    from leadline.cli.opening import reading_if_there
    from leadline.ledger.ids import read_study_id
    from leadline.store.projections.studies import study

    path = Path(subject)
    try:
        name = read_study_id(subject)
    except InputError:
        if path.exists():
            return False
        raise NotFoundError(
            f"{subject!r} is neither a file nor a study id",
            remedy="name a certificate, an attached log, or an id such as LL-0123456789abc",
        ) from None
    if not path.exists():
        return True
    registry = reading_if_there(store)
    if registry is None:
        return False
    with registry:
        return study(registry.store, name) is not None


def _export(folder: Path, key: str | None, rules: "Policy | None", store: str | None, *, json: bool) -> None:
    from dataclasses import asdict

    from leadline.cli.opening import log_key
    from leadline.cli.output import Page, emit
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.recheck import key_text
    from leadline.registry.static import GONE, is_export, verify_export

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
    problems = list(verify_export(folder, VerifyKey.parse(key_text(public)), policy=rules))
    holds = all(problem.code == GONE for problem in problems)
    if json:
        found = [asdict(problem) for problem in problems]
        emit({"kind": "export", "holds": holds, "folder": str(folder), "problems": found})
    else:
        page = Page()
        if holds:
            what = "What is there" if problems else "The export"
            page.line(
                f"{what} is sound: entries, tiles, signatures, rights and blobs agree with the checkpoint."
            )
        for problem in problems:
            page.line(str(problem))
    if problems:
        raise typer.Exit(INCOMPLETE if holds else 5)


def _is_bundle(folder: Path) -> bool:
    from leadline.registry.bundle import is_bundle
    from leadline.registry.static import is_export

    return is_bundle(folder) and not is_export(folder)


def _bundle(
    folder: Path, key: str | None, rules: "Policy | None", store: str | None, *, recompute: bool, json: bool
) -> None:
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
        steps += verify_bundle(folder, public, recompute=recompute, policy=rules)
    study, holds = study_of(folder), _holds(steps)
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
        _print_steps(Page(), study or folder.name, f"the folder {folder}", steps, LIMITS)
    _end(steps)


def _holds(steps: "Sequence[Step]") -> bool:
    """Whether nothing is wrong; what was taken down is not there to be wrong."""
    return all(step.ok is not False for step in steps)


def _end(steps: "Sequence[Step]") -> None:
    """The status that says how it went; none where all was seen and holds."""
    if not _holds(steps):
        raise typer.Exit(1)
    if any(step.ok is None for step in steps):
        raise typer.Exit(INCOMPLETE)


def _print_steps(
    page: "Page", name: str, place: str, steps: "Sequence[Step]", limits: "Sequence[str]"
) -> None:
    if not _holds(steps):
        said = "something does not hold"
    elif any(step.ok is None for step in steps):
        said = "everything that is there holds; something was taken down"
    else:
        said = "everything holds"
    page.line(f"{name}: {said}", "bold")
    page.facts([("in", place)])
    for step in steps:
        label = {True: "ok", False: "FAILS", None: "gone"}[step.ok]
        page.facts([(label, f"{step.name}: {_short(step.detail)}")])
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
    rules: "Policy | None",
    store: str | None,
    *,
    json: bool,
) -> None:
    from leadline.cli.opening import log_key, shown
    from leadline.cli.output import Page, emit
    from leadline.registry.recheck import verify_certificate_file

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
        page.line("the policy is satisfied", indent=2)
    if key is None and not (rules is not None and rules.logs):
        page.line(
            f"verified with the log key of {shown(store)}; with --key it needs no registry",
            "dim",
            indent=2,
        )


def _study(
    subject: str, key: str | None, rules: "Policy | None", store: str | None, *, recompute: bool, json: bool
) -> None:
    from leadline.cli.opening import reading, shown
    from leadline.cli.output import Page, busy, emit
    from leadline.ledger.keys import VerifyKey
    from leadline.registry.recheck import LIMIT, key_text, verify_study

    with reading(store) as registry:
        if key is not None and VerifyKey.parse(key_text(key)) != registry.home.log:
            raise SignatureError(
                f"the log of this registry has another key than the one given: {registry.home.log.vkey}",
                where=shown(store),
                remedy="do not rely on it before you know which is right; for a folder of that name, say ./ID",
            )
        study = registry.study(subject)
        with busy("verifying"):
            steps = list(verify_study(registry, study.id, recompute=recompute, policy=rules))
    if json:
        listed = [{"name": step.name, "ok": step.ok, "detail": step.detail} for step in steps]
        emit({"kind": "study", "holds": _holds(steps), "study": study.id, "steps": listed, "limit": LIMIT})
    else:
        _print_steps(Page(), study.id, f"the registry {shown(store)}", steps, [LIMIT])
    _end(steps)


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
