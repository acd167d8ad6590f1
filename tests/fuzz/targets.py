"""What is fed: every parser of bytes that come from outside, each with honest seeds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from leadline.errors import InputError, LogError
from leadline.ledger import dsse, ids, policy, statements, witness
from leadline.ledger.canon import canonical, parse_strict
from leadline.ledger.certificate import Certificate, verify_certificate
from leadline.ledger.cosignature import CosignerKey, Ed25519Cosigner, verified_cosignatures
from leadline.ledger.keys import SigningKey, VerifyKey
from leadline.ledger.tlog import Frontier, leaf_hash, prove_consistency
from leadline.ledger.tlog.checkpoint import Checkpoint, open_checkpoint, parse_body, sign_checkpoint
from leadline.ledger.tlog.note import split_note
from leadline.ledger.tlog.proof import parse_proof
from leadline.ledger.tlog.tile import decode_bundle, encode_bundle, parse_path
from leadline.protocol import document as protocol_document
from leadline.protocol import expression, takeaway
from leadline.protocol.model import Protocol
from leadline.protocol.writing import dump
from leadline.store.cursor import Cursor
from leadline.store.text import split_words
from ledger.record import ALICE, LOG, ORIGIN, TIME
from registry.world import document as world_document

HEX = "ab" * 32
STUDY = "LL-0123456789abc"
WITNESS = SigningKey("witness.example/w", "witness", b"w" * 32)


@dataclass(frozen=True)
class Target:
    """A parser and its seeds; `json` says that mutating them as JSON leads further in."""

    name: str
    feed: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    json: bool = False
    examples: int = 150


def _text(feed: Callable[[str], object]) -> Callable[[bytes], object]:
    def fed(data: bytes) -> object:
        try:
            said = data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            said = data.decode("latin-1")
        return feed(said)

    return fed


# seeds


@cache
def payloads() -> tuple[bytes, ...]:
    """Statements of many kinds."""
    about = {"study": STUDY, "created": TIME}
    log = {"sha256": HEX, "name": "a.eval", "size": 10, "format": "eval", "eval_id": "x", "samples": 2}
    verdicts = {"H1": {"outcome": "null", "reason": "decided", "standing": "confirmatory"}}
    critique = {
        "question": "Why?",
        "attempt": "none",
        "hypothesis": "H1",
        "answers": [{"answer": "a", "moves": 0.5}],
    }
    holder = {"name": "Alice", "kind": "human"}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("key", {"action": "register", "role": "author", "public": ALICE.public.vkey, "holder": holder, "time": TIME}),
        (
            "freeze",
            {"title": "T", "protocol": HEX, "authors": ["A"], "area": ["sandbagging"], "due": "2026-06-30",
             "hypotheses": [{"id": "H1", "kind": "greater", "claim": "more"}], "created": TIME},
        ),
        ("attempt", {**about, "number": 1, "action": "open", "status": "started"}),
        ("attach", {**about, "attempt": 1, "logs": [log]}),
        ("report", {**about, "report": HEX, "protocol": HEX, "logs": [HEX], "engine": "e", "verdicts": verdicts}),
        ("judgement", {**about, "type": "critique", "target": STUDY, "critique": critique, "minutes": 3}),
        (
            "judgement",
            {**about, "type": "forecast", "target": STUDY, "probabilities": {"H1": {"supported": 0.5, "null": 0.5}}},
        ),
        ("withdraw", {**about, "reason": "flawed"}),
        ("close", {"studies": [STUDY], "period": "2026-03", "created": TIME}),
    ]  # fmt: skip
    return tuple(statements.make(kind, said) for kind, said in kinds)


@cache
def envelopes() -> tuple[bytes, ...]:
    """Those statements, signed."""
    return tuple(dsse.sign(payload, dsse.PAYLOAD_TYPE, ALICE) for payload in payloads())


@cache
def tree() -> tuple[Frontier, tuple[bytes, ...], list[bytes]]:
    """A log of the envelopes: its edge, its leaves, its stored nodes."""
    edge, nodes = Frontier(), []
    leaves = tuple(map(leaf_hash, envelopes()))
    for leaf in leaves:
        nodes.extend(edge.append(leaf))
    return edge, leaves, nodes


def notes() -> list[bytes]:
    """A checkpoint, and one that is cosigned."""
    edge, _, _ = tree()
    note = sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), LOG)
    body, _ = split_note(note)
    return [note, note + Ed25519Cosigner(WITNESS).line(body, 1_770_000_000)]


def certificates() -> list[bytes]:
    """Certificates of the first entries."""
    from leadline.ledger.tlog import prove_inclusion

    edge, _, nodes = tree()
    return [
        Certificate.make(
            index,
            prove_inclusion(edge.size, index, lambda at: [nodes[one] for one in at]),
            note,
            envelopes()[index],
        ).format()
        for index, note in enumerate(notes())
    ]


def requests() -> list[bytes]:
    """Requests to a witness: the first checkpoint, and one that extends an older one."""
    edge, _, nodes = tree()
    proof = prove_consistency(3, edge.size, lambda at: [nodes[one] for one in at])
    return [witness.format_request(0, [], notes()[0]), witness.format_request(3, proof, notes()[1])]


def policies() -> list[bytes]:
    """A policy with groups."""
    key = CosignerKey.of(WITNESS.public).vkey
    return [
        f"# ours\nlog {LOG.public.vkey}\nwitness w1 {key} https://w.example\ngroup g any w1\nquorum g\n".encode()
    ]


def protocols() -> list[bytes]:
    """A protocol as canonical JSON and as YAML."""
    plan = Protocol.model_validate(world_document(items=4))
    return [plan.canonical_bytes(), dump(plan).encode()]


@cache
def plan() -> Protocol:
    """A protocol to parse takeaways against."""
    return Protocol.model_validate(world_document(items=4))


# feeds


def _witness(data: bytes) -> None:
    record = sign_checkpoint(Checkpoint(ORIGIN, 3, bytes(32)), LOG)
    for remembered in (None, record):
        answer = witness.consider(data, lambda origin: [LOG.public], lambda origin, held=remembered: held)
        if isinstance(answer, witness.Refusal):
            assert answer.answer.status in (400, 403, 404, 409, 422)


def _policy(data: bytes) -> None:
    found = policy.Policy.parse(data)
    found.accept(notes()[1], [LOG.public])


def _ticket(data: bytes) -> None:
    from datetime import UTC, datetime

    from leadline.registry.intake import read_ticket

    read_ticket(data, origin=ORIGIN, now=datetime(2026, 3, 1, tzinfo=UTC), find_key=lambda _: None)


def _tickets() -> list[bytes]:
    from datetime import UTC, datetime

    from leadline.registry.intake import sign_ticket

    return [sign_ticket(HEX, 10, origin=ORIGIN, expires=datetime(2026, 3, 1, 12, tzinfo=UTC), key=ALICE)]


def _expression(said: str) -> None:
    expression.compile(said)
    expression.compile(said, columns=["score", "metadata.level"], kind="truth")


def _settings(data: bytes) -> None:
    import tempfile

    from leadline.web.settings import Settings

    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        Settings.load(file.name, {})


def _environment(data: bytes) -> None:
    from leadline.web.settings import Settings

    said = data.decode("utf-8", "replace").replace("\0", "")
    name, _, value = said.partition("=")
    Settings.load(None, {f"LEADLINE_{name.upper()}": value})


def _log(suffix: str) -> Callable[[bytes], object]:
    def feed(data: bytes) -> None:
        import tempfile

        from leadline.logs import read_logs

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"a{suffix}"
            path.write_bytes(data)
            for tier in ("summary", "sample"):
                read_logs(path, tier=tier)

    return feed


def _evals() -> list[bytes]:
    import tempfile

    from logs.factory import sample, write_eval

    rows = [
        sample(1, "C"),
        sample("two", {"match": "I", "judge": 0.5}, metadata={"level": 3}),
        sample(3, None, error="x"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        return [
            write_eval(Path(folder) / "a.eval", samples=rows, compression=compression).read_bytes()
            for compression in ("stored", "deflate", "zstd")  # type: ignore[attr-defined]
        ]


def _jsons() -> list[bytes]:
    from logs.factory import claimed, sample

    rows = [sample(1, "C"), sample("two", {"match": "I"})]
    spec = {
        "eval_id": "e", "run_id": "r", "created": "2026-01-05T09:00:00+00:00", "task": "t", "task_id": "t", "model": "m",
        "dataset": {"name": "t", "samples": 2, "sample_ids": [1, "two"]}, "config": {"epochs": 1}, "task_version": 0,
    }  # fmt: skip
    whole = {"version": 2, "status": "success", "eval": spec, "results": claimed(rows), "samples": rows}
    text = json.dumps(whole).encode()
    surrogate = json.dumps({**whole, "samples": [sample("\ud800", float("nan"))]}).encode()
    return [text, text.replace(b'"scorer": "match"', b'"scorer": "\x8f"'), surrogate]


def _lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _lm_evals() -> list[bytes]:
    from logs.formats.written import lm_rows

    return [_lines(*lm_rows("t", 3, ("a", "b"))), _lines(*lm_rows("t", 1))]


def _lm_results() -> list[bytes]:
    from logs.formats.written import lm_results, lm_rows

    return [json.dumps(lm_results({"t": lm_rows("t", 3), "u": lm_rows("u", 2)})).encode()]


def _instances() -> list[bytes]:
    from logs.formats.written import instances

    return [_lines(*instances(3)), _lines(*instances(1, version="0.2.2", names=("x", "y")))]


def _records() -> list[bytes]:
    import tempfile

    from logs.formats.written import instances, write_record

    with tempfile.TemporaryDirectory() as folder:
        return [(write_record(Path(folder), instances(3)) / "r.json").read_bytes()]


TABLE_MAPPING: dict[str, Any] = {
    "leadline_table": 1,
    "task": "t",
    "columns": {
        "sample_id": "id",
        "epoch": "run",
        "score": "s",
        "value": "v",
        "total_time": "took",
        "model": "m",
    },
}


def _mapped(data: bytes) -> None:
    import tempfile

    from leadline.logs import read_logs

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        read_logs(path, mapping=TABLE_MAPPING)


def _tables() -> list[bytes]:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = [
        {"id": name, "run": 1, "s": "ok", "v": value, "took": 0.5, "m": "m"}
        for name, value in (("a", 1.0), ("b", 0.0))
    ]
    head = ",".join(rows[0])
    text = "\n".join([head, *(",".join(map(str, row.values())) for row in rows), '"c\n,",2,ok,C,,m'])
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    return [text.encode(), b"\xef\xbb\xbf" + text.encode(), _lines(*rows), parquet.getvalue()]


def _mapping(data: bytes) -> None:
    from leadline.logs import TableMapping

    TableMapping.parse(data, where="mapping").bound(HEX)


def _mappings() -> list[bytes]:
    return [
        json.dumps(TABLE_MAPPING).encode(),
        b"leadline_table: 1\ntask: t\nscores: [a]\ncolumns: {sample_id: id}\n",
    ]


def _bundle(data: bytes) -> None:
    for count in (1, len(envelopes()), 256):
        try:
            list(decode_bundle(data, count))
        except InputError:
            continue


@cache
def recorded() -> bytes:
    """A small recording that was not finished."""
    import tempfile

    from logs.recording.recorded import opened

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        one = opened(path)
        one.record("a", "right", 0.5, input="q", target=["t"], metadata={"layer": [1, {"x": None}]}, seed=3)
        one.record("b", "right", None, error="no", choices=["x", "y"])
        one.close()
        return path.read_bytes()


def recorded_rows() -> list[bytes]:
    """Its rows without their chain, and rows of the other kinds."""
    rows = [canonical(json.loads(line)["row"]) for line in recorded().splitlines()]
    around = {"python": "CPython", "platform": "Linux", "git": {"commit": "c", "dirty": True}}
    others: list[object] = [
        {"pause": {"at": TIME, "error": "ValueError"}},
        {"segment": {"at": TIME, "results": 2, "torn": 5, "surroundings": around}},
        {"end": {"at": TIME, "results": 2, "status": "success"}},
    ]
    return rows + [canonical(row) for row in others]


def _recording(data: bytes) -> None:
    import tempfile

    from leadline.logs import read_logs

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        path.write_bytes(data)
        read_logs(path, tier="sample", columns=["metadata.layer", "answer"], strict=True)


def _recorded_row(data: bytes) -> None:
    """The row with a chain of its own, as the first of a file and as the last of an honest one."""
    from leadline.logs.recording.chain import START, chained

    honest = recorded()
    before = bytes.fromhex(json.loads(honest.splitlines()[-1])["sha256"])
    try:
        _recording(honest + chained(before, data)[0])
    except LogError:
        _recording(chained(START, data)[0])


TARGETS: Sequence[Target] = (
    Target("recording", _recording, lambda: [recorded()]),
    Target("row of a recording", _recorded_row, recorded_rows, json=True, examples=300),
    Target(
        "strict JSON", parse_strict, lambda: [canonical({"a": [1, 2.5, "é", None, {"b": True}]})], json=True
    ),
    Target("envelope", lambda data: statements.parse(dsse.decode(data).payload), envelopes, json=True),
    Target("statement", statements.parse, payloads, json=True, examples=300),
    Target("note", split_note, notes),
    Target("checkpoint", lambda data: open_checkpoint(data, [LOG.public]), notes),
    Target("checkpoint body", parse_body, lambda: [split_note(note)[0] for note in notes()]),
    Target("cosignatures", lambda data: verified_cosignatures(data, [CosignerKey.of(WITNESS.public)]), notes),
    Target("proof file", parse_proof, certificates),
    Target("certificate", lambda data: verify_certificate(data, None, [LOG.public]), certificates),
    Target("add-checkpoint", _witness, requests),
    Target("policy", _policy, policies, examples=300),
    Target("key", _text(VerifyKey.parse), lambda: [ALICE.public.vkey.encode(), LOG.public.vkey.encode()]),
    Target(
        "cosigner's key", _text(CosignerKey.parse), lambda: [CosignerKey.of(WITNESS.public).vkey.encode()]
    ),
    Target(
        "tile path",
        _text(parse_path),
        lambda: [b"tile/0/x001/x234/067", b"tile/0/000.p/17", b"tile/entries/x001/000.p/3", b"tile/63/000"],
    ),
    Target("entry bundle", _bundle, lambda: [encode_bundle(envelopes())]),
    Target("study id", _text(ids.read_study_id), lambda: [STUDY.encode(), STUDY.lower().encode()]),
    Target("upload request", _ticket, _tickets, json=True),
    Target(
        "cursor",
        _text(lambda said: Cursor.decode(said, "q")),
        lambda: [Cursor(9, 3, (1, 2)).encode("q").encode()],
    ),
    Target(
        "search words", _text(split_words), lambda: [b'sandbagging "password locked" -NOT* NEAR(a, b) col:x']
    ),
    Target("protocol", protocol_document.parse, protocols, json=True, examples=200),
    Target(
        "expression",
        _text(_expression),
        lambda: [
            b"score > 0.5 and metadata.level in (1, 2) or not (a = 'x')",
            b"case when score is null then 0 else abs(score) end",
        ],
    ),
    Target(
        "takeaway",
        _text(lambda said: takeaway.parse(said, plan())),
        lambda: [b"try hint before plain for accuracy", b"hint changes accuracy by about 0.1 over plain"],
    ),
    Target(
        "settings",
        _settings,
        lambda: [(Path(__file__).parents[2] / "docs/examples/leadline.toml").read_bytes()],
    ),
    Target(
        "settings in the environment",
        _environment,
        lambda: [b"port=8300", b"allowed_keys=a,b", b"max_blob_bytes=4GB"],
    ),
    Target("eval log", _log(".eval"), _evals, examples=120),
    Target("json log", _log(".json"), _jsons, json=True, examples=120),
    Target("lm-eval samples log", _log(".jsonl"), _lm_evals, examples=60),
    Target("lm-eval results log", _log(".json"), _lm_results, json=True, examples=60),
    Target("Every Eval Ever instances log", _log(".jsonl"), _instances, examples=60),
    Target("Every Eval Ever aggregate log", _log(".json"), _records, json=True, examples=60),
    Target("table log", _mapped, _tables, examples=100),
    Target("mapping of a table", _mapping, _mappings, json=True),
)
