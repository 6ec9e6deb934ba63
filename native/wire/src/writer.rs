//! Protobuf fields and nested messages, written in one forward pass.
//!
//! A nested message needs its length in front of its content. The usual way is to compute all sizes first, which
//! walks the data twice. Here [`Writer::open`] leaves as many bytes as the length will most likely take, the content is
//! written, and [`Writer::close`] fills the length in; only where the guess was wrong does the content move by a byte
//! or two. Lengths are always minimal, so the output is what any canonical encoder gives.
//!
//! Which fields are left out when empty is the caller's business: a field of a proto3 message is, a member of a
//! oneof is not.

use crate::raw::RawBuffer;
use crate::simd::records::{Seen, Template};
use crate::text::Text;
use crate::varint::varint_len;

/// Where an open message began: given by [`Writer::open`], taken by [`Writer::close`].
#[derive(Clone, Copy, Debug)]
#[must_use = "an opened message must be closed"]
pub struct Mark {
    /// Offset of the first byte of the content.
    content: usize,
    /// How many bytes were left for the length.
    hole: usize,
}

/// An append-only protobuf writer in pooled memory.
#[derive(Debug, Default)]
pub struct Writer {
    raw: RawBuffer,
    replaced: usize,
}

impl Writer {
    /// An empty writer. Memory is taken with the first write.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written so far.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.raw.as_slice()
    }

    /// The number of bytes written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Whether a write was ignored because there was no memory for it. Cleared by [`Writer::restart`].
    #[inline]
    pub fn failed(&self) -> bool {
        self.raw.failed()
    }

    /// Marks the writer as failed, so that the item at hand is refused at its end.
    pub fn fail(&mut self) {
        self.raw.fail();
    }

    /// Forgets everything behind `len`. A writer that failed stays failed.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.raw.truncate(len);
    }

    /// Goes back to `len`, a length from before the failure if there was one, and forgets that.
    #[inline]
    pub fn restart(&mut self, len: usize) {
        self.raw.restart(len);
    }

    /// Forgets everything, and gives the memory back where it is more than `kept` bytes.
    #[inline]
    pub fn clear(&mut self, kept: usize) {
        self.raw.clear(kept);
    }

    /// Hands the memory out; the writer is empty afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        self.raw.take()
    }

    /// How many code points were replaced by U+FFFD since the last call.
    #[inline]
    pub fn take_replaced(&mut self) -> usize {
        std::mem::take(&mut self.replaced)
    }

    /// Makes room ahead of a known number of bytes; `false` when there is no memory for them.
    #[inline]
    pub fn reserve(&mut self, additional: usize) -> bool {
        self.raw.reserve(additional)
    }

    /// Bytes as they are: a tag, a fixed-size field, or anything that is encoded already.
    #[inline]
    pub fn put<const N: usize>(&mut self, piece: [u8; N]) {
        self.raw.put(piece);
    }

    /// Encoded bytes of any length.
    #[inline]
    pub fn put_slice(&mut self, piece: &[u8]) {
        self.raw.put_slice(piece);
    }

    /// The eight little-endian bytes of each word.
    pub fn put_words(&mut self, words: &[u64]) {
        self.raw.put_words(words);
    }

    /// A record of fixed size for each row of the columns; gives what was seen of each column.
    pub fn put_records<const N: usize>(&mut self, template: &Template<N>, columns: [&[u64]; N]) -> [Seen; N] {
        self.raw.put_records(template, columns)
    }

    /// The UTF-8 form of a string, without tag and length.
    pub fn put_text(&mut self, text: Text<'_>) {
        self.replaced += self.raw.put_text(text);
    }

    /// Two slices behind heads of fixed size, with one check for room.
    #[inline]
    pub fn put_pair<const A: usize, const B: usize>(
        &mut self,
        head: [u8; A],
        key: &[u8],
        middle: [u8; B],
        value: &[u8],
    ) {
        self.raw.put_pair(head, key, middle, value);
    }

    /// `count` bytes to be overwritten later.
    pub fn put_gap(&mut self, count: usize) {
        self.raw.put_gap(count);
    }

    /// Overwrites bytes that were written before.
    pub fn overwrite(&mut self, at: usize, piece: &[u8]) {
        self.raw.overwrite(at, piece);
    }

    /// A varint without a tag.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        self.raw.put_varint(value);
    }

    /// A varint field. `tag` is a field number below 16 with its wire type, see [`crate::varint::short_tag`].
    #[inline]
    pub fn varint_field(&mut self, tag: u8, value: u64) {
        if value < 0x80 {
            self.raw.put([tag, value as u8]);
        } else {
            self.raw.put([tag]);
            self.raw.put_varint(value);
        }
    }

    /// A `fixed64` or `double` field from its eight little-endian bytes.
    #[inline]
    pub fn fixed64_field(&mut self, tag: u8, value: u64) {
        let mut field = [tag; 9];
        field[1..].copy_from_slice(&value.to_le_bytes());
        self.raw.put(field);
    }

    /// A `bytes` field, or any length-delimited field whose content is encoded already.
    #[inline]
    pub fn bytes_field(&mut self, tag: u8, content: &[u8]) {
        if content.len() < 0x80 {
            self.raw.put_pair([tag, content.len() as u8], content, [], &[]);
        } else {
            self.raw.put([tag]);
            self.raw.put_varint(content.len() as u64);
            self.raw.put_slice(content);
        }
    }

    /// A `string` field.
    #[inline]
    pub fn text_field(&mut self, tag: u8, text: Text<'_>) {
        match text {
            Text::Utf8(bytes) => self.bytes_field(tag, bytes),
            wide => self.wide_text_field(tag, wide),
        }
    }

    #[inline(never)]
    fn wide_text_field(&mut self, tag: u8, text: Text<'_>) {
        // Most text outside ASCII takes between one and two bytes for each unit of its storage form.
        let mark = self.open(tag, text.max_utf8_len() / 2);
        self.replaced += self.raw.put_text(text);
        self.close(mark);
    }

    /// Begins a length-delimited field whose content will take about `guess` bytes.
    #[inline]
    pub fn open(&mut self, tag: u8, guess: usize) -> Mark {
        let hole = if guess < 0x80 {
            self.raw.put([tag, 0]);
            1
        } else if guess < 0x4000 {
            self.raw.put([tag, 0, 0]);
            2
        } else {
            self.raw.put([tag]);
            let hole = varint_len(guess as u64);
            self.raw.put_gap(hole);
            hole
        };
        Mark { content: self.raw.len(), hole }
    }

    /// Ends the field that `mark` began.
    #[inline]
    pub fn close(&mut self, mark: Mark) {
        let length = self.raw.len().saturating_sub(mark.content);
        self.raw.fill_varint(mark.content, mark.hole, length as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Reader;
    use crate::varint::{WireType, short_tag};

    const TEXT: u8 = short_tag(1, WireType::Len);
    const NUMBER: u8 = short_tag(2, WireType::Varint);
    const FIXED: u8 = short_tag(3, WireType::Fixed64);

    #[test]
    fn fields_are_written_as_the_encoding_says() {
        let mut writer = Writer::new();
        writer.text_field(TEXT, Text::Utf8(b"testing"));
        writer.varint_field(NUMBER, 150);
        writer.fixed64_field(FIXED, 1);
        assert_eq!(writer.as_slice(), b"\x0a\x07testing\x10\x96\x01\x19\x01\0\0\0\0\0\0\0");
    }

    #[test]
    fn lengths_are_minimal_whatever_was_guessed() {
        for guess in [0, 127, 128, 16_383, 16_384, 3_000_000] {
            for length in [0usize, 1, 127, 128, 129, 16_383, 16_384, 70_000] {
                let content = vec![0x5a; length];
                let mut guessed = Writer::new();
                let mark = guessed.open(TEXT, guess);
                guessed.put_slice(&content);
                guessed.close(mark);
                let mut known = Writer::new();
                known.bytes_field(TEXT, &content);
                assert_eq!(guessed.as_slice(), known.as_slice(), "guess {guess}, length {length}");
            }
        }
    }

    #[test]
    fn nested_messages_are_closed_inside_out() {
        let mut writer = Writer::new();
        let outer = writer.open(TEXT, 10);
        let inner = writer.open(TEXT, 10);
        writer.put_slice(&[0x33; 200]);
        writer.close(inner);
        writer.close(outer);
        let mut reader = Reader::new(writer.as_slice());
        reader.read_tag().unwrap();
        let mut content = Reader::new(reader.read_bytes().unwrap());
        content.read_tag().unwrap();
        assert_eq!(content.read_bytes().unwrap(), [0x33; 200]);
        assert!(content.is_at_end() && reader.is_at_end());
    }

    #[test]
    fn wide_text_is_transcoded_and_replacements_are_counted() {
        let units: Vec<u16> = "für 東京 ".encode_utf16().chain([0xd800]).collect();
        let mut writer = Writer::new();
        writer.text_field(TEXT, Text::Ucs2(&units));
        let expected = "für 東京 \u{fffd}".as_bytes();
        assert_eq!(&writer.as_slice()[2..], expected);
        assert_eq!(writer.as_slice()[1] as usize, expected.len());
        assert_eq!((writer.take_replaced(), writer.take_replaced()), (1, 0));
    }
}
