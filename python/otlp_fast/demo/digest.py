"""The digest of a collection of requests, by which two processes tell whether they have the very same ones.

Requests of several threads arrive in any order, so the order does not count; how often one arrives does.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def digest_of_request(request: bytes) -> bytes:
    """Give the digest of one request."""
    return sha256(request).digest()


def digest_of_all(digests: Iterable[bytes]) -> str:
    """Give the digest of all requests that have these digests, as text."""
    return sha256(b"".join(sorted(digests))).hexdigest()
