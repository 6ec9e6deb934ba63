"""`otlp-fast demo`: real traffic through the official exporter and through otlp-fast, side by side.

Four parts, three kinds of process:

- `run`, in the process of the command line, starts the others, sends them the HTTP requests of `traffic`, and gathers
  the `result`, which `report` prints;
- `service`, a fresh process per exporter, holds the Flask `application`, the official instrumentation, the exporter
  (measured by `measured_exporter`), and afterwards the `comparison` of the two encoders;
- `receiver`, a process of its own, counts the spans in the bytes that arrive.

This package is an application: the one place besides exporter/ and processor.py that imports opentelemetry.
"""
