"""TLS of the gRPC exporters: certificates from files, or credentials made by a provider of the user's.

gRPC takes any bytes for a certificate and fails with each connection later, so files are tried out with Python's ssl
module first.
"""

from __future__ import annotations

import os
import ssl
from importlib.metadata import entry_points
from pathlib import Path

import grpc

from otlp_fast.exporter.configuration import Configured, configured, from_variables
from otlp_fast.exporter.signals import Signal

PROVIDER_GROUP = "opentelemetry_otlp_credential_provider"


def resolve_credentials(signal: Signal, argument: object) -> grpc.ChannelCredentials:
    """Give the argument, or what the provider named in the environment makes, or what certificate files say.

    Raises ValueError where one of them cannot be used.
    """
    if isinstance(argument, grpc.ChannelCredentials):
        return argument
    if argument is not None:
        raise ValueError(f"argument credentials: {argument!r} is not a grpc.ChannelCredentials")
    provider = from_variables(
        [
            f"OTEL_PYTHON_EXPORTER_OTLP_GRPC_{signal.name.upper()}_CREDENTIAL_PROVIDER",
            "OTEL_PYTHON_EXPORTER_OTLP_GRPC_CREDENTIAL_PROVIDER",
        ]
    )
    return _from_files(signal) if provider is None else _provided(provider)


def _provided(provider: Configured) -> grpc.ChannelCredentials:
    for entry_point in entry_points(group=PROVIDER_GROUP, name=provider.value):
        credentials = entry_point.load()()
        if not isinstance(credentials, grpc.ChannelCredentials):
            raise ValueError(
                f"{provider.source}: {provider.value!r} gives a {type(credentials).__name__},"
                " expected a grpc.ChannelCredentials"
            )
        return credentials
    raise ValueError(f"{provider.source}: {provider.value!r} is no entry point of the group {PROVIDER_GROUP}")


def _from_files(signal: Signal) -> grpc.ChannelCredentials:
    authority = configured(signal, "certificate_file", None, "CERTIFICATE")
    key = configured(signal, "client_key_file", None, "CLIENT_KEY")
    certificate = configured(signal, "client_certificate_file", None, "CLIENT_CERTIFICATE")
    if key is not None and certificate is None:
        raise ValueError(f"{key.source}: {key.value!r} is a client key without a client certificate")
    tried = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is not None:
        try:
            tried.load_verify_locations(os.fspath(authority.value))
        except (OSError, ValueError) as error:
            raise _unreadable(error, authority) from error
    if certificate is not None:
        try:
            # Without a password given, OpenSSL would stop and ask for one on the terminal.
            tried.load_cert_chain(certificate.value, key.value if key else None, password="")
        except (OSError, ValueError) as error:
            raise _unreadable(error, certificate, key) from error
    return grpc.ssl_channel_credentials(
        root_certificates=_content(authority),
        private_key=_content(key or certificate),
        certificate_chain=_content(certificate),
    )


def _content(file: Configured | None) -> bytes | None:
    return None if file is None else Path(file.value).read_bytes()


def _unreadable(error: Exception, *files: Configured | None) -> ValueError:
    named = " with ".join(f"{file.source} {file.value!r}" for file in files if file)
    return ValueError(f"{named}: cannot be loaded: {error}")
