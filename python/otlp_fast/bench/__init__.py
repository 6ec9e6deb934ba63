"""`otlp-fast bench`: what otlp-fast costs beside what people use today, on their own machine and their own telemetry.

This package is an application, as `demo` is: it imports opentelemetry and, where they are installed, the rivals.
"""
