"""The command line: `otlp-fast demo | bench | inspect | convert | compress | decompress | gateway | info`.

`main` is all that is here, and it imports nothing on the way in, so that a missing extra is one line and not a
traceback. The commands are declared in `group`, one module each, and imported when they are called.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the entry point `otlp-fast`."""
    try:
        import click  # noqa: F401
    except ImportError as error:
        sys.stderr.write(f"otlp-fast: the command line is an extra ({error}): pip install 'otlp-fast[cli]'\n")
        raise SystemExit(1) from None
    from otlp_fast.cli.group import group

    group(prog_name="otlp-fast")
