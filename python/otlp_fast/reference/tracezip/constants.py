"""Every constant of the format, by the name that it has in native/tracezip and grouped by the file it stands in there.

Two implementations that differ in one of them cannot read each other's frames, but for those under *Choices*.
"""

from __future__ import annotations

from typing import NamedTuple

U64 = (1 << 64) - 1

# --- capacity.rs ------------------------------------------------------------------------------------------------------
MIN_STATE_LOG2 = 16
"""The least power of two that a state's size in bytes can be: 64 KiB."""
MAX_STATE_LOG2 = 28
"""The greatest: 256 MiB."""


class Capacity(NamedTuple):
    """How large the tables of a stream are."""

    shapes: int
    """What the shapes may cost together, see `SHAPE_COST`."""
    values: int
    """What the values of all families may cost together, see `VALUE_COST`."""
    families: int
    """How many families there are."""
    mentions: int
    """How many mentions of spans are remembered."""
    text: int
    """How many bytes of earlier text are kept at least; at most twice as many are."""

    @classmethod
    def of(cls, state_log2: int) -> Capacity:
        """Give what follows from the size of the state, which is all that a frame says."""
        state = 1 << state_log2
        return cls(
            shapes=state // 8 * 3,
            values=state // 4,
            families=max(state // 32_768, 8),
            mentions=state // 1_024,
            text=state // 128,
        )


# --- limits.rs --------------------------------------------------------------------------------------------------------
RATIO_FREE_LEN = 1 << 20
"""Above this many bytes of request, a frame must not be smaller than a thousandth of it."""
MAX_RATIO = 1_000
MAX_COLUMNS = 4_096

# --- frame.rs ---------------------------------------------------------------------------------------------------------
MAGIC = b"TZ"
VERSION = 1
CHECKSUM_LEN = 4

# --- stream.rs: the numbers of the columns ----------------------------------------------------------------------------
PADDING = 0
DECISIONS = 1
BITS = 2
BYTES = 3
TEXT = 4

# --- coder.rs ---------------------------------------------------------------------------------------------------------
MAX_COUNT = 30
"""The number of times after which a probability adapts no slower."""

# --- models.rs --------------------------------------------------------------------------------------------------------
CLASS_WIDTH = 6
MAX_CLASS = (1 << CLASS_WIDTH) - 1
"""The class of all numbers that have 63 bits or more."""
CONTEXTS = 6
"""How many trees of magnitudes there are, by how large the number was last time."""
CONTEXT_STEP = 6
"""How many bits of class make a tree of its own."""
UNITS = (1, 1_000, 1_000_000)
"""The units that clocks tick in, in ns."""
UNIT_RUN = 6
"""After how many times in a row that were multiples of the next unit it is taken."""

# --- skeleton.rs ------------------------------------------------------------------------------------------------------
MAX_PACKED = 512
"""The most packed numbers that are holes."""
MAX_SKELETON_LEN = 1 << 16
"""A skeleton is shorter than this."""
MAX_HOLES = 1 << 12
"""The most holes of a node."""
MAX_DEPTH = 32
"""How deep inline messages go."""

# --- shapes.rs --------------------------------------------------------------------------------------------------------
SHAPE_COST = 256
"""What a shape costs beside its skeleton, which counts twice, and its holes."""
HOLE_COST = 80
FOLLOWERS = 2
"""How many of the shapes that followed another are remembered."""

# --- families.rs ------------------------------------------------------------------------------------------------------
MAX_VALUES = 1_024
"""The most values of a family."""
VALUE_COST = 96
"""What a value costs beside its bytes."""
MAX_VALUE_LEN = 8_192
"""The longest value that enters a table."""
TRIAL = 256
"""How many values are taken in before a family is judged."""
TEMPLATE_TRIAL = 64
"""How many templates are taken in before a family is judged by them."""

# --- values.rs --------------------------------------------------------------------------------------------------------
BINARY = 15
"""The scale of doubles that are no decimals of few digits."""
MAX_SCALE = 9
"""The most decimals of a double."""
MAX_EXACT = float(1 << 53)
"""Below this, integers are doubles, each its own."""

# --- template.rs ------------------------------------------------------------------------------------------------------
MAX_TEXT_LEN = 2_048
"""The longest text that is looked at."""
MAX_VARIABLES = 64
UUID_LEN = 36
MIN_HEX_LEN = 8
MAX_HEX_LEN = 64
MIN_WORD_LEN = 6
MAX_DIGITS = 18
DIGITS_FAMILY = b"\0digits"
WORD_FAMILY = b"\0word"
UUID_FAMILY = b"\0uuid"

# --- Choices of an encoder, which a decoder does not depend on --------------------------------------------------------
MAX_PREFIX_LEN = 8 << 10
"""How much of the earlier text is looked at."""
LEVEL = 1
"""zstd's level for the text."""
RAW_LEVEL = 3
"""zstd's level for requests that travel as they are."""
MIN_LEN = 256
"""Texts below this many bytes are not compressed."""
