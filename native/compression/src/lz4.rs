//! lz4 frames: written by `lz4_flex`, read here around its blocks.
//!
//! Why not its reader too: it takes a frame that is cut off between two blocks for a whole one, sets 12 MB aside for a header
//! of fifteen bytes that says so, and copies everything once more, which takes up to twice the time. The
//! [format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md) is a header, blocks with their length, an end mark
//! and a checksum.
//!
//! **What is written**: independent blocks of a size class that holds the data, so that a request up to 4 MiB is one block;
//! the content's length, so that a reader can allocate once; a checksum over the content, none over blocks, which
//! would check the same bytes twice. `pierrec/lz4`, which the Collector reads with, takes all of that.
//! **What is read**: every frame of version 1 without a dictionary, and skippable frames.

use crate::CompressionError::{self, Corrupt, OutOfMemory, TooLarge, Truncated};
use crate::output::Output;
use lz4_flex::block::{self, DecompressError};
use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};
use std::io::Write;
use twox_hash::XxHash32;

pub(crate) const MAGIC: u32 = 0x184D_2204;
/// The first of sixteen.
const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;

// The byte FLG of a frame's descriptor.
const VERSION: u8 = 0b0100_0000;
const VERSION_MASK: u8 = 0b1100_0000;
const INDEPENDENT_BLOCKS: u8 = 0b0010_0000;
const BLOCK_CHECKSUMS: u8 = 0b0001_0000;
const CONTENT_SIZE: u8 = 0b0000_1000;
const CONTENT_CHECKSUM: u8 = 0b0000_0100;
const RESERVED: u8 = 0b0000_0010;
const DICTIONARY: u8 = 0b0000_0001;

/// In the length of a block: its content is stored as it is.
pub(crate) const STORED: u32 = 1 << 31;
/// How far back a match can reach into the blocks before.
pub(crate) const WINDOW: usize = 64 << 10;
/// No block becomes more than this many times as long, and this much more.
const MAX_RATIO: usize = 255;

/// The size classes of blocks: 64 KiB, 256 KiB, 1 MiB, 4 MiB.
const SIZE_CLASSES: std::ops::RangeInclusive<u8> = 4..=7;

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    XxHash32::oneshot(0, bytes)
}

/// The check byte of a descriptor.
fn header_checksum(descriptor: &[u8]) -> u8 {
    (checksum(descriptor) >> 8) as u8
}

pub(crate) fn compress(data: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let mut out = Vec::new();
    // What compresses less makes the output grow.
    out.try_reserve(data.len() / 2 + 64).map_err(|_| OutOfMemory)?;
    let form = FrameInfo::new()
        .block_mode(BlockMode::Independent)
        .content_size(Some(data.len() as u64))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(form, out);
    // Nothing but memory can be missing.
    encoder.write_all(data).map_err(|_| OutOfMemory)?;
    encoder.finish().map_err(|_| OutOfMemory)
}

pub(crate) fn decompress(data: &[u8], max_size: usize) -> Result<Vec<u8>, CompressionError> {
    let mut input = Input { rest: data };
    let mut output = Output::new(max_size);
    while !input.rest.is_empty() {
        match input.u32()? {
            MAGIC => read_frame(&mut input, &mut output)?,
            magic if is_skippable(magic) => {
                let length = input.u32()?;
                input.take(length as usize)?;
            }
            _ => return Err(Corrupt),
        }
    }
    Ok(output.finish())
}

/// Whether a magic number begins a frame without content.
pub(crate) fn is_skippable(magic: u32) -> bool {
    magic & !0xf == SKIPPABLE_MAGIC
}

/// What the descriptor of a frame says about it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Form {
    flags: u8,
    class: u8,
    content_size: Option<u64>,
}

impl Form {
    /// How long a descriptor is, by its first byte.
    pub(crate) fn descriptor_len(flags: u8) -> usize {
        if flags & CONTENT_SIZE == 0 { 3 } else { 11 }
    }

    /// Reads a descriptor with its check byte.
    pub(crate) fn read(descriptor: &[u8]) -> Result<Self, CompressionError> {
        let [described @ .., check] = descriptor else { return Err(Truncated) };
        let [flags, block_descriptor, size @ ..] = described else { return Err(Truncated) };
        let class = block_descriptor >> 4;
        if flags & VERSION_MASK != VERSION
            || flags & (RESERVED | DICTIONARY) != 0
            || block_descriptor & 0x0f != 0
            || !SIZE_CLASSES.contains(&class)
            || *check != header_checksum(described)
        {
            return Err(Corrupt);
        }
        Ok(Self { flags: *flags, class, content_size: size.try_into().ok().map(u64::from_le_bytes) })
    }

    /// The longest that a block may be.
    pub(crate) fn block_size(self) -> usize {
        1 << (8 + 2 * self.class)
    }

    /// Whether blocks refer to those before them.
    pub(crate) fn is_linked(self) -> bool {
        self.flags & INDEPENDENT_BLOCKS == 0
    }

    /// Whether the frame ends with a checksum of its content.
    pub(crate) fn has_content_checksum(self) -> bool {
        self.flags & CONTENT_CHECKSUM != 0
    }

    /// Whether each block is followed by a checksum of it.
    pub(crate) fn has_block_checksums(self) -> bool {
        self.flags & BLOCK_CHECKSUMS != 0
    }

    /// Checks the length of the whole content, where the frame tells it.
    pub(crate) fn check_content_size(self, len: u64) -> Result<(), CompressionError> {
        if self.content_size.is_some_and(|size| size != len) { Err(Corrupt) } else { Ok(()) }
    }

    /// How long the content of a block may become.
    pub(crate) fn room_for(self, content: &[u8], is_stored: bool) -> usize {
        if is_stored { content.len() } else { self.block_size().min(content.len() * MAX_RATIO) }
    }
}

/// Reads a frame behind its magic number.
fn read_frame(input: &mut Input<'_>, output: &mut Output) -> Result<(), CompressionError> {
    let flags = *input.rest.first().ok_or(Truncated)?;
    let form = Form::read(input.take(Form::descriptor_len(flags))?)?;
    let start = output.len();
    loop {
        let length = input.u32()?;
        if length == 0 {
            break;
        }
        let content = input.take((length & !STORED) as usize)?;
        if content.len() > form.block_size() {
            return Err(Corrupt);
        }
        if form.has_block_checksums() && input.u32()? != checksum(content) {
            return Err(Corrupt);
        }
        // The window of a frame whose blocks are not independent reaches back to its own beginning, no further.
        let window_start = if form.is_linked() { start } else { output.len() };
        read_block(content, length & STORED != 0, form, window_start, output)?;
    }
    let (written, _) = output.split(0)?;
    let written = &written[start..];
    form.check_content_size(written.len() as u64)?;
    if form.has_content_checksum() && input.u32()? != checksum(written) {
        return Err(Corrupt);
    }
    Ok(())
}

fn read_block(
    content: &[u8],
    is_stored: bool,
    form: Form,
    window_start: usize,
    output: &mut Output,
) -> Result<(), CompressionError> {
    let wanted = form.room_for(content, is_stored);
    let (written, room) = output.split(wanted)?;
    let is_limited = room.len() < wanted;
    let count = if is_stored {
        room.get_mut(..content.len()).ok_or(TooLarge)?.copy_from_slice(content);
        content.len()
    } else {
        let window = &written[window_start.max(written.len().saturating_sub(WINDOW))..];
        block::decompress_into_with_dict(content, room, window).map_err(|error| match error {
            DecompressError::OutputTooSmall { .. } if is_limited => TooLarge,
            _ => Corrupt,
        })?
    };
    output.advance(count);
    Ok(())
}

/// What is left of the input.
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], CompressionError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], CompressionError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, CompressionError> {
        Ok(u32::from_le_bytes(*self.array()?))
    }
}
