"""The part of the gRPC exporters that is the same for every signal."""

from __future__ import annotations

import logging
import os

from opentelemetry.metrics import MeterProvider

from otlp_fast.exporter.grpc.configuration import GRPCSettings
from otlp_fast.exporter.grpc.transport import GRPCTransport
from otlp_fast.exporter.pipeline import OTLPExporter

_logger = logging.getLogger("otlp_fast.exporter.grpc")


class GRPCExporter(OTLPExporter):
    """An exporter that sends over a gRPC channel of its own, which compresses by itself."""

    def __init__(
        self,
        settings: GRPCSettings,
        *,
        meter_provider: MeterProvider | None,
        spool_dir: str | os.PathLike[str] | None,
        spool_max_bytes: int,
        max_items: int = 0,
    ) -> None:
        super().__init__(
            settings,
            GRPCTransport(settings),
            encoding="none",
            logger=_logger,
            transport_name="grpc",
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
            max_items=max_items,
        )
