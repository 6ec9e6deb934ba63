"""What is said of a frame that is refused: the words are native's, so that tests can compare them."""

from __future__ import annotations

from otlp_fast.errors import CompressionError, LimitError, RepeatedFrameError, StateLostError


def damaged(problem: str, offset: int) -> CompressionError:
    """Make the error of a frame that is none, is cut off, or was changed on its way."""
    return CompressionError(f"{problem} at byte {offset}")


def check(limit: str, found: int, allowed: int) -> None:
    """Refuse what passes a limit."""
    if found > allowed:
        raise LimitError(f"{found} passes the limit {limit}, {allowed}")


def state_lost() -> StateLostError:
    """Make the error of a frame that builds on another state."""
    return StateLostError("the frame builds on a state that is not here: the stream must be reset")


def repeated() -> RepeatedFrameError:
    """Make the error of a frame that was committed before."""
    return RepeatedFrameError("the frame was taken before")
