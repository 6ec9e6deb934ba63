//! Logs as columns.

use super::attribute_index::AttributesBuilder;
use super::groups::{self, ITEM_DEPTH, Item};
use super::limits::RowCount;
use super::{Columns, CoreTable, DecodeError, Limits, Position, Rows};
use crate::table::{Column, Table, TextBuilder};
use crate::values::ValuesBuilder;
use otlp_schema::fields::log_record;
use otlp_schema::view::messages::{LogRecord, LogRecordField};
use otlp_schema::view::set_once;
use otlp_wire::ReadError;

/// Checks a request and makes its core tables.
pub(super) fn decode(data: &[u8], limits: Limits) -> Result<Vec<CoreTable>, DecodeError> {
    let mut records = LogRecords::with_capacity(groups::expected_items(data, limits), limits);
    let [resources, scopes] = groups::decode(data, limits, |item| records.add(item))?;
    Ok(vec![resources, scopes, records.finish()])
}

/// The table of log records under construction.
struct LogRecords<'a> {
    limits: Limits,
    rows: RowCount,
    scope: Vec<u32>,
    time_unix_nano: Vec<u64>,
    observed_time_unix_nano: Vec<u64>,
    severity_number: Vec<i32>,
    severity_text: TextBuilder<'a>,
    flags: Vec<u32>,
    trace_id: Vec<[u8; 16]>,
    span_id: Vec<[u8; 8]>,
    event_name: TextBuilder<'a>,
    attributes: AttributesBuilder<'a>,
    positions: Vec<Position>,
}

impl<'a> LogRecords<'a> {
    fn with_capacity(rows: usize, limits: Limits) -> Self {
        Self {
            limits,
            rows: RowCount::new(limits),
            scope: Vec::with_capacity(rows),
            time_unix_nano: Vec::with_capacity(rows),
            observed_time_unix_nano: Vec::with_capacity(rows),
            severity_number: Vec::with_capacity(rows),
            severity_text: TextBuilder::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            trace_id: Vec::with_capacity(rows),
            span_id: Vec::with_capacity(rows),
            event_name: TextBuilder::with_capacity(rows),
            attributes: AttributesBuilder::with_capacity(rows, limits),
            positions: Vec::with_capacity(rows),
        }
    }

    fn add(&mut self, item: Item<'a>) -> Result<(), DecodeError> {
        self.rows.add(item.tag_offset)?;
        let (mut time_unix_nano, mut observed_time_unix_nano) = (0, 0);
        let (mut severity_number, mut severity_text, mut event_name) = (0, "", "");
        let (mut trace_id, mut span_id, mut flags, mut body) = (None, None, 0, None);
        let mut fields = LogRecord::within(item.content, item.offset).fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                LogRecordField::TimeUnixNano(time) => time_unix_nano = time,
                LogRecordField::ObservedTimeUnixNano(time) => observed_time_unix_nano = time,
                LogRecordField::SeverityNumber(number) => severity_number = number,
                LogRecordField::SeverityText(text) => severity_text = text,
                LogRecordField::Body(value) => {
                    set_once(&mut body, (), start)?;
                    value.check(ITEM_DEPTH + 1, self.limits.max_depth)?;
                }
                LogRecordField::Attribute(attribute) => {
                    self.attributes.add(attribute, ITEM_DEPTH + 1, start, item.offset)?;
                }
                LogRecordField::Flags(bits) => flags = bits,
                LogRecordField::TraceId(id) => trace_id = id,
                LogRecordField::SpanId(id) => span_id = id,
                LogRecordField::EventName(text) => event_name = text,
                LogRecordField::DroppedAttributesCount(_) | LogRecordField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        self.scope.push(item.scope);
        self.time_unix_nano.push(time_unix_nano);
        self.observed_time_unix_nano.push(observed_time_unix_nano);
        self.severity_number.push(severity_number);
        self.severity_text.push(severity_text);
        self.flags.push(flags);
        self.trace_id.push(trace_id.unwrap_or_default());
        self.span_id.push(span_id.unwrap_or_default());
        self.event_name.push(event_name);
        self.attributes.end_row();
        self.positions.push(item.position());
        Ok(())
    }

    fn finish(self) -> CoreTable {
        let (attributes, index) = self.attributes.finish();
        let columns = vec![
            ("scope", Column::U32(self.scope)),
            ("time_unix_nano", Column::U64(self.time_unix_nano)),
            ("observed_time_unix_nano", Column::U64(self.observed_time_unix_nano)),
            ("severity_number", Column::I32(self.severity_number)),
            ("severity_text", Column::Text(self.severity_text.finish())),
            ("flags", Column::U32(self.flags)),
            ("trace_id", Column::TraceIds(self.trace_id)),
            ("span_id", Column::SpanIds(self.span_id)),
            ("event_name", Column::Text(self.event_name.finish())),
            ("attributes", attributes),
        ];
        CoreTable {
            name: "log_records",
            table: Table { rows: self.rows.get() as usize, columns },
            rows: Rows::new(self.positions, log_record::ATTRIBUTES),
            attributes: index,
        }
    }
}

/// The further columns of `log_records`.
pub(super) fn further(columns: &Columns, data: &[u8]) -> Result<Table, ReadError> {
    let positions: &[Position] = columns.core("log_records").map_or(&[], |records| &records.rows.positions);
    let mut dropped_attributes_counts = Vec::with_capacity(positions.len());
    let mut bodies = ValuesBuilder::with_capacity(positions.len());
    for position in positions {
        let (mut dropped, mut body) = (0, None);
        for field in LogRecord::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                LogRecordField::DroppedAttributesCount(count) => dropped = count,
                LogRecordField::Body(value) => body = Some(value),
                _ => {}
            }
        }
        dropped_attributes_counts.push(dropped);
        match body {
            Some(body) => bodies.push(body.value()?),
            None => bodies.push_absent(),
        }
    }
    let mut columns = vec![("dropped_attributes_count", Column::U32(dropped_attributes_counts))];
    columns.extend(bodies.finish(["body_type", "body_text", "body_int", "body_double", "body_bytes"]));
    Ok(Table { rows: positions.len(), columns })
}
