//! `Span` with its events, links and status, field by field in ascending order.
//!
//! A span is written as [`begin_span`], its attributes, its events, its links, [`end_span`]; between them the counts of
//! what the SDK dropped, each behind the list that it belongs to. Events and links are small and written the same way.
//! Fields that are empty or zero are left out, as proto3 has it; `status` is a message and present even when it is
//! empty, unless there is none.

use crate::common::{fixed32_field, fixed64_field, id_field, text_field, varint_field};
use crate::fields::{event, link, span, status};
use otlp_wire::{Mark, Text, Writer};

/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`: set on every span and link that an SDK writes.
pub const FLAG_HAS_IS_REMOTE: u32 = 0x100;
/// `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`: the parent (of a link: its target) was in another process.
pub const FLAG_IS_REMOTE: u32 = 0x200;

/// The fields of a span that stand in front of its attributes.
#[derive(Clone, Copy, Debug)]
pub struct SpanHead<'a> {
    /// 16 bytes, big-endian as W3C has it.
    pub trace_id: Option<[u8; 16]>,
    /// 8 bytes.
    pub span_id: Option<[u8; 8]>,
    /// The W3C `tracestate` header.
    pub trace_state: Text<'a>,
    /// 8 bytes; `None` for a root span.
    pub parent_span_id: Option<[u8; 8]>,
    /// The operation.
    pub name: Text<'a>,
    /// `SpanKind`: 0 for unspecified, 1 to 5; an open enum, so any `int32` is kept.
    pub kind: i32,
    /// ns since the epoch; 0 is left out.
    pub start_time_unix_nano: u64,
    /// ns since the epoch; 0 is left out.
    pub end_time_unix_nano: u64,
}

/// The fields of a span that stand behind its links.
#[derive(Clone, Copy, Debug)]
pub struct SpanTail<'a> {
    /// `None` leaves the status message out altogether.
    pub status: Option<Status<'a>>,
    /// `FLAG_HAS_IS_REMOTE`, and `FLAG_IS_REMOTE` where the parent is remote.
    pub flags: u32,
}

/// The status of a span.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    /// `StatusCode`: 0 unset, 1 ok, 2 error; an open enum, so any `int32` is kept.
    pub code: i32,
    /// What went wrong.
    pub message: Text<'a>,
}

/// Writes everything in front of the attributes.
#[inline]
pub fn begin_span(writer: &mut Writer, head: &SpanHead<'_>) {
    if let Some(id) = head.trace_id {
        id_field(writer, span::TRACE_ID, id);
    }
    if let Some(id) = head.span_id {
        id_field(writer, span::SPAN_ID, id);
    }
    text_field(writer, span::TRACE_STATE, head.trace_state);
    if let Some(id) = head.parent_span_id {
        id_field(writer, span::PARENT_SPAN_ID, id);
    }
    text_field(writer, span::NAME, head.name);
    varint_field(writer, span::KIND, i64::from(head.kind) as u64);
    fixed64_field(writer, span::START_TIME_UNIX_NANO, head.start_time_unix_nano);
    fixed64_field(writer, span::END_TIME_UNIX_NANO, head.end_time_unix_nano);
}

/// Writes everything behind the links.
#[inline]
pub fn end_span(writer: &mut Writer, tail: &SpanTail<'_>) {
    match tail.status {
        None => {}
        Some(Status { code: 0, message }) if message.is_empty() => writer.put([span::STATUS, 0]),
        Some(Status { code, message }) => {
            let mark = writer.open(span::STATUS, message.max_utf8_len() + 4);
            text_field(writer, status::MESSAGE, message);
            varint_field(writer, status::CODE, i64::from(code) as u64);
            writer.close(mark);
        }
    }
    if tail.flags != 0 {
        let flags = tail.flags.to_le_bytes();
        writer.put([span::FLAGS as u8 | 0x80, (span::FLAGS >> 7) as u8, flags[0], flags[1], flags[2], flags[3]]);
    }
}

/// Begins an event; its attributes follow under [`event::ATTRIBUTES`], then its dropped count.
#[inline]
pub fn open_event(writer: &mut Writer, time_unix_nano: u64, name: Text<'_>) -> Mark {
    // Events carry attributes, and those of an exception a stack trace: two bytes of length are the better guess.
    let mark = writer.open(span::EVENTS, 0x80);
    fixed64_field(writer, event::TIME_UNIX_NANO, time_unix_nano);
    text_field(writer, event::NAME, name);
    mark
}

/// Begins a link; its attributes follow under [`link::ATTRIBUTES`], then its dropped count, then [`close_link`].
#[inline]
pub fn open_link(writer: &mut Writer, trace_id: Option<[u8; 16]>, span_id: Option<[u8; 8]>) -> Mark {
    let mark = writer.open(span::LINKS, 0);
    if let Some(id) = trace_id {
        id_field(writer, link::TRACE_ID, id);
    }
    if let Some(id) = span_id {
        id_field(writer, link::SPAN_ID, id);
    }
    mark
}

/// Ends a link with its flags.
#[inline]
pub fn close_link(writer: &mut Writer, mark: Mark, flags: u32) {
    fixed32_field(writer, link::FLAGS, flags);
    writer.close(mark);
}
