"""The part of the HTTP exporters that is the same for every signal."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

import urllib3
from opentelemetry.metrics import MeterProvider

from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES
from otlp_fast.exporter.http.configuration import HTTPSettings, resolve_settings
from otlp_fast.exporter.http.transport import HTTPTransport
from otlp_fast.exporter.pipeline import OTLPExporter
from otlp_fast.exporter.signals import Signal

_logger = logging.getLogger("otlp_fast.exporter.http")

_CREDENTIAL_PROVIDER_VARIABLES = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}_CREDENTIAL_PROVIDER",
)


class HTTPExporter(OTLPExporter):
    """An exporter that sends with `session`, or over connections of its own."""

    _signal: ClassVar[Signal]
    _max_items = 0

    def __init__(
        self,
        endpoint: str | None = None,
        certificate_file: str | None = None,
        client_key_file: str | None = None,
        client_certificate_file: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        compression: Enum | str | None = None,
        session: urllib3.PoolManager | None = None,
        *,
        max_request_size: int | None = None,
        meter_provider: MeterProvider | None = None,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = DEFAULT_SPOOL_BYTES,
    ) -> None:
        settings = resolve_settings(
            self._signal,
            endpoint=endpoint,
            certificate_file=certificate_file,
            client_key_file=client_key_file,
            client_certificate_file=client_certificate_file,
            headers=headers,
            timeout=timeout,
            compression=compression,
            max_request_size=max_request_size,
        )
        _check_session(session, settings)
        super().__init__(
            settings,
            HTTPTransport(settings, session),
            compression=settings.compression,
            logger=_logger,
            transport_name="http",
            meter_provider=meter_provider,
            spool_dir=spool_dir,
            spool_max_bytes=spool_max_bytes,
            max_items=self._max_items,
        )


def _check_session(session: object, settings: HTTPSettings) -> None:
    for name in _CREDENTIAL_PROVIDER_VARIABLES:
        # Entry points that give the official exporter a requests.Session; there is none here to give them.
        variable = name.format(settings.signal.name.upper())
        if os.environ.get(variable):
            _logger.warning("%s is not used: it provides a requests.Session; pass a pool manager as session", variable)
    if session is None:
        return
    if not isinstance(session, urllib3.PoolManager):
        raise TypeError(
            f"argument session: expected a urllib3.PoolManager, not a {type(session).__module__}"
            f".{type(session).__qualname__}; otlp-fast does not use requests"
        )
    files = (settings.certificate_file, settings.client_key_file, settings.client_certificate_file)
    if any(file is not None and file.source.startswith("argument") for file in files):
        raise ValueError(
            "argument session: a pool manager has its own TLS settings; give it the certificates, not the exporter"
        )
