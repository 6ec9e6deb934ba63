"""From a reader to a writer, as it is or in records of equal length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from otlp_fast._core import count_items
from otlp_fast.errors import DecodeError, FileError
from otlp_fast.files.batches import Batches
from otlp_fast.files.formats import TABLE_FORMATS
from otlp_fast.files.reader import Request, RequestReader
from otlp_fast.files.writer import RequestWriter

_TABLE_ITEMS = 65_536
"""How many rows a batch of Arrow or a row group of Parquet gets where nobody says: a hundred would be slow to read."""


@dataclass
class Conversion:
    """What was converted."""

    requests: int = 0
    items: int = 0
    damage: FileError | None = None
    """What stands behind that in the file, where the rest was salvaged."""


def convert(
    reader: RequestReader,
    writer: RequestWriter,
    *,
    batch: int | None = None,
    salvage: bool = False,
    tell: Callable[[int], None] = lambda done: None,
) -> Conversion:
    """Write all requests of a file to another one.

    Args:
        reader: the one file.
        writer: the other; it is not closed.
        batch: how many items each record gets: requests are cut, and joined with those that follow. None leaves them as
            they are, and makes batches of 65,536 items for tables.
        salvage: whether to take what stands in front of damage, and give the damage back instead of raising it.
        tell: is told how many bytes of the file were read.

    Raises:
        FileError: the one file is damaged, or the other cannot hold its requests.
        OSError: one of them cannot be read or written.
    """
    if batch is None and writer.format in TABLE_FORMATS:
        batch = _TABLE_ITEMS
    batches = None if batch is None else Batches(batch)
    conversion = Conversion()
    try:
        for request in reader:
            _add(request, reader.name, writer, batches, conversion)
            tell(reader.bytes_read)
    except FileError as error:
        if not salvage or error.name != reader.name:
            raise
        conversion.damage = error
    for part in [] if batches is None else batches.finish():
        writer.write(part.data, part.signal)
    return conversion


def _add(request: Request, name: str, writer: RequestWriter, batches: Batches | None, conversion: Conversion) -> None:
    try:
        items = 0 if request.signal is None else count_items(request.data, request.signal)
        for part in [request] if batches is None else batches.add(request, items):
            writer.write(part.data, part.signal)
    except DecodeError as error:
        raise FileError(str(error), name=name, record=request.number, offset=request.offset) from None
    conversion.requests += 1
    conversion.items += items
