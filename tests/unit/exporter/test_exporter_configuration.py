"""Arguments, environment variables, and what is said about the ones that cannot be right."""

from __future__ import annotations

import enum
import math
import ssl
from pathlib import Path

import pytest
import urllib3

import otlp_fast
from otlp_fast.exporter.configuration import without_credentials
from otlp_fast.exporter.http import Compression, OTLPSpanExporter
from otlp_fast.exporter.http.configuration import HTTPSettings, resolve_settings
from otlp_fast.exporter.http.connection import connect
from otlp_fast.exporter.signals import LOGS, TRACES

GENERIC = "OTEL_EXPORTER_OTLP_"
SPECIFIC = "OTEL_EXPORTER_OTLP_TRACES_"


def resolve(**arguments: object) -> HTTPSettings:
    return resolve_settings(TRACES, **arguments)  # type: ignore[arg-type]


def test_defaults_are_the_official_ones() -> None:
    settings = resolve()
    assert settings.endpoint == "http://localhost:4318/v1/traces"
    assert settings.timeout == 10
    assert settings.compression is Compression.NoCompression
    assert settings.max_request_size == 64 * 1024 * 1024
    assert settings.headers == {
        "content-type": "application/x-protobuf",
        "user-agent": f"OTel-OTLP-Exporter-Python-otlp-fast/{otlp_fast.__version__}",
    }


def test_constructor_takes_the_official_arguments_in_the_official_order() -> None:
    exporter = OTLPSpanExporter(
        "http://127.0.0.1:1/x", None, None, None, {"a": "b"}, 3, Compression.Gzip, urllib3.PoolManager()
    )
    assert exporter._settings.endpoint == "http://127.0.0.1:1/x"
    assert exporter._settings.headers["a"] == "b"
    assert exporter._settings.timeout == 3
    assert exporter._settings.compression is Compression.Gzip


@pytest.mark.parametrize(
    ("setting", "generic", "specific", "argument", "name", "expected"),
    [
        ("TIMEOUT", "2", "3.5", 4, "timeout", (2.0, 3.5, 4.0)),
        ("COMPRESSION", "gzip", "none", "gzip", "compression", tuple(map(Compression, ("gzip", "none", "gzip")))),
        (
            "ENDPOINT",
            "http://generic:1",
            "http://specific:2/path",
            "http://argument:3",
            "endpoint",
            ("http://generic:1/v1/traces", "http://specific:2/path", "http://argument:3"),
        ),
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


def test_files_come_from_argument_before_specific_before_generic_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("certificate", "client_key", "client_certificate"):
        name = f"{setting}_file"
        monkeypatch.setenv(GENERIC + setting.upper(), "/generic")
        assert getattr(resolve(), name) == ("/generic", GENERIC + setting.upper())
        monkeypatch.setenv(SPECIFIC + setting.upper(), "/specific")
        assert getattr(resolve(), name) == ("/specific", SPECIFIC + setting.upper())
        assert getattr(resolve(**{name: "/argument"}), name) == ("/argument", f"argument {name}")


@pytest.mark.parametrize("setting", ["ENDPOINT", "HEADERS", "TIMEOUT", "COMPRESSION", "CERTIFICATE", "CLIENT_KEY"])
def test_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    default = resolve()
    monkeypatch.setenv(GENERIC + setting, "")
    monkeypatch.setenv(SPECIFIC + setting, " ")
    assert resolve() == default


@pytest.mark.parametrize(
    ("base", "endpoint"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://collector/otlp", "https://collector/otlp/v1/traces"),
        ("https://[::1]:4318/otlp/", "https://[::1]:4318/otlp/v1/traces"),
    ],
)
def test_generic_endpoint_is_a_base(monkeypatch: pytest.MonkeyPatch, base: str, endpoint: str) -> None:
    monkeypatch.setenv(GENERIC + "ENDPOINT", base)
    assert resolve().endpoint == endpoint


def test_signal_chooses_variables_and_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPECIFIC + "TIMEOUT", "3")
    monkeypatch.setenv(GENERIC + "LOGS_TIMEOUT", "4")
    settings = resolve_settings(LOGS)
    assert settings.endpoint == "http://localhost:4318/v1/logs"
    assert settings.timeout == 4


def test_credentials_in_the_endpoint_become_a_header() -> None:
    settings = resolve(endpoint="http://user:p%40ss@collector:4318/v1/traces")
    assert settings.endpoint == "http://collector:4318/v1/traces"
    assert settings.headers["authorization"] == "Basic dXNlcjpwQHNz"
    configured = resolve(endpoint="http://user:p@collector/v1/traces", headers={"Authorization": "Bearer 1"})
    assert configured.headers["authorization"] == "Bearer 1"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("key=value", {"key": "value"}),
        ("KEY = value , b=2", {"key": "value", "b": "2"}),
        ("authorization=Basic%20abc%3D%3D", {"authorization": "Basic abc=="}),
        ("authorization=Basic abc%3D%3D", {"authorization": "Basic abc%3D%3D"}),
        ("a=x=y=z", {"a": "x=y=z"}),
        ("a=,b=2,", {"a": "", "b": "2"}),
        ("a=1,a=2", {"a": "2"}),
        ("a=na%C3%AFve", {"a": "naïve"}),
    ],
)
def test_header_list_is_read_as_the_official_exporter_reads_it(
    monkeypatch: pytest.MonkeyPatch, text: str, headers: dict[str, str]
) -> None:
    from opentelemetry.util.re import parse_env_headers

    monkeypatch.setenv(GENERIC + "HEADERS", text)
    resolved = resolve().headers
    own = resolve().headers.keys() & {"content-type", "user-agent"}
    assert {name: value for name, value in resolved.items() if name not in own} == headers
    assert parse_env_headers(text, liberal=True) == headers


def test_header_argument_is_merged_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GENERIC + "HEADERS", "generic=1")
    monkeypatch.setenv(SPECIFIC + "HEADERS", "shared=variable,variable=1")
    headers = resolve(headers={"Shared": "argument", "Argument": "1"}).headers
    assert headers["shared"] == "argument"
    assert headers["variable"] == headers["argument"] == "1"
    assert "generic" not in headers


def test_user_agent_can_be_overridden() -> None:
    assert resolve(headers={"User-Agent": "mine"}).headers["user-agent"] == "mine"


def test_headers_that_describe_the_body_cannot_be_overridden(caplog: pytest.LogCaptureFixture) -> None:
    headers = resolve(
        compression="gzip",
        headers={"Content-Type": "application/json", "Content-Encoding": "br", "Content-Length": "1"},
    ).headers
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["content-encoding"] == "gzip"
    assert "content-length" not in headers
    assert [record.args[1] for record in caplog.records] == ["content-type", "content-encoding", "content-length"]
    caplog.clear()
    resolve(headers={"Content-Type": "application/x-protobuf"})
    assert not caplog.records


@pytest.mark.parametrize("value", [Compression.Gzip, "gzip", " GZIP ", enum.Enum("Other", {"G": "gzip"}).G])
def test_compression_is_taken_as_own_member_string_or_foreign_member(value: object) -> None:
    assert resolve(compression=value).compression is Compression.Gzip


def test_official_compression_members_are_taken() -> None:
    official = pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    assert resolve(compression=official.Compression.Gzip).compression is Compression.Gzip
    assert resolve(compression=official.Compression.NoCompression).compression is Compression.NoCompression
    with pytest.raises(
        ValueError,
        match=r"argument compression: 'deflate' is not supported, expected one of 'none', 'gzip', 'zstd', 'lz4'",
    ):
        resolve(compression=official.Compression.Deflate)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("compression", "deflate", "'deflate'"),
        ("compression", 7, "7"),
        ("timeout", -1, "-1"),
        ("timeout", 0, "0"),
        ("timeout", math.nan, "nan"),
        ("timeout", math.inf, "inf"),
        ("timeout", 1e9, "1000000000.0"),
        ("timeout", "ten", "'ten'"),
        ("timeout", True, "True"),
        ("endpoint", "localhost:4318", "'localhost:4318' has no scheme"),
        ("endpoint", "ftp://collector/", "'ftp://collector/' has no scheme http"),
        ("endpoint", "http:///v1/traces", "'http:///v1/traces' has no host"),
        ("endpoint", "http://collector:port/", "'http://collector:port/' is not a URL"),
        ("endpoint", "http://collector:99999/", "'http://collector:99999/' is not a URL"),
        ("endpoint", 4318, "4318 is a int"),
        ("max_request_size", "1MB", "'1MB'"),
        ("max_request_size", 1.5, "1.5"),
        ("max_request_size", True, "True"),
        ("headers", "a=b", "a str, expected a mapping"),
        ("headers", {"a": 1}, "'a' is a int"),
        ("headers", {"a b": "1"}, "'a b' is not a header name"),
    ],
)
def test_wrong_argument_is_named_with_its_value(argument: str, value: object, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        OTLPSpanExporter(**{argument: value})
    assert str(raised.value).startswith(f"argument {argument}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize("prefix", [GENERIC, SPECIFIC])
@pytest.mark.parametrize(
    ("setting", "value"),
    [("COMPRESSION", "zip"), ("TIMEOUT", "10s"), ("TIMEOUT", "nan"), ("ENDPOINT", "collector:4318")],
)
def test_wrong_variable_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, prefix: str, setting: str, value: str
) -> None:
    monkeypatch.setenv(prefix + setting, value)
    with pytest.raises(ValueError) as raised:
        OTLPSpanExporter()
    assert str(raised.value).startswith(f"{prefix}{setting}: {value!r} ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=1,secret-token", "entry 2 is not of the form name=value"),
        ('a="secret"', "entry 1 is not of the form"),
        ("a=secret%0d%0aX-Injected:1", "the value of header 'a' contains a line break"),
        ("a=secret%E2%82%AC", "the value of header 'a' contains a character outside"),
    ],
)
def test_malformed_header_list_is_an_error_without_the_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str, message: str
) -> None:
    monkeypatch.setenv(SPECIFIC + "HEADERS", text)
    with pytest.raises(ValueError) as raised:
        OTLPSpanExporter()
    assert str(raised.value).startswith(f"{SPECIFIC}HEADERS: {message}")
    assert "secret" not in str(raised.value) + caplog.text


def test_secrets_stay_out_of_errors_and_reprs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"'http://\*\*\*@collector:port/' is not a URL") as raised:
        resolve(endpoint="http://user:secret@collector:port/")
    assert raised.value.__cause__ is None
    with pytest.raises(ValueError, match="'a' contains a line break") as raised:
        resolve(headers={"a": "secret\n"})
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(resolve(endpoint="http://user:secret@collector/", headers={"a": "secret"}))
    assert resolve(endpoint="http://user:secret@collector/x?key=secret").address == "http://collector/x"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/", "https://127.0.0.1:1/"])
def test_unreadable_certificate_is_an_error_that_names_source_and_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: str
) -> None:
    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    for path in (missing, garbage):
        with pytest.raises(ValueError, match=f"argument certificate_file '{path}': cannot be loaded: "):
            OTLPSpanExporter(endpoint, certificate_file=str(path))
        with pytest.raises(ValueError, match=f"argument client_certificate_file '{path}': cannot be loaded: "):
            OTLPSpanExporter(endpoint, client_certificate_file=str(path))
    monkeypatch.setenv(GENERIC + "CERTIFICATE", str(missing))
    with pytest.raises(ValueError, match=f"{GENERIC}CERTIFICATE '{missing}'"):
        OTLPSpanExporter(endpoint)


def test_client_key_without_certificate_is_an_error() -> None:
    with pytest.raises(ValueError, match="argument client_key_file: '/key' is a client key without a client cert"):
        OTLPSpanExporter(client_key_file="/key")


def test_session_must_be_a_pool_manager() -> None:
    class Session:
        pass

    with pytest.raises(TypeError, match=r"argument session: expected a urllib3.PoolManager, not a .*Session;"):
        OTLPSpanExporter(session=Session())  # type: ignore[arg-type]


def test_session_and_certificates_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="argument session: a pool manager has its own TLS settings"):
        OTLPSpanExporter(session=urllib3.PoolManager(), certificate_file="/x")


def test_credential_provider_variable_is_reported_as_unused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER", "mine")
    OTLPSpanExporter()
    assert "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER is not used" in caplog.text


def test_non_positive_request_size_is_no_limit() -> None:
    assert resolve(max_request_size=0).max_request_size == resolve(max_request_size=-1).max_request_size == 0


@pytest.mark.parametrize(
    ("endpoint", "variables", "proxy"),
    [
        ("http://collector/", {"HTTP_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("http://collector/", {"http_proxy": "proxy:3128"}, "http://proxy:3128"),
        ("https://collector/", {"HTTP_PROXY": "http://proxy:3128"}, None),
        ("https://collector/", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("https://collector/", {"ALL_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ("http://collector/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "collector"}, None),
        ("http://collector:81/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "collector:81"}, None),
        ("http://collector:82/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "collector:81"}, "http://proxy:3128"),
        ("http://a.internal/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": ".internal"}, None),
        ("http://collector/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
        ("http://[::1]:81/", {"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "::1"}, None),
    ],
)
def test_proxy_is_chosen_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, variables: dict[str, str], proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    manager = connect(resolve(endpoint=endpoint))
    assert (str(manager.proxy) if manager.proxy else None) == proxy


def test_proxy_credentials_become_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:p%40ss@proxy:3128")
    manager = connect(resolve())
    assert str(manager.proxy) == "http://proxy:3128"
    assert isinstance(manager, urllib3.ProxyManager)
    assert manager.proxy_headers == {"proxy-authorization": "Basic dXNlcjpwQHNz"}


def test_unsupported_proxy_is_an_error_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@proxy:1080")
    with pytest.raises(ValueError, match=r"'socks5://\*\*\*@proxy:1080' is not an http or https proxy") as raised:
        OTLPSpanExporter()
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:hunter2@host:1/v1", "http://***@host:1/v1"),
        ("http://user:hunt/er2@host:1", "http://***@host:1"),
        ("http://user:hunter2//x@y@host", "http://***@host"),
        ("user:hunter2//x@host", "***@host"),
        ("user:hunter2@\nx@host", "***@host"),
        ("//hunter2@host", "***@host"),
        ("http://host/v1", "http://host/v1"),
    ],
)
def test_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize("url", ["http://user:hunter2/x@host:4318", "http://user:h@hunter2@host:99999999"])
def test_endpoint_that_is_no_url_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"'http://\*\*\*@host:[0-9]+' is not a URL") as raised:
        OTLPSpanExporter(endpoint=url)
    assert "hunter2" not in str(raised.value)


def test_tls_context_verifies_by_default() -> None:
    context = connect(resolve(endpoint="https://collector/")).connection_pool_kw["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
