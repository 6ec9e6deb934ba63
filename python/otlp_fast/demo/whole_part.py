"""The demo's second part: the whole service process, with the processors and exporters of each pipeline.

Four services stand side by side: two that export nothing, one with the official processors and exporters, one with
those of otlp-fast. They answer the same requests in turns, in an order that changes, so that a change in the machine's
speed meets all. What a pipeline costs is the CPU time of its process, all threads, above the
mean of those that export nothing in the same turn; how far these two are apart says what such a figure is worth. The
first turn, in which each imports and connects, is not counted.

At the end each of the two makes spans as fast as a loop runs, and shuts down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from random import Random
from statistics import fmean

from otlp_fast.demo.child import Child
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.progress import Progress, Report
from otlp_fast.demo.result import PIPELINES, WholeRun
from otlp_fast.demo.surroundings import Surroundings

_BARE = dict.fromkeys(("none", "none again"), "service without exporters")
_SERVICES = _BARE | {name: f"{title} processors" for name, title in PIPELINES.items()}
_SIGNALS = ("traces", "logs")

# Their spans make about one batch of the default size, so that the end of a turn does not cost a request of its own.
_REQUESTS_PER_TURN = 160

_NS_PER_US = 1000


@dataclass
class _Running:
    """A service, and what is known of it so far."""

    child: Child
    cpu_us_per_request: list[float] = field(default_factory=list)
    """Of its process, turn by turn."""
    made: Mapping[str, int] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)


class WholePart:
    """Its results; a pipeline that failed is missing in them, and its error is among the failures."""

    def __init__(self, surroundings: Surroundings, progress: Progress, requests: int, burst_spans: int) -> None:
        self.runs: dict[str, WholeRun] = {}
        self.bare_differences: list[float] = []
        """CPU time per request of the two services that export nothing, in us, the one above the other, by turn."""
        self.failures: list[str] = []
        self._surroundings = surroundings
        self._progress = progress
        self._requests = requests
        self._burst_spans = burst_spans
        self._running: dict[str, _Running] = {}

    def run(self) -> None:
        """Run the services. Without those that export nothing, there is nothing to compare with."""
        self._surroundings.take_counts()
        with ExitStack() as children:
            for name in _SERVICES:
                with self._failing_alone(name):
                    self._start(name, children)
            with self._progress.step("whole process, requests in turns", self._requests * len(_SERVICES)) as report:
                self._take_turns(report)
            bare = [self._counted_turns(self._running.pop(name)) for name in _BARE if name in self._running]
            if len(bare) < len(_BARE):
                return
            self.bare_differences = [one - other for one, other in zip(*bare, strict=True)]
            for name, running in list(self._running.items()):
                with self._failing_alone(name):
                    self.runs[name] = self._burst(name, running, [fmean(turn) for turn in zip(*bare, strict=True)])

    @contextmanager
    def _failing_alone(self, name: str) -> Iterator[None]:
        """Take an error for that of the service called `name`, which is out of the running then."""
        try:
            yield
        except DemoError as error:
            self.failures.append(f"{_SERVICES[name]}: {error}")
            self._running.pop(name, None)

    def _start(self, name: str, children: ExitStack) -> None:
        pipeline = "none" if name in _BARE else name
        settings = replace(
            self._surroundings.settings(pipeline, f"{name} processors"),
            requests=self._requests,
            requests_per_turn=_REQUESTS_PER_TURN,
            burst_spans=self._burst_spans,
        )
        child = Child("service", "otlp_fast.demo.whole_service", asdict(settings), self._surroundings.environment)
        self._running[name] = _Running(children.enter_context(child))

    def _take_turns(self, report: Report) -> None:
        choose = Random("turns")
        for begin in range(0, self._requests, _REQUESTS_PER_TURN):
            for name in choose.sample(list(_SERVICES), len(_SERVICES)):
                if name in self._running:
                    with self._failing_alone(name):
                        self._take_turn(self._running[name])
            report(min(begin + _REQUESTS_PER_TURN, self._requests) * len(_SERVICES))

    def _take_turn(self, running: _Running) -> None:
        turn = running.child.ask("turn")
        running.cpu_us_per_request.append(turn["cpu_ns_per_request"] / _NS_PER_US)
        running.made = turn["made"]
        running.received.update(self._received() or {})

    @staticmethod
    def _counted_turns(running: _Running) -> list[float]:
        return running.cpu_us_per_request[1:] or running.cpu_us_per_request

    def _burst(self, name: str, running: _Running, bare: Sequence[float]) -> WholeRun:
        with self._progress.step(f"{_SERVICES[name]}, a burst of spans", 1) as report:
            finished = running.child.ask("burst")
            report(1)
        received = self._received()
        return WholeRun(
            made=running.made,
            received=None if received is None else dict(running.received),
            cpu_us_per_request=[own - without for own, without in zip(self._counted_turns(running), bare, strict=True)],
            burst_made=finished["made"],
            burst_received=None if received is None else received["traces"],
            burst_seconds=finished["seconds"],
            first_message=finished["first_message"],
        )

    def _received(self) -> dict[str, int] | None:
        counts = self._surroundings.take_counts()
        return None if counts is None else {signal: counts[signal]["items"] for signal in _SIGNALS}
