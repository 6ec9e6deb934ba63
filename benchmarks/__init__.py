"""How fast otlp-fast is: workloads, engines, the interleaved measurement and the report (see README.md)."""
