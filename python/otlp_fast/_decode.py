"""The functions that decode. What they give needs NumPy, which is imported when one of them is called."""

from __future__ import annotations

from otlp_fast import _core

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take several times as long as all of `import otlp_fast`
    from otlp_fast.columns import Logs, Metrics, Traces

BytesLike = bytes | bytearray | memoryview | _core.Buffer


def decode_traces(
    data: BytesLike, *, max_bytes: int = 2**30, max_items: int = 50_000_000, max_depth: int = 100
) -> Traces:
    """Decode an `ExportTraceServiceRequest` into columns.

    Everything in it is checked: tags, lengths, UTF-8, ids, nested values. Runs without the GIL.

    Args:
        data: the request, any bytes-like object. `bytes` and `Buffer` are kept as they are, everything else is copied.
        max_bytes: the longest request to read, in bytes. Requests of 2 GiB and above are refused in any case.
        max_items: the most rows that any one table may have: spans, events, attributes, resources.
        max_depth: the deepest message, the request itself being at depth 0; at most 500.

    Raises:
        DecodeError: `data` is not such a request, or passes a limit; `.offset` and `.path` say where.
        ImportError: NumPy is not installed.
        TypeError: `data` is not bytes-like.
    """
    from otlp_fast.columns import Traces

    return Traces.decode(data, max_bytes=max_bytes, max_items=max_items, max_depth=max_depth)


def decode_logs(data: BytesLike, *, max_bytes: int = 2**30, max_items: int = 50_000_000, max_depth: int = 100) -> Logs:
    """Decode an `ExportLogsServiceRequest` into columns. Arguments and errors are those of `decode_traces`."""
    from otlp_fast.columns import Logs

    return Logs.decode(data, max_bytes=max_bytes, max_items=max_items, max_depth=max_depth)


def decode_metrics(
    data: BytesLike, *, max_bytes: int = 2**30, max_items: int = 50_000_000, max_depth: int = 100
) -> Metrics:
    """Decode an `ExportMetricsServiceRequest` into columns. Arguments and errors are those of `decode_traces`."""
    from otlp_fast.columns import Metrics

    return Metrics.decode(data, max_bytes=max_bytes, max_items=max_items, max_depth=max_depth)
