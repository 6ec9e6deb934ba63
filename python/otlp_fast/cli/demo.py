"""`otlp-fast demo`: options, errors and exit codes. What it does is in `otlp_fast.demo`."""

from __future__ import annotations

import signal

import click

from otlp_fast.cli.extras import missing_extra, require_extra
from otlp_fast.cli.gateway import MODULES as GATEWAY_MODULES

_MODULES = (
    "rich",
    "flask",
    "urllib3",
    "opentelemetry.sdk",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.flask",
    "opentelemetry.instrumentation.logging",
    "opentelemetry.instrumentation.sqlite3",
)

_EXIT_FAILED = 1
_EXIT_INTERRUPTED = 130


@click.command(name="demo")
@click.option(
    "--requests",
    "requests",
    type=click.IntRange(min=1),
    default=2400,
    show_default=True,
    metavar="N",
    help="HTTP requests that each service answers. About three spans and one log record come of one.",
)
@click.option(
    "--burst",
    type=click.IntRange(min=1),
    default=30_000,
    show_default=True,
    metavar="N",
    help="Spans that are made at once at the end.",
)
@click.option(
    "--endpoint",
    metavar="URL",
    help="Send to this OTLP/HTTP receiver instead of the one that the demo starts, with /v1/traces, /v1/logs and "
    "/v1/metrics appended. The receiver is not asked what it counted; OTEL_EXPORTER_OTLP_HEADERS and the other "
    "variables for OTLP exporters are honoured. Tracezip goes to a receiver of the demo's own all the same.",
)
@click.option(
    "--compression",
    type=click.Choice(["none", "gzip"]),
    default="gzip",
    show_default=True,
    help="How all exporters compress their requests, but for those that send tracezip.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON instead of a table.")
def command(requests: int, burst: int, endpoint: str | None, compression: str, as_json: bool) -> None:
    """Export spans, logs and metrics of a real Flask service by the official packages and by otlp-fast, side by side.

    A small bookshop made with Flask and SQLite, instrumented by the official OpenTelemetry packages, answers the same
    HTTP requests, each time in a fresh process.

    First twice, with the SDK's processors: its telemetry leaves it through the official OTLP/HTTP exporters, then
    through those of otlp-fast. A receiver in another process counts what arrives, and the very same batches are encoded
    by both to see whether the bytes are the same.

    Then the whole process: with the official processors and exporters, with those of otlp-fast, and with none, in
    turns, to see what each costs a request. At the end a burst of spans, to see how many arrive.

    And tracezip: the exporters of otlp-fast send it to an 'otlp-fast gateway', and what arrives behind that is compared
    with what was encoded, byte for byte, and its size on the wire with that in gzip and zstd. Without the extra
    'gateway' this part is left out.

    Nothing but loopback is used unless you name an --endpoint. It takes about a minute. Progress goes to stderr, the
    result to stdout.

    \b
    Examples:
      otlp-fast demo
      otlp-fast demo --requests 10000 --compression none
      otlp-fast demo --endpoint http://localhost:4318
      otlp-fast demo --json 2>/dev/null | python -m json.tool

    Exit status: 0 when everything arrived (of the burst, what was given to otlp-fast) and the bytes were the same, 1
    when not or when the demo could not run, 2 for wrong options, 130 after Ctrl-C.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("demo", _MODULES, "demo")
    # Ended by `kill`, the demo cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        succeeded = _run(requests, burst, endpoint, compression, as_json)
    except KeyboardInterrupt:
        click.echo("Interrupted: the demo and its processes are stopped.", err=True)
        raise SystemExit(_EXIT_INTERRUPTED) from None
    if not succeeded:
        raise SystemExit(_EXIT_FAILED)


def _run(requests: int, burst: int, endpoint: str | None, compression: str, as_json: bool) -> bool:
    """Run the demo and print what it found; say whether all was well."""
    from otlp_fast.demo.endpoint import checked_endpoint
    from otlp_fast.demo.errors import DemoError
    from otlp_fast.demo.report import print_introduction, print_result
    from otlp_fast.demo.run import run_demo

    try:
        if endpoint is not None:
            endpoint = checked_endpoint(endpoint)
        print_introduction(requests, as_json)
        result = run_demo(requests, burst, endpoint, compression, missing_extra("gateway", GATEWAY_MODULES))
    except DemoError as error:
        raise click.ClickException(str(error)) from None
    print_result(result, as_json)
    return not result.problems
