"""Delivers one batch: encodes it, cuts it where it is too large, sends it, and accounts for every item.

Loss is never silent and never wider than its cause. An item that the encoder refuses costs itself; a request over the
size limit, the exporter's own or the receiver's (HTTP 413), is halved until it fits or a single item is left; what a
receiver rejects out of an accepted request is counted. After a receiver did not answer, the rest of the batch is
given up without another try: each part would only wait for the same deadline.

Everything given to `deliver` is in the report exactly once, as exported or as lost for one reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from otlp_fast import Buffer, EncodeError
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.compression import Compression, compress

Item = TypeVar("Item")
EncodedItem = TypeVar("EncodedItem", contravariant=True)

REFUSED_BY_ENCODER = "refused_by_encoder"
TOO_LARGE = "too_large"
REJECTED_BY_RECEIVER = "rejected_by_receiver"
FAILED = "failed"

_REASON_TEXTS = {
    REFUSED_BY_ENCODER: "refused by the encoder",
    TOO_LARGE: "too large",
    REJECTED_BY_RECEIVER: "rejected by the receiver",
    FAILED: "not delivered",
}

# The official exporter's exception of this name is what its metrics show as error.type for a request over the limit.
_TOO_LARGE_ERROR_TYPE = "RequestPayloadTooLargeError"


class RequestEncoder(Protocol[EncodedItem]):
    """A request under construction, such as `otlp_fast.SpanEncoder`."""

    def add(self, item: EncodedItem, /) -> None:
        """Add one item, or raise EncodeError and leave the request as it was."""

    def finish(self) -> Buffer:
        """Give the request."""


@dataclass
class Loss:
    """Items lost for one reason."""

    count: int
    explanation: str
    """Of the first such loss in the batch."""
    error_type: str


@dataclass
class DeliveryReport:
    """What became of a batch."""

    exported: int = 0
    losses: dict[str, Loss] = field(default_factory=dict)
    status: int | None = None
    """HTTP status of the first answer that was not a success."""

    @property
    def lost(self) -> int:
        """Number of items that did not arrive."""
        return sum(loss.count for loss in self.losses.values())

    def lose(self, reason: str, count: int, explanation: str, error_type: str) -> None:
        """Count `count` items as lost."""
        loss = self.losses.get(reason)
        if loss is None:
            self.losses[reason] = Loss(count, explanation, error_type)
        else:
            loss.count += count

    def describe(self) -> str:
        """Say how many items were lost and why, in one line."""
        parts = []
        for reason, loss in self.losses.items():
            part = f"{loss.count} {_REASON_TEXTS[reason]}"
            parts.append(f"{part}: {loss.explanation}" if loss.explanation else part)
        return "; ".join(parts)


class BatchDelivery(Generic[Item]):
    """Delivers batches of one kind of item through one client."""

    def __init__(
        self,
        client: OTLPClient,
        *,
        encode: Callable[[Sequence[Item]], bytes],
        new_encoder: Callable[[], RequestEncoder[Item]],
        compression: Compression,
        max_request_size: int,
    ) -> None:
        self._client = client
        self._encode = encode
        self._new_encoder = new_encoder
        self._compression = compression
        self._max_request_size = max_request_size

    def deliver(self, items: Sequence[Item], deadline: float, report: DeliveryReport) -> None:
        """Deliver `items` before `deadline`, a value of `time.monotonic()`, and account for them in `report`."""
        try:
            request = self._encode(items)
        except EncodeError:
            items, request = self._encode_what_can_be(items, report)
        if items:
            self._send(items, request, deadline, report)

    def _encode_what_can_be(self, items: Sequence[Item], report: DeliveryReport) -> tuple[Sequence[Item], bytes]:
        encoder = self._new_encoder()
        encoded = []
        for item in items:
            try:
                encoder.add(item)
            except EncodeError as error:
                # The encoder names the index: its own, which is that of the batch for the first refusal, and only the
                # first explanation is kept.
                report.lose(REFUSED_BY_ENCODER, 1, str(error), type(error).__qualname__)
            else:
                encoded.append(item)
        buffer = encoder.finish()
        request = bytes(buffer)
        buffer.release()
        return encoded, request

    def _send(self, items: Sequence[Item], request: bytes, deadline: float, report: DeliveryReport) -> None:
        # A stack of what is still to be sent, first part on top. Halves are encoded when their turn comes: most of the
        # parts of an oversized batch never exist as bytes at the same time.
        parts: list[tuple[Sequence[Item], bytes | None]] = [(items, request)]
        while parts:
            items, encoded = parts.pop()
            request = self._encode(items) if encoded is None else encoded
            if 0 < self._max_request_size < len(request):
                explanation = f"{len(request)} bytes exceed max_request_size {self._max_request_size}"
                error_type = _TOO_LARGE_ERROR_TYPE
            else:
                outcome = self._client.send(compress(request, self._compression), deadline)
                if outcome.delivered:
                    self._count_delivered(len(items), outcome.rejected, outcome.explanation, report)
                    continue
                explanation, error_type = outcome.explanation, outcome.error_type
                if report.status is None:
                    report.status = outcome.status
                if outcome.receiver_unavailable:
                    untried = sum(len(part) for part, _ in parts)
                    report.lose(FAILED, len(items) + untried, explanation, error_type)
                    return
                if not outcome.too_large:
                    report.lose(FAILED, len(items), explanation, error_type)
                    continue

            if len(items) > 1:
                middle = len(items) // 2
                parts += [(items[middle:], None), (items[:middle], None)]
            else:
                report.lose(TOO_LARGE, 1, explanation, error_type)

    @staticmethod
    def _count_delivered(count: int, rejected: int, message: str, report: DeliveryReport) -> None:
        # A receiver may answer any number; no more than was sent can have been rejected.
        rejected = min(rejected, count)
        report.exported += count - rejected
        if rejected:
            report.lose(REJECTED_BY_RECEIVER, rejected, message, "rejected")
