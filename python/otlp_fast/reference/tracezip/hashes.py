"""The checksum of a frame, and the hashes by which the two ends know that they have the same."""

from __future__ import annotations

from xxhash import xxh3_64_intdigest

POLYNOMIAL = 0x82F6_3B78
"""CRC-32C (Castagnoli), its bits reversed."""


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_table_entry(byte) for byte in range(256)]


def crc32c(content: bytes) -> int:
    """CRC-32C, as of iSCSI (RFC 3720): it begins with all bits set, and all are inverted at its end."""
    crc = 0xFFFF_FFFF
    for byte in content:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFF_FFFF


def hash_of(content: bytes, seed: int = 0) -> int:
    """XXH3 in 64 bits: of requests, and of what the tables hold."""
    digest: int = xxh3_64_intdigest(content, seed)
    return digest


def next_hash(base: int, raw_block: bytes, text: bytes) -> int:
    """Give the hash of a state behind a frame, from the one in front of it and the columns' plaintext."""
    return hash_of(text, hash_of(raw_block, base))
