"""Writes requests one by one, in any of the forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO

from otlp_fast._core import Compressor, to_json
from otlp_fast.errors import FileError
from otlp_fast.files.formats import TABLE_FORMATS
from otlp_fast.tracezip import archive

_JSON_KEYS = {"traces": "resourceSpans", "logs": "resourceLogs", "metrics": "resourceMetrics"}
_MAX_LENGTH = 2**32 - 1


class CompressedFile:
    """A file that compresses what is written to it.

    Attributes:
        content_size: how much was written so far, in bytes before compression.
        file_size: and in bytes as they lie in the file.
        closed: whether the end was written.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        """Begin a gzip member, zstd frame or lz4 frame; or nothing, for "none"."""
        self._file = file
        self._compressor = None if encoding == "none" else Compressor(encoding)
        self.content_size = 0
        self.file_size = 0
        self.closed = False
        self._is_discarded = False

    def write(self, data: bytes | memoryview) -> int:
        """Write all of `data`."""
        # Arrow writes buffers whose elements may be longer than a byte.
        length = memoryview(data).nbytes
        self.content_size += length
        if self._is_discarded:
            return length
        self._write(data if self._compressor is None else self._compressor.compress(data))
        return length

    def _write(self, data: bytes | memoryview) -> None:
        self.file_size += memoryview(data).nbytes
        self._file.write(data)

    def discard(self) -> None:
        """Write nothing any more: writers of tables write the end of the file when they go, whatever happened."""
        self._is_discarded = True

    def tell(self) -> int:
        """Say how much was written, in bytes before compression."""
        return self.content_size

    def flush(self) -> None:
        """Do nothing: what is compressed so far is of no use without what follows."""

    def close(self) -> None:
        """Write the end of the compressed data. The file itself stays open."""
        if not self.closed:
            self.closed = True
            if self._compressor is not None:
                self._write(self._compressor.finish())
            self._file.flush()


class FormatWriter(ABC):
    """Writes requests in one form. A file that is not closed is not whole."""

    def __init__(self, file: CompressedFile, name: str) -> None:
        """Begin a file; `name` is for errors."""
        self.file = file
        self.name = name

    @abstractmethod
    def write(self, data: bytes, signal: str | None) -> None:
        """Write a request."""

    def close(self) -> None:  # noqa: B027 (most forms have no end)
        """Write what belongs to the end of the file."""


class OneSignalWriter(FormatWriter):
    """For forms that hold requests of one signal."""

    def __init__(self, file: CompressedFile, name: str) -> None:
        super().__init__(file, name)
        self.signal: str | None = None

    def write(self, data: bytes, signal: str | None) -> None:
        if signal is None:
            return
        if self.signal not in (None, signal):
            raise FileError(
                f"it has {self.signal} and cannot take {signal}, too: an archive or NDJSON can, or choose one signal",
                name=self.name,
            )
        self.signal = signal
        self.add(data, signal)

    @abstractmethod
    def add(self, data: bytes, signal: str) -> None:
        """Write a request, of the same signal each time."""


class _ProtobufWriter(OneSignalWriter):
    """Requests one behind the other are one request, as protobuf has it."""

    def add(self, data: bytes, signal: str) -> None:
        self.file.write(data)


class _ArchiveWriter(FormatWriter):
    def write(self, data: bytes, signal: str | None) -> None:
        if len(data) > _MAX_LENGTH:
            raise FileError("an archive takes no request of 4 GiB and more", name=self.name)
        self.file.write(len(data).to_bytes(4, "big"))
        self.file.write(data)


class _TracezipWriter(FormatWriter):
    def __init__(self, file: CompressedFile, name: str) -> None:
        super().__init__(file, name)
        self._archive = archive.Writer(file, max_record_size=_MAX_LENGTH)

    def write(self, data: bytes, signal: str | None) -> None:
        self._archive.write(data, signal)

    def close(self) -> None:
        self._archive.close()


class _JsonWriter(OneSignalWriter):
    """One document: the groups of each request are written into the list that the first one began."""

    _is_empty = True

    def add(self, data: bytes, signal: str) -> None:
        head, end = b'{"%s":[' % _JSON_KEYS[signal].encode(), b"]}"
        text = bytes(to_json(data, signal))
        if not text.startswith(head):
            return
        self.file.write(head if self._is_empty else b",")
        self.file.write(text[len(head) : -len(end)])
        self._is_empty = False

    def close(self) -> None:
        self.file.write(b"{}\n" if self._is_empty else b"]}\n")


class _NdjsonWriter(FormatWriter):
    def write(self, data: bytes, signal: str | None) -> None:
        if signal is not None:
            self.file.write(bytes(to_json(data, signal)))
            self.file.write(b"\n")


_WRITERS: dict[str, type[FormatWriter]] = {
    "protobuf": _ProtobufWriter,
    "archive": _ArchiveWriter,
    "tracezip": _TracezipWriter,
    "json": _JsonWriter,
    "ndjson": _NdjsonWriter,
}


class RequestWriter:
    """Writes requests to a file that is open. `open_writer` makes one for a path.

    Attributes:
        name: of the file, as errors have it.
        format: one of `FORMATS`.
        encoding: how the file is compressed: "none", "gzip", "zstd" or "lz4".
        count: how many requests were written.
    """

    def __init__(self, file: BinaryIO, name: str, *, format: str, encoding: str = "none") -> None:
        """Begin a file.

        Raises:
            FileError: the form is not compressed that way.
        """
        if format == "parquet" and encoding != "none":
            raise FileError(f"Parquet is compressed inside, and gets no {encoding} around it", name=name)
        self.name = name
        self.format = format
        self.encoding = encoding
        self.count = 0
        self._file = CompressedFile(file, encoding)
        self._writer = _writer_class(format)(self._file, name)

    @property
    def file_size(self) -> int:
        """How much was written so far, in bytes as they lie in the file."""
        return self._file.file_size

    def write(self, data: bytes, signal: str | None) -> None:
        """Write a request.

        Args:
            data: a serialized request.
            signal: "traces", "logs" or "metrics"; None for a request without items that could be of any. Only
                archives keep such a request.

        Raises:
            DecodeError: `data` is not such a request.
            FileError: the form takes requests of one signal only, and this is of another.
            OSError: the file cannot be written.
        """
        self._writer.write(data, signal)
        self.count += 1

    def close(self) -> None:
        """Write the end of the file, and leave it open."""
        self._writer.close()
        self._file.close()

    def discard(self) -> None:
        """Write no end: the file will not be whole."""
        self._file.discard()


def _writer_class(format: str) -> type[FormatWriter]:
    if format not in TABLE_FORMATS:
        return _WRITERS[format]
    from otlp_fast.files.tables import TABLE_WRITERS

    return TABLE_WRITERS[format]
