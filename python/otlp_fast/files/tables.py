"""Arrow IPC and Parquet: requests as the tables of `otlp_fast.columns`, by pyarrow.

Strings are written plainly, where tables in memory have dictionaries: every batch would bring its own, of which a file
of Arrow IPC allows only one.

Arrow IPC is read as a stream, in memory for one batch, also where it is a file: that is a stream between two marks.
Parquet has its table of contents at the end, so a file is read in place, and what comes through a pipe or is compressed
once more is held whole.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, BinaryIO

try:
    import pyarrow as pa
    from pyarrow import parquet

    from otlp_fast.columns import Logs, Metrics, Traces
    from otlp_fast.columns.arrow.copies import copied_sizes
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"Arrow and Parquet need the module {missing.name}: pip install 'otlp-fast[columns]'", name=missing.name
    ) from None

from otlp_fast.errors import EncodeError, FileError
from otlp_fast.files.content import Content, RecordTooLargeError
from otlp_fast.files.records import Record, RecordError
from otlp_fast.files.writer import CompressedFile, FormatWriter, OneSignalWriter

_CLASSES: dict[str, type[Traces] | type[Logs] | type[Metrics]] = {"traces": Traces, "logs": Logs, "metrics": Metrics}
_ROWS = 65_536
"""The most items that a request made of a table has."""
_MAX_COPIED_BYTES = 128 * 1024 * 1024
"""What resources, scopes and metrics may take in a batch of rows."""

_FILE_MARK = b"ARROW1\0\0"
# Columns that only one signal has.
_OWN_COLUMNS = {
    "traces": {"parent_span_id", "end_time_unix_nano", "status_code", "status_message", "events", "links"},
    "logs": {"observed_time_unix_nano", "severity_number", "severity_text", "body", "event_name"},
    "metrics": {"unit", "aggregation_temporality", "is_monotonic", "double", "int", "bucket_counts", "exemplars"},
}


def signals_of_table(names: list[str]) -> list[str]:
    """Give the signals that a table may be of by the names of its columns."""
    return [signal for signal, own in _OWN_COLUMNS.items() if own.intersection(names)] or list(_OWN_COLUMNS)


class TableReader:
    """The tables in a file, in pieces of limited length.

    Attributes:
        signals: those that the tables may be of, by their columns.
    """

    def __init__(self, file: BinaryIO, content: Content, format: str, max_record_size: int) -> None:
        """Read the schema.

        Raises:
            CompressionError: the file is damaged.
            RecordError: it is no file of this format.
        """
        self._content = content
        try:
            if format == "parquet":
                batches = _parquet_file(file, content, max_record_size)
                schema = batches.schema_arrow
                self._batches = batches.iter_batches(_ROWS)
            else:
                if content.peek(len(_FILE_MARK)) == _FILE_MARK:
                    content.take(len(_FILE_MARK))
                self._batches = pa.ipc.open_stream(pa.PythonFile(_ContentFile(content, max_record_size), "r"))
                schema = self._batches.schema
        except (pa.ArrowException, OSError) as error:
            raise RecordError(str(error)) from None
        self.signals = signals_of_table(schema.names)

    def records(self, signal: str) -> Iterator[Record]:
        """Give the tables as requests of a signal.

        Raises:
            CompressionError: the file is damaged.
            RecordError: it is damaged, or the tables are not of this signal.
        """
        while True:
            offset = self._content.offset
            try:
                batch = next(self._batches, None)
                if batch is None:
                    return
                batch.validate(full=True)
                for start in range(0, batch.num_rows, _ROWS):
                    rows = pa.Table.from_batches([batch.slice(start, _ROWS)])
                    yield Record(offset, _CLASSES[signal].from_arrow(rows).to_bytes())
            except (pa.ArrowException, EncodeError, OSError) as error:
                raise RecordError(str(error)) from None


def _parquet_file(file: BinaryIO, content: Content, max_record_size: int) -> Any:
    is_in_place = content.encoding == "none" and file.seekable()
    return parquet.ParquetFile(file if is_in_place else io.BytesIO(content.take_all(max_record_size)))


class _ContentFile(io.RawIOBase):
    """A content as the file that pyarrow reads."""

    def __init__(self, content: Content, max_record_size: int) -> None:
        super().__init__()
        self._content = content
        self._max_record_size = max_record_size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self._max_record_size:
            raise RecordTooLargeError(self._max_record_size)
        return self._content.take(size)


class _TableWriter(OneSignalWriter):
    """Writes each request as a batch of rows, or as several where it has few long resources for many items."""

    def __init__(self, file: CompressedFile, name: str) -> None:
        super().__init__(file, name)
        self._writer: Any = None
        self._schema: pa.Schema | None = None

    def add(self, data: bytes, signal: str) -> None:
        request = _CLASSES[signal].decode(data)
        for rows in _batches(copied_sizes(request, has_text=True).tolist()):
            table = request[rows].to_arrow()
            if self._schema is None:
                self._schema = pa.schema([field.with_type(_plain(field.type)) for field in table.schema])
                self._writer = self.make_writer(self._schema)
            self._writer.write_table(table.cast(self._schema))

    @abstractmethod
    def make_writer(self, schema: pa.Schema) -> Any:
        """Begin a file for tables of this schema."""

    def close(self) -> None:
        if self._writer is None:
            raise FileError("there is no request that would say which columns it should have", name=self.name)
        self._writer.close()


def _batches(sizes: list[int]) -> Iterator[slice]:
    """Cut items where their copies of resources and scopes, of these sizes, would get too long; at least one batch."""
    start = total = 0
    for row, size in enumerate(sizes):
        if total + size > _MAX_COPIED_BYTES and row > start:
            yield slice(start, row)
            start, total = row, 0
        total += size
    yield slice(start, len(sizes))


class _ArrowWriter(_TableWriter):
    def make_writer(self, schema: pa.Schema) -> Any:
        return pa.ipc.new_file(pa.PythonFile(self.file, "w"), schema)


class _ParquetWriter(_TableWriter):
    """Parquet compresses its pages by itself, and is not compressed around them."""

    def make_writer(self, schema: pa.Schema) -> Any:
        return parquet.ParquetWriter(pa.PythonFile(self.file, "w"), schema, compression="zstd")


def _plain(kind: pa.DataType) -> pa.DataType:
    """Give the type of a column without dictionaries."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain(kind.value_type)))
    return kind


TABLE_WRITERS: dict[str, type[FormatWriter]] = {"arrow": _ArrowWriter, "parquet": _ParquetWriter}
"""For each form of tables its writer."""
