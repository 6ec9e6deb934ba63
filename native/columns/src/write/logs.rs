//! Log records.

use super::attributes::{AnyValues, Attributes};
use super::check::Tables;
use super::column::{TextRef, Values};
use super::present;
use otlp_schema::common::{self, varint_field};
use otlp_schema::fields::log_record;
use otlp_schema::logs::{self, LogHead, LogTail};
use otlp_wire::Writer;

/// The table of log records.
pub(super) struct LogRecords<'a> {
    time_unix_nano: Values<'a, u64>,
    observed_time_unix_nano: Values<'a, u64>,
    severity_number: Values<'a, i32>,
    severity_text: TextRef<'a>,
    body: AnyValues<'a>,
    attributes: Attributes<'a>,
    dropped_attributes_count: Values<'a, u32>,
    flags: Values<'a, u32>,
    trace_id: Values<'a, [u8; 16]>,
    span_id: Values<'a, [u8; 8]>,
    event_name: TextRef<'a>,
}

impl<'a> LogRecords<'a> {
    /// The log records of checked tables.
    pub(super) fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("log_records");
        Self {
            time_unix_nano: table.values("time_unix_nano"),
            observed_time_unix_nano: table.values("observed_time_unix_nano"),
            severity_number: table.values("severity_number"),
            severity_text: table.texts("severity_text"),
            body: AnyValues::new(table, "body_"),
            attributes: Attributes::new(tables, "log_records", "attributes"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
            flags: table.values("flags"),
            trace_id: table.values("trace_id"),
            span_id: table.values("span_id"),
            event_name: table.texts("event_name"),
        }
    }

    /// Writes the fields of a log record.
    pub(super) fn write(&self, writer: &mut Writer, row: usize) {
        let head = LogHead {
            time_unix_nano: self.time_unix_nano.get(row),
            severity_number: self.severity_number.get(row),
            severity_text: self.severity_text.get(row),
        };
        logs::begin_log_record(writer, &head);
        if let Some(body) = self.body.find(row) {
            common::value(writer, log_record::BODY, body);
        }
        self.attributes.write(writer, row, log_record::ATTRIBUTES);
        varint_field(writer, log_record::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        let tail = LogTail {
            flags: self.flags.get(row),
            trace_id: present(self.trace_id.get(row)),
            span_id: present(self.span_id.get(row)),
            observed_time_unix_nano: self.observed_time_unix_nano.get(row),
            event_name: self.event_name.get(row),
        };
        logs::end_log_record(writer, &tail);
    }
}
