"""From a reader to a writer, as it is or in records of equal length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otlp_fast._core import count_items, merge, split_request
from otlp_fast.errors import DecodeError, FileError
from otlp_fast.files.formats import TABLE_FORMATS
from otlp_fast.files.reader import Request, RequestReader
from otlp_fast.files.writer import RequestWriter

_TABLE_ITEMS = 65_536
"""How many rows a batch of Arrow or a row group of Parquet gets where nobody says: tables of a hundred rows are slow to read."""

_MAX_BATCH_BYTES = 64 * 1024 * 1024


@dataclass
class Conversion:
    """What was converted."""

    requests: int = 0
    items: int = 0
    bytes: int = 0
    """Of the requests in protobuf."""


def convert(
    reader: RequestReader, writer: RequestWriter, *, batch: int | None = None, tell: Callable[[int], None]
) -> Conversion:
    """Write all requests of a file to another one.

    Args:
        reader: the one file.
        writer: the other; it is not closed.
        batch: how many items each record gets: requests are cut, and joined with those that follow. None leaves them as they
            are, and makes batches of 65,536 items for tables.
        tell: is told how many bytes of the file were read.

    Raises:
        FileError: the one file is damaged, or the other cannot hold its requests.
        OSError: one of them cannot be read or written.
    """
    conversion = Conversion()
    batch = _TABLE_ITEMS if batch is None and writer.format in TABLE_FORMATS else batch

    def counted() -> Iterator[Request]:
        for request in reader:
            with _errors_of(reader, request):
                if request.signal is not None:
                    conversion.items += count_items(request.data, request.signal)
            conversion.requests += 1
            conversion.bytes += len(request.data)
            yield request
            tell(reader.bytes_read)

    for request in counted() if batch is None else _batched(counted(), batch):
        with _errors_of(reader, request):
            writer.write(request.data, request.signal)
    return conversion
