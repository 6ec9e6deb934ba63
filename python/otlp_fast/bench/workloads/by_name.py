"""All workloads by their names."""

from otlp_fast.bench.workloads import logs, metrics, spans
from otlp_fast.bench.workloads.workload import Workload

WORKLOADS: dict[str, Workload] = {
    workload.name: workload for workload in (*spans.WORKLOADS, *logs.WORKLOADS, *metrics.WORKLOADS)
}
