"""Options that commands on files share."""

from __future__ import annotations

import click

_BYTES_PER_MEBIBYTE = 1024 * 1024


class Mebibytes(click.IntRange):
    """A number of MiB on the command line, of bytes in the program."""

    name = "mebibytes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number of MiB."""
        return int(super().convert(value, param, ctx)) * _BYTES_PER_MEBIBYTE


signal_option = click.option(
    "--signal",
    type=click.Choice(["traces", "logs", "metrics"]),
    help="Take only the requests of this signal. Without it, all: each one's items tell its signal.",
)
max_record_size_option = click.option(
    "--max-record-size",
    type=Mebibytes(min=1, max=4095),
    default=256,
    show_default=True,
    metavar="MIB",
    help="The longest record that is read, decompressed, in MiB: that much memory a hostile file may cost.",
)
