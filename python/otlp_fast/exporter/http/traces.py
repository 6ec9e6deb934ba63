"""The exporter of spans over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otlp_fast.exporter.http.exporter import HTTPExporter
from otlp_fast.exporter.signals import TRACES


class OTLPSpanExporter(HTTPExporter, SpanExporter):
    """Sends spans to an OTLP/HTTP receiver.

    Args:
        endpoint: Full URL including the path, such as `http://collector:4318/v1/traces`. The default is
            `http://localhost:4318/v1/traces`; OTEL_EXPORTER_OTLP_ENDPOINT is a base to which `v1/traces` is appended.
        certificate_file: File or directory of CA certificates; the system's by default.
        client_key_file: Key of the client certificate, where that file does not hold it.
        client_certificate_file: Client certificate for mutual TLS.
        headers: Headers for every request, merged over those of OTEL_EXPORTER_OTLP_HEADERS.
        timeout: Seconds for one call of `export`, retries and split requests included; 10 by default.
        compression: A `Compression`, its value (`"none"`, `"gzip"`, `"zstd"`, `"lz4"`, `"tracezip"`), or an enum
            member with one of these values, such as the official exporter's `Compression`. Tracezip is what
            `otlp-fast gateway` reads; a receiver that does not know it gets zstd, or gzip where it has only that.
        session: A `urllib3.PoolManager` to send with, which keeps its own TLS and proxy settings and is not closed by
            `shutdown`. Its headers are sent too, under those of the exporter. The official exporter takes a
            `requests.Session` here.
        max_request_size: Largest request in bytes, before compression; 64 MiB by default, 0 or less for no limit.
            A batch over it is sent in parts.
        meter_provider: For the exporter's own metrics, which OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=true turns on;
            the global one by default.
        spool_dir: Directory in which to keep what could not be sent, until it can be, even by another process, which
            sends it with its own headers: give each tenant or API key a directory of its own.
        spool_max_bytes: Bytes of requests kept there at most; 1 GiB by default.

    Raises:
        ValueError: A setting cannot be right: the message names the argument or the environment variable.
        TypeError: `session` is not a `urllib3.PoolManager`.

    Every argument up to `compression` also has OTEL_EXPORTER_OTLP_TRACES_* and OTEL_EXPORTER_OTLP_* variables, in
    that order of precedence, as https://opentelemetry.io/docs/specs/otel/protocol/exporter/ says. HTTP_PROXY,
    HTTPS_PROXY, ALL_PROXY and NO_PROXY are read when the exporter is made.

    Safe to use from several threads, and in forked children of the process that made it.
    """

    _signal = TRACES

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send `spans` within the exporter's timeout.

        Gives SUCCESS where every span arrived or is in the spool, FAILURE where one did not: the log then says how
        many and why. Never raises.
        """
        return SpanExportResult.SUCCESS if self._export_batch(spans) else SpanExportResult.FAILURE
