"""Tracezip: a lossless, stateful codec for streams of OTLP requests.

An `Encoder` makes a frame of each request of a stream, a `Decoder` the same bytes of each frame. Both keep tables of
what has passed, so a frame holds only what is new. It is byte-exact for any input.

>>> from otlp_fast import tracezip
>>> encoder, decoder = tracezip.Encoder("traces"), tracezip.Decoder()
>>> frame = encoder.encode(b"any bytes")
>>> decoder.decode(frame)
b'any bytes'
>>> decoder.commit()  # the next hop has taken the request
>>> encoder.commit()  # and the receiver has said so

What is not committed can be rolled back, on both sides. In a file nobody answers: within `with`, frames count at once.

>>> with tracezip.Encoder("traces") as encoder:
...     frames = [encoder.encode(request) for request in (b"one", b"two")]
>>> with tracezip.Decoder() as decoder:
...     [decoder.decode(frame) for frame in frames]
[b'one', b'two']

The format is docs/tracezip-format.md; `otlp_fast.reference.tracezip` is it in plain Python.
"""

from otlp_fast.errors import CompressionError, LimitError, RepeatedFrameError, StateLostError
from otlp_fast.tracezip.header import FrameHeader, read_header
from otlp_fast.tracezip.limits import Limits
from otlp_fast.tracezip.stream import Decoder, DecoderStats, Encoder, EncoderStats

__all__ = [
    "CompressionError",
    "Decoder",
    "DecoderStats",
    "Encoder",
    "EncoderStats",
    "FrameHeader",
    "LimitError",
    "Limits",
    "RepeatedFrameError",
    "StateLostError",
    "read_header",
]
