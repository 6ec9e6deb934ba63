"""`otlp-fast demo`: real traffic through the official exporter and through otlp-fast, side by side.

It has three kinds of process:

- that of the command line: `run` starts the others, sends the HTTP requests of `traffic`, and gathers the `result`,
  which `report` prints;
- `service`, a fresh one per exporter: it holds the Flask `application`, the official instrumentation, the exporter
  (measured by `measured_exporter`), and afterwards the `comparison` of the two encoders;
- `receiver`: it counts the spans in the bytes that arrive.

This package is an application: the one place besides exporter/, processor.py and compat.py that imports opentelemetry.
"""
