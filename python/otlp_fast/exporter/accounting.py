"""What became of the items of a batch: each of them once, as exported, as kept on disk, or as lost for a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

REFUSED_BY_ENCODER = "refused_by_encoder"
TOO_LARGE = "too_large"
REJECTED_BY_RECEIVER = "rejected_by_receiver"
FAILED = "failed"
SPOOL_FULL = "spool_full"
SPOOL_FAILED = "spool_failed"

REASONS = {
    REFUSED_BY_ENCODER: "refused by the encoder",
    TOO_LARGE: "too large",
    REJECTED_BY_RECEIVER: "rejected by the receiver",
    FAILED: "not delivered",
    SPOOL_FULL: "not delivered and the spool is full",
    SPOOL_FAILED: "not delivered and not written to the spool",
}
"""Why items are lost, by their names in `stats()`, with the words for log lines."""


@dataclass
class Loss:
    """Items lost for one reason."""

    count: int
    explanation: str
    """Of the first such loss."""
    error_type: str


@dataclass
class DeliveryReport:
    """What became of the items of a batch."""

    exported: int = 0
    spooled: int = 0
    """Kept on disk, to be sent later."""
    losses: dict[str, Loss] = field(default_factory=dict)
    status: Mapping[str, str | int] = field(default_factory=dict)
    """Status of the first answer that was not a success, as an attribute of metrics."""

    @property
    def lost(self) -> int:
        """Number of items that did not arrive and will not."""
        return sum(loss.count for loss in self.losses.values())

    @property
    def accounted(self) -> int:
        """Number of items of which it is known what became of them."""
        return self.exported + self.spooled + self.lost

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
            part = f"{loss.count} {REASONS[reason]}"
            parts.append(f"{part}: {loss.explanation}" if loss.explanation else part)
        return "; ".join(parts)
