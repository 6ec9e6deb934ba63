"""From a reader to a writer, as it is or in records of equal length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otlp_fast._core import count_items
from otlp_fast.errors import DecodeError, EncodeError, FileError
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
        salvage: whether to take what stands in front of damage, and give the damage back instead of raising it. What
            is whole and cannot be written is raised.
        tell: is told how many bytes of the file were read.

    Raises:
        FileError: the one file is damaged, or the other cannot hold its requests, or one cannot be cut: its parts would
            repeat long resources too often.
        OSError: one of them cannot be read or written.
    """
    if batch is None and writer.format in TABLE_FORMATS:
        batch = _TABLE_ITEMS
    batches = None if batch is None else Batches(batch)
    conversion = Conversion()
    requests, request = iter(reader), None
    while conversion.damage is None:
        # What the writer cannot hold is no damage, also where it replaces the file that is read and has its name.
        try:
            following = next(requests, None)
        except FileError as error:
            conversion.damage = error
            break
        if following is None:
            break
        request = following
        conversion.damage = _write(_parts(request, batches, conversion), request, reader.name, writer)
        tell(reader.bytes_read)
    if batches is not None and request is not None and (salvage or conversion.damage is None):
        damage = _write(batches.finish(), request, reader.name, writer)
        conversion.damage = conversion.damage or damage
    if conversion.damage is not None and not salvage:
        raise conversion.damage
    return conversion


def _parts(request: Request, batches: Batches | None, conversion: Conversion) -> Iterator[Request]:
    """Give what is ready with a request, and count it when that was written."""
    items = 0 if request.signal is None else count_items(request.data, request.signal)
    yield from [request] if batches is None else batches.add(request, items)
    conversion.requests += 1
    conversion.items += items


def _write(parts: Iterator[Request], request: Request, name: str, writer: RequestWriter) -> FileError | None:
    """Write what is ready with a request, and give its damage.

    Raises:
        FileError: the request cannot be cut, or written. As it may be whole, it is not given up.
    """
    try:
        for part in parts:
            writer.write(part.data, part.signal)
    except DecodeError as error:
        return _located(error, request, name)
    except EncodeError as error:
        raise _located(error, request, name) from None
    return None


def _located(error: Exception, request: Request, name: str) -> FileError:
    return FileError(str(error), name=name, record=request.number, offset=request.offset)
