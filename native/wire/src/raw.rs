//! The growable output buffer: the one place outside the SIMD kernels where memory is written unchecked.
//!
//! Why not plain `Vec<u8>`: a protobuf field is two to four short pieces (tag, length, bytes), and `extend_from_slice`
//! pays a capacity check and a call to `memcpy` for each. Here a field is one capacity check, its fixed pieces are
//! single stores, and short strings are copied inline. All of it is safe to call: each function makes room first and
//! writes only what it made room for.
//!
//! Growth cannot abort the process. When the allocator refuses, or a message would pass [`MAX_LEN`], the buffer turns
//! *failed*: further writes are ignored, and the owner asks [`RawBuffer::failed`] once at the end of an item.

use crate::pool;
use crate::simd::records::{self, Seen, Template};
use crate::text::Text;
use crate::varint::{MAX_VARINT_LEN, encode_varint};

/// Most bytes that a buffer holds: protobuf refuses messages of 2 GiB and more.
pub const MAX_LEN: usize = i32::MAX as usize;

/// An append-only byte buffer in pooled memory.
#[derive(Debug, Default)]
pub struct RawBuffer {
    bytes: Vec<u8>,
    failed: bool,
}

impl RawBuffer {
    /// What was written so far.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether a write was ignored because there was no memory for it.
    #[inline]
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Forgets everything behind `len`. A buffer that failed stays failed: what is missing may lie in front of `len`.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Goes back to `len`, a length from before the failure if there was one, and forgets that.
    #[inline]
    pub fn restart(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.failed = false;
    }

    /// Forgets everything, and gives the memory back where it is more than `kept` bytes.
    #[inline]
    pub fn clear(&mut self, kept: usize) {
        self.restart(0);
        if self.bytes.capacity() > kept {
            pool::shared().give(std::mem::take(&mut self.bytes));
        }
    }

    /// Marks the buffer as failed, as if there had been no memory.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    /// Hands the memory out; the buffer is empty afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        self.failed = false;
        std::mem::take(&mut self.bytes)
    }

    /// Makes room for `additional` bytes; `false` when there is no memory for them.
    #[inline]
    pub fn reserve(&mut self, additional: usize) -> bool {
        self.bytes.capacity() - self.bytes.len() >= additional || self.grow(additional)
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) -> bool {
        let needed = self.bytes.len().saturating_add(additional);
        if self.failed || needed > MAX_LEN {
            self.failed = true;
            return false;
        }
        let Some(mut larger) = pool::shared().take(needed.max(self.bytes.capacity() * 2)) else {
            self.failed = true;
            return false;
        };
        larger.extend_from_slice(&self.bytes);
        pool::shared().give(std::mem::replace(&mut self.bytes, larger));
        true
    }

    /// Appends a fixed number of bytes.
    #[inline]
    pub fn put<const N: usize>(&mut self, piece: [u8; N]) {
        if self.reserve(N) {
            // SAFETY: `reserve` made room for N bytes behind the length; all of them are written.
            unsafe {
                let at = self.bytes.as_mut_ptr().add(self.bytes.len());
                at.cast::<[u8; N]>().write_unaligned(piece);
                self.bytes.set_len(self.bytes.len() + N);
            }
        }
    }

    /// Appends a slice.
    #[inline]
    pub fn put_slice(&mut self, piece: &[u8]) {
        if self.reserve(piece.len()) {
            // SAFETY: `reserve` made room for the whole piece, and a shared slice cannot overlap our own memory.
            unsafe {
                let at = self.bytes.as_mut_ptr().add(self.bytes.len());
                copy_short(piece.as_ptr(), at, piece.len());
                self.bytes.set_len(self.bytes.len() + piece.len());
            }
        }
    }

    /// Appends the eight little-endian bytes of each word.
    pub fn put_words(&mut self, words: &[u64]) {
        if self.reserve(size_of_val(words)) {
            self.bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
    }

    /// Appends a record for each row of the columns, and gives what was seen of each column.
    pub fn put_records<const N: usize>(&mut self, template: &Template<N>, columns: [&[u64]; N]) -> [Seen; N] {
        // The room that the kernel takes is made here, through the pool; the kernel then finds it there.
        match template.room(columns.iter().map(|column| column.len()).min().unwrap_or(0)) {
            Some(room) if self.reserve(room) => records::append(template, columns, &mut self.bytes),
            Some(_) => [Seen::default(); N],
            None => {
                self.failed = true;
                [Seen::default(); N]
            }
        }
    }

    /// Appends two slices, each behind a head of fixed size, with one check for room: the shape of a key and value.
    #[inline(always)]
    pub fn put_pair<const A: usize, const B: usize>(
        &mut self,
        head: [u8; A],
        key: &[u8],
        middle: [u8; B],
        value: &[u8],
    ) {
        let total = A + key.len() + B + value.len();
        if self.reserve(total) {
            // SAFETY: `reserve` made room for the sum of the four pieces, which are written one behind the other, and
            // shared slices cannot overlap our own memory.
            unsafe {
                let mut at = self.bytes.as_mut_ptr().add(self.bytes.len());
                at.cast::<[u8; A]>().write_unaligned(head);
                at = at.add(A);
                copy_short(key.as_ptr(), at, key.len());
                at = at.add(key.len());
                at.cast::<[u8; B]>().write_unaligned(middle);
                at = at.add(B);
                copy_short(value.as_ptr(), at, value.len());
                self.bytes.set_len(self.bytes.len() + total);
            }
        }
    }

    /// Appends `value` as a varint.
    #[inline]
    pub fn put_varint(&mut self, value: u64) {
        if value < 0x80 {
            return self.put([value as u8]);
        }
        let mut encoded = [0; MAX_VARINT_LEN];
        let length = encode_varint(value, &mut encoded);
        self.put_slice(&encoded[..length]);
    }

    /// Appends the UTF-8 form of `text`; gives the number of code points replaced by U+FFFD.
    #[inline]
    pub fn put_text(&mut self, text: Text<'_>) -> usize {
        match text {
            Text::Utf8(bytes) => {
                self.put_slice(bytes);
                0
            }
            // Room for the longest form is made here, through the pool; the kernels then find it there.
            wide if self.reserve(wide.room()) => wide.append_to(&mut self.bytes),
            _ => 0,
        }
    }

    /// Appends `count` bytes of unspecified content, to be overwritten.
    #[inline]
    pub fn put_gap(&mut self, count: usize) {
        if self.reserve(count) {
            self.bytes.resize(self.bytes.len() + count, 0);
        }
    }

    /// Replaces the `hole` bytes in front of `at` with `value` as a varint, moving what stands behind `at` when the
    /// varint takes another number of bytes.
    #[inline]
    pub fn fill_varint(&mut self, at: usize, hole: usize, value: u64) {
        // After a failure the hole may not be there, and the bytes in front of `at` somebody else's.
        if self.failed {
            return;
        }
        if hole == 1 && value < 0x80 {
            if let Some(byte) = self.bytes.get_mut(at.wrapping_sub(1)) {
                *byte = value as u8;
            }
            return;
        }
        if hole == 2 && (0x80..0x4000).contains(&value) {
            if let Some(bytes) = self.bytes.get_mut(at.wrapping_sub(2)..at) {
                bytes.copy_from_slice(&[value as u8 | 0x80, (value >> 7) as u8]);
            }
            return;
        }
        self.fill_long_varint(at, hole, value);
    }

    #[inline(never)]
    fn fill_long_varint(&mut self, at: usize, hole: usize, value: u64) {
        let mut encoded = [0; MAX_VARINT_LEN];
        let length = encode_varint(value, &mut encoded);
        if at < hole || at > self.bytes.len() {
            return;
        }
        let start = at - hole;
        if length > hole {
            if !self.reserve(length - hole) {
                return;
            }
            let end = self.bytes.len();
            self.bytes.resize(end + length - hole, 0);
            self.bytes.copy_within(at..end, start + length);
        } else if length < hole {
            self.bytes.copy_within(at.., start + length);
            self.bytes.truncate(self.bytes.len() - (hole - length));
        }
        self.bytes[start..start + length].copy_from_slice(&encoded[..length]);
    }

    /// Overwrites bytes that were written before.
    pub fn overwrite(&mut self, at: usize, piece: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + piece.len()) {
            place.copy_from_slice(piece);
        }
    }
}

/// Asks the kernel to back the memory of a large buffer by large pages, before anything is written to it.
///
/// Fresh memory costs a page fault for every 4 KiB, and writing a large request spends most of its time there: a million
/// points of 20 bytes took 12 to 16 ns each in fresh memory and 3 ns with large pages (AMD EPYC virtual machine,
/// 2026-11-21, transparent huge pages at "madvise", the default of many distributions). It is advice: where the kernel has
/// no large pages, or the system's setting is "never", nothing changes.
pub(crate) fn prefer_large_pages(memory: &mut Vec<u8>) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 2 << 20;
        let spare = memory.spare_capacity_mut();
        // Only pages that lie in the buffer as a whole: the memory around it is somebody else's.
        let skipped = spare.as_ptr().addr().wrapping_neg() % PAGE;
        let whole = spare.len().saturating_sub(skipped) / PAGE * PAGE;
        if whole > 0 {
            // SAFETY: the pages lie within the buffer, which is borrowed exclusively, and how memory is backed does not change
            // what it holds. A refusal is no error here.
            unsafe { libc::madvise(spare.as_mut_ptr().add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

impl Drop for RawBuffer {
    fn drop(&mut self) {
        if self.bytes.capacity() > 0 {
            pool::shared().give(std::mem::take(&mut self.bytes));
        }
    }
}

/// Copies `len` bytes, inline where it is short: attribute keys and values mostly are, and a call of `memcpy` costs
/// more than four overlapping words that cover any length from one word to four.
///
/// Two branches on the length are all there is. In the midst of a program that does other things they are predicted
/// badly, and a branch for each power of two cost as much again as the copy (docs/architecture.md, "On the request
/// thread").
///
/// # Safety
/// `from` must be readable and `to` writable for `len` bytes, and the two must not overlap.
#[inline(always)]
unsafe fn copy_short(from: *const u8, to: *mut u8, len: usize) {
    /// The words at the start, at the end, and at `$middle` from either.
    macro_rules! four_words {
        ($word:ty, $middle:expr) => {{
            const SIZE: usize = size_of::<$word>();
            let middle = $middle;
            // SAFETY: SIZE <= len and SIZE + middle <= len, so all four words lie within the `len` bytes that the caller
            // vouches for.
            unsafe {
                let offsets = [0, middle, len - SIZE - middle, len - SIZE];
                let words = offsets.map(|offset| from.add(offset).cast::<$word>().read_unaligned());
                for (offset, word) in offsets.into_iter().zip(words) {
                    to.add(offset).cast::<$word>().write_unaligned(word);
                }
            }
        }};
    }
    if len > 64 {
        // SAFETY: the caller vouches for `len` bytes on both sides.
        unsafe { std::ptr::copy_nonoverlapping(from, to, len) }
    } else if len >= 16 {
        four_words!(u128, len / 32 * 16);
    } else if len >= 4 {
        four_words!(u32, len / 8 * 4);
    } else if len > 0 {
        // SAFETY: 0, len / 2 and len - 1 lie within the `len` bytes that the caller vouches for.
        unsafe {
            for offset in [0, len / 2, len - 1] {
                to.add(offset).write(from.add(offset).read());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_every_short_length_are_copied_exactly() {
        let source: Vec<u8> = (0..100u8).collect();
        for length in 0..=source.len() {
            let mut buffer = RawBuffer::default();
            buffer.put(*b"<");
            buffer.put_slice(&source[..length]);
            buffer.put(*b">");
            assert_eq!(buffer.as_slice(), [b"<", &source[..length], b">"].concat());
            buffer.truncate(0);
            buffer.put_pair(*b"ab", &source[..length], *b"c", &source[length..]);
            assert_eq!(buffer.as_slice(), [b"ab", &source[..length], b"c", &source[length..]].concat());
        }
    }

    #[test]
    fn growth_keeps_what_was_written() {
        let mut buffer = RawBuffer::default();
        let mut expected = Vec::new();
        for round in 0..20_000u32 {
            buffer.put(round.to_le_bytes());
            expected.extend(round.to_le_bytes());
        }
        assert_eq!(buffer.as_slice(), expected);
    }

    #[test]
    fn clearing_keeps_little_memory_and_gives_much_back() {
        let mut buffer = RawBuffer::default();
        for (len, kept) in [(4096, true), (4097, false), (100, true)] {
            buffer.put_gap(len);
            buffer.fail();
            buffer.clear(4096);
            assert!(buffer.is_empty() && !buffer.failed());
            assert_eq!(buffer.bytes.capacity() > 0, kept);
        }
    }

    #[test]
    fn filled_varint_moves_content_only_when_its_length_was_misjudged() {
        for hole in 1..=3 {
            for value in [0u64, 1, 127, 128, 16_383, 16_384, 2_097_152] {
                let mut buffer = RawBuffer::default();
                buffer.put(*b"head");
                buffer.put_gap(hole);
                buffer.put(*b"content");
                buffer.fill_varint(4 + hole, hole, value);
                let mut encoded = [0; MAX_VARINT_LEN];
                let length = encode_varint(value, &mut encoded);
                assert_eq!(buffer.as_slice(), [b"head", &encoded[..length], b"content"].concat());
            }
        }
    }

    #[test]
    fn buffer_that_cannot_grow_fails_without_abort_and_recovers() {
        let mut buffer = RawBuffer::default();
        buffer.put(*b"kept");
        assert!(!buffer.reserve(MAX_LEN));
        assert!(buffer.failed());
        buffer.put_slice(&[7; 100_000]);
        buffer.fill_varint(100, 1, 300);
        assert_eq!(buffer.as_slice(), b"kept");
        buffer.fill_varint(4, 1, 5);
        buffer.truncate(4);
        assert!(buffer.failed());
        assert_eq!(buffer.as_slice(), b"kept");
        buffer.restart(4);
        assert!(!buffer.failed());
        buffer.put(*b"!");
        assert_eq!(buffer.as_slice(), b"kept!");
    }
}
