"""What is encoded: spans, log records and metrics, made by the real SDK, the same in every run."""

from benchmarks.workloads import logs, metrics, spans
from benchmarks.workloads.workload import Workload

WORKLOADS: dict[str, Workload] = {
    workload.name: workload for workload in (*spans.WORKLOADS, *logs.WORKLOADS, *metrics.WORKLOADS)
}
"""By name."""
