"""What `make valgrind` runs at the Python border: each way in and out, with ordinary and hostile data."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from fuzz.python import checks
from fuzz.python.objects import Objects, Seeded
from otlp_fast import build_info


def main() -> None:
    """Walks and says how much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=Path, help="inputs of fuzz/run.py to read")
    parser.add_argument("--rounds", type=int, default=20, help="objects of each signal, and inputs of each target")
    options = parser.parse_args()
    logging.getLogger("otlp_fast").addHandler(logging.NullHandler())
    logging.getLogger("otlp_fast").propagate = False
    for seed in range(options.rounds):
        for signal in checks.DECODERS:
            checks.check_objects(Objects(Seeded(seed), signal))
    print(f"objects of {options.rounds} seeds for each signal", flush=True)
    for folder in ("views", "json", "tracezip"):
        files = sorted((options.inputs / folder).iterdir()) if options.inputs else []
        chosen = files[:: max(1, len(files) // options.rounds)]
        for path in chosen:
            checks.check(path.read_bytes(), Seeded)
        print(f"{len(chosen)} inputs of {folder}", flush=True)
    print(f"kernels: {build_info()}")


if __name__ == "__main__":
    main()
