//! Offsets under construction: how many rows of another table belong to each row.

use super::limits::RowCount;
use super::{DecodeError, Limits};
use crate::table::Column;

/// An offsets column, and the number of rows of the table that it names.
#[derive(Debug)]
pub(super) struct OffsetsBuilder {
    offsets: Vec<u32>,
    rows: RowCount,
}

impl OffsetsBuilder {
    /// No rows yet in either table, but room for so many that name the others.
    pub(super) fn with_capacity(rows: usize, limits: Limits) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, rows: RowCount::new(limits) }
    }

    /// Counts a row of the other table, whose field begins at `tag_offset`, as one of the row under way.
    #[inline]
    pub(super) fn add(&mut self, tag_offset: usize) -> Result<(), DecodeError> {
        self.rows.add(tag_offset)
    }

    /// Ends the row under way.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.offsets.push(self.rows.get());
    }

    /// The column of the rows so far, without the room that was taken for more.
    pub(super) fn finish(mut self) -> Column {
        self.offsets.shrink_to_fit();
        Column::Offsets(self.offsets)
    }
}
