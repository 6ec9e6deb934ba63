//! Requests that are refused: which, where, and that nothing else is.

mod requests;

use otlp_columns::attributes::{column, keys, list};
use otlp_columns::contract::{self, ColumnType};
use otlp_columns::decode::{Columns, DecodeError, Limits, MAX_DEPTH};
use otlp_columns::table::{Column, Table};
use otlp_schema::schema::{Kind, MessageSchema};
use otlp_schema::signal::Signal;
use otlp_wire::{ErrorKind, ReadError, Reader, WireType};
use proptest::collection::vec;
use proptest::prelude::*;
use requests::{attributes, bytes, fixed32, fixed64, number, pair, value};

/// The signals whose items hold attributes. What is wrong with a metric, and where, is told in the tests of metrics.
const SIGNALS: [Signal; 2] = [Signal::Traces, Signal::Logs];
const ALL_SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

fn decode(data: &[u8], signal: Signal) -> Result<Columns, DecodeError> {
    Columns::decode(data, signal, Limits::default())
}

/// A request with one item. Its content begins at offset 6.
fn item(content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 120, "lengths of one byte");
    bytes(1, bytes(2, bytes(2, content)))
}

#[track_caller]
fn assert_refused(data: &[u8], signal: Signal, kind: ErrorKind, offset: usize) {
    match decode(data, signal) {
        Err(DecodeError::Malformed(error)) => assert_eq!((error.kind, error.offset), (kind, offset)),
        other => panic!("{:?}", other.map(|columns| columns.items().rows)),
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    use ErrorKind::*;
    for signal in SIGNALS {
        let refused = |content: &[u8], kind, offset: usize| assert_refused(&item(content), signal, kind, 6 + offset);
        refused(&[0xd8], Truncated, 0);
        refused(&[0xd8, 5], Truncated, 2);
        refused(&[0xd8, 5, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2], VarintTooLong, 2);
        refused(&[0x07], BadTag, 0);
        refused(&[0x00], BadTag, 0);
        refused(&[0xda, 5, 9, 1], LengthPastEnd, 2);
        refused(&[0xdc, 5], UnmatchedGroup, 0);
        refused(&[0xdb, 5].repeat(33), TooDeep, 64);
    }
    let span = |content: &[u8], kind, offset: usize| assert_refused(&item(content), Signal::Traces, kind, 6 + offset);
    span(&number(1, 5), WrongWireType, 0);
    span(&fixed32(7, 5), WrongWireType, 0);
    span(&number(16, 5), WrongWireType, 0);
    span(&bytes(1, [1; 15]), BadIdLength, 1);
    span(&bytes(2, [1; 9]), BadIdLength, 1);
    span(&bytes(4, [1; 16]), BadIdLength, 1);
    span(&bytes(3, [0xff]), InvalidUtf8, 1);
    span(&[number(6, 1), bytes(5, [b'a', 0xc3])].concat(), InvalidUtf8, 3);
    span(&[bytes(15, number(3, 1)), number(6, 1), bytes(15, "")].concat(), RepeatedMessage, 6);
    span(&bytes(15, bytes(2, [0xff])), InvalidUtf8, 3);
    span(&bytes(11, bytes(2, [0x80])), InvalidUtf8, 3);
    span(&bytes(13, bytes(1, [1; 3])), BadIdLength, 3);
    span(&bytes(13, bytes(3, [0x80])), InvalidUtf8, 3);
    span(&bytes(9, bytes(1, [0xff])), InvalidUtf8, 3);
    span(&bytes(9, pair("k", &bytes(1, [0xff]))), InvalidUtf8, 8);
    span(&bytes(9, [bytes(2, ""), bytes(2, "")].concat()), RepeatedMessage, 4);
    span(&bytes(9, pair("k", &[bytes(5, ""), bytes(6, "")].concat())), RepeatedMessage, 9);
    span(&bytes(9, pair("k", &bytes(5, bytes(1, number(1, 1))))), WrongWireType, 11);
    span(&bytes(11, bytes(3, pair("k", &bytes(1, [0xff])))), InvalidUtf8, 10);
    span(&bytes(13, bytes(4, pair("k", &bytes(1, [0xff])))), InvalidUtf8, 10);
    let record = |content: &[u8], kind, offset: usize| assert_refused(&item(content), Signal::Logs, kind, 6 + offset);
    record(&[bytes(5, ""), bytes(5, "")].concat(), RepeatedMessage, 2);
    record(&bytes(5, bytes(1, [0xff])), InvalidUtf8, 3);
    record(&bytes(5, [bytes(5, bytes(1, [0x08])), bytes(1, "last")].concat()), WrongWireType, 6);
    record(&bytes(9, [0; 17]), BadIdLength, 1);
    record(&bytes(10, [0; 7]), BadIdLength, 1);
    record(&bytes(12, [0xff]), InvalidUtf8, 1);
    record(&bytes(3, [0xff]), InvalidUtf8, 1);
    record(&number(8, 1), WrongWireType, 0);
    for signal in SIGNALS {
        let refused = |data: &[u8], kind, offset| assert_refused(data, signal, kind, offset);
        refused(&bytes(1, [bytes(1, ""), bytes(1, "")].concat()), RepeatedMessage, 4);
        refused(&bytes(1, bytes(2, [bytes(1, ""), bytes(1, "")].concat())), RepeatedMessage, 6);
        refused(&bytes(1, bytes(3, [0xff])), InvalidUtf8, 3);
        refused(&bytes(1, bytes(2, bytes(3, [0xff]))), InvalidUtf8, 5);
        refused(&bytes(1, bytes(1, bytes(1, pair("k", &bytes(1, [0xff]))))), InvalidUtf8, 12);
        refused(&bytes(1, bytes(1, bytes(3, bytes(3, [0xff])))), InvalidUtf8, 7);
        refused(&bytes(1, bytes(2, bytes(1, bytes(1, [0xff])))), InvalidUtf8, 7);
        refused(&bytes(1, bytes(2, bytes(1, bytes(2, [0xff])))), InvalidUtf8, 7);
        refused(&bytes(1, bytes(2, bytes(1, bytes(3, bytes(1, [0xff]))))), InvalidUtf8, 9);
        refused(&number(1, 1), WrongWireType, 0);
        refused(b"not a request", BadTag, 0);
    }
}

/// A request with something in every place.
fn rich_request(signal: Signal) -> Vec<u8> {
    let nested = bytes(6, bytes(1, pair("k", &bytes(5, bytes(1, number(3, 1 << 40))))));
    let attributes =
        |field| [bytes(field, pair("key", &bytes(1, "value"))), bytes(field, pair("deep", &nested))].concat();
    let item = match signal {
        Signal::Traces => {
            let event = [fixed64(1, 5), bytes(2, "event"), attributes(3), number(4, 300)].concat();
            let link = [bytes(1, [7; 16]), bytes(2, [7; 8]), bytes(3, "a=b"), attributes(4), fixed32(6, 1)].concat();
            let ids = [bytes(1, [1; 16]), bytes(2, [2; 8]), bytes(4, [3; 8]), bytes(5, "n\u{e4}me")].concat();
            let parts = [attributes(9), bytes(11, event), bytes(13, link), bytes(15, bytes(2, "message"))].concat();
            [ids, fixed64(7, 1), fixed64(8, 2), parts, fixed32(16, 1)].concat()
        }
        Signal::Logs => {
            let head = [fixed64(1, 1), bytes(3, "INFO"), bytes(5, &nested), attributes(6)].concat();
            [head, bytes(9, [1; 16]), bytes(12, "x")].concat()
        }
        Signal::Metrics => {
            let exemplar = bytes(8, [fixed64(3, 1), bytes(4, [2; 8]), bytes(5, [1; 16]), attributes(7)].concat());
            let runs = [bytes(6, [0; 24]), fixed64(6, 3), bytes(7, [0; 16])].concat();
            let point = bytes(1, [fixed64(3, 1), fixed64(4, 9), runs, exemplar, attributes(9), number(10, 1)].concat());
            let data = bytes(9, [&point, &number(2, 2)[..], &point].concat());
            [bytes(1, "name"), bytes(3, "By"), data, attributes(12)].concat()
        }
    };
    let scope = bytes(1, [bytes(1, "scope"), bytes(2, "1"), attributes(3)].concat());
    let scope_group = [scope, bytes(2, &item), bytes(2, item), bytes(3, "url")].concat();
    let resource = bytes(1, [attributes(1), bytes(3, bytes(2, "host"))].concat());
    bytes(1, [resource, bytes(2, scope_group), bytes(3, "url")].concat())
}

/// The metrics that [`rich_request`] does not have.
fn other_metrics() -> Vec<u8> {
    let exemplar = [fixed64(2, 5), fixed64(6, 1), bytes(7, pair("k", &bytes(1, "v")))].concat();
    let number_point = [fixed64(3, 1), fixed64(6, 2), bytes(7, pair("k", "".as_ref())), bytes(5, &exemplar)].concat();
    let side = bytes(8, [number(1, 3), bytes(2, [1, 0x80, 1, 0xff, 0xff, 3]), number(2, 300)].concat());
    let exponential = [fixed64(4, 2), number(6, 9), side, bytes(9, bytes(2, [0x80, 0])), bytes(11, exemplar)].concat();
    let summary = [fixed64(4, 2), bytes(6, [fixed64(1, 5), fixed64(2, 5)].concat()), fixed64(5, 1)].concat();
    let metrics = [
        bytes(5, bytes(1, &number_point)),
        bytes(7, [bytes(1, &number_point), number(2, 1), number(3, 1)].concat()),
        bytes(10, bytes(1, exponential)),
        bytes(11, bytes(1, summary)),
    ];
    bytes(1, bytes(2, metrics.iter().flat_map(|metric| bytes(2, metric)).collect::<Vec<u8>>()))
}

#[test]
fn request_that_ends_early_is_refused_wherever_it_ends() {
    let whole = |signal| (rich_request(signal), signal, if signal == Signal::Metrics { 4 } else { 2 });
    for (whole, signal, items) in ALL_SIGNALS.map(whole).into_iter().chain([(other_metrics(), Signal::Metrics, 4)]) {
        assert_eq!(decode(&whole, signal).unwrap().items().rows, items);
        for end in 1..whole.len() {
            match decode(&whole[..end], signal) {
                Err(DecodeError::Malformed(error)) => assert!(error.offset <= end, "{end}: {error}"),
                other => panic!("{end}: {}", other.is_ok()),
            }
        }
    }
}

#[test]
fn no_table_has_more_rows_than_max_items() {
    let refused =
        |data: &[u8], signal, max_items| match Columns::decode(data, signal, Limits { max_items, ..Limits::default() })
        {
            Err(DecodeError::TooManyItems { offset }) => Some(offset),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        };
    for signal in SIGNALS {
        let groups = [bytes(1, ""), bytes(1, ""), bytes(1, "")].concat();
        assert_eq!(refused(&groups, signal, 2), Some(4), "resources");
        assert_eq!(refused(&groups, signal, 3), None);
        let scopes = bytes(1, [bytes(2, ""), bytes(2, "")].concat());
        assert_eq!(refused(&scopes, signal, 1), Some(4), "scopes");
        // The rows of all groups count.
        let items = [item(b""), item(b""), item(b"")].concat();
        assert_eq!(refused(&items, signal, 3), None);
        let items = bytes(1, [bytes(2, bytes(2, "")), bytes(2, [bytes(2, ""), bytes(2, "")].concat())].concat());
        assert_eq!(refused(&items, signal, 2), Some(10), "items");
        let two = |field| [bytes(field, ""), bytes(field, "")].concat();
        assert_eq!(refused(&bytes(1, bytes(1, two(1))), signal, 1), Some(6), "attributes of resources");
        assert_eq!(refused(&bytes(1, bytes(2, bytes(1, two(3)))), signal, 1), Some(8), "attributes of scopes");
        let attributes = if signal == Signal::Traces { 9 } else { 6 };
        assert_eq!(refused(&item(&two(attributes)), signal, 1), Some(8), "attributes of items");
        assert_eq!(refused(&item(&two(attributes)), signal, 2), None);
        assert_eq!(refused(&item(b""), signal, 0), Some(0));
        assert_eq!(refused(b"", signal, 0), None);
    }
    for (field, attributes, what) in [(11, 3, "events"), (13, 4, "links")] {
        let span = |content: &[u8]| item(content);
        let two = [bytes(field, ""), bytes(field, "")].concat();
        assert_eq!(refused(&span(&two), Signal::Traces, 1), Some(8), "{what}");
        // One each for two events: together they are too many.
        let two = [bytes(field, bytes(attributes, "")), bytes(field, bytes(attributes, ""))].concat();
        assert_eq!(refused(&span(&two), Signal::Traces, 2), None);
        let three = [bytes(field, bytes(attributes, "")), bytes(field, bytes(attributes, "").repeat(2))].concat();
        assert_eq!(refused(&span(&three), Signal::Traces, 2), Some(14), "attributes of {what}");
    }
}

#[test]
fn request_longer_than_max_bytes_is_refused() {
    let data = item(b"");
    let limits = Limits { max_bytes: data.len(), ..Limits::default() };
    assert!(Columns::decode(&data, Signal::Traces, limits).is_ok());
    let limits = Limits { max_bytes: data.len() - 1, ..limits };
    assert_eq!(Columns::decode(&data, Signal::Logs, limits).unwrap_err(), DecodeError::TooLong { len: data.len() });
}

#[test]
fn no_message_is_deeper_than_max_depth() {
    let deepest = |data: &[u8], signal, depth: u32| {
        for max_depth in 0..depth {
            match Columns::decode(data, signal, Limits { max_depth, ..Limits::default() }) {
                Err(DecodeError::Malformed(error)) => assert_eq!(error.kind, ErrorKind::TooDeep, "{max_depth}"),
                other => panic!("{max_depth} of {depth}: {}", other.is_ok()),
            }
        }
        assert!(Columns::decode(data, signal, Limits { max_depth: depth, ..Limits::default() }).is_ok(), "{depth}");
    };
    for signal in SIGNALS {
        let attributes = if signal == Signal::Traces { 9 } else { 6 };
        deepest(b"", signal, 0);
        deepest(&bytes(1, ""), signal, 1);
        deepest(&bytes(1, bytes(1, "")), signal, 2);
        deepest(&bytes(1, bytes(1, bytes(3, ""))), signal, 3);
        deepest(&bytes(1, bytes(1, bytes(1, ""))), signal, 3);
        deepest(&bytes(1, bytes(2, "")), signal, 2);
        deepest(&bytes(1, bytes(2, bytes(1, ""))), signal, 3);
        deepest(&item(b""), signal, 3);
        deepest(&item(&bytes(attributes, "")), signal, 4);
        deepest(&item(&bytes(attributes, pair("key", b""))), signal, 5);
        deepest(&item(&bytes(attributes, pair("key", &bytes(1, "text")))), signal, 5);
        deepest(&item(&bytes(attributes, pair("key", &bytes(5, bytes(1, number(3, 1)))))), signal, 7);
        deepest(&item(&bytes(attributes, pair("key", &bytes(6, bytes(1, pair("key", &number(3, 1))))))), signal, 8);
    }
    deepest(&item(&bytes(5, number(3, 1))), Signal::Logs, 4);
    deepest(&item(&bytes(15, "")), Signal::Traces, 4);
    deepest(&item(&bytes(11, bytes(3, pair("key", b"")))), Signal::Traces, 6);
    deepest(&item(&bytes(13, bytes(4, pair("key", b"")))), Signal::Traces, 6);
}

#[test]
fn depth_that_the_stack_does_not_hold_is_refused_whatever_is_allowed() {
    let mut nested = Vec::new();
    for _ in 0..50_000 {
        nested = bytes(5, bytes(1, nested));
    }
    let data = bytes(1, bytes(2, bytes(2, bytes(5, nested))));
    let limits = Limits { max_depth: u32::MAX, ..Limits::default() };
    match Columns::decode(&data, Signal::Logs, limits) {
        Err(DecodeError::Malformed(error)) => assert_eq!(error.kind, ErrorKind::TooDeep),
        other => panic!("{}", other.is_ok()),
    }
    let mut nested = Vec::new();
    // Request, resource, scope, record, body; then two messages for each array.
    for _ in 0..(MAX_DEPTH - 4) / 2 {
        nested = bytes(5, bytes(1, nested));
    }
    let data = bytes(1, bytes(2, bytes(2, bytes(5, nested))));
    assert!(Columns::decode(&data, Signal::Logs, limits).is_ok());
}

/// The same question put to the schema, field by field and with nothing in mind but it: whether all of a message can be
/// read.
fn is_valid(mut reader: Reader<'_>, message: &'static MessageSchema, depth: u32) -> bool {
    let mut seen = Vec::new();
    while !reader.is_at_end() {
        let Ok(Some(tag)) = reader.read_tag() else { return false };
        let Some(field) = message.field(tag.field) else {
            if reader.skip(tag).is_err() {
                return false;
            }
            continue;
        };
        if field.is_packed() && tag.wire_type == WireType::Len {
            let Ok(mut elements) = reader.nested() else { return false };
            while !elements.is_at_end() {
                let is_read = match field.kind.wire_type() {
                    WireType::Fixed64 => elements.read_fixed64().is_ok(),
                    _ => elements.read_varint().is_ok(),
                };
                if !is_read {
                    return false;
                }
            }
            continue;
        }
        let (wire_type, is_read) = match field.kind {
            Kind::Text => (WireType::Len, reader.clone().read_str().is_ok()),
            Kind::Bytes => (WireType::Len, reader.clone().read_bytes().is_ok()),
            Kind::Id(length) => {
                (WireType::Len, reader.clone().read_bytes().is_ok_and(|id| id.is_empty() || id.len() == length))
            }
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => (WireType::Fixed64, reader.clone().read_fixed64().is_ok()),
            Kind::Fixed32 => (WireType::Fixed32, reader.clone().read_fixed32().is_ok()),
            Kind::Message(inner) => {
                // The members of a oneof of messages stand once together.
                let slot = if field.is_member { 0 } else { field.number };
                let is_repeated = !field.is_repeated && seen.contains(&slot);
                seen.push(slot);
                let content = reader.clone().nested();
                let is_inner_valid = content.is_ok_and(|content| depth < 100 && is_valid(content, inner, depth + 1));
                (WireType::Len, is_inner_valid && !is_repeated)
            }
            _ => (WireType::Varint, reader.clone().read_varint().is_ok()),
        };
        if tag.wire_type != wire_type || !is_read || reader.skip(tag).is_err() {
            return false;
        }
    }
    true
}

/// A table of the contract with all of its columns.
fn table(columns: &Columns, data: &[u8], name: &str) -> Result<Table, ReadError> {
    if let Some(owner) = owner(name) {
        return Ok(list(columns, data, owner)?.expect("a table with attributes"));
    }
    let mut table = columns.table(data, name)?.expect("a table of the contract").into_owned();
    if let Some(further) = columns.further(data, name)? {
        assert_eq!(further.rows, table.rows, "{name}");
        table.columns.extend(further.columns);
    }
    Ok(table)
}

/// The table whose attributes a table holds.
fn owner(name: &str) -> Option<&str> {
    name.strip_suffix(".attributes").or(name.strip_suffix(".metadata"))
}

fn assert_agrees(data: &[u8], signal: Signal) -> Result<(), TestCaseError> {
    let expected = is_valid(Reader::new(data), signal.request(), 0);
    match decode(data, signal) {
        Err(DecodeError::Malformed(error)) => {
            prop_assert!(!expected, "{error}, but by its schema the request is valid");
            prop_assert!(error.offset <= data.len());
        }
        Err(error) => prop_assert!(false, "{error}"),
        Ok(columns) => {
            prop_assert!(expected, "by its schema the request is not valid");
            for made in contract::tables(signal) {
                let table = table(&columns, data, made.name).expect("it was decoded");
                for (name, kind) in made.columns {
                    let counted = requests::values(&table, name);
                    let ColumnType::Offsets(parts) = kind else { continue };
                    let counted: usize = counted.iter().map(|rows| rows.parse::<usize>().expect("a number")).sum();
                    let parts = self::table(&columns, data, parts).expect("it was decoded");
                    prop_assert_eq!(parts.rows, counted, "{}.{}", made.name, name);
                }
            }
        }
    }
    Ok(())
}

/// One of the requests with something in every place.
fn whole_request(number: usize) -> (Vec<u8>, Signal) {
    match ALL_SIGNALS.get(number) {
        Some(&signal) => (rich_request(signal), signal),
        None => (other_metrics(), Signal::Metrics),
    }
}

/// Bytes that are replaced by others.
type Damage = Vec<(prop::sample::Index, u8)>;

fn damage() -> impl Strategy<Value = Damage> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

fn inflict(damage: &Damage, data: &mut [u8]) {
    for (place, byte) in damage {
        data[place.index(data.len())] = *byte;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn request_is_refused_exactly_where_its_schema_is_not_kept(
        damage in damage(), request in 0..4usize,
    ) {
        let (mut data, signal) = whole_request(request);
        inflict(&damage, &mut data);
        assert_agrees(&data, signal)?;
    }

    #[test]
    fn columns_read_with_another_request_give_errors_or_nonsense(
        damage in damage(), request in 0..4usize, cut in 0..40usize,
    ) {
        let (mut data, signal) = whole_request(request);
        let columns = decode(&data, signal).expect("a request");
        inflict(&damage, &mut data);
        data.truncate(data.len() - cut);
        for made in contract::tables(signal) {
            if let Ok(table) = table(&columns, &data, made.name) {
                made.columns.iter().for_each(|(name, _)| assert_eq!(requests::values(&table, name).len(), table.rows));
            }
            let Some(owner) = owner(made.name) else { continue };
            if let Ok(Some(found)) = column(&columns, &data, owner, "key") {
                let Some(Column::U8(types)) = found.column("type") else { panic!("{found:?}") };
                prop_assert_eq!(types.len(), found.rows);
            }
            // Where there is an index the keys are those of the request that was decoded.
            let _ = keys(&columns, &data, owner);
            if let Ok(Some(all)) = list(&columns, &data, owner) {
                prop_assert_eq!(requests::values(&all, "key").len(), all.rows);
            }
        }
    }

    #[test]
    fn attributes_are_refused_exactly_where_their_schema_is_not_kept(
        attributes in attributes(), body in value(), place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut record = bytes(5, body);
        record.extend(attributes.iter().flat_map(|attribute| bytes(6, attribute)));
        let place = place.index(record.len());
        record[place] = byte;
        assert_agrees(&bytes(1, bytes(2, bytes(2, record))), Signal::Logs)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(data in vec(any::<u8>(), 0..100)) {
        for signal in ALL_SIGNALS {
            assert_agrees(&data, signal)?;
            assert_agrees(&bytes(1, bytes(2, bytes(2, &data))), signal)?;
        }
        for kind in [5, 7, 9, 10, 11] {
            assert_agrees(&bytes(1, bytes(2, bytes(2, bytes(kind, bytes(1, &data))))), Signal::Metrics)?;
        }
    }
}
