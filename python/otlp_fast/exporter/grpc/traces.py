"""The exporter of spans over gRPC."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otlp_fast.exporter.grpc.exporter import GRPCExporter
from otlp_fast.exporter.signals import TRACES


class OTLPSpanExporter(GRPCExporter, SpanExporter):
    """Sends spans to an OTLP/gRPC receiver.

    Args:
        endpoint: `http://` or `https://` URL of the receiver, or a target in gRPC's notation, such as
            `collector:4317`; `http://localhost:4317` by default.
        insecure: Whether to leave the connection unencrypted, where the endpoint is not `https://`. By default only
            for `http://`.
        credentials: `grpc.ChannelCredentials` for an encrypted connection. By default the certificates that
            OTEL_EXPORTER_OTLP_CERTIFICATE, ..._CLIENT_KEY and ..._CLIENT_CERTIFICATE name, or the system's.
        headers: Metadata for every call: a mapping, pairs of name and value, or a str in the form of
            OTEL_EXPORTER_OTLP_HEADERS, over which they are merged.
        timeout: Seconds for one call of `export`, retries and split requests included; 10 by default.
        compression: A `grpc.Compression`, a `Compression`, or its value: `"none"` or `"gzip"`, as grpcio has no other.
        channel_options: Pairs of a gRPC channel option and its value, over those of the exporter.
        retryable_error_codes: Statuses to retry, instead of those of the specification.
        max_request_size: Largest request in bytes, before compression; 4 MiB by default, which is what gRPC receivers
            take if they are not told otherwise; 0 or less for no limit. A batch over it is sent in parts.
        meter_provider: For the exporter's own metrics, which OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true turns on;
            the global one by default.
        spool_dir: Directory in which to keep what could not be sent, until it can be, even by another process, which
            sends it with its own headers: give each tenant or API key a directory of its own.
        spool_max_bytes: Bytes of requests kept there at most; 1 GiB by default.

    Raises:
        ValueError: A setting cannot be right: the message names the argument or the environment variable.

    `endpoint`, `insecure`, `headers`, `timeout` and `compression` also have OTEL_EXPORTER_OTLP_TRACES_* and
    OTEL_EXPORTER_OTLP_* variables, in that order of precedence, as
    https://opentelemetry.io/docs/specs/otel/protocol/exporter/ says.

    Safe to use from several threads, and in forked children of the process that made it.
    """

    _signal = TRACES

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send `spans` within the exporter's timeout.

        Gives SUCCESS where every span arrived or is in the spool, FAILURE where one did not: the log then says how
        many and why. Never raises.
        """
        return SpanExportResult.SUCCESS if self._export_batch(spans) else SpanExportResult.FAILURE
