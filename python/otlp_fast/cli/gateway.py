"""`otlp-fast gateway`: options, errors and exit codes. What it does is in `otlp_fast.gateway`."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import click

from otlp_fast.cli.extras import require_extra

MODULES = ("starlette", "uvicorn", "aiohttp", "prometheus_client")
_BYTES_PER_MEBIBYTE = 1 << 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SECONDS = click.FloatRange(min=0, min_open=True)


def _headers(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for value in values:
        name, separator, content = value.partition("=")
        if not separator:
            # The value may be a secret that stands in the wrong place, so it is not shown.
            raise click.BadParameter("not NAME=VALUE")
        headers[name.strip()] = content.strip()
    return headers


def _bytes(context: click.Context, option: click.Parameter, value: int) -> int:
    return value * _BYTES_PER_MEBIBYTE


@click.command(name="gateway")
@click.option(
    "--listen",
    default="localhost:4318",
    show_default=True,
    metavar="[HOST]:PORT",
    help="Where to take OTLP over HTTP. :4318 is all interfaces.",
)
@click.option("--forward", required=True, metavar="URL", help="The next hop, such as http://collector:4318.")
@click.option(
    "--forward-encoding",
    type=click.Choice(["none", "gzip", "zstd", "lz4"]),
    default="gzip",
    show_default=True,
    help="How requests to the next hop are compressed: a Collector knows all of these.",
)
@click.option(
    "--forward-header",
    "forward_headers",
    multiple=True,
    callback=_headers,
    metavar="NAME=VALUE",
    help="A header for the next hop, such as its authentication. Can be repeated.",
)
@click.option("--forward-ca", type=_FILE, help="Certificates to check the next hop's against. [default: the system's]")
@click.option(
    "--forward-timeout",
    type=_SECONDS,
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long the next hop may take to answer.",
)
@click.option(
    "--token-file",
    type=_FILE,
    help="Let in only who sends one of the tokens in this file (`Authorization: Bearer ...`). Its lines are "
    "NAME:TOKEN; it is read again when it changes.",
)
@click.option(
    "--peer-header",
    metavar="NAME",
    help="Let in only who is named in this header by a --trusted-proxy, such as X-Client-Cert-Subject.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    help="An address or network whose --peer-header counts. The proxy must remove the header from what clients send. "
    "Can be repeated.",
)
@click.option("--tls-cert", type=_FILE, help="Serve HTTPS with this certificate (chain).")
@click.option("--tls-key", type=_FILE, help="The key of --tls-cert.")
@click.option("--tls-client-ca", type=_FILE, help="Let in only clients with a certificate that one of these signed.")
@click.option(
    "--max-request-size",
    type=click.IntRange(1, 1024),
    default=64,
    show_default=True,
    metavar="MIB",
    callback=_bytes,
    help="The longest request, as it arrives and decompressed, in MiB.",
)
@click.option(
    "--max-in-flight",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="N",
    help="How many requests are worked on at once; more are answered by 429.",
)
@click.option(
    "--max-memory",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="MIB",
    callback=_bytes,
    help="How much of requests is held at once, in MiB; more is answered by 429.",
)
@click.option(
    "--max-streams",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    metavar="N",
    help="How many tracezip streams are kept, each with up to 4 MiB. A sender has one for each signal and process.",
)
@click.option(
    "--max-streams-per-peer",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="How many of them one client may have, where clients are told apart by authentication.",
)
@click.option(
    "--stream-idle-timeout",
    type=_SECONDS,
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="How long a stream is kept that sends nothing.",
)
@click.option(
    "--read-timeout",
    type=_SECONDS,
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long a client may take to send a request.",
)
@click.option(
    "--admin-listen",
    metavar="[HOST]:PORT",
    help="Serve /health and /metrics here, without TLS. [default: beside OTLP, for everybody]",
)
@click.option(
    "--drain-delay",
    type=click.FloatRange(min=0),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long /health says 503 before connections are refused, so that a load balancer sees it.",
)
@click.option(
    "--shutdown-timeout",
    type=_SECONDS,
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="How long what is under way may take at the end; what takes longer is answered by 503.",
)
def command(
    listen: str,
    admin_listen: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    drain_delay: float,
    shutdown_timeout: float,
    **settings: Any,
) -> None:
    """Take OTLP over HTTP, tracezip included, and forward it as plain OTLP to a collector.

    Clients send traces, logs and metrics to /v1/traces, /v1/logs and /v1/metrics, in protobuf or JSON, with
    Content-Encoding tracezip, gzip, zstd, lz4 or none. A client hears of success only after the next hop took its
    request; the next hop's errors and its Retry-After are the client's. Nothing is stored here, so nothing is lost when
    the gateway ends: what it did not answer, clients send again.

    Several gateways can stand behind one load balancer. They share nothing; a tracezip stream that moves from one to
    another starts anew, which costs one request more.

    \b
    Examples:
      otlp-fast gateway --forward http://collector:4318
      otlp-fast gateway --listen :4318 --forward https://collector:4318 --forward-encoding zstd \\
          --forward-header Authorization="Bearer $TOKEN"
      otlp-fast gateway --listen :4318 --forward http://localhost:14318 --token-file /etc/otlp/tokens \\
          --tls-cert server.pem --tls-key server.key
      otlp-fast gateway --listen :4318 --forward http://collector:4318 \\
          --peer-header X-Client-Cert-Subject --trusted-proxy 10.0.0.0/8
    \b
    Exporters use it with OTEL_EXPORTER_OTLP_ENDPOINT=http://gateway:4318. /health is 200 while it serves and 503 while
    it ends, /metrics is for Prometheus.

    SIGTERM and Ctrl-C end it in order: nothing new is taken, what is under way is finished. A second one cuts that
    short.

    Exit status: 0 after SIGTERM or Ctrl-C, 1 when it could not start, 2 for wrong options.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("gateway", MODULES, "gateway")
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    if tls_client_ca is not None and tls_cert is None:
        raise click.UsageError("--tls-client-ca needs --tls-cert and --tls-key")

    from otlp_fast.gateway.listening import parse_address
    from otlp_fast.gateway.serving import Serving, serve
    from otlp_fast.gateway.settings import Settings

    try:
        checked = Settings(**settings, has_admin_endpoints=admin_listen is None)
        serving = Serving(
            listen=parse_address(listen),
            admin_listen=None if admin_listen is None else parse_address(admin_listen),
            tls_cert=tls_cert,
            tls_key=tls_key,
            tls_client_ca=tls_client_ca,
            drain_delay=drain_delay,
            shutdown_timeout=shutdown_timeout,
        )
    except ValueError as error:
        raise click.UsageError(_with_names_of_options(str(error))) from None
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("otlp_fast").setLevel(logging.INFO)
    try:
        serve(checked, serving, lambda urls: click.echo(f"{urls}, forwarding to {checked.forward}", err=True))
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        raise click.ClickException(f"{place}{error.strerror or error}") from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _with_names_of_options(message: str) -> str:
    """Name options where a message names settings."""
    options = {"forward_headers": "--forward-header", "trusted_proxies": "--trusted-proxy", "forward": "--forward"}
    names = r"^forward(?=:)|\b[a-z]+(?:_[a-z]+)+\b"
    return re.sub(names, lambda name: options.get(name[0], f"--{name[0].replace('_', '-')}"), message)
