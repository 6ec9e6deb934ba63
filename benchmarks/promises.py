"""What the project promises of its speed: `pytest benchmarks` fails where a promise is not kept."""

TIMES_FASTER: dict[str, float] = {"web": 60.0, "wide": 45.0}
"""By workload: how many times less CPU time than the official encoder `otlp_fast.encode_spans` takes, at least."""

IMPORT_MS = 15.0
"""CPU time in ms that `import otlp_fast` adds to an empty interpreter, at most."""
