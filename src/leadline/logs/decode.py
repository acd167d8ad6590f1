"""Typed decoding of what the reader needs from samples, summaries and headers.

msgspec structs name the wanted fields and skip the rest at scanner speed. What msgspec refuses (bare NaN
and infinities, lone surrogates) is read again with `json`, and that second try is counted. What has
another shape than these structs is no sample this reader knows: `UnknownShapeError`.
"""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from leadline.errors import LogError
from leadline.logs.shapes import NO_JSON, Json, JsonLog, Sample, SampleId, Summary

_T = TypeVar("_T", bound=Struct)


class UnknownShapeError(LogError):
    """The document is well-formed and is not what this reader knows; Inspect's own reader may know it."""


_RAW_FIELDS: dict[type, tuple[str, ...]] = {
    Summary: ("metadata",),
    Sample: ("metadata", "invalidation", "attachments", "transcript"),
    JsonLog: ("eval", "plan", "results", "stats", "error", "log_updates", "config_updates"),
}

sample_decoder: Final = msgspec.json.Decoder(Sample)
summaries_decoder: Final = msgspec.json.Decoder(list[Summary])
id_decoder: Final = msgspec.json.Decoder(SampleId)
json_log_decoder: Final = msgspec.json.Decoder(JsonLog)

#: Called with the reason each time a document needs the slower decoder.
OnRetry = Callable[[str], None]


def object_in(data: bytes) -> Json | None:
    """The JSON object that the bytes are, bare NaN and lone surrogates included; None where they are none."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def decode_sample(data: bytes, *, where: str, on_retry: OnRetry) -> Sample:
    """One whole sample; `where` names it in errors. Raises UnknownShapeError or LogError."""
    try:
        return sample_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return convert_sample(reparse(data, where, error, on_retry), where=where)


def convert_sample(document: Any, *, where: str) -> Sample:
    """A `Sample` from parsed JSON."""
    if isinstance(document, dict):
        if isinstance(scores := document.get("scores"), dict):
            document["scores"] = {name: _prepared_score(score) for name, score in scores.items()}
        if "score" in document:
            document["score"] = _prepared_score(document["score"])
        if isinstance(retries := document.get("error_retries"), list):
            document["error_retries"] = [NO_JSON] * len(retries)
    return _convert(document, Sample, where)


def decode_summaries(data: bytes, *, where: str, on_retry: OnRetry) -> list[Summary]:
    """A list of summaries. Raises UnknownShapeError or LogError."""
    try:
        return summaries_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        parsed = reparse(data, where, error, on_retry)
        if not isinstance(parsed, list):
            raise unknown_shape("is not a list of summaries", where) from None
        return [_convert(entry, Summary, where) for entry in parsed]


def decode_json_log(data: bytes, *, where: str, on_retry: OnRetry) -> tuple[JsonLog, list[Any]]:
    """A `.json` log and its samples, each either encoded (bytes) or already parsed (dict)."""
    try:
        log = json_log_decoder.decode(data)
        return log, list(log.samples or ())
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        parsed = reparse(data, where, error, on_retry)
        if not isinstance(parsed, dict):
            raise unknown_shape("is not a JSON object", where) from None
        samples = parsed.pop("samples", None) or []
        if not isinstance(samples, list):
            raise unknown_shape("has samples that are not a list", where) from None
        return _convert(parsed, JsonLog, where), samples


def decode_object(data: bytes, *, where: str, on_retry: OnRetry) -> Json:
    """Any JSON object as a dict."""
    try:
        parsed = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        parsed = reparse(data, where, error, on_retry)
    if not isinstance(parsed, dict):
        raise unknown_shape("is not a JSON object", where)
    return parsed


def reparse(data: bytes, where: str, error: Exception, on_retry: OnRetry) -> Any:
    """The document read with the standard library, which accepts NaN and lone surrogates.

    `error` is why the fast decoder gave up. Raises LogError when the document is not JSON either.
    """
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as second:
        raise LogError(
            f"is not readable JSON: {second}",
            where=where,
            remedy="copy the log again from where it was written; if the run was killed, `inspect log recover` may help",
        ) from error
    on_retry(_retry_reason(error))
    return parsed


def _retry_reason(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return "another shape"
    return "NaN, infinity or lone surrogate"


def _prepared_score(score: Any) -> Any:
    if not isinstance(score, dict):
        return score
    prepared = dict(score)
    if "metadata" in prepared:
        prepared["metadata"] = Raw(encode(prepared["metadata"]))
    if isinstance(history := prepared.get("history"), list):
        prepared["history"] = [NO_JSON] * len(history)
    return prepared


def encode(value: Any) -> bytes:
    """JSON bytes of any parsed value; NaN stays bare, lone surrogates become backslash escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _convert(document: Any, kind: type[_T], where: str) -> _T:
    if isinstance(document, dict):
        for name in _RAW_FIELDS[kind]:
            if name in document:
                document[name] = Raw(encode(document[name]))
    try:
        return msgspec.convert(document, kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise unknown_shape(str(error), where) from error


def unknown_shape(what: str, where: str) -> UnknownShapeError:
    """The error for a well-formed document that this reader does not know."""
    return UnknownShapeError(
        f"has a shape this reader does not know: {what}",
        where=where,
        remedy="install Inspect's own reader: pip install 'leadline[inspect]'",
    )


def compact(raw: Raw) -> str | None:
    """The text of an encoded value without white space, or None for JSON null."""
    if raw is NO_JSON:
        return None
    data = bytes(raw)
    if data == b"{}":
        return "{}"
    if data == b"null":
        return None
    try:
        return msgspec.json.format(data, indent=-1).decode("utf-8", "replace")
    except msgspec.MsgspecError:  # bare NaN
        return encode(_lenient(data)).decode()


def parsed_object(raw: Raw) -> Json:
    """An encoded object as a dict; anything else gives an empty one."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = _lenient(bytes(raw))
    return value if isinstance(value, dict) else {}


def _lenient(data: bytes) -> Any:
    """A value that was skipped over before: bare NaN, lone surrogates and broken UTF-8 are let through."""
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except ValueError as error:
        raise LogError(
            f"holds a field that is not readable JSON: {error}",
            remedy="copy the log again from where it was written",
        ) from error
