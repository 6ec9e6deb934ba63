"""Metrics about the processor itself, with the names that the SDK's own processors use.

They are all observed when metrics are collected, from counts that are kept anyway, so the threads that end spans and
emit log records do not pay for them. Of an observable instrument that is created twice in one meter the SDK calls only
the first callback, so a second processor would go unseen. Therefore the instruments are created once for each meter
provider, and their callbacks go over all processors that are alive.

Specification: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary, WeakSet

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter_provider

from otlp_fast.exporter.self_metrics import COMPONENT_NAME, COMPONENT_TYPE, ERROR_TYPE
from otlp_fast.exporter.signals import Signal
from otlp_fast.processor.drop_log import DROPPED_AT_SHUTDOWN, DROPPED_QUEUE_FULL, REFUSED_BY_ENCODER
from otlp_fast.processor.worker import AFTER_SHUTDOWN, HANDED_TO_EXPORTER, Worker

# An item counts as processed when it is handed to the exporter, whose own metrics say what became of it there.
_ERROR_TYPES = {
    HANDED_TO_EXPORTER: None,
    DROPPED_QUEUE_FULL: "queue_full",
    AFTER_SHUTDOWN: "already_shutdown",
    REFUSED_BY_ENCODER: "EncodeError",
    DROPPED_AT_SHUTDOWN: "shutdown",
}

# How many components of a type this process has made: their names are numbered.
_components: Counter[str] = Counter()


class ProcessorMetrics:
    """What is observed of one processor, for as long as this object lives."""

    def __init__(self, worker: Worker, signal: Signal, meter_provider: MeterProvider | None) -> None:
        component_type = f"batching_{signal.metric_item}_processor"
        self._attributes = {
            COMPONENT_TYPE: component_type,
            COMPONENT_NAME: f"{component_type}/{_components[component_type]}",
        }
        _components[component_type] += 1
        self._worker = worker
        _observed_by(meter_provider or get_meter_provider(), signal).add(self)

    def processed(self) -> Iterable[Observation]:
        """Give how many items were processed, by how that ended."""
        stats = self._worker.stats()
        for name, error_type in _ERROR_TYPES.items():
            if count := stats[name]:
                error = {} if error_type is None else {ERROR_TYPE: error_type}
                yield Observation(count, self._attributes | error)

    def queue_capacity(self) -> Iterable[Observation]:
        """Give how many items the queue holds at most."""
        yield Observation(self._worker.queue.max_items, self._attributes)

    def queue_size(self) -> Iterable[Observation]:
        """Give how many items are in the queue."""
        yield Observation(self._worker.queue.item_count, self._attributes)


_Observe = Callable[[ProcessorMetrics], Iterable[Observation]]

_observed: WeakKeyDictionary[MeterProvider, dict[str, WeakSet[ProcessorMetrics]]] = WeakKeyDictionary()


def _observed_by(meter_provider: MeterProvider, signal: Signal) -> WeakSet[ProcessorMetrics]:
    """Give what the instruments of `signal` in `meter_provider` observe, creating them if there are none yet."""
    observed = _observed.setdefault(meter_provider, {})
    if signal.metric_item not in observed:
        observed[signal.metric_item] = WeakSet()
        _create_instruments(meter_provider, signal, observed[signal.metric_item])
    return observed[signal.metric_item]


def _create_instruments(meter_provider: MeterProvider, signal: Signal, processors: WeakSet[ProcessorMetrics]) -> None:
    meter = meter_provider.get_meter("opentelemetry-sdk")
    name = f"otel.sdk.processor.{signal.metric_item}"
    item = signal.items.removesuffix("s")

    def each(observe: _Observe) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda options: [observation for processor in list(processors) for observation in observe(processor)]

    meter.create_observable_counter(
        f"{name}.processed",
        callbacks=[each(ProcessorMetrics.processed)],
        unit=signal.metric_unit,
        description=f"The number of {item}s for which the processing has finished, either successful or failed.",
    )
    meter.create_observable_up_down_counter(
        f"{name}.queue.capacity",
        callbacks=[each(ProcessorMetrics.queue_capacity)],
        unit=signal.metric_unit,
        description=f"The maximum number of {item}s the queue of a given instance of an SDK {item} processor can hold.",
    )
    meter.create_observable_up_down_counter(
        f"{name}.queue.size",
        callbacks=[each(ProcessorMetrics.queue_size)],
        unit=signal.metric_unit,
        description=f"The number of {item}s in the queue of a given instance of an SDK {item} processor.",
    )
