"""Arguments and environment variables of the gRPC exporters, and what is said about the ones that cannot be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from otlp_fast.exporter.configuration import Compression
from otlp_fast.exporter.grpc import OTLPSpanExporter, credentials
from otlp_fast.exporter.grpc.configuration import GRPCSettings, resolve_settings
from otlp_fast.exporter.signals import LOGS, TRACES
from scripted_grpc_receiver import GRPCReceiver
from telemetry import make_spans

GENERIC = "OTEL_EXPORTER_OTLP_"
SPECIFIC = "OTEL_EXPORTER_OTLP_TRACES_"


def resolve(**arguments: Any) -> GRPCSettings:
    return resolve_settings(TRACES, **arguments)


def test_defaults_are_the_official_ones() -> None:
    settings = resolve()
    assert settings.endpoint == "localhost:4317"
    assert settings.credentials is None
    assert settings.timeout == 10
    assert settings.compression is Compression.NoCompression
    assert settings.max_request_size == 4 * 1024 * 1024
    assert list(settings.headers) == ["user-agent"]


def test_constructor_takes_the_official_arguments_in_the_official_order() -> None:
    exporter = OTLPSpanExporter(
        "collector:1",
        True,
        None,
        (("a", "b"),),
        3,
        grpc.Compression.Gzip,
        (("grpc.x", "1"),),
        [grpc.StatusCode.ABORTED],
    )
    settings = exporter._settings
    assert isinstance(settings, GRPCSettings)
    assert (settings.endpoint, settings.credentials, settings.timeout) == ("collector:1", None, 3)
    assert settings.headers["a"] == "b"
    assert settings.compression is Compression.Gzip
    assert settings.channel_options == (("grpc.x", "1"),)
    assert settings.retryable_codes == {grpc.StatusCode.ABORTED}
    exporter.shutdown()


@pytest.mark.parametrize(
    ("setting", "generic", "specific", "argument", "name", "expected"),
    [
        ("TIMEOUT", "2", "3.5", 4, "timeout", (2.0, 3.5, 4.0)),
        ("COMPRESSION", "gzip", "none", "gzip", "compression", tuple(map(Compression, ("gzip", "none", "gzip")))),
        ("ENDPOINT", "http://g:1", "http://s:2", "http://a:3", "endpoint", ("g:1", "s:2", "a:3")),
    ],
)
def test_argument_comes_before_specific_before_generic_variable(
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    generic: str,
    specific: str,
    argument: object,
    name: str,
    expected: tuple[object, object, object],
) -> None:
    monkeypatch.setenv(GENERIC + setting, generic)
    assert getattr(resolve(), name) == expected[0]
    monkeypatch.setenv(SPECIFIC + setting, specific)
    assert getattr(resolve(), name) == expected[1]
    assert getattr(resolve(**{name: argument}), name) == expected[2]


@pytest.mark.parametrize(
    ("endpoint", "target", "server"),
    [
        ("http://collector:4317", "collector:4317", ("collector", 4317)),
        ("HTTP://collector:4317/", "collector:4317", ("collector", 4317)),
        ("https://collector", "collector", ("collector", 443)),
        ("collector:4317", "collector:4317", ("collector", 4317)),
        ("localhost", "localhost", ("localhost", 443)),
        ("http://[::1]:4317", "[::1]:4317", ("::1", 4317)),
        ("unix:///run/otlp.sock", "unix:///run/otlp.sock", ("run/otlp.sock", None)),
        ("dns:///collector:4317", "dns:///collector:4317", ("collector:4317", None)),
    ],
)
def test_endpoint_becomes_a_target(endpoint: str, target: str, server: tuple[str, int | None]) -> None:
    settings = resolve(endpoint=endpoint, insecure=True)
    assert (settings.endpoint, settings.server) == (target, server)


def test_path_of_an_endpoint_is_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert resolve(endpoint="http://collector:4317/v1/traces").endpoint == "collector:4317"
    assert "path /v1/traces of 'http://collector:4317/v1/traces' is ignored" in caplog.text


@pytest.mark.parametrize(
    ("endpoint", "argument", "specific", "generic", "insecure"),
    [
        ("http://c:1", None, None, None, True),
        ("https://c:1", None, None, None, False),
        ("c:1", None, None, None, False),
        ("c:1", True, None, None, True),
        ("c:1", None, "true", None, True),
        ("c:1", None, None, "TRUE", True),
        ("c:1", None, "false", "true", False),
        ("c:1", False, "true", "true", False),
        ("http://c:1", None, None, "false", False),
        ("https://c:1", True, "true", "true", False),
    ],
)
def test_encryption_is_chosen_as_the_official_exporter_chooses_it(
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
    argument: bool | None,
    specific: str | None,
    generic: str | None,
    insecure: bool,
) -> None:
    for name, value in ((SPECIFIC + "INSECURE", specific), (GENERIC + "INSECURE", generic)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert (resolve(endpoint=endpoint, insecure=argument).credentials is None) is insecure

    official = pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")
    exporter = official.OTLPSpanExporter(endpoint, argument)
    assert exporter._insecure is insecure
    exporter.shutdown()


@pytest.mark.parametrize(
    "headers", [{"A": "1", "b": "x=y"}, (("A", "1"), ("b", "x=y")), [("A", "1"), ("b", "x=y")], "A=1,b=x%3Dy"]
)
def test_headers_are_taken_in_every_official_form(headers: Any) -> None:
    resolved = resolve(headers=headers).headers
    assert (resolved["a"], resolved["b"]) == ("1", "x=y")


def test_header_argument_is_merged_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPECIFIC + "HEADERS", "shared=variable,variable=1")
    headers = resolve(headers=(("shared", "argument"),)).headers
    assert (headers["shared"], headers["variable"]) == ("argument", "1")


def test_reserved_headers_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    headers = resolve(headers={"grpc-timeout": "1S", "content-type": "y", "a": "1"}).headers
    assert set(headers) == {"user-agent", "a"}
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    ("compression", "expected"),
    [
        (grpc.Compression.Gzip, "gzip"),
        (grpc.Compression.NoCompression, "none"),
        (Compression.Gzip, "gzip"),
        (" GZIP ", "gzip"),
        (None, "none"),
    ],
)
def test_compression_is_taken_as_member_or_string(compression: Any, expected: str) -> None:
    assert resolve(compression=compression).compression.value == expected


def test_options_of_the_user_come_before_those_of_the_exporter() -> None:
    exporter = OTLPSpanExporter(channel_options=(("grpc.max_receive_message_length", 7), ("grpc.mine", 1)))
    options = dict(exporter._client._transport._options)  # type: ignore[attr-defined]
    assert options["grpc.max_receive_message_length"] == 7
    assert options["grpc.mine"] == 1
    assert options["grpc.use_local_subchannel_pool"] == 1
    exporter.shutdown()


def test_retryable_codes_come_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve().retryable_codes is None
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES", "internal, UNAVAILABLE,")
    assert resolve().retryable_codes == {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE}
    assert resolve(retryable_error_codes=[]).retryable_codes == frozenset()


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("compression", "zstd", "'zstd' is not supported, expected one of 'none', 'gzip'"),
        ("compression", Compression.Lz4, "'lz4' is not supported"),
        ("compression", grpc.Compression.Deflate, "'deflate' is not supported"),
        ("compression", 7, "7"),
        ("timeout", -1, "-1"),
        ("timeout", "ten", "'ten'"),
        ("endpoint", "ftp://collector:4317", "'ftp://collector:4317' has an unknown scheme"),
        ("endpoint", "http://", "'http://' has no host"),
        ("endpoint", "http://collector:port", "'http://collector:port' is not a host and port"),
        ("endpoint", "collector:99999", "'collector:99999' is not a host and port"),
        ("endpoint", 4317, "4317 is a int"),
        ("insecure", "yes", "'yes' is not True or False"),
        ("credentials", "file.pem", "'file.pem' is not a grpc.ChannelCredentials"),
        ("headers", 7, "expected a mapping, pairs of name and value, or a str"),
        ("headers", [("a",)], "expected a mapping, pairs of name and value, or a str"),
        ("headers", {"a": 1}, "'a' is a int"),
        ("headers", {"a b": "1"}, "'a b' is not a header name"),
        ("headers", {"a-bin": "1"}, "'a-bin' is not a header name"),
        ("headers", {"a": "naïve"}, "the value of header 'a' contains a character that is not printable ASCII"),
        ("headers", "secret-token", "entry 1 is not of the form name=value"),
        ("channel_options", "grpc.x=1", "'grpc.x=1' is not a sequence of pairs"),
        ("channel_options", [("grpc.x",)], "is not a sequence of pairs"),
        ("retryable_error_codes", ["INTERNAL", "NOPE"], "'NOPE' is not a gRPC status code"),
        ("max_request_size", "4MB", "'4MB' is not a number of bytes"),
    ],
)
def test_wrong_argument_is_named_with_its_value(argument: str, value: Any, message: str) -> None:
    arguments = {"endpoint": "https://collector:4317", argument: value}
    with pytest.raises(ValueError) as raised:
        OTLPSpanExporter(**arguments)
    assert str(raised.value).startswith(f"argument {argument}: ")
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("prefix", [GENERIC, SPECIFIC])
@pytest.mark.parametrize(
    ("setting", "value"),
    [("COMPRESSION", "zstd"), ("TIMEOUT", "10s"), ("ENDPOINT", "ftp://collector:4317"), ("INSECURE", "yes")],
)
def test_wrong_variable_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, prefix: str, setting: str, value: str
) -> None:
    monkeypatch.setenv(prefix + setting, value)
    with pytest.raises(ValueError) as raised:
        OTLPSpanExporter()
    assert str(raised.value).startswith(f"{prefix}{setting}: {value!r} ")


def test_wrong_retryable_code_variable_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES", "INTERNAL,9")
    with pytest.raises(ValueError, match="OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES: '9' is not a gRPC"):
        OTLPSpanExporter()


def test_secrets_stay_out_of_errors_and_reprs() -> None:
    with pytest.raises(ValueError, match=r"'http://\*\*\*@collector:port' is not a host and port") as raised:
        resolve(endpoint="http://user:secret@collector:port")
    assert raised.value.__cause__ is None
    assert "secret" not in repr(resolve(endpoint="http://user:secret@collector", headers={"a": "secret"}))


@pytest.mark.parametrize("setting", ["CERTIFICATE", "CLIENT_CERTIFICATE"])
@pytest.mark.parametrize("prefix", [GENERIC, SPECIFIC])
def test_unreadable_certificate_is_an_error_that_names_variable_and_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str, setting: str
) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    for path in (tmp_path / "missing.pem", garbage):
        monkeypatch.setenv(prefix + setting, str(path))
        with pytest.raises(ValueError, match=f"{prefix}{setting} '{path}': cannot be loaded: "):
            OTLPSpanExporter("https://collector:4317")
    assert resolve_settings(LOGS, endpoint="http://collector:4317").credentials is None


def test_client_key_without_certificate_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPECIFIC + "CLIENT_KEY", "/key")
    with pytest.raises(ValueError, match=f"{SPECIFIC}CLIENT_KEY: '/key' is a client key without a client certificate"):
        OTLPSpanExporter("https://collector:4317")


class _EntryPoint:
    def __init__(self, made: object) -> None:
        self._made = made

    def load(self) -> Callable[[], object]:
        return lambda: self._made


def test_credentials_come_from_a_provider_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "OTEL_PYTHON_EXPORTER_OTLP_GRPC_TRACES_CREDENTIAL_PROVIDER"
    made = grpc.ssl_channel_credentials()
    providers = {"mine": _EntryPoint(made), "wrong": _EntryPoint("text")}
    monkeypatch.setattr(credentials, "entry_points", lambda group, name: [providers[name]] if name in providers else [])
    monkeypatch.setenv(variable, "mine")
    assert resolve(endpoint="https://collector").credentials is made
    monkeypatch.setenv(variable, "wrong")
    with pytest.raises(ValueError, match=f"{variable}: 'wrong' gives a str, expected a grpc.ChannelCredentials"):
        resolve(endpoint="https://collector")
    monkeypatch.setenv(variable, "absent")
    with pytest.raises(ValueError, match=f"{variable}: 'absent' is no entry point of the group opentelemetry_otlp_cr"):
        resolve(endpoint="https://collector")


def test_credentials_that_will_not_be_used_are_reported(
    grpc_receiver: GRPCReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = OTLPSpanExporter(grpc_receiver.url, credentials=grpc.ssl_channel_credentials())
    assert "argument credentials: not used, as the connection is not encrypted" in caplog.text
    assert exporter.export(make_spans(1)).name == "SUCCESS"
    exporter.shutdown()
