"""Where settings come from: what the official suites check of constructors and variables, for all six exporters.

Where the official exporter can be asked over the wire what it made of the same environment, it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from otlp_fast.exporter.configuration import Compression
from routes import ROUTES, Route

Make = Callable[..., Any]

GENERIC = "OTEL_EXPORTER_OTLP_"


def sent_headers(request: Any) -> dict[str, str]:
    """Give the headers or metadata of a request without those that each client sets for itself."""
    headers = request.headers if hasattr(request, "headers") else request.metadata
    own = ("user-agent", "host", "accept", "accept-encoding", "connection", "content-length", "grpc-accept-encoding")
    return {name: value for name, value in headers.items() if name not in own}


def test_exporter_can_be_made_without_arguments(route: Route) -> None:
    exporter = route.ours()
    assert exporter._settings.server == ("localhost", 4318 if route.transport == "http" else 4317)
    assert exporter._settings.timeout == 10
    exporter.shutdown()


def test_generic_variables_configure_every_signal_as_they_do_the_official_exporter(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GENERIC + "ENDPOINT", route.base(route_receiver))
    monkeypatch.setenv(GENERIC + "HEADERS", " key1=value1,KEY2 = VALUE=2 ")
    monkeypatch.setenv(GENERIC + "COMPRESSION", "  GzIp  ")
    monkeypatch.setenv(GENERIC + "TIMEOUT", "2.5")
    exporter = make(endpoint=None)
    for one in (exporter, make(route.official, endpoint=None)):
        assert one.export(route.data()).name == "SUCCESS"
    ours, theirs = route_receiver.requests
    assert sent_headers(ours) == sent_headers(theirs)
    assert sent_headers(ours).items() >= {"key1": "value1", "key2": "VALUE=2"}.items()
    assert getattr(ours, "path", None) == getattr(theirs, "path", None)
    assert exporter._settings.timeout == 2.5
    assert exporter._settings.compression is Compression.Gzip


def test_variables_of_the_signal_come_before_generic_ones_as_in_the_official_exporter(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    specific = f"{GENERIC}{route.signal.upper()}_"
    monkeypatch.setenv(GENERIC + "ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(specific + "ENDPOINT", route.endpoint(route_receiver))
    monkeypatch.setenv(GENERIC + "HEADERS", "shared=generic,generic=1")
    monkeypatch.setenv(specific + "HEADERS", "shared=specific")
    monkeypatch.setenv(GENERIC + "COMPRESSION", "none" if route.transport == "http" else "gzip")
    monkeypatch.setenv(specific + "COMPRESSION", "gzip")
    monkeypatch.setenv(GENERIC + "TIMEOUT", "5")
    monkeypatch.setenv(specific + "TIMEOUT", "7")
    exporter = make(endpoint=None)
    for one in (exporter, make(route.official, endpoint=None)):
        assert one.export(route.data()).name == "SUCCESS"
    ours, theirs = route_receiver.requests
    assert sent_headers(ours) == sent_headers(theirs)
    assert sent_headers(ours)["shared"] == "specific"
    assert "generic" not in sent_headers(ours)
    assert exporter._settings.timeout == 7


def test_arguments_come_before_all_variables(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for prefix in (GENERIC, f"{GENERIC}{route.signal.upper()}_"):
        monkeypatch.setenv(prefix + "ENDPOINT", "http://127.0.0.1:1/elsewhere")
        monkeypatch.setenv(prefix + "HEADERS", "shared=variable,variable=1")
        monkeypatch.setenv(prefix + "COMPRESSION", "gzip")
        monkeypatch.setenv(prefix + "TIMEOUT", "5")
    exporter = make(headers={"shared": "argument"}, compression=Compression.NoCompression, timeout=9)
    assert exporter.export(route.data()).name == "SUCCESS"
    (request,) = route_receiver.requests
    headers = sent_headers(request)
    assert (headers["shared"], headers["variable"]) == ("argument", "1")
    assert "content-encoding" not in headers
    assert exporter._settings.timeout == 9
    assert exporter._settings.compression is Compression.NoCompression


def test_empty_variables_of_the_signal_fall_back_to_generic_ones(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in {
        "ENDPOINT": route.base(route_receiver),
        "HEADERS": "generic=1",
        "COMPRESSION": "gzip",
        "TIMEOUT": "7",
    }.items():
        monkeypatch.setenv(GENERIC + setting, value)
        monkeypatch.setenv(f"{GENERIC}{route.signal.upper()}_{setting}", "")
    exporter = make(endpoint=None)
    assert exporter.export(route.data()).name == "SUCCESS"
    assert sent_headers(route_receiver.requests[0])["generic"] == "1"
    assert (exporter._settings.timeout, exporter._settings.compression.value) == (7, "gzip")


@pytest.mark.parametrize("member", ["GZIP", "NONE"])
def test_members_of_the_common_compression_enum_are_taken(make: Make, member: str) -> None:
    compression = common_compression()[member]
    assert make(compression=compression)._settings.compression.value == compression.value


def test_deflate_is_an_error_and_not_another_compression(route: Route) -> None:
    for value in ("deflate", common_compression().DEFLATE):
        with pytest.raises(ValueError, match="argument compression: 'deflate' is not supported"):
            route.ours(compression=value)


def common_compression() -> Any:
    """Give the enum that newer official exporters share."""
    return pytest.importorskip("opentelemetry.exporter.otlp.common.http").Compression


def test_user_agent_names_the_exporter_and_keeps_the_official_prefix(
    route: Route, route_receiver: Any, make: Make
) -> None:
    for one in (make(), make(route.official)):
        one.export(route.data())
    ours, theirs = (
        (request.headers if route.transport == "http" else request.metadata)["user-agent"]
        for request in route_receiver.requests
    )
    assert theirs.startswith("OTel-OTLP-Exporter-Python/")
    assert ours.startswith("OTel-OTLP-Exporter-Python-otlp-fast/")


@pytest.mark.parametrize("route", [pair for pair in ROUTES if pair[0] == "grpc"], indirect=True, ids="-".join)
@pytest.mark.parametrize("options", [None, (("grpc.max_send_message_length", 12345),)])
def test_channel_is_made_with_what_the_official_exporter_passes(
    route: Route, monkeypatch: pytest.MonkeyPatch, options: Any
) -> None:
    opened = []

    def open_channel(target: str, channel_options: Any, compression: Any) -> grpc.Channel:
        opened.append((target, dict(channel_options), compression))
        return channel("127.0.0.1:1")

    channel = grpc.insecure_channel
    monkeypatch.setattr(grpc, "insecure_channel", open_channel)
    route.ours(insecure=True, channel_options=options).shutdown()
    ((target, given, compression),) = opened
    assert target == "localhost:4317"
    assert compression is grpc.Compression.NoCompression
    assert given["grpc.primary_user_agent"].startswith("OTel-OTLP-Exporter-Python-otlp-fast/")
    assert given.get("grpc.max_send_message_length") == (12345 if options else None)
