"""Archives: requests in a file as tracezip frames, read from the front, from the middle, and in parallel.

>>> from otlp_fast.tracezip import archive
>>> with archive.Writer("capture.otlp.tz") as writer:                                   # doctest: +SKIP
...     for request in requests:
...         writer.write(request, "traces")
>>> with archive.Reader("capture.otlp.tz") as reader:                                   # doctest: +SKIP
...     print(len(reader), reader[1000])

Requests come back byte for byte. Traces, logs and metrics may stand in one archive, each a stream of its own. Every so
many records the streams begin anew, and an index at the end says where. The format is docs/tracezip-archive.md.

On the command line, `otlp-fast compress` and `otlp-fast decompress` make and read archives, and `otlp_fast.files` takes
them like any other form of file.
"""

from otlp_fast.errors import CompressionError, FileError
from otlp_fast.tracezip.archive.layout import RestartPoint
from otlp_fast.tracezip.archive.reader import Reader
from otlp_fast.tracezip.archive.stream import StreamedRecord, read_stream
from otlp_fast.tracezip.archive.writer import MAX_RECORD_SIZE, RECORDS_PER_RESTART, Writer

__all__ = [
    "MAX_RECORD_SIZE",
    "RECORDS_PER_RESTART",
    "CompressionError",
    "FileError",
    "Reader",
    "RestartPoint",
    "StreamedRecord",
    "Writer",
    "read_stream",
]
