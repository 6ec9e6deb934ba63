"""Exporters for the OpenTelemetry SDK that encode with otlp-fast.

Each transport is a package of its own (`otlp_fast.exporter.http`), so that importing one never imports the other's
dependencies. The modules beside them hold what every transport and signal shares: configuration, retry rules, request
compression, delivery of a batch, and the exporter's own metrics.

Only this part of otlp-fast imports `opentelemetry`.
"""
