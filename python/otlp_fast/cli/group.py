"""The group of commands: it knows their names, and imports one only when that one is called.

What `otlp-fast --help` says of each command therefore stands here, not in the command's own module.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

import otlp_fast


class _Entry(NamedTuple):
    module: str
    """Has the command as `command`."""
    summary: str


_COMMANDS = {
    "demo": _Entry("otlp_fast.cli.demo", "Export a real service's spans, logs and metrics both ways, side by side."),
    "bench": _Entry("otlp_fast.cli.bench", "Measure it on this machine and, if you like, on your own telemetry."),
    "inspect": _Entry("otlp_fast.cli.inspect", "Show what is in files of OTLP: signals, services, operations, sizes."),
    "convert": _Entry(
        "otlp_fast.cli.convert", "Convert files of OTLP: protobuf, archives, JSON, NDJSON, Arrow, Parquet."
    ),
    "compress": _Entry(
        "otlp_fast.cli.compress", "Compress files of OTLP into tracezip archives, without losing a byte."
    ),
    "decompress": _Entry("otlp_fast.cli.decompress", "Give the requests of tracezip archives back, all or some."),
    "gateway": _Entry(
        "otlp_fast.cli.gateway", "Take OTLP over HTTP, tracezip included, and forward it to any collector."
    ),
    "info": _Entry("otlp_fast.cli.info", "Show what this build is and what it uses on this machine."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the commands, in the order of the help text."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or give None where there is none of this name."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them, which click's own would do."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(otlp_fast.__version__, message="%(prog)s %(version)s")
def group() -> None:
    """OpenTelemetry for Python, encoded natively: the official encoder's bytes in a fraction of its time.

    Begin with `otlp-fast demo`: it runs a small web service, exports its telemetry both ways, and shows what that cost.
    """
