"""Options that commands on files share."""

from __future__ import annotations

import click

_BYTES_PER_MEBIBYTE = 1024 * 1024


signal_option = click.option(
    "--signal",
    type=click.Choice(["traces", "logs", "metrics"]),
    help="Take only the requests of this signal. Without it, all: each one's items tell its signal.",
)
max_record_size_option = click.option(
    "--max-record-size",
    type=click.IntRange(min=1, max=4095),
    callback=lambda context, option, value: value * _BYTES_PER_MEBIBYTE,
    default=256,
    show_default=True,
    metavar="MIB",
    help="The longest record that is read, decompressed, in MiB: that much memory a hostile file may cost.",
)
