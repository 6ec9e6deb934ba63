"""The part of the gRPC exporters that is the same for every signal."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import ClassVar

import grpc
from opentelemetry.metrics import MeterProvider

from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES, Compression
from otlp_fast.exporter.grpc.configuration import resolve_settings
from otlp_fast.exporter.grpc.transport import GRPCTransport
from otlp_fast.exporter.pipeline import OTLPExporter
from otlp_fast.exporter.signals import Signal

_logger = logging.getLogger("otlp_fast.exporter.grpc")


class GRPCExporter(OTLPExporter):
    """An exporter that sends over a gRPC channel of its own, which compresses by itself."""

    _signal: ClassVar[Signal]
    _max_items = 0

    def __init__(
        self,
        endpoint: str | None = None,
        insecure: bool | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        headers: Sequence[tuple[str, str]] | Mapping[str, str] | str | None = None,
        timeout: float | None = None,
        compression: grpc.Compression | Enum | str | None = None,
        channel_options: Sequence[tuple[str, object]] | None = None,
        retryable_error_codes: Iterable[grpc.StatusCode] | None = None,
        *,
        max_request_size: int | None = None,
        meter_provider: MeterProvider | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
    ) -> None:
        settings = resolve_settings(
            self._signal,
            endpoint=endpoint,
            insecure=insecure,
            credentials=credentials,
            headers=headers,
            timeout=timeout,
            compression=compression,
            channel_options=channel_options,
            retryable_error_codes=retryable_error_codes,
            max_request_size=max_request_size,
        )
        super().__init__(
            settings,
            GRPCTransport(settings),
            compression=Compression.NoCompression,
            logger=_logger,
            transport_name="grpc",
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
            max_items=self._max_items,
        )
