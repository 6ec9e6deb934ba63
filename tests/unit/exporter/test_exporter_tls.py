"""TLS and mutual TLS against a real server with certificates made for the test."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from certificates import make_certificate, openssl
from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import Receiver

Spans = list[ReadableSpan]

pytestmark = pytest.mark.skipif(openssl is None, reason="needs the openssl command to make certificates")


@pytest.fixture(scope="session")
def server_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "server")


@pytest.fixture(scope="session")
def client_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "client")


@pytest.fixture
def tls_context(server_files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_files)
    return context


@pytest.fixture
def tls_receiver(tls_context: ssl.SSLContext) -> Iterator[Receiver]:
    running = Receiver(tls=tls_context)
    yield running
    running.close()


def test_certificate_file_is_trusted(
    tls_receiver: Receiver, server_files: tuple[Path, Path], spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = OTLPSpanExporter(tls_receiver.url, certificate_file=str(server_files[0]))
    for _ in range(2):
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
    assert [request.connection for request in tls_receiver.requests] == [0, 0]

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(server_files[0]))
    exporter = OTLPSpanExporter(tls_receiver.url)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


def test_certificate_that_does_not_verify_is_a_failure_without_retry(
    tls_receiver: Receiver, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = OTLPSpanExporter(tls_receiver.url)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    exporter.shutdown()
    assert tls_receiver.requests == []
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert "(1 attempt, " in caplog.text


def test_https_to_a_plain_receiver_is_a_failure(
    receiver: Receiver, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = OTLPSpanExporter(receiver.url.replace("http:", "https:"), timeout=5)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    exporter.shutdown()
    assert "SSLError" in caplog.text


@pytest.mark.parametrize("one_file", [False, True])
def test_client_certificate_is_presented(
    tls_receiver: Receiver,
    tls_context: ssl.SSLContext,
    server_files: tuple[Path, Path],
    client_files: tuple[Path, Path],
    spans: Spans,
    tmp_path: Path,
    one_file: bool,
) -> None:
    tls_context.verify_mode = ssl.CERT_REQUIRED
    tls_context.load_verify_locations(client_files[0])
    certificate, key = client_files
    if one_file:
        both = tmp_path / "both.pem"
        both.write_text(certificate.read_text() + key.read_text())
        arguments = {"client_certificate_file": str(both)}
    else:
        arguments = {"client_certificate_file": str(certificate), "client_key_file": str(key)}
    exporter = OTLPSpanExporter(tls_receiver.url, certificate_file=str(server_files[0]), **arguments)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()

    anonymous = OTLPSpanExporter(tls_receiver.url, certificate_file=str(server_files[0]), timeout=0.5)
    assert anonymous.export(spans) is SpanExportResult.FAILURE
    anonymous.shutdown()


def test_encrypted_key_is_an_error_and_not_a_question(client_files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = client_files
    encrypted = tmp_path / "encrypted.key"
    subprocess.run(
        [str(openssl), "pkey", "-in", str(key), "-out", str(encrypted), "-aes256", "-passout", "pass:secret"],
        check=True,
        capture_output=True,
    )
    with pytest.raises(ValueError, match=f"argument client_key_file '{encrypted}': cannot be loaded"):
        OTLPSpanExporter(client_certificate_file=str(certificate), client_key_file=str(encrypted))
