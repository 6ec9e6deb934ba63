//! Traces as columns, against what the requests were made of.
#![allow(clippy::unwrap_used, reason = "tests")]

mod requests;

use otlp_columns::decode::{Columns, Limits, Position, Rows, Tags};
use otlp_schema::signal::Signal;
use proptest::collection::vec;
use proptest::prelude::*;
use requests::naive::assert_attributes;
use requests::{Message, assert_column, attributes, bytes, fixed32, fixed64, number, text};

#[derive(Clone, Debug)]
struct Span {
    ids: ([u8; 16], [u8; 8], Option<[u8; 8]>),
    texts: (String, String),
    kind: i32,
    times: (u64, u64),
    status: Option<(i32, String)>,
    flags: u32,
    dropped: (u32, u32, u32),
    attributes: Vec<Vec<u8>>,
    events: Vec<Event>,
    links: Vec<Link>,
    twice: bool,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Event {
    time: u64,
    name: String,
    dropped: u32,
    attributes: Vec<Vec<u8>>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Link {
    ids: ([u8; 16], [u8; 8]),
    trace_state: String,
    dropped: u32,
    flags: u32,
    attributes: Vec<Vec<u8>>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Scope {
    scope: Option<(String, String, u32, Vec<Vec<u8>>)>,
    schema_url: String,
    spans: Vec<Span>,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Resource {
    resource: Option<(u32, Vec<Vec<u8>>)>,
    schema_url: String,
    scopes: Vec<Scope>,
    seed: u64,
}

impl Event {
    fn encode(&self) -> Vec<u8> {
        let message = Message::default().field(1, fixed64(1, self.time)).field(2, bytes(2, &self.name));
        message.repeated(3, &self.attributes).field(4, number(4, self.dropped.into())).encode(self.seed)
    }
}

impl Link {
    fn encode(&self) -> Vec<u8> {
        let message = Message::default().field(1, bytes(1, self.ids.0)).field(2, bytes(2, self.ids.1));
        let message = message.field(3, bytes(3, &self.trace_state)).repeated(4, &self.attributes);
        message.field(5, number(5, self.dropped.into())).field(6, fixed32(6, self.flags)).encode(self.seed)
    }
}

impl Span {
    fn encode(&self) -> Vec<u8> {
        let twice = self.twice;
        let events: Vec<Vec<u8>> = self.events.iter().map(Event::encode).collect();
        let links: Vec<Vec<u8>> = self.links.iter().map(Link::encode).collect();
        let mut message = Message::default()
            .scalar(1, twice, bytes(1, [9; 16]), bytes(1, self.ids.0))
            .scalar(2, twice, bytes(2, ""), bytes(2, self.ids.1))
            .scalar(3, twice, bytes(3, "decoy=1"), bytes(3, &self.texts.1))
            .scalar(5, twice, bytes(5, "decoy"), bytes(5, &self.texts.0))
            .scalar(6, twice, number(6, 77), number(6, i64::from(self.kind) as u64))
            .scalar(7, twice, fixed64(7, 7), fixed64(7, self.times.0))
            .scalar(8, twice, fixed64(8, 8), fixed64(8, self.times.1))
            .repeated(9, &self.attributes)
            .scalar(10, twice, number(10, 99), number(10, self.dropped.0.into()))
            .repeated(11, &events)
            .scalar(12, twice, number(12, 99), number(12, self.dropped.1.into()))
            .repeated(13, &links)
            .scalar(14, twice, number(14, 99), number(14, self.dropped.2.into()))
            .scalar(16, twice, fixed32(16, 99), fixed32(16, self.flags));
        message = match self.ids.2 {
            Some(parent) => message.scalar(4, twice, bytes(4, [9; 8]), bytes(4, parent)),
            // The last one counts, also where it is empty.
            None if twice => message.field(4, bytes(4, [9; 8])).field(4, bytes(4, "")),
            None => message,
        };
        if let Some((code, text)) = &self.status {
            let status = Message::default().scalar(2, twice, bytes(2, "decoy"), bytes(2, text)).scalar(
                3,
                twice,
                number(3, 9),
                number(3, i64::from(*code) as u64),
            );
            message = message.field(15, bytes(15, status.encode(self.seed)));
        }
        message.encode(self.seed)
    }
}

impl Scope {
    fn encode_scope(&self) -> Vec<u8> {
        let Some((name, version, dropped, attributes)) = &self.scope else { return Vec::new() };
        let message = Message::default().field(1, bytes(1, name)).field(2, bytes(2, version));
        message.repeated(3, attributes).field(4, number(4, (*dropped).into())).encode(self.seed)
    }

    fn encode(&self) -> Vec<u8> {
        let spans: Vec<Vec<u8>> = self.spans.iter().map(Span::encode).collect();
        let mut message = Message::default().repeated(2, &spans).field(3, bytes(3, &self.schema_url));
        if self.scope.is_some() {
            message = message.field(1, bytes(1, self.encode_scope()));
        }
        message.encode(self.seed)
    }
}

impl Resource {
    fn encode_resource(&self) -> Vec<u8> {
        let Some((dropped, attributes)) = &self.resource else { return Vec::new() };
        let entity =
            bytes(3, [bytes(1, "https://schema"), bytes(2, "host"), bytes(3, "host.id"), bytes(4, "x")].concat());
        let message = Message::default().repeated(1, attributes).field(2, number(2, (*dropped).into()));
        message.field(3, entity).encode(self.seed)
    }

    fn encode(&self) -> Vec<u8> {
        let scopes: Vec<Vec<u8>> = self.scopes.iter().map(Scope::encode).collect();
        let mut message = Message::default().repeated(2, &scopes).field(3, bytes(3, &self.schema_url));
        if self.resource.is_some() {
            message = message.field(1, bytes(1, self.encode_resource()));
        }
        message.encode(self.seed)
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (any::<u64>(), text(), any::<u32>(), attributes(), any::<u64>());
    vec(event.prop_map(|(time, name, dropped, attributes, seed)| Event { time, name, dropped, attributes, seed }), 0..3)
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    let link = (any::<([u8; 16], [u8; 8])>(), text(), any::<(u32, u32)>(), attributes(), any::<u64>());
    let link = link.prop_map(|(ids, trace_state, (dropped, flags), attributes, seed)| Link {
        ids,
        trace_state,
        dropped,
        flags,
        attributes,
        seed,
    });
    vec(link, 0..3)
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let scalars = (any::<([u8; 16], [u8; 8], Option<[u8; 8]>)>(), any::<i32>(), any::<(u64, u64)>(), any::<u32>());
    let texts = ((text(), text()), proptest::option::of((any::<i32>(), text())));
    let rest = (any::<(u32, u32, u32)>(), any::<bool>(), any::<u64>());
    let span = (scalars, texts, rest, attributes(), events(), links());
    let span = span.prop_map(
        |((ids, kind, times, flags), (texts, status), (dropped, twice, seed), attributes, events, links)| Span {
            ids,
            texts,
            kind,
            times,
            status,
            flags,
            dropped,
            attributes,
            events,
            links,
            twice,
            seed,
        },
    );
    vec(span, 0..4)
}

fn resources() -> impl Strategy<Value = Vec<Resource>> {
    let scope = (proptest::option::of((text(), text(), any::<u32>(), attributes())), text(), spans(), any::<u64>());
    let scope = scope.prop_map(|(scope, schema_url, spans, seed)| Scope { scope, schema_url, spans, seed });
    let resource = (proptest::option::of((any::<u32>(), attributes())), text(), vec(scope, 0..3), any::<u64>());
    let resource =
        resource.prop_map(|(resource, schema_url, scopes, seed)| Resource { resource, schema_url, scopes, seed });
    vec(resource, 0..3)
}

/// The rows of a table, which must be these messages with their attributes under `tag`.
fn assert_rows(rows: Option<Rows<'_>>, data: &[u8], tag: u8, expected: &[Vec<u8>]) {
    let rows = rows.expect("a table of messages");
    assert_eq!(rows.tags, Tags::Same(tag));
    let contents: Vec<&[u8]> =
        rows.positions.iter().map(|position: &Position| position.content(data).unwrap()).collect();
    assert_eq!(contents, expected);
}

fn check(resources: &[Resource]) {
    let data: Vec<u8> = resources.iter().flat_map(|resource| bytes(1, resource.encode())).collect();
    let columns = Columns::decode(&data, Signal::Traces, Limits::default()).unwrap();
    let table =
        |name: &str| columns.table(&data, name).unwrap().unwrap_or_else(|| panic!("no table {name}")).into_owned();
    let rows = |name: &str| columns.rows(&data, name).unwrap();

    let made = table("resources");
    assert_column(&made, "schema_url", resources.iter().map(|it| &it.schema_url));
    let none = (0, Vec::new());
    let inner = || resources.iter().map(|it| it.resource.as_ref().unwrap_or(&none));
    assert_column(&made, "dropped_attributes_count", inner().map(|it| it.0));
    assert_column(&made, "attributes", inner().map(|it| it.1.len()));
    assert_rows(rows("resources"), &data, 0x0a, &resources.iter().map(Resource::encode_resource).collect::<Vec<_>>());

    let made = table("scopes");
    let scopes: Vec<(usize, &Scope)> = resources
        .iter()
        .enumerate()
        .flat_map(|(row, resource)| resource.scopes.iter().map(move |scope| (row, scope)))
        .collect();
    let none = (String::new(), String::new(), 0, Vec::new());
    let inner = || scopes.iter().map(|(_, it)| it.scope.as_ref().unwrap_or(&none));
    assert_column(&made, "resource", scopes.iter().map(|(resource, _)| resource));
    assert_column(&made, "schema_url", scopes.iter().map(|(_, it)| &it.schema_url));
    assert_column(&made, "name", inner().map(|it| &it.0));
    assert_column(&made, "version", inner().map(|it| &it.1));
    assert_column(&made, "dropped_attributes_count", inner().map(|it| it.2));
    assert_column(&made, "attributes", inner().map(|it| it.3.len()));
    assert_rows(rows("scopes"), &data, 0x1a, &scopes.iter().map(|(_, it)| it.encode_scope()).collect::<Vec<_>>());

    let made = table("spans");
    assert_eq!(&made, columns.items());
    let spans: Vec<(usize, &Span)> = scopes
        .iter()
        .enumerate()
        .flat_map(|(row, (_, scope))| scope.spans.iter().map(move |span| (row, span)))
        .collect();
    let all = || spans.iter().map(|(_, span)| span);
    assert_column(&made, "scope", spans.iter().map(|(scope, _)| scope));
    assert_column(&made, "trace_id", all().map(|it| it.ids.0));
    assert_column(&made, "span_id", all().map(|it| it.ids.1));
    assert_column(&made, "parent_span_id", all().map(|it| it.ids.2.unwrap_or_default()));
    assert_column(&made, "name", all().map(|it| &it.texts.0));
    assert_column(&made, "kind", all().map(|it| it.kind));
    assert_column(&made, "start_time_unix_nano", all().map(|it| it.times.0));
    assert_column(&made, "end_time_unix_nano", all().map(|it| it.times.1));
    assert_column(&made, "status_code", all().map(|it| it.status.as_ref().map_or(0, |status| status.0)));
    assert_column(&made, "flags", all().map(|it| it.flags));
    assert_column(&made, "attributes", all().map(|it| it.attributes.len()));
    assert_column(&made, "events", all().map(|it| it.events.len()));
    assert_column(&made, "links", all().map(|it| it.links.len()));
    assert_rows(rows("spans"), &data, 0x4a, &all().map(|it| it.encode()).collect::<Vec<_>>());

    let made = columns.further(&data, "spans").unwrap().unwrap();
    assert_column(&made, "trace_state", all().map(|it| &it.texts.1));
    assert_column(&made, "status_message", all().map(|it| it.status.as_ref().map_or("", |status| &status.1)));
    assert_column(&made, "dropped_attributes_count", all().map(|it| it.dropped.0));
    assert_column(&made, "dropped_events_count", all().map(|it| it.dropped.1));
    assert_column(&made, "dropped_links_count", all().map(|it| it.dropped.2));

    let made = table("events");
    let events = || all().flat_map(|it| &it.events);
    assert_column(&made, "time_unix_nano", events().map(|it| it.time));
    assert_column(&made, "name", events().map(|it| &it.name));
    assert_column(&made, "dropped_attributes_count", events().map(|it| it.dropped));
    assert_column(&made, "attributes", events().map(|it| it.attributes.len()));
    assert_rows(rows("events"), &data, 0x1a, &events().map(Event::encode).collect::<Vec<_>>());

    let made = table("links");
    let links = || all().flat_map(|it| &it.links);
    assert_column(&made, "trace_id", links().map(|it| it.ids.0));
    assert_column(&made, "span_id", links().map(|it| it.ids.1));
    assert_column(&made, "trace_state", links().map(|it| &it.trace_state));
    assert_column(&made, "dropped_attributes_count", links().map(|it| it.dropped));
    assert_column(&made, "flags", links().map(|it| it.flags));
    assert_column(&made, "attributes", links().map(|it| it.attributes.len()));
    assert_rows(rows("links"), &data, 0x22, &links().map(Link::encode).collect::<Vec<_>>());

    let none = Vec::new();
    let of_resources = resources.iter().map(|it| it.resource.as_ref().map_or(&none, |resource| &resource.1));
    let of_scopes = scopes.iter().map(|(_, it)| it.scope.as_ref().map_or(&none, |scope| &scope.3));
    assert_attributes(&columns, &data, "resources", of_resources);
    assert_attributes(&columns, &data, "scopes", of_scopes);
    assert_attributes(&columns, &data, "spans", all().map(|it| &it.attributes));
    assert_attributes(&columns, &data, "events", events().map(|it| &it.attributes));
    assert_attributes(&columns, &data, "links", links().map(|it| &it.attributes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn tables_hold_what_the_request_was_made_of(resources in resources()) {
        check(&resources);
    }
}

#[test]
fn tables_that_traces_do_not_have_are_none() {
    let columns = Columns::decode(&[], Signal::Traces, Limits::default()).unwrap();
    assert_eq!(columns.items().rows, 0);
    for name in ["", "span", "log_records", "points", "exemplars", "spans.attributes"] {
        assert_eq!(columns.table(&[], name), Ok(None), "{name}");
        assert_eq!(columns.rows(&[], name), Ok(None), "{name}");
    }
    for name in ["resources", "scopes", "events", "links"] {
        assert_eq!(columns.further(&[], name), Ok(None), "{name}");
        assert_eq!(columns.table(&[], name).unwrap().unwrap().rows, 0, "{name}");
    }
}

#[test]
fn another_request_than_the_one_that_was_decoded_gives_errors() {
    let event = bytes(11, bytes(2, "event"));
    let data = bytes(1, bytes(2, bytes(2, event)));
    let columns = Columns::decode(&data, Signal::Traces, Limits::default()).unwrap();
    for name in ["events", "links"] {
        assert!(columns.table(&data[..data.len() - 1], name).is_err(), "{name}");
        assert!(columns.table(&[0xff; 64], name).is_err(), "{name}");
    }
    assert!(columns.further(&[], "spans").is_err());
}
