"""The gateway of the demo's third part: as `otlp-fast gateway` serves it, on a free port of loopback.

Run as `python -m otlp_fast.demo.gateway {"forward": URL}`, it tells its URL as `child` describes, and takes no
commands: what it has counted is at /metrics, as always. A gateway outlives who started it; this one ends when the
demo is gone, in order, as after SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from otlp_fast.demo.child import Conversation
from otlp_fast.demo.server import LOOPBACK
from otlp_fast.gateway import Settings
from otlp_fast.gateway.listening import parse_address
from otlp_fast.gateway.serving import Serving, serve


def main() -> None:
    """Run as a child process."""
    conversation = Conversation()
    settings = Settings(forward=json.loads(sys.argv[1])["forward"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(
            settings,
            Serving(listen=parse_address(f"{LOOPBACK}:0")),
            lambda announced: conversation.send({"url": announced.split()[-1]}),
        )
    except OSError as error:
        conversation.send({"error": f"cannot listen on loopback: {error}"})


def _end_with_parent() -> None:
    # Nothing is ever written to it. Not `sys.stdin`, whose lock must be nobody's when the interpreter ends.
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
