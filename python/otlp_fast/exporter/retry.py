"""When to send a request again, and how long to wait before.

What is worth a retry is for each transport to say; these rules are the same for both: exponential backoff with
jitter, unless the receiver names a time. Deadlines and the waiting itself belong to the client.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import random

# Six rounds, as the official exporter: at the default backoff that is 31 seconds. What the limit is for is a receiver
# that asks for a retry at once for as long as it is asked.
MAX_ROUNDS = 6

BACKOFF_BASE_SECONDS = 1.0
BACKOFF_JITTER = 0.2


def backoff_seconds(retry: int) -> float:
    """Seconds to wait before retry number `retry`, counted from 0: doubling, spread by 20 % to both sides."""
    spread = random.uniform(1 - BACKOFF_JITTER, 1 + BACKOFF_JITTER)
    return float(BACKOFF_BASE_SECONDS * 2**retry * spread)
