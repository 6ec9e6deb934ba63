//! Which signal a request is of, where nobody says: in an archive, or on a pipe.
//!
//! The requests of all signals have the same outer messages; only their items differ. So an item is read as a span, as a log
//! record and as a metric, each by its schema with everything in it, and a signal that an item does not fit is out. Field 1 alone
//! tells most: an id of 16 bytes, a fixed64, a name. The items are looked at in their order until one signal is left, which
//! is nearly always behind the first; what follows is not looked at, and may be malformed.
//!
//! **Where several fit.** Little has to stand in an item: what is a log record with a text for its body may also be a span with
//! an odd name. But a span without ids and a metric without a name are of no use to anybody, so such a reading counts only
//! where there is no better one. A request without items fits every signal.

use crate::common::MAX_MESSAGE_DEPTH;
use crate::fields::{envelope, metric, span};
use crate::schema::{FieldSchema, Kind, MessageSchema};
use crate::signal::Signal;
use crate::view::messages::{LogRecord, Metric, Span};
use otlp_wire::{ErrorKind, ReadError, Reader, WireType};

/// How well items fit a signal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// One lacks what such an item must have.
    Poor,
    Good,
}

/// A request of no signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectError {
    /// What is wrong with it, and where.
    pub error: ReadError,
    /// As a request of which signal: of the one that it fits longest.
    pub signal: Signal,
}

/// The signals that a request may be of: one, or more where its items do not tell; all where it has none.
///
/// # Errors
/// It is a request of no signal.
pub fn detect(request: &[u8]) -> Result<Vec<Signal>, DetectError> {
    let mut candidates = Signal::ALL.map(|signal| (signal, Fit::Good)).to_vec();
    let outer = |error| DetectError { error, signal: Signal::Traces };
    let mut resource_groups = Reader::new(request);
    'items: while let Some(mut scope_groups) = next(&mut resource_groups, envelope::RESOURCE_GROUPS).map_err(outer)? {
        while let Some(mut items) = next(&mut scope_groups, envelope::SCOPE_GROUPS).map_err(outer)? {
            while let Some(item) = next(&mut items, envelope::ITEMS).map_err(outer)? {
                narrow(&mut candidates, item)?;
                if candidates.len() == 1 {
                    break 'items;
                }
            }
        }
    }
    let best = candidates.iter().map(|(_, fit)| *fit).max();
    Ok(candidates.into_iter().filter(|(_, fit)| Some(*fit) == best).map(|(signal, _)| signal).collect())
}

/// The next message of a field, with all others passed over.
fn next<'a>(message: &mut Reader<'a>, tag: u8) -> Result<Option<Reader<'a>>, ReadError> {
    while let Some(found) = message.read_tag()? {
        if found.field == u32::from(tag >> 3) {
            message.require_type(found, WireType::Len)?;
            return message.nested().map(Some);
        }
        message.skip(found)?;
    }
    Ok(None)
}

/// Leaves the signals that an item fits.
fn narrow(candidates: &mut Vec<(Signal, Fit)>, item: Reader<'_>) -> Result<(), DetectError> {
    let mut furthest: Option<DetectError> = None;
    candidates.retain_mut(|(signal, fit)| match read_item(item, *signal) {
        Ok(item_fit) => {
            *fit = item_fit.min(*fit);
            true
        }
        Err(error) => {
            if furthest.is_none_or(|other| other.error.offset < error.offset) {
                furthest = Some(DetectError { error, signal: *signal });
            }
            false
        }
    });
    match furthest {
        Some(error) if candidates.is_empty() => Err(error),
        _ => Ok(()),
    }
}

/// The number of a tag's field.
const fn number(tag: u8) -> u32 {
    (tag >> 3) as u32
}

/// Reads an item as one of a signal.
fn read_item(item: Reader<'_>, signal: Signal) -> Result<Fit, ReadError> {
    // The request, two groups, the item.
    let depth = 3;
    let (schema, required): (_, &[u32]) = match signal {
        Signal::Traces => (Span::SCHEMA, &[number(span::TRACE_ID), number(span::SPAN_ID)]),
        Signal::Logs => (LogRecord::SCHEMA, &[]),
        Signal::Metrics => (Metric::SCHEMA, &[number(metric::NAME)]),
    };
    let found = check(item, schema, depth)?;
    // An item with nothing in it says nothing.
    let is_good = found == 0 || required.iter().all(|&field| found & 1 << field != 0);
    Ok(if is_good { Fit::Good } else { Fit::Poor })
}

/// Checks a message and everything in it, and gives the numbers of its known fields as bits.
fn check(mut message: Reader<'_>, schema: &'static MessageSchema, depth: u32) -> Result<u64, ReadError> {
    if depth > MAX_MESSAGE_DEPTH {
        return Err(message.error(ErrorKind::TooDeep));
    }
    let mut found = 0;
    while let Some(tag) = message.read_tag()? {
        let Some(field) = schema.field(tag.field) else {
            message.skip(tag)?;
            continue;
        };
        found |= 1 << field.number;
        let own_type = wire_type(field.kind);
        let is_packed = field.is_repeated && tag.wire_type == WireType::Len && own_type != WireType::Len;
        if !is_packed {
            message.require_type(tag, own_type)?;
        }
        match field {
            FieldSchema { kind: Kind::Message(inner), .. } => drop(check(message.nested()?, inner, depth + 1)?),
            FieldSchema { kind: Kind::Text, .. } => drop(message.read_str()?),
            FieldSchema { kind: Kind::Id(len), .. } => {
                let start = message;
                let id = message.read_bytes()?;
                if !id.is_empty() && id.len() != *len {
                    return Err(start.error(ErrorKind::BadIdLength));
                }
            }
            _ => message.skip(tag)?,
        }
    }
    Ok(found)
}

/// How a value that is not packed is laid out.
fn wire_type(kind: Kind) -> WireType {
    match kind {
        Kind::Text | Kind::Bytes | Kind::Id(_) | Kind::Message(_) => WireType::Len,
        Kind::Bool | Kind::Int32 | Kind::Sint32 | Kind::Uint32 | Kind::Int64 | Kind::Uint64 => WireType::Varint,
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::Fixed64,
        Kind::Fixed32 => WireType::Fixed32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{any_value, log_record, metric_data, number_data_point};
    use otlp_wire::Writer;
    use proptest::prelude::*;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    fn request(items: &[&[u8]]) -> Vec<u8> {
        let items: Vec<u8> = items.iter().flat_map(|item| field(envelope::ITEMS, item)).collect();
        let scope = field(envelope::SCOPE, b"\x0a\x01s");
        let resource = field(envelope::RESOURCE, b"");
        let groups = field(envelope::SCOPE_GROUPS, &[scope, items].concat());
        field(envelope::RESOURCE_GROUPS, &[resource, groups].concat())
    }

    fn detected(items: &[&[u8]]) -> Vec<Signal> {
        detect(&request(items)).unwrap()
    }

    #[test]
    fn items_tell_their_signal() {
        let ids = [field(span::TRACE_ID, b"0123456789abcdef"), field(span::SPAN_ID, b"01234567")].concat();
        let named = [ids.clone(), field(span::NAME, b"GET /")].concat();
        assert_eq!(detected(&[&named]), [Signal::Traces]);
        let timed = [&[log_record::TIME_UNIX_NANO][..], &[1; 8]].concat();
        assert_eq!(detected(&[&timed]), [Signal::Logs]);
        let point = [&[number_data_point::AS_DOUBLE][..], &[0; 8]].concat();
        let gauge = field(metric::GAUGE, &field(metric_data::DATA_POINTS, &point));
        assert_eq!(detected(&[&[field(metric::NAME, b"cpu"), gauge].concat()]), [Signal::Metrics]);
    }

    #[test]
    fn reading_that_lacks_what_is_required_counts_less() {
        // A log record with a body: as a span, one with the name "\n\x02hi".
        let body = field(log_record::BODY, &field(any_value::STRING_VALUE, b"hi"));
        assert!(check(Reader::new(&body), Span::SCHEMA, 0).is_ok());
        assert_eq!(detected(&[&body]), [Signal::Logs]);
        assert_eq!(detected(&[b"", &body, b"\x78\x01"]), [Signal::Logs], "items without known fields say nothing");
    }

    #[test]
    fn later_items_decide_where_the_first_does_not() {
        let named = field(metric::NAME, b"0123456789abcdef");
        assert_eq!(detected(&[&named]), [Signal::Metrics]);
        let ids = [named, field(span::SPAN_ID, b"01234567")].concat();
        assert_eq!(detected(&[&ids]), [Signal::Traces, Signal::Metrics]);
        let started = [&[span::START_TIME_UNIX_NANO][..], &[1; 8]].concat();
        assert_eq!(detected(&[&ids, &started]), [Signal::Traces]);
        assert_eq!(detected(&[&started, b"\xff"]), [Signal::Traces], "what follows is not looked at");
    }

    #[test]
    fn request_without_items_fits_every_signal() {
        for empty in [&b""[..], b"\x0a\x00", b"\x0a\x02\x12\x00", b"\x78\x01"] {
            assert_eq!(detect(empty).unwrap(), Signal::ALL, "{empty:?}");
        }
        assert_eq!(detected(&[b""]), Signal::ALL);
    }

    #[test]
    fn what_is_no_request_is_refused_where_it_is_wrong() {
        let refused = |data: &[u8]| detect(data).map_err(|wrong| (wrong.error.kind, wrong.error.offset, wrong.signal));
        assert_eq!(refused(b"\x08\x01"), Err((ErrorKind::WrongWireType, 0, Signal::Traces)));
        assert_eq!(refused(b"\x0a\x05\x12"), Err((ErrorKind::LengthPastEnd, 1, Signal::Traces)));
        // A span up to its name, which ends too early: as a log record and as a metric it is wrong before.
        let ids = [field(span::TRACE_ID, &[0xff; 16]), field(span::SPAN_ID, &[0xff; 8])].concat();
        let broken = request(&[&[&ids[..], &[span::NAME, 9]].concat()]);
        let wrong = detect(&broken).unwrap_err();
        assert_eq!((wrong.error.kind, wrong.signal), (ErrorKind::LengthPastEnd, Signal::Traces));
        assert_eq!(wrong.error.offset, broken.len() - 1);
    }

    #[test]
    fn nesting_is_bounded() {
        let mut value = Vec::new();
        for _ in 0..200 {
            value = field(any_value::ARRAY_VALUE, &field(1 << 3 | 2, &value));
        }
        let timed = [&[log_record::TIME_UNIX_NANO][..], &[1; 8], &field(log_record::BODY, &value)].concat();
        let wrong = detect(&request(&[&timed])).unwrap_err();
        assert_eq!((wrong.error.kind, wrong.signal), (ErrorKind::TooDeep, Signal::Logs));
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_or_refused(item in proptest::collection::vec(any::<u8>(), 0..60)) {
            for data in [request(&[&item]), item] {
                match detect(&data) {
                    Ok(signals) => prop_assert!(!signals.is_empty()),
                    Err(wrong) => prop_assert!(wrong.error.offset <= data.len()),
                }
            }
        }
    }
}
