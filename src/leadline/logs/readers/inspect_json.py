"""Inspect's `.json` logs: one object with its samples inside, old forms included."""

import json
import re
from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from leadline.logs.accounting import Ledger
from leadline.logs.columns import Columns
from leadline.logs.decode import (
    convert_sample,
    decode_json_log,
    decode_object,
    decode_sample,
    id_decoder,
    reparse,
    unknown_shape,
)
from leadline.logs.header_build import build_header
from leadline.logs.headers import LogHeader
from leadline.logs.intake import Intake, Key, sort_key
from leadline.logs.readers.base import Format
from leadline.logs.readers.inspect_eval import claimed_samples
from leadline.logs.request import Request
from leadline.logs.shapes import Json, JsonLog, Sample, SampleId
from leadline.logs.source import Source

NAME: Final = "inspect-json"
#: Inspect's own reader refuses higher ones.
NEWEST_VERSION: Final = 2
_PARTS: Final = ("plan", "results", "stats", "error", "log_updates", "config_updates")
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")


class _Probe(Struct):
    eval: Raw | UnsetType = UNSET
    status: Raw | UnsetType = UNSET


_probe: Final = msgspec.json.Decoder(_Probe)


def recognise(source: Source) -> bool:
    """Whether the file is a JSON object with `eval` and `status`, or the beginning of one that was cut."""
    if _START.match(source.head) is None:
        return False
    data = source.whole()
    if b'"eval"' not in data or b'"status"' not in data:
        return False
    try:
        probe = _probe.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return b'"eval"' in source.head and b'"status"' in source.head
        return "eval" in document and "status" in document
    return probe.eval is not UNSET and probe.status is not UNSET


def read(source: Source, sha256: str, request: Request, columns: Columns, ledger: Ledger) -> LogHeader:
    """Read one `.json` log into the columns and return its header; there is no cheaper tier than its samples."""
    where = str(source.path)
    log, samples = decode_json_log(source.whole(), where=where, on_retry=ledger.retried)
    if log.version > NEWEST_VERSION:
        raise unknown_shape(f"version {log.version}", where)
    header = build_header(_document(log, where, ledger), source, sha256=sha256, format=NAME)
    ledger.claimed = claimed_samples(header)
    if request.tier == "header":
        return replace(header, samples_read=len(samples))
    ledger.tier = "sample"
    intake = Intake(header, columns, ledger)
    keyed = [(_identity(sample, where), sample) for sample in samples]
    kept: dict[Key, tuple[SampleId, Any]] = {}
    for identity, sample in keyed:
        key = intake.note_id(identity.id), identity.epoch
        if key in kept:
            intake.replaced([key])
        kept[key] = identity, sample
    for identity, sample in sorted(kept.values(), key=lambda pair: sort_key(pair[0].id, pair[0].epoch)):
        shown = f"{where}, sample {identity.id!r}, epoch {identity.epoch}"
        intake.add_sample(_sample(sample, shown, ledger))
    return intake.finished()


def _document(log: JsonLog, where: str, ledger: Ledger) -> Json:
    document: Json = {"version": log.version, "status": log.status, "invalidated": log.invalidated}
    document["eval"] = decode_object(bytes(log.eval), where=where, on_retry=ledger.retried)
    for name in _PARTS:
        raw = bytes(getattr(log, name))
        try:
            document[name] = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # bare NaN, or what is no text
            document[name] = reparse(raw, where, error, lambda _: None)  # noted when the whole was read
    return document


def _identity(sample: Any, where: str) -> SampleId:
    try:
        return id_decoder.decode(sample) if isinstance(sample, Raw) else msgspec.convert(sample, SampleId)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise unknown_shape(str(error), where) from error


def _sample(sample: Any, where: str, ledger: Ledger) -> Sample:
    if isinstance(sample, Raw):
        return decode_sample(bytes(sample), where=where, on_retry=ledger.retried)
    return convert_sample(sample, where=where)


FORMAT: Final = Format(NAME, recognise, read, whole=True)
