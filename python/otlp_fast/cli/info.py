"""`otlp-fast info`: how the native module was built, what it uses here, and the limits of the buffer pool."""

from __future__ import annotations

import platform

import click

import otlp_fast

_BYTES_PER_MEBIBYTE = 1024 * 1024


@click.command(name="info")
def command() -> None:
    """Show the version, the SIMD path in use and the limits of the buffer pool.

    The SIMD path is chosen when the module is loaded; OTLP_FAST_SIMD chooses another of those that are available.
    Please put this output into bug reports.
    """
    build = otlp_fast.build_info()
    pool = otlp_fast.pool_stats()
    rows = {
        "version": str(build["version"]),
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "target": f"{build['target']}, {platform.system()}",
        "build profile": str(build["profile"]),
        "SIMD in use": str(build["simd"]),
        "SIMD available": ", ".join(build["simd_available"]),
        "buffer pool keeps at most": f"{pool['bytes_limit'] / _BYTES_PER_MEBIBYTE:.0f} MiB",
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        click.echo(f"{name:<{width}}  {value}")
