"""Decisions to bytes and back: a binary range coder with probabilities that learn, and the plain columns beside it.

A probability is an integer: how likely the decision is to be true, in 1/65536, in its high half, and how often it was
taken in its low one. They stand in lists, so that a decision is named by a list and a place in it.

`Coder` is one interface for both directions. `Writing` is given each value and writes it; `Reading` ignores what it is
given and gives the value that was written. Whatever is built on it is written once.
"""

from __future__ import annotations

from typing import Protocol

from otlp_fast.reference.tracezip.constants import MAX_COUNT

NEW_BIT = 0x8000 << 16
"""The probability of a decision that was never taken: one half, taken 0 times."""
RATES = [131_072 // (2 * count + 3) for count in range(MAX_COUNT + 1)]
"""By how much a probability moves towards what happened, in 1/65536, by how often it was taken before."""
U32 = 0xFFFF_FFFF


def learned(model: int, taken: bool) -> int:
    """Give a probability after one more decision: never 0 or 1, as less is taken off than there is."""
    probability, count = model >> 16, model & 0xFFFF
    if taken:
        probability += (65_535 - probability) * RATES[count] >> 16
    else:
        probability -= probability * RATES[count] >> 16
    return probability << 16 | min(count + 1, MAX_COUNT)


def cut_of(low: int, high: int, model: int) -> int:
    """Give where the interval is cut: the part up to here, and with it, is true."""
    return low + ((high - low) * (model >> 16) >> 16)


class Coder(Protocol):
    """One of the two directions."""

    is_writing: bool

    def bit(self, models: list[int], at: int, value: bool) -> bool:
        """Code a decision, by the probability at a place, which learns."""

    def bits(self, width: int, value: int) -> int:
        """Code the low `width` bits of a number, 0 to 64, that nothing predicts."""

    def plain(self, length: int, value: bytes) -> bytes:
        """Code bytes that nothing predicts."""

    def text(self, length: int, value: bytes) -> bytes:
        """Code text of this many bytes."""


class Writing:
    """The writing end: makes the four columns."""

    is_writing = True

    def __init__(self) -> None:
        """Begin with empty columns."""
        self.decisions = bytearray()
        self.plain_bytes = bytearray()
        self.plain_text = bytearray()
        self._low, self._high = 0, U32
        self._bits = 0
        self._bits_len = 0

    def bit(self, models: list[int], at: int, value: bool) -> bool:
        """Write a decision."""
        cut = cut_of(self._low, self._high, models[at])
        if value:
            self._high = cut
        else:
            self._low = cut + 1
        models[at] = learned(models[at], value)
        # What both ends of the interval begin with is certain.
        while (self._low ^ self._high) >> 24 == 0:
            self.decisions.append(self._high >> 24)
            self._low = self._low << 8 & U32
            self._high = self._high << 8 & U32 | 0xFF
        return value

    def bits(self, width: int, value: int) -> int:
        """Write plain bits."""
        self._bits |= value << self._bits_len
        self._bits_len += width
        return value

    def plain(self, length: int, value: bytes) -> bytes:
        """Write plain bytes."""
        self.plain_bytes += value
        return value

    def text(self, length: int, value: bytes) -> bytes:
        """Write text."""
        self.plain_text += value
        return value

    def finish(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Give the columns: decisions, bits, bytes, text."""
        decisions = bytes(self.decisions)
        if (self._low, self._high) != (0, U32):
            # The shortest number inside the interval; the reader puts zeros behind it.
            decisions = (decisions + self._shortest()).rstrip(b"\0")
        bits = self._bits.to_bytes((self._bits_len + 7) // 8, "little")
        return decisions, bits, bytes(self.plain_bytes), bytes(self.plain_text)

    def _shortest(self) -> bytes:
        for length in (1, 2, 3):
            mask = U32 >> 8 * length
            number = self._low + mask & ~mask
            if number <= self._high:
                return number.to_bytes(4, "big")[:length]
        return self._low.to_bytes(4, "big")


class Reading:
    """The reading end. What is not there reads as zeros, and is noted."""

    is_writing = False

    def __init__(self, decisions: bytes, bits: bytes, plain_bytes: bytes, text: bytes) -> None:
        """Read from these columns."""
        self._decisions = decisions
        self._decisions_at = 4
        self._number = int.from_bytes(decisions[:4].ljust(4, b"\0"), "big")
        self._low, self._high = 0, U32
        self._bits = int.from_bytes(bits, "little")
        self._bits_len = 8 * len(bits)
        self._bits_at = 0
        self._bytes, self._bytes_at = plain_bytes, 0
        self._text, self._text_at = text, 0
        self.is_overrun = False

    def bit(self, models: list[int], at: int, value: bool) -> bool:
        """Read a decision."""
        cut = cut_of(self._low, self._high, models[at])
        value = self._number <= cut
        if value:
            self._high = cut
        else:
            self._low = cut + 1
        models[at] = learned(models[at], value)
        while (self._low ^ self._high) >> 24 == 0:
            self._low = self._low << 8 & U32
            self._high = self._high << 8 & U32 | 0xFF
            at_end = self._decisions_at >= len(self._decisions)
            self._number = self._number << 8 & U32 | (0 if at_end else self._decisions[self._decisions_at])
            self._decisions_at += 1
        return value

    def bits(self, width: int, value: int) -> int:
        """Read plain bits."""
        if self._bits_at + width > self._bits_len:
            self._bits_at = self._bits_len
            self.is_overrun = True
            return 0
        result = self._bits >> self._bits_at & (1 << width) - 1
        self._bits_at += width
        return result

    def plain(self, length: int, value: bytes) -> bytes:
        """Read plain bytes."""
        result = self._bytes[self._bytes_at : self._bytes_at + length]
        if len(result) < length:
            self.is_overrun = True
            return bytes(length)
        self._bytes_at += length
        return result

    def text(self, length: int, value: bytes) -> bytes:
        """Read text."""
        if length > len(self._text) - self._text_at:
            self.is_overrun = True
            return b""
        self._text_at += length
        return self._text[self._text_at - length : self._text_at]

    def is_complete(self) -> bool:
        """Whether everything was read, and nothing that is not there."""
        return (
            not self.is_overrun
            and self._decisions_at >= len(self._decisions)
            and self._bytes_at == len(self._bytes)
            and self._text_at == len(self._text)
            and (self._bits_at + 7) // 8 == self._bits_len // 8
        )
