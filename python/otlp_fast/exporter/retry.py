"""When to send a request again, and how long to wait before.

OTLP/HTTP lets a client retry on four statuses only, with exponential backoff and jitter, and asks it to honour the
receiver's Retry-After. Deadlines and the waiting itself belong to the client; here are only the rules.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import math
import random
import time
from datetime import timezone
from email.utils import parsedate_to_datetime

RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})

# Six rounds, as the official exporter: at the default backoff that is 31 seconds. What the limit is for is a receiver
# that answers `Retry-After: 0` for as long as it is asked.
MAX_ROUNDS = 6

BACKOFF_BASE_SECONDS = 1.0
BACKOFF_JITTER = 0.2


def backoff_seconds(retry: int) -> float:
    """Seconds to wait before retry number `retry`, counted from 0: doubling, spread by 20 % to both sides."""
    spread = random.uniform(1 - BACKOFF_JITTER, 1 + BACKOFF_JITTER)
    return float(BACKOFF_BASE_SECONDS * 2**retry * spread)


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, 0 for a moment that has passed, None where it says nothing usable.

    Both forms of RFC 9110 section 10.2.3 are read: a number of seconds and an HTTP date.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(moment.timestamp() - time.time(), 0.0)
