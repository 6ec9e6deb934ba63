"""What streams of requests cost on the wire, in CPU time and in memory: the parts of benchmarks/tracezip.py."""
