"""`otlp-fast demo`: real traffic through the official exporter and through otlp-fast, side by side.

It has three kinds of process:

- that of the command line: `run` starts the others in three parts, `exporter_part`, `whole_part` and `tracezip_part`,
  sends the HTTP requests of `traffic`, and gathers the `result`, which `report` prints;
- the services, fresh ones for each pipeline: both kinds are the Flask `application` with the official instrumentation
  (`instrumented`). `service` measures its exporters by `measured_export` and holds the `comparison` of the two
  encoders; `whole_service` has the processors of its pipeline, and nothing that measures but the CPU clock;
- `receiver`: it counts the spans, log records and data points in the bytes that arrive, and takes their `digest`.

The third part has one more, the `gateway`, between the service and a receiver.

This package is an application: the one place besides exporter/, processor.py and compat.py that imports opentelemetry.
"""
