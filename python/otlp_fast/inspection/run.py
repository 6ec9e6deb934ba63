"""Inspects files one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from otlp_fast.errors import DecodeError, FileError
from otlp_fast.files import RequestReader
from otlp_fast.inspection.summary import Summary


@dataclass
class InspectedFile:
    """A file, and how much of it was read: up to its end or to `problem`."""

    name: str
    format: str
    encoding: str
    bytes: int = 0
    """Read of the file, as it lies on the disk."""
    requests: int = 0
    request_bytes: int = 0
    problem: str | None = None


@dataclass
class Inspection:
    """What was found in all files together."""

    files: list[InspectedFile] = field(default_factory=list)
    summary: Summary = field(default_factory=Summary)

    def add(self, reader: RequestReader, tell: Callable[[int], None]) -> None:
        """Count what is in a file, up to its end or to the first damage.

        Args:
            reader: the file.
            tell: is told how many of its bytes were read.

        Raises:
            OSError: the file cannot be read.
        """
        file = InspectedFile(reader.name, reader.format, reader.encoding)
        self.files.append(file)
        try:
            for request in reader:
                if request.signal is not None:
                    try:
                        self.summary.add(request.data, request.signal)
                    except DecodeError as error:
                        place = {"record": request.number, "offset": request.offset}
                        raise FileError(str(error), name=reader.name, **place) from None
                file.requests += 1
                file.request_bytes += len(request.data)
                tell(reader.bytes_read)
        except FileError as error:
            file.problem = str(error)
        file.bytes = reader.bytes_read
