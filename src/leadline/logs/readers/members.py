"""The parts of an `.eval` archive by role: header, summaries, samples whole and in chunks."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from leadline.errors import LogError
from leadline.logs.accounting import Ledger
from leadline.logs.container import Archive
from leadline.logs.decode import (
    decode_object,
    decode_sample,
    decode_summaries,
    id_decoder,
    reparse,
    unknown_shape,
)
from leadline.logs.intake import Key, sort_key
from leadline.logs.shapes import Json, Sample, Summary
from leadline.logs.text import with_attachments

HEADER: Final = "header.json"
START: Final = "_journal/start.json"
SUMMARIES: Final = "summaries.json"
SAMPLES: Final = "samples/"

_MONOLITH = re.compile(r"samples/(.*)_epoch_(-?\d{1,18})\.json", re.DOTALL)
_CHUNKED = re.compile(r"samples/(.*)_epoch_(-?\d{1,18})/sample\.json", re.DOTALL)
_JOURNAL = re.compile(r"_journal/summaries/(\d{1,9})\.json")
_ATTACHMENTS = re.compile(r"(samples/.*/)attachments/(\d{1,12})\.json", re.DOTALL)
_UPDATES = re.compile(r"_journal/config_updates/(\d{1,9})\.json")


class SampleMember(NamedTuple):
    """Where one sample is: its id (as text) and epoch by file name, its member, chunked or not."""

    id: str
    epoch: int
    name: str
    chunked: bool


class EvalArchive:
    """An `.eval` archive seen as a log. Decoding retries are counted in the ledger."""

    def __init__(self, archive: Archive, ledger: Ledger) -> None:
        self._archive = archive
        self._ledger = ledger

    def _where(self, name: str) -> str:
        return f"{self._archive.source.path}, member {name}"

    def header_document(self) -> Json:
        """`header.json`; for an unfinished run the journal's start, with status "started" and its retunes."""
        name = HEADER if HEADER in self._archive.members else START
        if name not in self._archive.members:
            raise LogError(
                "is a ZIP archive without header.json or _journal/start.json",
                where=str(self._archive.source.path),
                remedy="this is not an Inspect log, or its writer was stopped before the first flush",
            )
        document = decode_object(
            self._archive.read(name), where=self._where(name), on_retry=self._ledger.retried
        )
        if name == START:
            document = {**document, "status": "started"}
            updates = [update for part in self._numbered(_UPDATES) for update in self._list(part)]
            if updates:
                document["config_updates"] = updates
        return document

    def _numbered(self, pattern: re.Pattern[str]) -> list[str]:
        found = [(int(m[1]), name) for name in self._archive.members if (m := pattern.fullmatch(name))]
        return [name for _, name in sorted(found)]

    def _list(self, name: str) -> list[Any]:
        data = self._archive.read(name)
        try:
            parsed = msgspec.json.decode(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            parsed = reparse(data, self._where(name), error, self._ledger.retried)
        return parsed if isinstance(parsed, list) else [parsed]

    @property
    def summarised(self) -> bool:
        """Whether the run was finished with a consolidated `summaries.json`."""
        return SUMMARIES in self._archive.members

    def summaries(self) -> list[Summary]:
        """All summaries as written, replaced ones included, in the order of writing."""
        names = [SUMMARIES] if self.summarised else self._numbered(_JOURNAL)
        found: list[Summary] = []
        for name in names:
            data = self._archive.read(name)
            found += decode_summaries(data, where=self._where(name), on_retry=self._ledger.retried)
        return found

    @cached_property
    def _by_role(self) -> tuple[dict[Key, SampleMember], list[str]]:
        """The live samples by key, and the names among the samples that are none."""
        found: dict[Key, SampleMember] = {}
        others = []
        for name in self._archive.members:
            if name.startswith(SAMPLES):
                if (member := _sample_member(name)) is None:
                    others.append(name)
                    continue
                key = member.id, member.epoch
                found.pop(key, None)
                found[key] = member
        return found, others

    @cached_property
    def samples(self) -> list[SampleMember]:
        """The live samples in table order; of a sample present whole and in chunks, the later one."""
        return sorted(self._by_role[0].values(), key=lambda member: sort_key(member.id, member.epoch))

    def beyond(self, keys: Collection[Key]) -> list[Key]:
        """The keys of samples that are not among these, in table order."""
        plain = {f"{SAMPLES}{name}_epoch_{epoch}.json" for name, epoch in keys}
        if all(name in plain or not name.startswith(SAMPLES) for name in self._archive.members):
            return []  # what every finished log is like, told without taking names apart
        return [key for member in self.samples if (key := (member.id, member.epoch)) not in keys]

    def strangers(self) -> list[str]:
        """Members among the samples that are neither a whole sample nor a part of a chunked one."""
        found, others = self._by_role
        folders = tuple(m.name.removesuffix("sample.json") for m in found.values() if m.chunked)
        return [name for name in others if not name.startswith(folders)]

    def superseded(self) -> Iterator[tuple[Key, str | int | None]]:
        """Key and real id of every sample entry that a later one of the same name replaced."""
        for entry in self._archive.superseded:
            if (member := _sample_member(entry.name)) is not None:
                try:
                    real: str | int | None = id_decoder.decode(self._archive.read(entry)).id
                except (LogError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                    real = None  # replaced bytes owe nobody anything
                yield (member.id, member.epoch), real

    def read_sample(self, member: SampleMember) -> tuple[Sample, Mapping[str, str] | None]:
        """One sample, and its attachments where they are members of their own."""
        where = self._where(member.name)
        data = self._archive.read(member.name)
        sample = decode_sample(data, where=where, on_retry=self._ledger.retried)
        if (str(sample.id), sample.epoch) != (member.id, member.epoch):
            raise unknown_shape(f"the member holds sample {sample.id!r}, epoch {sample.epoch}", where)
        if not member.chunked:
            return sample, None
        folder = member.name.removesuffix("sample.json")
        metadata = f"{folder}metadata.json"  # not written when empty
        sample.metadata = Raw(self._archive.read(metadata) if metadata in self._archive.members else b"{}")
        attachments = ChunkedAttachments(self, folder)
        sample.input = with_attachments(sample.input, attachments)
        return sample, attachments

    def attachments(self, folder: str) -> dict[str, str]:
        """The attachments of a chunked sample by index."""
        found: dict[str, str] = {}
        for start, name in sorted(self._attachment_members.get(folder, ())):
            found |= {str(start + at): str(content) for at, content in enumerate(self._list(name))}
        return found

    @cached_property
    def _attachment_members(self) -> dict[str, list[tuple[int, str]]]:
        """Where the attachments of each chunked sample are, by its folder: first index and member."""
        found: dict[str, list[tuple[int, str]]] = {}
        for name in self._archive.members:
            if match := _ATTACHMENTS.fullmatch(name):
                found.setdefault(match[1], []).append((int(match[2]), name))
        return found


class ChunkedAttachments(Mapping[str, str]):
    """The attachments of a chunked sample, read when first asked for."""

    def __init__(self, log: EvalArchive, folder: str) -> None:
        self._log = log
        self._folder = folder

    @cached_property
    def _found(self) -> dict[str, str]:
        return self._log.attachments(self._folder)

    def __getitem__(self, key: str) -> str:
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _sample_member(name: str) -> SampleMember | None:
    if not name.startswith(SAMPLES):
        return None
    if match := _MONOLITH.fullmatch(name):
        return SampleMember(match[1], int(match[2]), name, chunked=False)
    if match := _CHUNKED.fullmatch(name):
        return SampleMember(match[1], int(match[2]), name, chunked=True)
    return None
