"""Reads the requests of a file one by one."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, NamedTuple

from otlp_fast._core import count_items, decompress, detect_signals, from_json
from otlp_fast.errors import CompressionError, DecodeError, FileError
from otlp_fast.files.content import Content, RecordTooLargeError, encoding_of
from otlp_fast.files.formats import TABLE_FORMATS, FormatError, detect_format
from otlp_fast.files.records import READERS, Record, RecordError

MAX_RECORD_SIZE = 256 * 1024 * 1024
"""The longest record that is read by default, in bytes; decompressed, too."""

SIGNALS = ("traces", "logs", "metrics")

_FORMATS_OF_RECORDS = ("archive", "tracezip")
_DAMAGE = (CompressionError, DecodeError, FormatError, RecordError, RecordTooLargeError)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_JSON_KEY = re.compile(rb'"resource(Spans|Logs|Metrics)"\s*:')
_SIGNAL_OF_KEY = {b"Spans": "traces", b"Logs": "logs", b"Metrics": "metrics"}


class Request(NamedTuple):
    """A request that was read from a file.

    Attributes:
        signal: "traces", "logs" or "metrics"; None for a request without items, in front of all that have some.
        data: the serialized request.
        number: its number in the file, from 1.
        offset: where it begins, in bytes from the start of the decompressed content.
    """

    signal: str | None
    data: bytes
    number: int
    offset: int


class RequestReader:
    """The requests of a file: iterate over it, or use it as a context manager, which closes the file.

    Attributes:
        name: of the file, as errors have it.
        format: one of `FORMATS`.
        encoding: how the file is compressed: "none", "gzip", "zstd" or "lz4".
        size: of the file in bytes; None where it is a pipe.
        skipped: how many requests of other signals than the wanted one were passed over so far.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        *,
        format: str | None = None,
        signal: str | None = None,
        keep_unknown: bool = False,
        max_record_size: int = MAX_RECORD_SIZE,
    ) -> None:
        """Begin to read a file; see `open_reader`."""
        if signal is not None and signal not in SIGNALS:
            raise ValueError(f'unknown signal {signal!r}: expected "traces", "logs" or "metrics"')
        self.name = name
        self.size = size_of(file)
        self.skipped = 0
        self._file = file
        self._wanted = signal
        self._keeps_unknown = keep_unknown
        self._last: str | None = None
        self._max_record_size = max_record_size
        try:
            self._content = Content(file)
            self.format = format or detect_format(self._content, max_record_size)
            self._records = self._table_records() if self.format in TABLE_FORMATS else self._plain_records()
        except _DAMAGE as error:
            raise FileError(str(error), name=name) from None
        self.encoding = self._content.encoding

    @property
    def bytes_read(self) -> int:
        """How much of the file was read, in bytes as they lie in the file."""
        return self._content.bytes_read

    def __iter__(self) -> Iterator[Request]:
        """Give the requests in their order.

        Raises:
            FileError: the file is damaged, or it does not tell the signal of a request.
            OSError: the file cannot be read.
        """
        number, offset = 1, self._content.offset
        while True:
            try:
                record = next(self._records, None)
                if record is None:
                    return
                offset = record.offset
                request = self._request_or_unknown(record, number)
            except _DAMAGE as error:
                raise FileError(str(error), name=self.name, record=number, offset=offset) from None
            if request is not None:
                yield request
            number, offset = number + 1, self._content.offset

    def _plain_records(self) -> Iterator[Record]:
        return READERS[self.format](self._content, self._max_record_size)

    def _table_records(self) -> Iterator[Record]:
        from otlp_fast.files.tables import TableReader

        tables = TableReader(self._file, self._content, self.format, self._max_record_size)
        signal = self._wanted if self._wanted in tables.signals else tables.signals[0]
        if signal != self._wanted and len(tables.signals) > 1:
            raise _ambiguous("these may be tables", tables.signals)
        return tables.records(signal)

    def _request_or_unknown(self, record: Record, number: int) -> Request | None:
        try:
            return self._request(record, number)
        except _DAMAGE:
            if not self._keeps_unknown or self.format not in _FORMATS_OF_RECORDS:
                raise
            return Request(self._last, record.content, number, record.offset)

    def _request(self, record: Record, number: int) -> Request | None:
        """Give the request of a record; None for one of a signal that is not wanted."""
        data = record.content
        if encoding_of(data) == "zstd":
            data = decompress(data, "zstd", max_size=self._max_record_size)
        text = data.removeprefix(_BYTE_ORDER_MARK).lstrip() if self._may_be_json(data) else b""
        signal = _signal_of_json(text) if text else self._signal_of_protobuf(data)
        if self._wanted is not None and signal not in (self._wanted, None):
            self.skipped += 1
            return None
        self._last = signal = signal or self._wanted or self._last
        if text:
            # Without one of the three keys, it is no more than "{}" of any signal.
            data = from_json(text, signal or SIGNALS[0])
        return Request(signal, data, number, record.offset)

    def _may_be_json(self, data: bytes) -> bool:
        # The file exporter compresses JSON record by record, too. No request in protobuf begins with a brace.
        return self.format in ("json", "ndjson") or data.startswith(b"{")

    def _signal_of_protobuf(self, data: bytes) -> str | None:
        signals = detect_signals(data)
        for signal in (self._wanted, self._last):
            if signal in signals:
                return signal
        if len(signals) == 1:
            return signals[0]
        if count_items(data, SIGNALS[0]) == 0:
            return None
        raise _ambiguous("it may be a request", signals)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> RequestReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _ambiguous(what: str, signals: list[str]) -> RecordError:
    return RecordError(f"{what} of {' or '.join(signals)}: say which signal it is")


def size_of(file: BinaryIO) -> int | None:
    """Give the length of a file on disk; None for anything else."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _signal_of_json(text: bytes) -> str | None:
    """Tell the signal by the first key of a request; None where it has no such key."""
    found = _JSON_KEY.search(text)
    return None if found is None else _SIGNAL_OF_KEY[found.group(1)]
