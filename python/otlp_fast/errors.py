"""The errors of otlp_fast. Each is also a ValueError, so code that catches that already catches these."""


class OtlpError(Exception):
    """The base of all errors of otlp_fast."""


class EncodeError(OtlpError, ValueError):
    """Something that cannot be encoded.

    Attributes:
        path: where it stands in the input, as in `spans[3]`; empty where that is not known.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        """Make an error about the item at `path`."""
        super().__init__(message)
        self.path = path


class DecodeError(OtlpError, ValueError):
    """Bytes that are not what they should be.

    Attributes:
        offset: offset in bytes of the offending item from the start of the input.
        path: the field that it was found in, dotted from the message down; empty for the message itself.
    """

    def __init__(self, message: str, *, offset: int = 0, path: str = "") -> None:
        """Make an error about the byte at `offset`, in the field at `path`."""
        super().__init__(message)
        self.offset = offset
        self.path = path


class CompressionError(OtlpError, ValueError):
    """Compressed data that is corrupt or cut off, or that passes the limit when it is decompressed."""


class LimitError(CompressionError):
    """Compressed data that passes a limit: whole as it may be, no other try will be taken."""


class StateLostError(CompressionError):
    """A tracezip frame that builds on a state which its decoder does not have: the sender must reset the stream."""


class RepeatedFrameError(CompressionError):
    """A tracezip frame that was committed before: it is to be answered as then, and not to be delivered again."""


class FileError(OtlpError, ValueError):
    """A file that cannot be read on, or that cannot be written as it was asked for.

    Attributes:
        name: of the file.
        record: the number of the record, from 1; 0 where it is the file as a whole.
        offset: where that record begins, in bytes from the start of the decompressed content.
    """

    def __init__(self, message: str, *, name: str, record: int = 0, offset: int = 0) -> None:
        """Make an error about a record of a file, or about the file."""
        place = f"{name}: record {record} at byte {offset:,}" if record else name
        super().__init__(f"{place}: {message}")
        self.name = name
        self.record = record
        self.offset = offset
