"""Exporters for the OpenTelemetry SDK that encode with otlp-fast.

Each transport is a package of its own (`otlp_fast.exporter.http`, `otlp_fast.exporter.grpc`), so that importing one
never imports the other's dependencies. The modules beside them hold what every transport and signal shares. A batch,
or a request that a processor has encoded, goes through them in this order:

- `pipeline` encodes it and accounts for every item; `signals` says what differs between traces, logs and metrics.
- `spooling`, where there is a `spool`, decides whether the request goes to the receiver or to the disk.
- `delivery` cuts it where it is too large.
- `compressing` compresses it, or `framing` makes a tracezip frame of it.
- `client` retries until the deadline.
- `http.transport` or `grpc.transport` makes one attempt and says what the answer means.
"""
