"""`leadline show`: one study, as the record has it."""

from typing import TYPE_CHECKING, Any

from leadline.cli import options

if TYPE_CHECKING:
    from leadline.cli.output import Page
    from leadline.registry.study import Study


def show(study: options.StudyId, store: options.Store = None, json: options.Json = False) -> None:
    """Show a study: its promise, its runs, its reports.

    JSON: {"id", "index", "title", "state", "authors", "area", "created", "due", "protocol": digest, "keyid",
    "reason", "hypotheses": [{"id", "kind", "claim"}], "amendments": [{"index", "protocol", "seen", "reason",
    "created"}], "attempts": [...] as in `attempts list`, "logs": [{"sha256", "name", "size", "samples",
    "attempt"}], "reports": [{"index", "report": sha256, "engine", "created", "verdicts": [{"hypothesis",
    "outcome", "standing", "reason"}]}]}.
    """
    from leadline.cli.opening import reading
    from leadline.cli.output import Page, emit

    with reading(store) as registry:
        found = study_in_full(registry.study(study))
    if json:
        emit(found)
    else:
        _print_study(Page(), found)


def study_in_full(study: "Study") -> dict[str, Any]:
    """Everything the record has of a study, as JSON values."""
    from leadline.cli.commands.attempts import attempt_forms
    from leadline.store.projections.reports import verdicts
    from leadline.store.projections.studies import amendments, areas, authors, hypotheses

    view, row = study.registry.store, study.row
    return {
        "id": row.id,
        "index": row.ix,
        "title": row.title,
        "state": row.state,
        "authors": authors(view, row.ix),
        "area": areas(view, row.ix),
        "created": row.created,
        "due": row.due,
        "protocol": row.protocol,
        "keyid": row.keyid,
        "reason": row.reason,
        "hypotheses": [{"id": h.id, "kind": h.kind, "claim": h.claim} for h in hypotheses(view, row.ix)],
        "amendments": [
            {"index": a.ix, "protocol": a.protocol, "seen": a.seen, "reason": a.reason, "created": a.created}
            for a in amendments(view, row.id)
        ],
        "attempts": attempt_forms(study),
        "logs": [
            {
                "sha256": log.sha256,
                "name": log.name,
                "size": log.size,
                "samples": log.samples,
                "attempt": log.attempt,
            }
            for log in study.attachments
        ],
        "reports": [
            {
                "index": one.ix,
                "report": one.report,
                "engine": one.engine,
                "created": one.created,
                "verdicts": [
                    {
                        "hypothesis": v.hypothesis,
                        "outcome": v.outcome,
                        "standing": v.standing,
                        "reason": v.reason,
                    }
                    for v in verdicts(view, one.ix)
                ],
            }
            for one in study.reports
        ],
    }


def _print_study(page: "Page", found: dict[str, Any]) -> None:
    page.line(found["title"], "bold")
    why = f": {found['reason']}" if found["reason"] else ""
    page.line(f"{found['id']} · {found['state']}{why}", "dim")
    page.gap()
    page.facts(
        [
            ("authors", ", ".join(found["authors"])),
            ("area", ", ".join(found["area"])),
            ("registered", f"{found['created']}, entry {found['index']}"),
            ("due", found["due"]),
            ("sha256", found["protocol"]),
        ]
    )
    page.head("What it promises to find out")
    page.facts((h["id"], f"{h['claim']} ({h['kind'].replace('_', ' ')})") for h in found["hypotheses"])
    if found["amendments"]:
        page.head("What was changed after the freeze")
        page.facts(
            (a["created"][:10], f"{a['reason']} (had seen: {a['seen'].replace('_', ' ')})")
            for a in found["amendments"]
        )
    _print_runs(page, found)
    _print_reports(page, found)


def _print_runs(page: "Page", found: dict[str, Any]) -> None:
    from leadline.cli.commands.attempts import ending

    page.head("What was run")
    for one in found["attempts"]:
        logs = len(one["logs"]) or sum(log["attempt"] == one["number"] for log in found["logs"])
        note = f" · {one['note']}" if one["note"] else ""
        page.line(
            f"attempt {one['number']} · {ending(one)} · opened {one['opened']} · {_count(logs, 'log')}{note}",
            indent=2,
        )
    loose = sum(log["attempt"] is None for log in found["logs"])
    if loose:
        page.line(f"{_count(loose, 'log')} of no announced attempt", indent=2)
    if not found["attempts"] and not loose:
        page.line("nothing yet", "dim", indent=2)


def _print_reports(page: "Page", found: dict[str, Any]) -> None:
    page.head("What it showed")
    for one in found["reports"]:
        page.line(f"report of {one['created']}, entry {one['index']}, {one['engine']}", "dim", indent=2)
        for verdict in one["verdicts"]:
            page.line(
                f"{verdict['hypothesis']} · {verdict['outcome'].upper()} · {verdict['standing']}", indent=4
            )
    if not found["reports"]:
        page.line("no report is published", "dim", indent=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
