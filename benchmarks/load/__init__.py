"""The load test: several processes, a gateway and a real Collector for twenty minutes, with every span accounted for.

    senders ── tracezip ──► otlp-fast gateway ── OTLP, gzip ──► Collector ── OTLP ──► counting receiver

python -m benchmarks.load --help

**Nothing lost.** Each span carries its number. What was made, what the exporters say was exported and what arrived
behind the Collector must be the same numbers, each once: the receiver has a place for each of them.

**An open loop.** Spans are due by the clock, whatever became of those before. A sender that falls behind makes up for
it and says how late it was; a run that could not make its spans in its time fails, and is not a run at a lower rate.

**Behind the Collector** is a receiver of ours, and not the Collector's file: 24 million spans would take gigabytes of
disk, and a file does not say when a span arrived.
"""
