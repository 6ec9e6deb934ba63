//! `LogRecord`, field by field in ascending order.
//!
//! A record is written as [`begin_log_record`], its body ([`crate::common::value`] or a container under the tag
//! [`log_record::BODY`]), its attributes and the count of those that the SDK dropped, [`end_log_record`]. Fields that are
//! empty or zero are left out, as proto3 has it.

use crate::common::{fixed32_field, fixed64_field, id_field, text_field, varint_field};
use crate::fields::log_record;
use otlp_wire::{Text, Writer};

/// The fields of a log record that stand in front of its body.
#[derive(Clone, Copy, Debug)]
pub struct LogHead<'a> {
    /// When it happened, ns since the epoch; 0 is left out.
    pub time_unix_nano: u64,
    /// `SeverityNumber`: 0 for unspecified, 1 to 24; an open enum, so any `int32` is kept.
    pub severity_number: i32,
    /// The severity as the logging library names it.
    pub severity_text: Text<'a>,
}

/// The fields of a log record that stand behind its attributes.
#[derive(Clone, Copy, Debug)]
pub struct LogTail<'a> {
    /// The W3C trace flags.
    pub flags: u32,
    /// 16 bytes, big-endian as W3C has it; `None` outside of a trace.
    pub trace_id: Option<[u8; 16]>,
    /// 8 bytes.
    pub span_id: Option<[u8; 8]>,
    /// When it was seen, ns since the epoch; 0 is left out.
    pub observed_time_unix_nano: u64,
    /// The name that makes the record an event.
    pub event_name: Text<'a>,
}

/// Writes everything in front of the body.
#[inline]
pub fn begin_log_record(writer: &mut Writer, head: &LogHead<'_>) {
    fixed64_field(writer, log_record::TIME_UNIX_NANO, head.time_unix_nano);
    varint_field(writer, log_record::SEVERITY_NUMBER, i64::from(head.severity_number) as u64);
    text_field(writer, log_record::SEVERITY_TEXT, head.severity_text);
}

/// Writes everything behind the attributes.
#[inline]
pub fn end_log_record(writer: &mut Writer, tail: &LogTail<'_>) {
    fixed32_field(writer, log_record::FLAGS, tail.flags);
    if let Some(id) = tail.trace_id {
        id_field(writer, log_record::TRACE_ID, id);
    }
    if let Some(id) = tail.span_id {
        id_field(writer, log_record::SPAN_ID, id);
    }
    fixed64_field(writer, log_record::OBSERVED_TIME_UNIX_NANO, tail.observed_time_unix_nano);
    text_field(writer, log_record::EVENT_NAME, tail.event_name);
}
