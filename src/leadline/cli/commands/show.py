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
    "outcome", "standing", "reason"}], "automatic": whether the registry published it by itself}], "status",
    "deadline": {"days_overdue", "grace_ends", "closes"} or null, "closed": entry or null, "judgements": [{"index",
    "type", "target", "holder", "created", "minutes", "text", "part": the type's own fields or null, "own": whether an
    author of the study wrote it}], "siblings": [{"id", "title", "status"}]}. status is registered, running, reported, overdue, closed-undisclosed or withdrawn,
    today.
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
    from leadline.store.projections.authority import key
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
                "automatic": (signer := key(view, one.keyid)) is not None and signer.role == "service",
            }
            for one in study.reports
        ],
        **_standing(study),
    }


def _standing(study: "Study") -> dict[str, Any]:
    """What the calendar and other people make of the study."""
    import json

    from leadline.registry.judging import in_order
    from leadline.store.projections.authority import key, right
    from leadline.store.projections.status import deadline_of, status_of

    view, row, today = study.registry.store, study.row, study.registry.clock().date()
    deadline = deadline_of(row, today)
    said = study.judgements
    record = right(view, study.id)
    own = frozenset() if record is None else record.lineages
    critiques = in_order(one for one in said if one.type == "critique")
    return {
        "status": status_of(row, today),
        "deadline": deadline
        and {
            "days_overdue": deadline.days_overdue,
            "grace_ends": deadline.grace_ends.isoformat(),
            "closes": deadline.closes.isoformat(),
        },
        "closed": row.closed,
        "judgements": [
            {
                "index": one.ix,
                "type": one.type,
                "target": one.target,
                "holder": signer.holder if (signer := key(view, one.keyid)) else one.keyid,
                "created": one.created,
                "own": one.lineage in own,
                "minutes": one.minutes,
                "text": one.text,
                "part": None if one.part is None else json.loads(one.part),
            }
            for one in [*(one for one in said if one.type != "critique"), *critiques]
        ],
        "siblings": [
            {"id": one.row.id, "title": one.row.title, "status": status_of(one.row, today)}
            for one in study.siblings
        ],
    }


def _print_study(page: "Page", found: dict[str, Any]) -> None:
    page.line(found["title"], "bold")
    why = f": {found['reason']}" if found["reason"] else ""
    page.line(f"{found['id']} · {found['status']}{why}", "dim")
    page.gap()
    page.facts(
        [
            ("authors", ", ".join(found["authors"])),
            ("area", ", ".join(found["area"])),
            ("registered", f"{found['created']}, entry {found['index']}"),
            ("due", _due_words(found)),
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
    _print_judgements(page, found)
    _print_siblings(page, found)


def _due_words(found: dict[str, Any]) -> str | None:
    """The due date, and what follows where it has passed."""
    due, deadline = found["due"], found["deadline"]
    closed = "" if found["closed"] is None else f"; closed as undisclosed (entry {found['closed']})"
    if deadline and deadline["days_overdue"]:
        late = _count(deadline["days_overdue"], "day")
        return f"{due}: {late} overdue; grace ends {deadline['grace_ends']}, closing {deadline['closes']}"
    return f"{due}{closed}" if due else None


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
        by = ", published by the registry itself" if one["automatic"] else ""
        page.line(f"report of {one['created']}, entry {one['index']}, {one['engine']}{by}", "dim", indent=2)
        for verdict in one["verdicts"]:
            page.line(
                f"{verdict['hypothesis']} · {verdict['outcome'].upper()} · {verdict['standing']}", indent=4
            )
    if not found["reports"]:
        page.line("no report is published", "dim", indent=2)


def _print_judgements(page: "Page", found: dict[str, Any]) -> None:
    for head, own in (("What others say", False), ("What its authors say", True)):
        said = [one for one in found["judgements"] if one["own"] is own]
        if said:
            page.head(head)
            _print_said(page, said)


def _print_said(page: "Page", said: list[dict[str, Any]]) -> None:
    for one in said:
        took = "" if one["minutes"] is None else f" · {_count(one['minutes'], 'minute')}"
        page.line(
            f"{one['type']} of {one['target']} · {one['holder']} · {one['created'][:10]}{took} · entry {one['index']}",
            "dim",
            indent=2,
        )
        if one["text"]:
            page.line(one["text"], indent=4)
        if one["part"]:
            page.facts(_part_facts(one), indent=4)


def _part_facts(one: dict[str, Any]) -> list[tuple[str, str | None]]:
    """A judgement's own fields as labels and words."""
    part = one["part"]
    if one["type"] == "forecast":
        return [
            (
                name,
                ", ".join(f"{outcome} {p:g}" for outcome, p in sorted(outcomes.items(), key=lambda x: -x[1])),
            )
            for name, outcomes in sorted(part.items())
        ]
    if one["type"] == "critique":
        answers = "; ".join(f"{a['answer']} ({a['moves']:+g})" for a in part.get("answers", ()))
        tried = part.get("attempt") or "did not try"
        bears_on = ", ".join(filter(None, (part.get("hypothesis"), part.get("claim"))))
        return [
            ("asks", part["question"]),
            ("own answer", tried),
            ("bears on", bears_on or None),
            ("answers", answers or None),
            ("who could answer", part.get("who")),
        ]
    return [(name.replace("_", " "), str(value)) for name, value in part.items()]


def _print_siblings(page: "Page", found: dict[str, Any]) -> None:
    from leadline.registry.siblings import BOUND

    if not found["siblings"]:
        return
    page.head("Siblings: same authors, dataset, measure and technique")
    for one in found["siblings"]:
        page.line(f"{one['id']} · {one['status']} · {one['title']}", indent=2)
    page.line(BOUND, "dim", indent=2)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
