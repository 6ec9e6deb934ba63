"""TLS and mutual TLS over gRPC, against a real server with certificates made for the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from certificates import make_certificate, openssl
from otlp_fast.exporter.grpc import OTLPSpanExporter
from scripted_grpc_receiver import GRPCReceiver

Spans = list[ReadableSpan]
Serve = Callable[..., GRPCReceiver]

pytestmark = pytest.mark.skipif(openssl is None, reason="needs the openssl command to make certificates")


@pytest.fixture(scope="module")
def server_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture(scope="module")
def client_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "client")


@pytest.fixture
def serve(server_files: tuple[Path, Path]) -> Iterator[Serve]:
    running: list[GRPCReceiver] = []

    def start(client_authority: Path | None = None) -> GRPCReceiver:
        certificate, key = server_files
        credentials = grpc.ssl_server_credentials(
            [(key.read_bytes(), certificate.read_bytes())],
            client_authority.read_bytes() if client_authority else None,
            client_authority is not None,
        )
        running.append(GRPCReceiver(credentials=credentials))
        return running[-1]

    yield start
    for receiver in running:
        receiver.close()


def test_certificate_of_the_environment_is_trusted(
    serve: Serve, server_files: tuple[Path, Path], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(server_files[0]))
    exporter = OTLPSpanExporter(receiver.url)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


def test_credentials_of_the_argument_come_before_files(
    serve: Serve,
    server_files: tuple[Path, Path],
    client_files: tuple[Path, Path],
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver = serve()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(client_files[0]))
    credentials = grpc.ssl_channel_credentials(server_files[0].read_bytes())
    exporter = OTLPSpanExporter(receiver.url, credentials=credentials)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


def test_certificate_that_does_not_verify_is_a_failure_without_retry(
    serve: Serve, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = serve()
    exporter = OTLPSpanExporter(receiver.url)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    exporter.shutdown()
    assert receiver.requests == []
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert "(1 attempt, " in caplog.text


@pytest.mark.parametrize("one_file", [False, True])
def test_client_certificate_is_presented(
    serve: Serve,
    server_files: tuple[Path, Path],
    client_files: tuple[Path, Path],
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    one_file: bool,
) -> None:
    certificate, key = client_files
    receiver = serve(client_authority=certificate)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(server_files[0]))
    anonymous = OTLPSpanExporter(receiver.url, timeout=1)
    assert anonymous.export(spans) is SpanExportResult.FAILURE
    anonymous.shutdown()

    if one_file:
        both = tmp_path / "both.pem"
        both.write_text(certificate.read_text() + key.read_text())
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(both))
    else:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(certificate))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", str(key))
    exporter = OTLPSpanExporter(receiver.url)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
