"""The forms that files have: their names, their file name extensions, and how content tells its form."""

from __future__ import annotations

from pathlib import PurePath
from typing import NamedTuple

from otlp_fast.files.content import Content
from otlp_fast.tracezip.archive.layout import MAGIC as TRACEZIP_MAGIC

FORMATS = ("protobuf", "archive", "tracezip", "json", "ndjson", "arrow", "parquet")
"""The names of all forms of files."""

TABLE_FORMATS = ("arrow", "parquet")
"""Those that need the extra `columns`."""

_FORMAT_OF_EXTENSION = {
    ".otlp": "archive",
    ".bin": "archive",
    ".tz": "tracezip",
    ".pb": "protobuf",
    ".binpb": "protobuf",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".parquet": "parquet",
}
_ENCODING_OF_EXTENSION = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".lz4": "lz4"}

_MAGIC_LENGTH = 64
_LENGTH_BYTES = 4
# Four letters are more than that.
_PLAUSIBLE_LENGTH = 2**28
_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FormatError(ValueError):
    """Content that is of no form that is known."""


class NamedFormat(NamedTuple):
    """What the name of a file says of it: the form, None where it says none, and the compression."""

    format: str | None
    encoding: str


def format_of_name(name: str) -> NamedFormat:
    """Tell by its name how a file should be written.

    >>> from otlp_fast.files import format_of_name
    >>> format_of_name("capture.ndjson.gz")
    NamedFormat(format='ndjson', encoding='gzip')
    """
    path = PurePath(name)
    encoding = _ENCODING_OF_EXTENSION.get(path.suffix.lower(), "none")
    if encoding != "none":
        path = path.with_suffix("")
    return NamedFormat(_FORMAT_OF_EXTENSION.get(path.suffix.lower()), encoding)


def detect_format(content: Content, max_record_size: int) -> str:
    """Tell the form of a content by its first bytes, which are not taken.

    Raises:
        FormatError: it has none of the known forms.
    """
    head = content.peek(_MAGIC_LENGTH)
    if head.startswith(b"PAR1"):
        return "parquet"
    # A file of Arrow IPC, or a stream, which begins with the mark in front of every message.
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    if head.startswith(TRACEZIP_MAGIC):
        return "tracezip"
    if _is_json(head):
        return "ndjson" if _has_lines(content, max_record_size) else "json"
    # The only field of a request has this tag. An archive would have to begin with a record of 160 MiB.
    if head.startswith(b"\x0a"):
        return "protobuf"
    length = int.from_bytes(head[:_LENGTH_BYTES], "big")
    if len(head) < _LENGTH_BYTES or length <= max(max_record_size, _PLAUSIBLE_LENGTH):
        return "archive"
    raise FormatError(
        "this is none of: an OTLP request in protobuf, an archive of such requests with their lengths, a tracezip "
        "archive, OTLP/JSON, NDJSON, Arrow IPC, Parquet"
    )


def _is_json(head: bytes) -> bool:
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    # A line feed is also the tag that a request in protobuf begins with, and a brace the length behind it.
    return text.startswith(b'{"' if head.startswith(b"\n") else b"{")


def _has_lines(content: Content, max_record_size: int) -> bool:
    """Tell lines that are documents from a document that has lines: only the former end with a brace."""
    return content.peek_line(max_record_size).rstrip().endswith(b"}")
