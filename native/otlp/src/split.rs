//! Cutting an export request into smaller ones, on its bytes.
//!
//! A receiver refuses what is larger than its limit, and an exporter wants to send what it refused in smaller pieces.
//! Both have the request only as bytes, and decoding it into objects would cost more than encoding it did. Here the
//! messages are read down to the items (spans, log records, data points), whose inside is never looked at.
//!
//! **How it works.** The request is walked once, item by item. Each message above the items is an *envelope*, which is all
//! of its fields but those that lead down: the resource, the scope, a metric's name, unit and temporality, the schema
//! URLs, and whatever field this code does not know. Per open message the walk keeps the length that it would have if it
//! ended here, so that the exact length of the part with one more item is a sum over at most five messages. When an item
//! does not fit, the open messages are ended, the part is done, and the next one begins with their envelopes.
//!
//! **What the parts are like.**
//! - Each is a request. Their items, one part after the other, are the items of the input in their order.
//! - They are filled greedily: an item begins a new part only if it does not fit into the one before.
//! - No part passes a limit, but for an item that passes `max_bytes` alone with its envelopes: that one has a part for
//!   itself, and the caller sees it by its length.
//! - What needs no cutting comes back as the same bytes. Of what is cut, the envelopes get minimal lengths; fields and
//!   items are copied as they are. Fields of an envelope that stand behind its first child stand behind the last one.
//! - A message without children (a resource group without scopes, a metric without data points) is kept where it stands,
//!   and counts as no item.
//! - A metric whose data stands in more than one field, which is legal and written by no encoder, is kept in one piece:
//!   protobuf merges such fields or lets the last one win, and neither survives a cut.
//!
//! **Hostile input.** Every length is checked by the reader. A request with a large envelope around many small items would
//! turn megabytes into gigabytes, as each part repeats the envelope: all parts together take at most twice the length of
//! the input and [`ALLOWANCE`], or the cut is refused. Two parts never pass that, so halving always works.

use crate::signal::{Level, Signal};
use otlp_wire::{Mark, ReadError, Reader, WireType, Writer, varint_len};
use std::borrow::Cow;
use std::fmt;

/// How many bytes the parts may take above twice the length of the input.
pub const ALLOWANCE: usize = 64 << 20;

/// What a part may hold. 0 stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The longest that a part may be, in bytes.
    pub max_bytes: usize,
    /// The most items that a part may hold.
    pub max_items: usize,
}

/// A request cut out of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The request; borrowed where it is the whole input.
    pub bytes: Cow<'a, [u8]>,
    /// How many spans, log records or data points it holds.
    pub item_count: usize,
}

/// Why a request was not cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitError {
    /// The input is not such a request.
    Malformed {
        /// What is wrong, and at which offset.
        error: ReadError,
        /// The message that it was found in, dotted from the request down.
        path: &'static str,
    },
    /// The parts would repeat so much that they pass twice the length of the input and [`ALLOWANCE`].
    TooMuchRepeated,
    /// No memory for a part, or a part of 2 GiB.
    OutOfMemory,
}

impl fmt::Display for SplitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { error, path: "" } => write!(out, "{error}"),
            Self::Malformed { error, path } => write!(out, "{error} in {path}"),
            Self::TooMuchRepeated => out.write_str(
                "the parts would repeat the resources and scopes so often that they pass twice the length of the request \
                 and 64 MiB: the limits are too small for them",
            ),
            Self::OutOfMemory => out.write_str("no memory for a part of the request, or it would pass 2 GiB"),
        }
    }
}

impl std::error::Error for SplitError {}

/// The number of spans, log records or data points in a request.
pub fn count_items(data: &[u8], signal: Signal) -> Result<usize, SplitError> {
    count(data, Reader::new(data), signal.levels())
}

/// Cuts a request into parts of limited length and item count, by the rules at the head of this module.
pub fn split(data: &[u8], signal: Signal, limits: Limits) -> Result<Vec<Part<'_>>, SplitError> {
    let item_count = count_items(data, signal)?;
    if !exceeds(data.len(), limits.max_bytes) && !exceeds(item_count, limits.max_items) {
        return Ok(vec![Part { bytes: Cow::Borrowed(data), item_count }]);
    }
    let mut splitter = Splitter::new(data, limits);
    splitter.walk(None, data, Reader::new(data), signal.levels())?;
    splitter.end_part()?;
    Ok(splitter.parts)
}

fn exceeds(value: usize, limit: usize) -> bool {
    limit != 0 && value > limit
}

/// A field of a message above the items.
pub(crate) enum Field<'a> {
    /// One that leads down: its tag, its bytes from the tag on, its content.
    Child(u8, &'a [u8], Reader<'a>),
    /// One of the envelope.
    Other(&'a [u8]),
}

impl Level {
    fn malformed(&self, error: ReadError) -> SplitError {
        SplitError::Malformed { error, path: self.path }
    }

    /// The next field of `message`, which stands in `data`.
    pub(crate) fn next_field<'a>(
        &self,
        data: &'a [u8],
        message: &mut Reader<'a>,
    ) -> Result<Option<Field<'a>>, SplitError> {
        let malformed = |error| self.malformed(error);
        let Some(tag) = message.read_tag().map_err(malformed)? else {
            return Ok(None);
        };
        if let Some(&child) = self.children.iter().find(|&&child| u32::from(child >> 3) == tag.field) {
            message.require_type(tag, WireType::Len).map_err(malformed)?;
            let content = message.nested().map_err(malformed)?;
            return Ok(Some(Field::Child(child, &data[tag.offset..message.offset()], content)));
        }
        message.skip(tag).map_err(malformed)?;
        Ok(Some(Field::Other(&data[tag.offset..message.offset()])))
    }
}

/// The number of items below a message; `levels` begins with its own, and is empty for an item.
fn count<'a>(data: &'a [u8], mut message: Reader<'a>, levels: &[Level]) -> Result<usize, SplitError> {
    let Some((level, below)) = levels.split_first() else {
        return Ok(1);
    };
    let mut items = 0;
    let mut member = None;
    while let Some(field) = level.next_field(data, &mut message)? {
        if let Field::Child(tag, _, content) = field {
            // Of a oneof, the member that comes last takes the place of the others.
            if member.replace(tag) != Some(tag) {
                items = 0;
            }
            items += count(data, content, below)?;
        }
    }
    Ok(items)
}

/// The fields of a message that do not lead down, and how many do.
#[derive(Default)]
struct Envelope<'a> {
    /// Those in front of the first child.
    head: &'a [u8],
    /// Those behind it.
    tail: Vec<u8>,
    children: usize,
}

impl<'a> Envelope<'a> {
    fn read(data: &'a [u8], mut message: Reader<'a>, level: &Level) -> Result<Self, SplitError> {
        let start = message.offset();
        let mut envelope = Self::default();
        while let Some(field) = level.next_field(data, &mut message)? {
            match field {
                Field::Child(..) => envelope.children += 1,
                Field::Other(_) if envelope.children == 0 => envelope.head = &data[start..message.offset()],
                Field::Other(bytes) => envelope.tail.extend_from_slice(bytes),
            }
        }
        Ok(envelope)
    }

    fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }
}

/// A message around the item that comes next.
struct OpenMessage<'a> {
    /// `None` for the request itself.
    tag: Option<u8>,
    envelope: Envelope<'a>,
    /// Its length in the open part so far: the envelope, and what was ended of its children.
    len: usize,
    /// The first guess for its length in a part.
    expected_len: usize,
    /// Its beginning in the open part.
    mark: Option<Mark>,
}

struct Splitter<'a> {
    data: &'a [u8],
    limits: Limits,
    /// The messages around the item that comes next, outermost first.
    open: Vec<OpenMessage<'a>>,
    /// How many of them the open part has begun already; 0 while it is empty.
    begun: usize,
    out: Writer,
    item_count: usize,
    parts: Vec<Part<'a>>,
    /// What all parts may still take.
    allowance: usize,
}

impl<'a> Splitter<'a> {
    fn new(data: &'a [u8], limits: Limits) -> Self {
        Self {
            data,
            limits,
            open: Vec::new(),
            begun: 0,
            out: Writer::new(),
            item_count: 0,
            parts: Vec::new(),
            allowance: data.len().saturating_mul(2).saturating_add(ALLOWANCE),
        }
    }

    /// Adds a message with all that is below it. `bytes` is its whole field, `levels` begins with its own level.
    fn walk(
        &mut self,
        tag: Option<u8>,
        bytes: &'a [u8],
        mut message: Reader<'a>,
        levels: &[Level],
    ) -> Result<(), SplitError> {
        let Some((level, below)) = levels.split_first() else {
            return self.add(bytes, 1);
        };
        let envelope = Envelope::read(self.data, message, level)?;
        let has_several_data = level.children.len() > 1 && envelope.children > 1;
        if envelope.children == 0 || has_several_data {
            return self.add(bytes, count(self.data, message, levels)?);
        }
        let expected_len =
            if self.limits.max_bytes == 0 { bytes.len() } else { bytes.len().min(self.limits.max_bytes) };
        self.open.push(OpenMessage { tag, len: envelope.len(), envelope, expected_len, mark: None });
        while let Some(field) = level.next_field(self.data, &mut message)? {
            if let Field::Child(tag, bytes, content) = field {
                self.walk(Some(tag), bytes, content, below)?;
            }
        }
        self.end_message();
        Ok(())
    }

    /// Adds something that is not cut: an item, or a message without any.
    fn add(&mut self, bytes: &[u8], items: usize) -> Result<(), SplitError> {
        let is_full = exceeds(self.len_with(bytes.len()), self.limits.max_bytes)
            || exceeds(self.item_count + items, self.limits.max_items);
        if is_full && self.begun > 0 {
            self.end_part()?;
        }
        for message in &mut self.open[self.begun..] {
            message.mark = message.tag.map(|tag| self.out.open(tag, message.expected_len));
            self.out.put_slice(message.envelope.head);
        }
        self.begun = self.open.len();
        self.out.put_slice(bytes);
        self.item_count += items;
        if let Some(message) = self.open.last_mut() {
            message.len += bytes.len();
        }
        Ok(())
    }

    /// How long the open part would be if it ended with `addition` more bytes in the innermost message.
    fn len_with(&self, addition: usize) -> usize {
        self.open.iter().rev().fold(addition, |below, message| message.field_len(below))
    }

    /// Ends the innermost message, all of whose children are written.
    fn end_message(&mut self) {
        let Some(message) = self.open.pop() else { return };
        message.write_end(&mut self.out);
        self.begun = self.open.len();
        if let Some(parent) = self.open.last_mut() {
            parent.len += message.field_len(0);
        }
    }

    /// Ends the open part. The open messages begin anew in the next one.
    fn end_part(&mut self) -> Result<(), SplitError> {
        for message in self.open[..self.begun].iter_mut().rev() {
            message.write_end(&mut self.out);
            message.len = message.envelope.len();
        }
        if self.out.failed() {
            return Err(SplitError::OutOfMemory);
        }
        self.allowance = self.allowance.checked_sub(self.out.len()).ok_or(SplitError::TooMuchRepeated)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(self.out.len()).map_err(|_| SplitError::OutOfMemory)?;
        bytes.extend_from_slice(self.out.as_slice());
        self.parts.push(Part { bytes: Cow::Owned(bytes), item_count: std::mem::take(&mut self.item_count) });
        self.out.restart(0);
        self.begun = 0;
        Ok(())
    }
}

impl OpenMessage<'_> {
    /// The length of the field that the message would be with `addition` more bytes in it.
    fn field_len(&self, addition: usize) -> usize {
        let content = self.len + addition;
        // A tag below 16 takes one byte. The request itself has neither tag nor length.
        if self.tag.is_some() { 1 + varint_len(content as u64) + content } else { content }
    }

    fn write_end(&self, out: &mut Writer) {
        out.put_slice(&self.envelope.tail);
        if let Some(mark) = self.mark {
            out.close(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{envelope, metric, metric_data};
    use otlp_wire::ErrorKind;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    fn split_owned(data: &[u8], signal: Signal, max_bytes: usize, max_items: usize) -> Vec<(Vec<u8>, usize)> {
        let parts = split(data, signal, Limits { max_bytes, max_items }).unwrap();
        parts.into_iter().map(|part| (part.bytes.into_owned(), part.item_count)).collect()
    }

    /// A request of one group around `items`, with a resource of `resource_len` bytes.
    fn one_group(resource_len: usize, items: &[&[u8]]) -> Vec<u8> {
        let items: Vec<u8> = items.iter().flat_map(|item| field(envelope::ITEMS, item)).collect();
        let resource = field(envelope::RESOURCE, &vec![b'r'; resource_len]);
        let scope = field(envelope::SCOPE_GROUPS, &[&field(envelope::SCOPE, b"scope")[..], &items].concat());
        let tail = field(envelope::SCHEMA_URL, b"url");
        field(envelope::RESOURCE_GROUPS, &[resource, scope, tail].concat())
    }

    #[test]
    fn parts_repeat_the_envelopes_and_are_filled() {
        let whole = one_group(3, &[b"one", b"two", b"three"]);
        let first = one_group(3, &[b"one", b"two"]);
        let second = one_group(3, &[b"three"]);
        assert_eq!(split_owned(&whole, Signal::Logs, first.len(), 0), [(first.clone(), 2), (second.clone(), 1)]);
        assert_eq!(split_owned(&whole, Signal::Traces, 0, 2), [(first, 2), (second, 1)]);
        let single = [b"one".as_slice(), b"two", b"three"].map(|item| (one_group(3, &[item]), 1));
        assert_eq!(split_owned(&whole, Signal::Traces, 1, 0), single, "an item that is too large stands alone");
    }

    #[test]
    fn what_fits_is_given_back_without_a_copy() {
        let whole = one_group(3, &[b"one", b"two"]);
        for limits in [Limits::default(), Limits { max_bytes: whole.len(), max_items: 2 }] {
            let parts = split(&whole, Signal::Traces, limits).unwrap();
            assert_eq!(parts, [Part { bytes: Cow::Borrowed(&whole), item_count: 2 }]);
            assert!(matches!(parts[0].bytes, Cow::Borrowed(_)));
        }
        assert_eq!(split_owned(b"", Signal::Metrics, 1, 1), [(Vec::new(), 0)]);
    }

    #[test]
    fn metric_is_cut_between_its_data_points() {
        let metric = |points: &[&[u8]]| {
            let points: Vec<u8> = points.iter().flat_map(|point| field(metric_data::DATA_POINTS, point)).collect();
            let data = field(metric::SUM, &[&points[..], b"\x10\x02\x18\x01"].concat());
            one_group(0, &[&[&b"\x0a\x04name"[..], &data, b"\x62\x01m"].concat()])
        };
        let whole = metric(&[b"a", b"b", b"c"]);
        assert_eq!(count_items(&whole, Signal::Metrics), Ok(3));
        let parts = [(metric(&[b"a", b"b"]), 2), (metric(&[b"c"]), 1)];
        assert_eq!(split_owned(&whole, Signal::Metrics, 0, 2), parts);
    }

    #[test]
    fn metric_with_data_in_several_fields_is_kept_whole_and_counted_as_protobuf_reads_it() {
        let points = [field(metric_data::DATA_POINTS, b"p"), field(metric_data::DATA_POINTS, b"q")].concat();
        let merged = [field(metric::GAUGE, &points), field(metric::GAUGE, &points)].concat();
        let replaced = [field(metric::GAUGE, &points), field(metric::SUM, &points)].concat();
        let whole = one_group(0, &[&merged, &replaced]);
        let parts = [(one_group(0, &[&merged]), 4), (one_group(0, &[&replaced]), 2)];
        assert_eq!(split_owned(&whole, Signal::Metrics, 0, 1), parts);
        assert_eq!(count_items(&whole, Signal::Metrics), Ok(6));
    }

    #[test]
    fn envelope_fields_between_children_and_overlong_lengths_are_put_in_order() {
        // The resource stands behind the first scope group, whose length takes two bytes where one would do.
        let whole = b"\x0a\x0e\x12\x82\x00\x12\x00\x0a\x01r\x12\x04\x12\x02xy";
        let parts =
            [(b"\x0a\x07\x12\x02\x12\x00\x0a\x01r".to_vec(), 1), (b"\x0a\x09\x12\x04\x12\x02xy\x0a\x01r".to_vec(), 1)];
        assert_eq!(split_owned(whole, Signal::Traces, 0, 1), parts);
    }

    #[test]
    fn malformed_requests_are_refused_with_message_and_offset() {
        let cases: [(&[u8], &str, ErrorKind, usize); 6] = [
            (b"\x08\x01", "", ErrorKind::WrongWireType, 0),
            (b"<html>", "", ErrorKind::UnmatchedGroup, 0),
            (b"\x0a\x05\x12", "", ErrorKind::LengthPastEnd, 1),
            (b"\x0a\x02\x12\x01", "resource_metrics", ErrorKind::LengthPastEnd, 3),
            (b"\x0a\x04\x12\x02\x15\x00", "resource_metrics.scope_metrics", ErrorKind::WrongWireType, 4),
            (
                b"\x0a\x08\x12\x06\x12\x04\x2a\x02\x0a\x01",
                "resource_metrics.scope_metrics.metrics.data",
                ErrorKind::LengthPastEnd,
                9,
            ),
        ];
        for (data, path, kind, offset) in cases {
            let error = SplitError::Malformed { error: ReadError { kind, offset }, path };
            assert_eq!(count_items(data, Signal::Metrics), Err(error));
            assert_eq!(split(data, Signal::Metrics, Limits { max_bytes: 1, max_items: 1 }), Err(error));
        }
    }

    #[test]
    fn large_envelope_around_many_items_is_refused_and_can_be_halved() {
        let whole = one_group(1 << 20, &[&b""[..]; 1000]);
        let limits = |max_bytes, max_items| Limits { max_bytes, max_items };
        let refused = Err(SplitError::TooMuchRepeated);
        assert_eq!(split(&whole, Signal::Traces, limits(0, 1)), refused);
        assert_eq!(split(&whole, Signal::Traces, limits(1 << 20, 0)), refused);
        assert_eq!(split(&whole, Signal::Traces, limits(0, 500)).unwrap().len(), 2);
    }
}
