"""Files and pipes of OTLP: requests in, requests out, one at a time.

>>> from otlp_fast import files
>>> with files.open_reader("capture.otlp.zst") as reader:                            # doctest: +SKIP
...     for request in reader:
...         print(request.number, request.signal, len(request.data))

What a file holds is told by its content, never by its name:

- ``protobuf``: one serialized `Export*ServiceRequest`.
- ``archive``: requests one behind the other, each after its length as four bytes, big-endian. That is what the
  Collector's file exporter writes with ``format: proto``; with ``compression: zstd`` each of its records is a zstd
  frame, which is read too.
- ``tracezip``: a tracezip archive, see `otlp_fast.tracezip.archive`.
- ``json``: one OTLP/JSON document. ``ndjson``: a document per line, the file exporter's ``format: json``.
- ``arrow`` (Arrow IPC, file or stream) and ``parquet``: the tables of `otlp_fast.columns`, read and written by pyarrow,
  which the extra ``columns`` brings.

Around it: nothing, gzip, zstd or lz4. Traces, logs and metrics may stand in one archive of either kind or NDJSON file.

Memory is bounded by the largest record, whatever the file's length. A file that is cut off or damaged is read up to the
damage; then a `FileError` names file, record and offset.
"""

from otlp_fast.errors import FileError
from otlp_fast.files.conversion import Conversion, convert
from otlp_fast.files.formats import FORMATS, format_of_name
from otlp_fast.files.opening import open_reader, open_writer
from otlp_fast.files.reader import Request, RequestReader
from otlp_fast.files.writer import RequestWriter

__all__ = [
    "FORMATS",
    "Conversion",
    "FileError",
    "Request",
    "RequestReader",
    "RequestWriter",
    "convert",
    "format_of_name",
    "open_reader",
    "open_writer",
]
