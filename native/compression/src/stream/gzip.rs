//! gzip streams, member after member.

use super::Step;
use crate::CompressionError::{self, Corrupt};
use crate::gzip::{QUICK_LEVEL, WINDOW_BITS};
use flate2::write::GzEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};

#[derive(Default)]
pub(super) struct Reader {
    /// The member that has begun.
    member: Option<Decompress>,
    has_members: bool,
}

impl Reader {
    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8], step: &mut Step) -> Result<(), CompressionError> {
        if self.member.is_none() && input.is_empty() {
            return Ok(());
        }
        let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        self.has_members = true;
        let before = (member.total_in(), member.total_out());
        let status = member.decompress(input, room, FlushDecompress::None);
        step.consumed = (member.total_in() - before.0) as usize;
        step.written = (member.total_out() - before.1) as usize;
        if status.map_err(|_| Corrupt)? == Status::StreamEnd {
            self.member = None;
        }
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.has_members && self.member.is_none()
    }
}

/// A stream does not wait for a trial of both levels, as a request does.
pub(super) fn writer(level: Option<i32>) -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::new(level.unwrap_or(QUICK_LEVEL) as u32))
}
