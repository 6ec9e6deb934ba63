"""Tracezip in pure Python: the executable specification that the native codec is tested against.

Written to be read, not to be fast: each frame works on a copy of all that was learned, so that going back is keeping
the old one. Headers, directories and columns are native's bit for bit; where they differ, one of both has a bug. The
document is docs/tracezip-format.md. It needs xxhash and zstandard: `pip install 'otlp-fast[reference]'`.

| module | holds |
|---|---|
| `encoder`, `decoder` | a stream's two ends: what is committed, what is pending, what is refused |
| `frame`, `hashes`, `errors` | how a frame is laid out; checksum and hashes; what is said of what is refused |
| `stream`, `zblock` | columns in a frame; the text that is compressed with earlier text |
| `codec`, `encoding`, `decoding` | all that was learned; requests to columns and back |
| `plan` | what is done with each field of OTLP |
| `canonical`, `skeleton`, `shape`, `template` | messages and texts, taken apart into what stays and what differs |
| `shapes`, `families`, `ids` | the tables: what stays, the values of what differs, spans |
| `values`, `models`, `coder` | how each value is predicted; trees of decisions; decisions to bytes |
| `constants` | every number of the format |
"""

from otlp_fast.reference.tracezip.decoder import Decoder
from otlp_fast.reference.tracezip.encoder import Encoder

__all__ = ["Decoder", "Encoder"]
