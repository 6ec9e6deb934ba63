//! How large the tables of a stream are, which both ends must agree on to the byte.
//!
//! A frame says the size of the state that it builds on, as a power of two; everything else follows from it.

use std::ops::RangeInclusive;

/// The powers of two that a state's size in bytes can be: 64 KiB to 256 MiB.
pub(crate) const STATE_LOG2: RangeInclusive<u32> = 16..=28;

/// How large the tables of a stream are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// What the shapes may cost together, see `shapes::cost`.
    pub(crate) shapes: usize,
    /// What the values of all families may cost together, see `families::VALUE_COST`.
    pub(crate) values: usize,
    /// How many families there are.
    pub(crate) families: usize,
    /// How many mentions of spans are remembered.
    pub(crate) mentions: usize,
    /// How many bytes of earlier text are kept at least; at most twice as many are.
    pub(crate) text: usize,
}

impl Capacity {
    pub(crate) fn of(state_log2: u32) -> Self {
        let state = 1 << state_log2;
        Self {
            shapes: state / 8 * 3,
            values: state / 4,
            families: (state / 32_768).max(8),
            mentions: state / 1_024,
            text: state / 128,
        }
    }
}
