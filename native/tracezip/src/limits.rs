//! What a decoder allows, each checked before memory is taken.

use crate::capacity::STATE_LOG2;
use crate::error::TracezipError;

/// Above this many bytes of request, a frame must not be smaller than a thousandth of it.
pub const RATIO_FREE_LEN: u64 = 1 << 20;
/// The most bytes of request that a byte of frame may stand for above [`RATIO_FREE_LEN`].
pub const MAX_RATIO: u64 = 1_000;
/// The most columns that a frame may have.
pub const MAX_COLUMNS: u64 = 4_096;
/// The smallest and the largest state that a stream can be given, in bytes.
pub const STATE_RANGE: std::ops::RangeInclusive<usize> = 1 << *STATE_LOG2.start()..=1 << *STATE_LOG2.end();

/// What a decoder allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request that a frame may stand for, in bytes.
    pub max_decoded_len: u64,
    /// The most bytes that the columns of a frame may take.
    pub max_plain_len: u64,
    /// The most bytes that the tables of the stream may take; of an encoder, rounded down to a power of two.
    pub max_state: usize,
}

impl Default for Limits {
    /// 20 MiB of request, as the Collector takes over HTTP; 16 MiB of columns; 4 MiB of state.
    fn default() -> Self {
        Self { max_decoded_len: 20 << 20, max_plain_len: 16 << 20, max_state: 4 << 20 }
    }
}

impl Limits {
    /// The power of two that a state may have at most.
    pub(crate) fn state_log2(&self) -> u32 {
        self.max_state.clamp(*STATE_RANGE.start(), *STATE_RANGE.end()).ilog2()
    }
}

/// Refuses what passes a limit.
pub(crate) fn check(limit: &'static str, found: u64, allowed: u64) -> Result<(), TracezipError> {
    if found <= allowed { Ok(()) } else { Err(TracezipError::Limit { limit, found, allowed }) }
}
