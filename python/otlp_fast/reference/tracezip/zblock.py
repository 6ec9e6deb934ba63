"""The ZBlock: one zstd frame of known size, compressed with the text of earlier frames in front of it."""

from __future__ import annotations

from zstandard import (
    DICT_TYPE_RAWCONTENT,
    ZstdCompressionDict,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
)

from otlp_fast.reference.tracezip.constants import MIN_LEN
from otlp_fast.reference.tracezip.errors import damaged

ZSTD_MAGIC = bytes.fromhex("28b52ffd")
"""What every zstd frame begins with; skippable frames begin otherwise."""


def _prefix(prefix: bytes) -> ZstdCompressionDict | None:
    return ZstdCompressionDict(prefix, dict_type=DICT_TYPE_RAWCONTENT) if prefix else None


def compress(prefix: bytes, text: bytes, level: int) -> bytes | None:
    """Give the zstd frame of a text behind a prefix; None where it would not be shorter."""
    if len(text) < MIN_LEN:
        return None
    compressed = ZstdCompressor(level=level, dict_data=_prefix(prefix)).compress(text)
    return compressed if len(compressed) < len(text) else None


def decompress(prefix: bytes, zblock: bytes, length: int, offset: int) -> bytes:
    """Give the text of a ZBlock that starts at `offset` of its frame, exactly `length` bytes."""
    if not zblock.startswith(ZSTD_MAGIC):
        raise damaged("a ZBlock that is not one zstd frame", offset)
    try:
        # The size is known before memory is taken.
        if frame_content_size(zblock) != length:
            raise damaged("a ZBlock of another size than announced", offset)
        decompressor = ZstdDecompressor(dict_data=_prefix(prefix))
        text = decompressor.decompress(zblock, read_across_frames=False, allow_extra_data=False)
    except ZstdError:
        raise damaged("a corrupt ZBlock", offset) from None
    if len(text) != length:
        raise damaged("a ZBlock of another size than announced", offset)
    return text
