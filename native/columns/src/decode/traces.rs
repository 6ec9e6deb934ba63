//! Traces as columns: spans with the request, events and links when they are asked for.

use super::attribute_index::AttributesBuilder;
use super::groups::{self, ITEM_DEPTH, Item};
use super::limits::RowCount;
use super::offsets::OffsetsBuilder;
use super::{Columns, CoreTable, DecodeError, Limits, Position, Rows};
use crate::table::{Column, Table, TextBuilder};
use otlp_schema::fields::{event, link, span};
use otlp_schema::view::messages::{Event, EventField, Link, LinkField, Span, SpanField, Status, StatusField};
use otlp_schema::view::set_once;
use otlp_wire::ReadError;

/// The depth of events, links, statuses and attributes of spans.
const PART_DEPTH: u32 = ITEM_DEPTH + 1;

/// Checks a request and makes its core tables.
pub(super) fn decode(data: &[u8], limits: Limits) -> Result<Vec<CoreTable>, DecodeError> {
    let mut spans = Spans::with_capacity(groups::expected_items(data, limits), limits);
    let [resources, scopes] = groups::decode(data, limits, |item| spans.add(item))?;
    Ok(vec![resources, scopes, spans.finish()])
}

/// The table of spans under construction.
struct Spans<'a> {
    limits: Limits,
    rows: RowCount,
    scope: Vec<u32>,
    trace_id: Vec<[u8; 16]>,
    span_id: Vec<[u8; 8]>,
    parent_span_id: Vec<[u8; 8]>,
    name: TextBuilder<'a>,
    kind: Vec<i32>,
    start_time_unix_nano: Vec<u64>,
    end_time_unix_nano: Vec<u64>,
    status_code: Vec<i32>,
    flags: Vec<u32>,
    attributes: AttributesBuilder<'a>,
    events: OffsetsBuilder,
    links: OffsetsBuilder,
    event_attributes: RowCount,
    link_attributes: RowCount,
    positions: Vec<Position>,
}

impl<'a> Spans<'a> {
    fn with_capacity(rows: usize, limits: Limits) -> Self {
        Self {
            limits,
            rows: RowCount::new(limits),
            scope: Vec::with_capacity(rows),
            trace_id: Vec::with_capacity(rows),
            span_id: Vec::with_capacity(rows),
            parent_span_id: Vec::with_capacity(rows),
            name: TextBuilder::with_capacity(rows),
            kind: Vec::with_capacity(rows),
            start_time_unix_nano: Vec::with_capacity(rows),
            end_time_unix_nano: Vec::with_capacity(rows),
            status_code: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            attributes: AttributesBuilder::with_capacity(rows, limits),
            events: OffsetsBuilder::with_capacity(rows, limits),
            links: OffsetsBuilder::with_capacity(rows, limits),
            event_attributes: RowCount::new(limits),
            link_attributes: RowCount::new(limits),
            positions: Vec::with_capacity(rows),
        }
    }

    fn add(&mut self, item: Item<'a>) -> Result<(), DecodeError> {
        self.rows.add(item.tag_offset)?;
        let (mut trace_id, mut span_id, mut parent_span_id) = (None, None, None);
        let (mut name, mut kind, mut flags, mut status) = ("", 0, 0, None);
        let (mut start_time_unix_nano, mut end_time_unix_nano) = (0, 0);
        let mut fields = Span::within(item.content, item.offset).fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                SpanField::TraceId(id) => trace_id = id,
                SpanField::SpanId(id) => span_id = id,
                SpanField::ParentSpanId(id) => parent_span_id = id,
                SpanField::Name(text) => name = text,
                SpanField::Kind(number) => kind = number,
                SpanField::StartTimeUnixNano(time) => start_time_unix_nano = time,
                SpanField::EndTimeUnixNano(time) => end_time_unix_nano = time,
                SpanField::Attribute(attribute) => self.attributes.add(attribute, PART_DEPTH, start, item.offset)?,
                SpanField::Event(event) => {
                    self.events.add(start)?;
                    self.check_event(event, start)?;
                }
                SpanField::Link(link) => {
                    self.links.add(start)?;
                    self.check_link(link, start)?;
                }
                SpanField::Status(message) => {
                    self.limits.check_depth(PART_DEPTH, start)?;
                    set_once(&mut status, message, start)?;
                }
                SpanField::Flags(bits) => flags = bits,
                SpanField::TraceState(_)
                | SpanField::DroppedAttributesCount(_)
                | SpanField::DroppedEventsCount(_)
                | SpanField::DroppedLinksCount(_)
                | SpanField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        let status_code = status.map_or(Ok(0), |status| Ok::<_, ReadError>(read_status(status)?.0))?;
        self.scope.push(item.scope);
        self.trace_id.push(trace_id.unwrap_or_default());
        self.span_id.push(span_id.unwrap_or_default());
        self.parent_span_id.push(parent_span_id.unwrap_or_default());
        self.name.push(name);
        self.kind.push(kind);
        self.start_time_unix_nano.push(start_time_unix_nano);
        self.end_time_unix_nano.push(end_time_unix_nano);
        self.status_code.push(status_code);
        self.flags.push(flags);
        self.attributes.end_row();
        self.events.end_row();
        self.links.end_row();
        self.positions.push(item.position());
        Ok(())
    }

    fn check_event(&mut self, event: Event<'a>, tag_offset: usize) -> Result<(), DecodeError> {
        self.limits.check_depth(PART_DEPTH, tag_offset)?;
        let mut fields = event.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            if let EventField::Attribute(attribute) = field? {
                self.event_attributes.add(start)?;
                attribute.check(PART_DEPTH + 1, self.limits.max_depth)?;
            }
            start = fields.offset();
        }
        Ok(())
    }

    fn check_link(&mut self, link: Link<'a>, tag_offset: usize) -> Result<(), DecodeError> {
        self.limits.check_depth(PART_DEPTH, tag_offset)?;
        let mut fields = link.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            if let LinkField::Attribute(attribute) = field? {
                self.link_attributes.add(start)?;
                attribute.check(PART_DEPTH + 1, self.limits.max_depth)?;
            }
            start = fields.offset();
        }
        Ok(())
    }

    fn finish(self) -> CoreTable {
        let (attributes, index) = self.attributes.finish();
        let columns = vec![
            ("scope", Column::U32(self.scope)),
            ("trace_id", Column::TraceIds(self.trace_id)),
            ("span_id", Column::SpanIds(self.span_id)),
            ("parent_span_id", Column::SpanIds(self.parent_span_id)),
            ("name", Column::Text(self.name.finish())),
            ("kind", Column::I32(self.kind)),
            ("start_time_unix_nano", Column::U64(self.start_time_unix_nano)),
            ("end_time_unix_nano", Column::U64(self.end_time_unix_nano)),
            ("status_code", Column::I32(self.status_code)),
            ("flags", Column::U32(self.flags)),
            ("attributes", attributes),
            ("events", self.events.finish()),
            ("links", self.links.finish()),
        ];
        CoreTable {
            name: "spans",
            table: Table { rows: self.rows.get() as usize, columns },
            rows: Rows::new(self.positions, span::ATTRIBUTES),
            attributes: index,
        }
    }
}

/// The code and the message of a status.
fn read_status(status: Status<'_>) -> Result<(i32, &str), ReadError> {
    let (mut code, mut message) = (0, "");
    for field in status.fields() {
        match field? {
            StatusField::Code(number) => code = number,
            StatusField::Message(text) => message = text,
            StatusField::Unknown(_) => {}
        }
    }
    Ok((code, message))
}

/// Where the rows of `events` or `links` lie.
pub(super) fn rows<'a>(columns: &'a Columns, data: &[u8], name: &str) -> Result<Option<Rows<'a>>, ReadError> {
    let (tag, is_events) = match name {
        "events" => (event::ATTRIBUTES, true),
        "links" => (link::ATTRIBUTES, false),
        _ => return Ok(None),
    };
    let mut positions = Vec::new();
    for span in spans(columns) {
        for field in Span::within(span.content(data)?, span.offset as usize).fields() {
            match field? {
                SpanField::Event(event) if is_events => positions.push(Position::of(event.content(), event.offset())),
                SpanField::Link(link) if !is_events => positions.push(Position::of(link.content(), link.offset())),
                _ => {}
            }
        }
    }
    Ok(Some(Rows::new(positions, tag)))
}

/// Where the spans lie.
fn spans(columns: &Columns) -> &[Position] {
    columns.core("spans").map_or(&[], |spans| &spans.rows.positions)
}

/// `events` or `links`.
pub(super) fn table(columns: &Columns, data: &[u8], name: &str) -> Result<Option<Table>, ReadError> {
    match (name, rows(columns, data, name)?) {
        ("events", Some(rows)) => events(data, &rows.positions).map(Some),
        ("links", Some(rows)) => links(data, &rows.positions).map(Some),
        _ => Ok(None),
    }
}

fn events(data: &[u8], positions: &[Position]) -> Result<Table, ReadError> {
    let rows = positions.len();
    let mut times = Vec::with_capacity(rows);
    let mut names = TextBuilder::with_capacity(rows);
    let mut dropped_attributes_counts = Vec::with_capacity(rows);
    let mut attribute_offsets = Vec::with_capacity(rows + 1);
    let mut attributes = 0;
    for position in positions {
        let (mut time, mut name, mut dropped) = (0, "", 0);
        attribute_offsets.push(attributes);
        for field in Event::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                EventField::TimeUnixNano(nanoseconds) => time = nanoseconds,
                EventField::Name(text) => name = text,
                EventField::Attribute(_) => attributes += 1,
                EventField::DroppedAttributesCount(count) => dropped = count,
                EventField::Unknown(_) => {}
            }
        }
        times.push(time);
        names.push(name);
        dropped_attributes_counts.push(dropped);
    }
    attribute_offsets.push(attributes);
    let columns = vec![
        ("time_unix_nano", Column::U64(times)),
        ("name", Column::Text(names.finish())),
        ("dropped_attributes_count", Column::U32(dropped_attributes_counts)),
        ("attributes", Column::Offsets(attribute_offsets)),
    ];
    Ok(Table { rows, columns })
}

fn links(data: &[u8], positions: &[Position]) -> Result<Table, ReadError> {
    let rows = positions.len();
    let (mut trace_ids, mut span_ids) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut trace_states = TextBuilder::with_capacity(rows);
    let mut dropped_attributes_counts = Vec::with_capacity(rows);
    let mut flags = Vec::with_capacity(rows);
    let mut attribute_offsets = Vec::with_capacity(rows + 1);
    let mut attributes = 0;
    for position in positions {
        let (mut trace_id, mut span_id, mut trace_state, mut dropped, mut bits) = (None, None, "", 0, 0);
        attribute_offsets.push(attributes);
        for field in Link::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                LinkField::TraceId(id) => trace_id = id,
                LinkField::SpanId(id) => span_id = id,
                LinkField::TraceState(text) => trace_state = text,
                LinkField::Attribute(_) => attributes += 1,
                LinkField::DroppedAttributesCount(count) => dropped = count,
                LinkField::Flags(number) => bits = number,
                LinkField::Unknown(_) => {}
            }
        }
        trace_ids.push(trace_id.unwrap_or_default());
        span_ids.push(span_id.unwrap_or_default());
        trace_states.push(trace_state);
        dropped_attributes_counts.push(dropped);
        flags.push(bits);
    }
    attribute_offsets.push(attributes);
    let columns = vec![
        ("trace_id", Column::TraceIds(trace_ids)),
        ("span_id", Column::SpanIds(span_ids)),
        ("trace_state", Column::Text(trace_states.finish())),
        ("dropped_attributes_count", Column::U32(dropped_attributes_counts)),
        ("flags", Column::U32(flags)),
        ("attributes", Column::Offsets(attribute_offsets)),
    ];
    Ok(Table { rows, columns })
}

/// The further columns of `spans`.
pub(super) fn further(columns: &Columns, data: &[u8]) -> Result<Table, ReadError> {
    let positions = spans(columns);
    let rows = positions.len();
    let (mut trace_states, mut status_messages) = (TextBuilder::with_capacity(rows), TextBuilder::with_capacity(rows));
    let mut dropped_attributes_counts = Vec::with_capacity(rows);
    let mut dropped_events_counts = Vec::with_capacity(rows);
    let mut dropped_links_counts = Vec::with_capacity(rows);
    for position in positions {
        let (mut trace_state, mut status_message) = ("", "");
        let (mut dropped_attributes, mut dropped_events, mut dropped_links) = (0, 0, 0);
        for field in Span::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                SpanField::TraceState(text) => trace_state = text,
                SpanField::Status(status) => status_message = read_status(status)?.1,
                SpanField::DroppedAttributesCount(count) => dropped_attributes = count,
                SpanField::DroppedEventsCount(count) => dropped_events = count,
                SpanField::DroppedLinksCount(count) => dropped_links = count,
                _ => {}
            }
        }
        trace_states.push(trace_state);
        status_messages.push(status_message);
        dropped_attributes_counts.push(dropped_attributes);
        dropped_events_counts.push(dropped_events);
        dropped_links_counts.push(dropped_links);
    }
    let columns = vec![
        ("trace_state", Column::Text(trace_states.finish())),
        ("status_message", Column::Text(status_messages.finish())),
        ("dropped_attributes_count", Column::U32(dropped_attributes_counts)),
        ("dropped_events_count", Column::U32(dropped_events_counts)),
        ("dropped_links_count", Column::U32(dropped_links_counts)),
    ];
    Ok(Table { rows, columns })
}
