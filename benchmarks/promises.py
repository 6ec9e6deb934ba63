"""What the project promises: `report.py --record` and `pytest benchmarks` fail where a promise is not kept."""

from __future__ import annotations

from benchmarks.processors import FASTOTEL, OFFICIAL

TIMES_FASTER: dict[str, float] = {"web": 60.0, "wide": 45.0, "requests": 40.0, "histograms": 40.0}
"""By workload: how many times less CPU time than the official encoder `otlp_fast.encode_spans` and its like take, at
least."""

IMPORT_MS = 15.0
"""CPU time in ms that `import otlp_fast` adds to an empty interpreter, at most."""

PROCESS_SHARE: dict[str, float] = {OFFICIAL: 0.1, FASTOTEL: 0.5}
"""By rival: which part of its CPU time per span, above a process that exports nothing, ours takes, at most."""

ON_END_US = 1.5
"""CPU time in microseconds that our processor adds to the thread that ends a web span, at most."""

BURST_SHARE = 1.0
"""Which part of a burst our processor delivers with default settings, at least."""
