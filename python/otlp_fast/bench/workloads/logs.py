"""Log records: three workloads.

A workload is a list of `ReadableLogRecord` as a `LogRecordExporter` receives them: emitted through a `Logger` of a real
`LoggerProvider`, with the attributes that the handler for the standard library's logging sets. Limits are given
explicitly, so that `OTEL_*` variables change nothing.
"""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import Logger, SeverityNumber
from opentelemetry.sdk._logs import (
    LoggerProvider,
    LogRecordLimits,
    LogRecordProcessor,
    ReadableLogRecord,
    ReadWriteLogRecord,
)
from opentelemetry.util.types import AnyValue

from otlp_fast.bench.workloads.shop import request_attributes, service, shop_dispatcher
from otlp_fast.bench.workloads.workload import ItemRecorder, Workload, fresh, within

PLACES = (
    ("/srv/shop/web/access.py", "log_request", 88),
    ("/srv/shop/web/middleware.py", "finish_response", 214),
    ("/srv/shop/web/sessions.py", "renew", 41),
)
"""Files, functions and lines that log."""

LIMITS = LogRecordLimits(
    max_attributes=128,
    max_attribute_length=LogRecordLimits.UNSET,
    max_log_record_attributes=128,
    max_log_record_attribute_length=LogRecordLimits.UNSET,
)


class LogRecorder(ItemRecorder, LogRecordProcessor):
    """Collects the log records that are emitted."""

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Keep a record in the form in which the SDK's batch processor hands it on."""
        assert log_record.resource is not None
        self.items.append(
            ReadableLogRecord(
                log_record.log_record,
                log_record.resource,
                log_record.instrumentation_scope,
                log_record.limits,
            )
        )

    def shutdown(self) -> None:
        """Do nothing: the records stay."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Do nothing: the records are here."""
        return True

    def logger(self, service_name: str, scope: str) -> Logger:
        """Give a logger whose records end up here."""
        provider = LoggerProvider(
            resource=service(service_name),
            shutdown_on_exit=False,
            log_record_limits=LIMITS,
        )
        provider.add_log_record_processor(self)
        return provider.get_logger(scope)

    def place(self) -> dict[str, Any]:
        """Give the three attributes that say where in the code a record was logged."""
        path, function, line = self.random.choice(PLACES)
        return {
            "code.file.path": fresh(path),
            "code.function.name": fresh(function),
            "code.line.number": line,
        }


def fill_requests(recorder: LogRecorder, count: int) -> None:
    """Fill `recorder` with one line per request, logged while the request's span is current."""
    logger = recorder.logger("storefront", "shop.web.access")
    random = recorder.random
    for _ in range(count):
        _, request = request_attributes(recorder)
        status = request["http.response.status_code"]
        severity = (SeverityNumber.INFO, "INFO") if status < 400 else (SeverityNumber.WARN, "WARN")
        attributes = recorder.place() | {
            "http.request.method": request["http.request.method"],
            "http.route": request["http.route"],
            "http.response.status_code": status,
        }
        line = f'10.1.{random.randrange(256)}.{random.randrange(256)} "{request["http.request.method"]} '
        logger.emit(
            timestamp=recorder.tick(),
            observed_timestamp=recorder.moment(),
            context=within(recorder.elsewhere(remote=False)),
            severity_number=severity[0],
            severity_text=severity[1],
            body=f'{line}{request["url.path"]} HTTP/1.1" {status} {random.randrange(100_000)}',
            attributes=attributes,
        )


def fill_exceptions(recorder: LogRecorder, count: int) -> None:
    """Fill `recorder` with logged exceptions, each with a real stack trace."""
    logger = recorder.logger("checkout", "shop.checkout")
    dispatch = shop_dispatcher()
    random = recorder.random
    for _ in range(count):
        order = random.randrange(1_000_000)
        provider = random.choice(("stripe", "adyen", "paypal"))
        error = dispatch(provider, order, random.randrange(100_000), random.randrange(2, 9))
        logger.emit(
            timestamp=recorder.tick(),
            observed_timestamp=recorder.moment(),
            context=within(recorder.elsewhere(remote=False)),
            severity_number=SeverityNumber.ERROR,
            severity_text="ERROR",
            body=f"checkout of order {order} by {provider} failed",
            attributes=recorder.place(),
            exception=error,
        )


def fill_structured(recorder: LogRecorder, count: int) -> None:
    """Fill `recorder` with events whose body is a dict of scalars, lists and further dicts."""
    logger = recorder.logger("orders", "shop.orders.events")
    random = recorder.random
    for _ in range(count):
        items: list[AnyValue] = [
            {"sku": recorder.hex(10), "quantity": random.randrange(1, 9), "price": random.random() * 90}
            for _ in range(random.randrange(1, 4))
        ]
        body: AnyValue = {
            "order": recorder.hex(16),
            "customer": {"id": random.randrange(1_000_000), "tier": fresh("gold"), "returning": random.random() < 0.6},
            "items": items,
            "total": random.random() * 400,
            "currency": fresh(random.choice(("EUR", "USD", "JPY"))),
            "tags": [fresh("web"), fresh("express")],
            "coupon": None,
        }
        logger.emit(
            timestamp=recorder.tick(),
            observed_timestamp=recorder.moment(),
            context=within(recorder.elsewhere(remote=False)),
            severity_number=SeverityNumber.INFO,
            severity_text="INFO",
            body=body,
            attributes={"enduser.id": f"user-{random.randrange(1_000_000)}", "session.id": recorder.hex(32)},
            event_name="order.placed",
        )


WORKLOADS = tuple(
    Workload("logs", name, description, LogRecorder, fill)
    for name, description, fill in (
        ("requests", "a line per request, 6 attributes", fill_requests),
        ("exceptions", "6 attributes, one of them a stack trace", fill_exceptions),
        ("structured", "the body a dict with lists and dicts, 2 attributes", fill_structured),
    )
)
