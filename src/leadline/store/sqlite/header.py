"""The first hundred bytes of the database file, checked field by field (sqlite.org/fileformat2, section 1.3).

Nothing signs the file as such: what counts are the values read from it. These bytes can change without any
value changing, and nothing detects it; everything else in the file is either checked or reads back the same:

* in this header: the file change counter (24-27), the schema cookie (40-43), the default cache size (48-51),
  the version-valid-for number (92-95) and the number of the SQLite version that wrote last (96-99);
* free pages and freelist trunks' unused slots, freeblocks and the unallocated gap inside b-tree pages;
* the fragmented-bytes count of a b-tree page and the bytes after the end of an overflow chain's last page;
* in a text index: the write counter of its structure record.
"""

import struct
from collections.abc import Iterator

HEADER_SIZE = 100
_MAGIC = b"SQLite format 3\0"
_FIXED = (
    (18, 2, b"\x02\x02", "read and write version: write-ahead log"),
    (20, 1, b"\x00", "reserved space per page"),
    (21, 3, b"\x40\x20\x20", "payload fractions"),
    (44, 4, b"\x00\x00\x00\x04", "schema format"),
    (52, 4, bytes(4), "auto-vacuum root page"),
    (56, 4, b"\x00\x00\x00\x01", "text encoding UTF-8"),
    (64, 4, bytes(4), "incremental vacuum"),
    (72, 20, bytes(20), "reserved for expansion"),
)


def header_faults(header: bytes, application_id: int, format_version: int) -> Iterator[str]:
    """What is wrong with a file header, in words; nothing when every fixed field has its value."""
    if len(header) < HEADER_SIZE or not header.startswith(_MAGIC):
        yield "the file does not begin like an SQLite database"
        return
    (page_size,) = struct.unpack(">H", header[16:18])
    if page_size != 1 and (page_size < 512 or page_size & (page_size - 1)):
        yield f"the page size {page_size} is not a power of two"
    for offset, length, expected, name in _FIXED:
        if header[offset : offset + length] != expected:
            yield f"bytes {offset} to {offset + length - 1} ({name}) are {header[offset : offset + length].hex()}"
    if struct.unpack(">I", header[68:72])[0] != application_id:
        yield "the application id is not that of a Leadline store"
    if struct.unpack(">I", header[60:64])[0] != format_version:
        yield f"the format version is not {format_version}"
