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
