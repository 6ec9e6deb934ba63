//! Spans, with their events and links.

use super::attributes::Attributes;
use super::check::{Children, Tables};
use super::column::{TextRef, Values};
use super::present;
use otlp_schema::common::{text_field, varint_field};
use otlp_schema::fields::{event, link, span};
use otlp_schema::trace::{self, SpanHead, SpanTail, Status};
use otlp_wire::Writer;

/// The table of spans, and those of what is in them.
pub(super) struct Spans<'a> {
    trace_id: Values<'a, [u8; 16]>,
    span_id: Values<'a, [u8; 8]>,
    parent_span_id: Values<'a, [u8; 8]>,
    trace_state: TextRef<'a>,
    name: TextRef<'a>,
    kind: Values<'a, i32>,
    start_time_unix_nano: Values<'a, u64>,
    end_time_unix_nano: Values<'a, u64>,
    status_code: Values<'a, i32>,
    status_message: TextRef<'a>,
    flags: Values<'a, u32>,
    attributes: Attributes<'a>,
    dropped_attributes_count: Values<'a, u32>,
    event_rows: Children<'a>,
    events: Events<'a>,
    dropped_events_count: Values<'a, u32>,
    link_rows: Children<'a>,
    links: Links<'a>,
    dropped_links_count: Values<'a, u32>,
}

impl<'a> Spans<'a> {
    /// The spans of checked tables.
    pub(super) fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("spans");
        Self {
            trace_id: table.values("trace_id"),
            span_id: table.values("span_id"),
            parent_span_id: table.values("parent_span_id"),
            trace_state: table.texts("trace_state"),
            name: table.texts("name"),
            kind: table.values("kind"),
            start_time_unix_nano: table.values("start_time_unix_nano"),
            end_time_unix_nano: table.values("end_time_unix_nano"),
            status_code: table.values("status_code"),
            status_message: table.texts("status_message"),
            flags: table.values("flags"),
            attributes: Attributes::new(tables, "spans", "attributes"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
            event_rows: table.children("events"),
            events: Events::new(tables),
            dropped_events_count: table.values("dropped_events_count"),
            link_rows: table.children("links"),
            links: Links::new(tables),
            dropped_links_count: table.values("dropped_links_count"),
        }
    }

    /// Writes the fields of a span. A status that says nothing is left out: OTLP gives the two the same meaning, and it would be
    /// two bytes in most spans.
    pub(super) fn write(&self, writer: &mut Writer, row: usize) {
        let head = SpanHead {
            trace_id: present(self.trace_id.get(row)),
            span_id: present(self.span_id.get(row)),
            trace_state: self.trace_state.get(row),
            parent_span_id: present(self.parent_span_id.get(row)),
            name: self.name.get(row),
            kind: self.kind.get(row),
            start_time_unix_nano: self.start_time_unix_nano.get(row),
            end_time_unix_nano: self.end_time_unix_nano.get(row),
        };
        trace::begin_span(writer, &head);
        self.attributes.write(writer, row, span::ATTRIBUTES);
        varint_field(writer, span::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        self.event_rows.rows(row).for_each(|event| self.events.write(writer, event));
        varint_field(writer, span::DROPPED_EVENTS_COUNT, u64::from(self.dropped_events_count.get(row)));
        self.link_rows.rows(row).for_each(|link| self.links.write(writer, link));
        varint_field(writer, span::DROPPED_LINKS_COUNT, u64::from(self.dropped_links_count.get(row)));
        let (code, message) = (self.status_code.get(row), self.status_message.get(row));
        let status = (code != 0 || !message.is_empty()).then_some(Status { code, message });
        trace::end_span(writer, &SpanTail { status, flags: self.flags.get(row) });
    }
}

struct Events<'a> {
    time_unix_nano: Values<'a, u64>,
    name: TextRef<'a>,
    attributes: Attributes<'a>,
    dropped_attributes_count: Values<'a, u32>,
}

impl<'a> Events<'a> {
    fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("events");
        Self {
            time_unix_nano: table.values("time_unix_nano"),
            name: table.texts("name"),
            attributes: Attributes::new(tables, "events", "attributes"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
        }
    }

    fn write(&self, writer: &mut Writer, row: usize) {
        let message = trace::open_event(writer, self.time_unix_nano.get(row), self.name.get(row));
        self.attributes.write(writer, row, event::ATTRIBUTES);
        varint_field(writer, event::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        writer.close(message);
    }
}

struct Links<'a> {
    trace_id: Values<'a, [u8; 16]>,
    span_id: Values<'a, [u8; 8]>,
    trace_state: TextRef<'a>,
    attributes: Attributes<'a>,
    dropped_attributes_count: Values<'a, u32>,
    flags: Values<'a, u32>,
}

impl<'a> Links<'a> {
    fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("links");
        Self {
            trace_id: table.values("trace_id"),
            span_id: table.values("span_id"),
            trace_state: table.texts("trace_state"),
            attributes: Attributes::new(tables, "links", "attributes"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
            flags: table.values("flags"),
        }
    }

    fn write(&self, writer: &mut Writer, row: usize) {
        let message = trace::open_link(writer, present(self.trace_id.get(row)), present(self.span_id.get(row)));
        text_field(writer, link::TRACE_STATE, self.trace_state.get(row));
        self.attributes.write(writer, row, link::ATTRIBUTES);
        varint_field(writer, link::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        trace::close_link(writer, message, self.flags.get(row));
    }
}
