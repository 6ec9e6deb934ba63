//! lz4 streams, frame after frame: the reader of [`crate::lz4`], for input that comes in pieces.
//!
//! A frame is a row of elements whose length is known before they are read: magic number, descriptor, length of a block, block,
//! checksum. Each is collected until it is whole, then read; what a block holds is handed out before the next element.

use super::Step;
use crate::CompressionError::{self, Corrupt};
use crate::lz4::{Form, MAGIC, STORED, WINDOW, checksum, is_skippable};
use lz4_flex::block;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use std::hash::Hasher;
use twox_hash::XxHash32;

/// The element that comes next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Magic,
    Descriptor { len: usize },
    SkippedLength,
    Skipped { len: u32 },
    BlockLength,
    Block { content_len: usize, is_stored: bool },
    ContentChecksum,
}

pub(super) struct Reader {
    next: Next,
    /// The bytes of it that have come.
    element: Vec<u8>,
    form: Form,
    /// The last blocks of the frame.
    decoded: Vec<u8>,
    /// How much of them was handed out.
    given: usize,
    /// Of all content of the frame.
    content_len: u64,
    content_checksum: XxHash32,
    has_frames: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            next: Next::Magic,
            element: Vec::new(),
            form: Form::default(),
            decoded: Vec::new(),
            given: 0,
            content_len: 0,
            content_checksum: XxHash32::with_seed(0),
            has_frames: false,
        }
    }
}

impl Reader {
    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8], step: &mut Step) -> Result<(), CompressionError> {
        loop {
            let held = &self.decoded[self.given..];
            let count = held.len().min(room.len() - step.written);
            room[step.written..][..count].copy_from_slice(&held[..count]);
            step.written += count;
            self.given += count;
            if self.given < self.decoded.len() {
                return Ok(());
            }
            let rest = &input[step.consumed..];
            if let Next::Skipped { len } = self.next {
                let count = rest.len().min(len as usize);
                step.consumed += count;
                self.next = if count == len as usize { Next::Magic } else { Next::Skipped { len: len - count as u32 } };
            } else {
                let count = rest.len().min(self.next_len() - self.element.len());
                self.element.extend_from_slice(&rest[..count]);
                step.consumed += count;
                if self.element.len() == self.next_len() {
                    let mut element = std::mem::take(&mut self.element);
                    self.read(&mut element)?;
                    self.element = element;
                    continue;
                }
            }
            if step.consumed == input.len() {
                return Ok(());
            }
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.has_frames && self.next == Next::Magic && self.element.is_empty()
    }

    fn next_len(&self) -> usize {
        match self.next {
            Next::Magic | Next::SkippedLength | Next::BlockLength | Next::ContentChecksum => 4,
            Next::Descriptor { len } => len,
            Next::Skipped { len } => len as usize,
            Next::Block { content_len, .. } => content_len + if self.form.has_block_checksums() { 4 } else { 0 },
        }
    }

    /// Reads an element that is whole, and clears it where it is done.
    fn read(&mut self, element: &mut Vec<u8>) -> Result<(), CompressionError> {
        self.next = match self.next {
            Next::Magic => self.read_magic(little_endian(element))?,
            Next::Descriptor { len } => {
                let actual = Form::descriptor_len(element[0]);
                if actual > len {
                    self.next = Next::Descriptor { len: actual };
                    return Ok(());
                }
                self.begin_frame(Form::read(element)?)
            }
            Next::SkippedLength => Next::Skipped { len: little_endian(element) },
            Next::Skipped { .. } => Next::Magic,
            Next::BlockLength => self.read_block_length(little_endian(element))?,
            Next::Block { content_len, is_stored } => {
                let (content, check) = element.split_at(content_len);
                if self.form.has_block_checksums() && little_endian(check) != checksum(content) {
                    return Err(Corrupt);
                }
                self.read_block(content, is_stored)?
            }
            Next::ContentChecksum if little_endian(element) != self.content_checksum.finish_32() => {
                return Err(Corrupt);
            }
            Next::ContentChecksum => Next::Magic,
        };
        element.clear();
        Ok(())
    }

    fn read_magic(&mut self, magic: u32) -> Result<Next, CompressionError> {
        self.has_frames = true;
        match magic {
            MAGIC => Ok(Next::Descriptor { len: Form::descriptor_len(0) }),
            magic if is_skippable(magic) => Ok(Next::SkippedLength),
            _ => Err(Corrupt),
        }
    }

    fn begin_frame(&mut self, form: Form) -> Next {
        self.form = form;
        self.decoded.clear();
        self.given = 0;
        self.content_len = 0;
        self.content_checksum = XxHash32::with_seed(0);
        Next::BlockLength
    }

    fn read_block_length(&mut self, length: u32) -> Result<Next, CompressionError> {
        if length == 0 {
            self.form.check_content_size(self.content_len)?;
            return Ok(if self.form.has_content_checksum() { Next::ContentChecksum } else { Next::Magic });
        }
        let content_len = (length & !STORED) as usize;
        if content_len > self.form.block_size() {
            return Err(Corrupt);
        }
        Ok(Next::Block { content_len, is_stored: length & STORED != 0 })
    }

    fn read_block(&mut self, content: &[u8], is_stored: bool) -> Result<Next, CompressionError> {
        let window_len = if self.form.is_linked() { self.decoded.len().min(WINDOW) } else { 0 };
        self.decoded.drain(..self.decoded.len() - window_len);
        self.decoded.resize(window_len + self.form.room_for(content, is_stored), 0);
        let (window, room) = self.decoded.split_at_mut(window_len);
        let count = if is_stored {
            room.copy_from_slice(content);
            content.len()
        } else {
            block::decompress_into_with_dict(content, room, window).map_err(|_| Corrupt)?
        };
        self.decoded.truncate(window_len + count);
        self.given = window_len;
        let written = &self.decoded[window_len..];
        self.content_len += written.len() as u64;
        if self.form.has_content_checksum() {
            self.content_checksum.write(written);
        }
        Ok(Next::BlockLength)
    }
}

/// The number that four bytes are.
fn little_endian(element: &[u8]) -> u32 {
    element.iter().rev().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// Blocks of 1 MiB: what is held back of a stream, and what its reader has to hold.
pub(super) fn writer() -> FrameEncoder<Vec<u8>> {
    let form = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max1MB).content_checksum(true);
    FrameEncoder::with_frame_info(form, Vec::new())
}
