//! Log records as columns, against what the requests were made of.

mod requests;

use otlp_columns::decode::{Columns, Limits, Tags};
use otlp_schema::signal::Signal;
use proptest::collection::vec;
use proptest::prelude::*;
use requests::naive::assert_attributes;
use requests::{Message, assert_column, attributes, bytes, fixed32, fixed64, number, pair, text, value};

#[derive(Clone, Debug)]
struct Record {
    times: (u64, u64),
    severity: (i32, String),
    event_name: String,
    flags: u32,
    ids: (Option<[u8; 16]>, Option<[u8; 8]>),
    dropped: u32,
    body: Option<Vec<u8>>,
    attributes: Vec<Vec<u8>>,
    twice: bool,
    seed: u64,
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let twice = self.twice;
        let mut message = Message::default()
            .scalar(1, twice, fixed64(1, 1), fixed64(1, self.times.0))
            .scalar(2, twice, number(2, 2), number(2, i64::from(self.severity.0) as u64))
            .scalar(3, twice, bytes(3, "decoy"), bytes(3, &self.severity.1))
            .repeated(6, &self.attributes)
            .scalar(7, twice, number(7, 7), number(7, self.dropped.into()))
            .scalar(8, twice, fixed32(8, 8), fixed32(8, self.flags))
            .scalar(11, twice, fixed64(11, 11), fixed64(11, self.times.1))
            .scalar(12, twice, bytes(12, "decoy"), bytes(12, &self.event_name));
        if let Some(id) = self.ids.0 {
            message = message.scalar(9, twice, bytes(9, ""), bytes(9, id));
        }
        if let Some(id) = self.ids.1 {
            message = message.scalar(10, twice, bytes(10, [9; 8]), bytes(10, id));
        }
        if let Some(body) = &self.body {
            message = message.field(5, bytes(5, body));
        }
        message.encode(self.seed)
    }
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let scalars =
        (any::<(u64, u64)>(), any::<i32>(), any::<u32>(), any::<(Option<[u8; 16]>, Option<[u8; 8]>)>(), any::<u32>());
    let texts = (text(), text());
    let record = (scalars, texts, proptest::option::of(value()), attributes(), any::<(bool, u64)>());
    let record = record.prop_map(|((times, severity, flags, ids, dropped), texts, body, attributes, (twice, seed))| {
        let severity = (severity, texts.0);
        Record { times, severity, event_name: texts.1, flags, ids, dropped, body, attributes, twice, seed }
    });
    vec(record, 0..5)
}

fn request(scopes: &[Vec<Record>]) -> Vec<u8> {
    let records = |scope: &[Record]| scope.iter().flat_map(|record| bytes(2, record.encode())).collect::<Vec<u8>>();
    bytes(1, scopes.iter().flat_map(|scope| bytes(2, records(scope))).collect::<Vec<u8>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn tables_hold_what_the_request_was_made_of(scopes in vec(records(), 0..3)) {
        let data = request(&scopes);
        let columns = Columns::decode(&data, Signal::Logs, Limits::default()).unwrap();
        let made = columns.items();
        let rows = || scopes.iter().enumerate().flat_map(|(row, scope)| scope.iter().map(move |record| (row, record)));
        let all = || rows().map(|(_, record)| record);
        assert_column(made, "scope", rows().map(|(scope, _)| scope));
        assert_column(made, "time_unix_nano", all().map(|it| it.times.0));
        assert_column(made, "observed_time_unix_nano", all().map(|it| it.times.1));
        assert_column(made, "severity_number", all().map(|it| it.severity.0));
        assert_column(made, "severity_text", all().map(|it| &it.severity.1));
        assert_column(made, "flags", all().map(|it| it.flags));
        assert_column(made, "trace_id", all().map(|it| it.ids.0.unwrap_or_default()));
        assert_column(made, "span_id", all().map(|it| it.ids.1.unwrap_or_default()));
        assert_column(made, "event_name", all().map(|it| &it.event_name));
        assert_column(made, "attributes", all().map(|it| it.attributes.len()));
        let places = columns.rows(&data, "log_records").unwrap().unwrap();
        prop_assert_eq!(places.tags, Tags::Same(0x32));
        for (position, record) in places.positions.iter().zip(all()) {
            prop_assert_eq!(position.content(&data), Ok(&record.encode()[..]));
        }
        assert_attributes(&columns, &data, "log_records", all().map(|it| &it.attributes));
        let further = columns.further(&data, "log_records").unwrap().unwrap();
        assert_column(&further, "dropped_attributes_count", all().map(|it| it.dropped));
    }
}

#[test]
fn bodies_are_told_by_their_type() {
    let array = bytes(1, number(3, 1));
    let pairs = bytes(1, pair("key", &number(3, 1)));
    let bodies = [
        Vec::new(),
        bytes(1, "text"),
        number(2, 1),
        number(3, -5i64 as u64),
        fixed64(4, 1.5f64.to_bits()),
        bytes(5, &array),
        bytes(6, &pairs),
        bytes(7, [0xff, 0]),
        [bytes(1, "replaced"), number(3, 7)].concat(),
        bytes(1, ""),
    ];
    let mut records: Vec<u8> = bodies.iter().flat_map(|body| bytes(2, bytes(5, body))).collect();
    records.extend(bytes(2, ""));
    let data = bytes(1, bytes(2, records));
    let columns = Columns::decode(&data, Signal::Logs, Limits::default()).unwrap();
    let further = columns.further(&data, "log_records").unwrap().unwrap();
    assert_column(&further, "body_type", [0, 1, 2, 3, 4, 5, 6, 7, 3, 1, 255]);
    assert_column(&further, "body_text", ["", "text", "", "", "", "", "", "", "", "", ""]);
    assert_column(&further, "body_int", [0, 0, 1, -5, 0, 0, 0, 0, 7, 0, 0]);
    let double = 1.5f64.to_bits();
    assert_column(&further, "body_double", [0, 0, 0, 0, double, 0, 0, 0, 0, 0, 0]);
    let none: &[u8] = &[];
    assert_column(&further, "body_bytes", [none, none, none, none, none, &array, &pairs, &[0xff, 0], none, none, none]);
}

#[test]
fn tables_that_logs_do_not_have_are_none() {
    let columns = Columns::decode(&[], Signal::Logs, Limits::default()).unwrap();
    for name in ["spans", "events", "links", "points"] {
        assert_eq!(columns.table(&[], name), Ok(None), "{name}");
        assert_eq!(columns.rows(&[], name), Ok(None), "{name}");
    }
}
