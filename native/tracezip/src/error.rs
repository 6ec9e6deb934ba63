//! What can go wrong with a frame or a stream.

use std::fmt;

/// Why a frame was not made or not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracezipError {
    /// The frame is not one, is cut off, or was changed on its way.
    Damaged {
        /// What is wrong with it.
        problem: &'static str,
        /// Where in the frame, in bytes; in the column's plaintext where the problem names one.
        offset: usize,
    },
    /// The frame or the request passes a limit.
    Limit {
        /// Which one, by its name in [`crate::Limits`].
        limit: &'static str,
        /// What was found.
        found: u64,
        /// What is allowed.
        allowed: u64,
    },
    /// The frame builds on a state that this decoder does not have: its sender must reset the stream.
    StateLost,
    /// The frame was taken before: it must be answered as then, and not be delivered again.
    Repeated,
    /// The stream's last frame was neither committed nor rolled back.
    Uncommitted,
    /// No memory for the result.
    OutOfMemory,
}

impl fmt::Display for TracezipError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { problem, offset } => write!(out, "{problem} at byte {offset}"),
            Self::Limit { limit, found, allowed } => write!(out, "{found} passes the limit {limit}, {allowed}"),
            Self::StateLost => out.write_str("the frame builds on a state that is not here: the stream must be reset"),
            Self::Repeated => out.write_str("the frame was taken before"),
            Self::Uncommitted => out.write_str("the last frame was neither committed nor rolled back"),
            Self::OutOfMemory => out.write_str("no memory for the result"),
        }
    }
}

impl std::error::Error for TracezipError {}

/// A frame that is not one.
#[cold]
pub(crate) fn damaged(problem: &'static str, offset: usize) -> TracezipError {
    TracezipError::Damaged { problem, offset }
}
