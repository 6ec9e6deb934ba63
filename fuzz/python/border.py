"""Atheris at the Python border.

    make fuzz-python            or  python fuzz/python/border.py -max_total_time=60 target/fuzz/corpus/python

The arguments are libFuzzer's. Guided is what Python code does: the package is instrumented, the extension is not (that
is what fuzz/guided is for).
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

with atheris.instrument_imports(include=["otlp_fast"]):
    from fuzz.python.checks import check

if __name__ == "__main__":
    # What is lost is logged, and losing is all that most of these objects are for.
    logging.getLogger("otlp_fast").addHandler(logging.NullHandler())
    logging.getLogger("otlp_fast").propagate = False
    atheris.Setup(sys.argv, lambda data: check(data, atheris.FuzzedDataProvider))
    atheris.Fuzz()
