"""Atheris at the Python border: `make fuzz-python`, or `python fuzz/python/border.py -max_total_time=60`.

The arguments are libFuzzer's. Guided is what Python code does: the package is instrumented, the extension is not (that
is what fuzz/guided is for). A run keeps what it learned in target/fuzz/corpus/python and its findings beside it;
to see a finding again, give its file as the argument.
"""

from __future__ import annotations

import logging
import random
import sys
from pathlib import Path

import atheris

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "target" / "fuzz"
sys.path.insert(0, str(PROJECT))

with atheris.instrument_imports(include=["otlp_fast"]):
    from fuzz.python.checks import HEAD, OBJECTS, SIGNALS, check


def arguments() -> list[str]:
    """What libFuzzer is told besides the user's own arguments, which come last and so win."""
    corpus, findings = FOLDER / "corpus" / "python", FOLDER / "findings" / "python"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    # The coverage of Python code does not lead to a head that makes objects, so the first inputs have one.
    for signal, name in enumerate(dict.fromkeys(SIGNALS)):
        head = bytes([signal, OBJECTS]).ljust(HEAD, b"\0")
        (corpus / f"objects-{name}").write_bytes(head + random.Random(signal).randbytes(600))
    inputs = [str(folder) for name in ("views", "json", "tracezip") if (folder := FOLDER / "inputs" / name).is_dir()]
    options = ["-max_len=4096", "-timeout=20", "-print_final_stats=1", f"-artifact_prefix={findings}/"]
    return [*options, str(corpus), *inputs]


if __name__ == "__main__":
    # What is lost is logged, and losing is all that most of these objects are for.
    logging.getLogger("otlp_fast").addHandler(logging.NullHandler())
    logging.getLogger("otlp_fast").propagate = False
    is_replay = any(Path(argument).is_file() for argument in sys.argv[1:])
    atheris.Setup(
        [sys.argv[0], *([] if is_replay else arguments()), *sys.argv[1:]],
        lambda data: check(data, atheris.FuzzedDataProvider),
    )
    atheris.Fuzz()
