"""One run of the load test: begin, look once a second, let everything arrive, count."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.load.chain import Chain, Plan, running
from benchmarks.load.latencies import Latencies
from otlp_fast.bench.record import significant
from otlp_fast.demo.errors import DemoError

SECONDS_TO_ARRIVE = 60
"""After the last sender has shut down, what the Collector still holds has so long to arrive."""

TIMES_PLANNED = 2
"""A run that takes so many times as long as planned, and the seconds above, is on a machine too slow for its rate."""

Seen = dict[str, float]
"""What is seen in a second, of all senders together: made, received, behind_seconds, queued."""


def measure(plan: Plan, on_second: Callable[[Seen], None] = lambda seen: None) -> dict[str, Any]:
    """Run the chain once, and give all that was seen and counted.

    Raises:
        CollectorBuildError: the Collector is not built, and cannot be.
        DemoError: one of our processes did not start, or ended.
    """
    with running(plan) as chain:
        watched = {name: psutil.Process(pid) for name, pid in chain.pids().items()}
        cpu_before, begin = cpu_seconds(watched), time.monotonic()
        for sender in chain.senders:
            sender.ask("begin")
        samples = watch(plan, chain, watched, begin, on_second)
        taken = time.monotonic() - begin
        cores = {name: significant((cpu - cpu_before[name]) / taken) for name, cpu in cpu_seconds(watched).items()}
        finished = [sender.ask("finish") for sender in chain.senders]
        round_trips = Latencies()
        for figures in finished:
            round_trips.merge(figures.pop("round_trips"))
        await_arrival(chain, sum(figures["made"] for figures in finished))
        gateway = chain.gateway_figures()
        chain.collector.stop()
        return {
            "samples": samples,
            "cores": cores,
            "senders": finished,
            "round_trips": round_trips.whole(),
            "gateway": gateway,
            "receiver": chain.receiver.ask("result"),
        }


def watch(
    plan: Plan,
    chain: Chain,
    watched: dict[str, psutil.Process],
    begin: float,
    on_second: Callable[[Seen], None],
) -> dict[str, Any]:
    """Write down once a second how far the senders are and how large each process is, until all spans are made.

    Raises:
        DemoError: a process ended, a sender makes no more spans, or they take far longer than planned.
    """
    samples: dict[str, Any] = {name: [] for name in ("seconds", "made", "received", "behind_seconds", "queued")}
    samples["resident_kib"] = {name: [] for name in watched}
    due = begin
    while True:
        due += 1.0
        time.sleep(max(0.0, due - time.monotonic()))
        for name, process in watched.items():
            if process.status() == psutil.STATUS_ZOMBIE:
                raise DemoError(f"the {name} process ended in the middle of the run")
            samples["resident_kib"][name].append(process.memory_info().rss // 1024)
        figures = [sender.ask("figures") for sender in chain.senders]
        seen = {
            "made": sum(each["made"] for each in figures),
            "received": chain.receiver.ask("figures")["spans"],
            "behind_seconds": round(max(each["behind_seconds"] for each in figures), 3),
            "queued": sum(each["queued"] for each in figures),
        }
        samples["seconds"].append(round(time.monotonic() - begin, 2))
        for name, figure in seen.items():
            samples[name].append(figure)
        on_second(seen)
        if seen["made"] == plan.spans_per_sender * plan.processes:
            return samples
        if due - begin > TIMES_PLANNED * plan.seconds + SECONDS_TO_ARRIVE:
            made, all_spans = int(seen["made"]), plan.spans_per_sender * plan.processes
            raise DemoError(f"after {due - begin:,.0f} s, {made:,} of {all_spans:,} spans are made: it is given up")


def cpu_seconds(watched: dict[str, psutil.Process]) -> dict[str, float]:
    """Give the CPU time that each process has taken so far."""
    times = {name: process.cpu_times() for name, process in watched.items()}
    return {name: taken.user + taken.system for name, taken in times.items()}


def await_arrival(chain: Chain, spans: int) -> None:
    """Wait until so many spans have come out of the chain, or for as long as they may take."""
    patience = time.monotonic() + SECONDS_TO_ARRIVE
    while chain.receiver.ask("figures")["spans"] < spans and time.monotonic() < patience:
        time.sleep(0.1)
