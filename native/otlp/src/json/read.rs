//! JSON as a request.
//!
//! **How it works.** The text is read once, front to back, and fields are written as they come. Where the keys of an
//! object came in another order than that of their numbers, or a scalar came twice, the message is put in order when it
//! ends: the place of each field in the output is known, and a copy of the message's bytes is all that it takes. So a
//! message is copied at most once for each level that it lies below one that is out of order.
//!
//! **Why jiter.** It is driven value by value, without a tree, gives the offset of everything, borrows strings that
//! have no escapes, takes nothing that RFC 8259 forbids, and passes over unknown values without recursion. It does not
//! look at the UTF-8 of what it passes over; the whole text is checked first, at memory speed.

use super::{DEEPEST, FromJsonError, FromJsonErrorKind, hex, number};
use crate::schema::{FieldSchema, Kind, MAX_FIELD_NUMBER, MessageSchema};
use crate::signal::Signal;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiter::{Jiter, Peek};
use otlp_wire::varint::{short_tag, zigzag};
use otlp_wire::{PooledBytes, WireType, Writer, tag};
use std::ops::Range;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The depth of the messages that hold nearly all of a request: resource groups and scope groups.
const GROUPS: Range<u32> = 1..3;

/// OTLP/JSON as a request, by the rules at the head of [`super`].
///
/// No message may lie deeper than `max_depth`, the request itself being at depth 0, and none deeper than [`DEEPEST`].
///
/// # Errors
/// What is wrong with the text, and where.
pub fn from_json(text: &[u8], signal: Signal, max_depth: u32) -> Result<PooledBytes, FromJsonError> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(FromJsonError::new(FromJsonErrorKind::InvalidUtf8, error.valid_up_to()));
    }
    let mut reader = JsonReader {
        json: Jiter::new(text),
        out: Writer::new(),
        scratch: Vec::new(),
        len: text.len(),
        max_depth: max_depth.min(DEEPEST),
    };
    let peek = reader.json.peek()?;
    reader.message(peek, signal.request(), 0)?;
    reader.json.finish()?;
    if reader.out.failed() {
        return Err(FromJsonError::new(FromJsonErrorKind::OutOfMemory, text.len()));
    }
    Ok(PooledBytes::new(reader.out.take(), 0))
}

struct JsonReader<'j> {
    json: Jiter<'j>,
    out: Writer,
    /// Decoded base64, and messages that are put in order.
    scratch: Vec<u8>,
    /// The length of the text.
    len: usize,
    max_depth: u32,
}

impl JsonReader<'_> {
    /// An error about the value that comes next.
    #[cold]
    fn error(&self, kind: FromJsonErrorKind) -> FromJsonError {
        FromJsonError::new(kind, self.json.current_index())
    }

    fn message(&mut self, peek: Peek, schema: &'static MessageSchema, depth: u32) -> Result<(), FromJsonError> {
        if peek != Peek::Object {
            return Err(self.error(FromJsonErrorKind::Expected("an object")));
        }
        if depth > self.max_depth {
            return Err(self.error(FromJsonErrorKind::TooDeep));
        }
        let start = self.out.len();
        let mut fields = Order::default();
        let mut key = self.json.known_object()?;
        while let Some(name) = key {
            let place = fields.place_of(name, schema);
            let peek = self.json.peek()?;
            match place {
                None => self.json.known_skip(peek)?,
                Some(_) if peek == Peek::Null => self.json.known_null()?,
                Some(place) => {
                    let field = &schema.fields[place];
                    if !fields.may_stand(place, schema) {
                        return Err(self.error(FromJsonErrorKind::Repeated).in_field(field.json_name));
                    }
                    let begin = self.out.len();
                    self.field(peek, field, depth).map_err(|error| error.in_field(field.json_name))?;
                    fields.add(place, field, begin..self.out.len());
                }
            }
            key = self.json.next_key()?;
        }
        if fields.is_disordered {
            self.put_in_order(start, &fields);
        }
        Ok(())
    }

    /// Writes the fields of the message that began at `start` anew, in the order of their numbers.
    #[cold]
    fn put_in_order(&mut self, start: usize, fields: &Order) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.out.as_slice()[start..]);
        self.out.truncate(start);
        for range in &fields.ranges {
            if !range.is_empty() {
                self.out.put_slice(&self.scratch[range.start - start..range.end - start]);
            }
        }
    }

    fn field(&mut self, peek: Peek, field: &'static FieldSchema, depth: u32) -> Result<(), FromJsonError> {
        if !field.is_repeated {
            return self.value(peek, field, depth);
        }
        if peek != Peek::Array {
            return Err(self.error(FromJsonErrorKind::Expected("an array")));
        }
        let packed = field.is_packed().then(|| (self.out.len(), self.out.open(len_tag(field), 0)));
        let mut next = self.json.known_array()?;
        let mut index = 0;
        while let Some(peek) = next {
            let element = match packed {
                Some(_) => self.number(peek, field.kind).map(|bits| self.put_number(field.kind, bits)),
                None => self.value(peek, field, depth),
            };
            element.map_err(|error| error.in_element(index))?;
            index += 1;
            next = self.json.array_step()?;
        }
        match packed {
            Some((start, _)) if index == 0 => self.out.truncate(start),
            Some((_, mark)) => self.out.close(mark),
            None => {}
        }
        Ok(())
    }

    /// Reads a value and writes it as a field.
    fn value(&mut self, peek: Peek, field: &'static FieldSchema, depth: u32) -> Result<(), FromJsonError> {
        let keeps_zero = field.has_presence || field.is_repeated;
        match field.kind {
            Kind::Message(schema) => {
                // Groups are as long as what they hold; a wrong guess moves them by a byte or two.
                let guess = if GROUPS.contains(&(depth + 1)) { self.len / 2 } else { 0 };
                let mark = self.out.open(len_tag(field), guess);
                self.message(peek, schema, depth + 1)?;
                self.out.close(mark);
                Ok(())
            }
            Kind::Text => {
                self.expect(peek, Peek::String, "a string")?;
                let text = self.json.known_str()?;
                if keeps_zero || !text.is_empty() {
                    self.out.bytes_field(len_tag(field), text.as_bytes());
                }
                Ok(())
            }
            Kind::Bytes => {
                self.base64(peek)?;
                if keeps_zero || !self.scratch.is_empty() {
                    self.out.bytes_field(len_tag(field), &self.scratch);
                }
                Ok(())
            }
            Kind::Id(len) => {
                let mut id = [0; hex::MAX_ID_LEN];
                if self.id(peek, &mut id[..len])? {
                    self.out.bytes_field(len_tag(field), &id[..len]);
                }
                Ok(())
            }
            kind => {
                let bits = self.number(peek, kind)?;
                if keeps_zero || bits != 0 {
                    self.out.varint(u64::from(tag(field.number, kind.wire_type())));
                    self.put_number(kind, bits);
                }
                Ok(())
            }
        }
    }

    fn expect(&self, peek: Peek, expected: Peek, what: &'static str) -> Result<(), FromJsonError> {
        if peek == expected { Ok(()) } else { Err(self.error(FromJsonErrorKind::Expected(what))) }
    }

    /// Reads base64 into `scratch`.
    fn base64(&mut self, peek: Peek) -> Result<(), FromJsonError> {
        const WHAT: &str = "a string of base64";
        self.expect(peek, Peek::String, WHAT)?;
        let start = self.json.current_index();
        let text = self.json.known_str()?;
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        self.scratch.clear();
        engine
            .decode_vec(text, &mut self.scratch)
            .map_err(|_| FromJsonError::new(FromJsonErrorKind::Expected(WHAT), start))
    }

    /// Reads an id; whether there is one.
    fn id(&mut self, peek: Peek, id: &mut [u8]) -> Result<bool, FromJsonError> {
        let what = if id.len() == hex::MAX_ID_LEN { "a string of 32 hex digits" } else { "a string of 16 hex digits" };
        self.expect(peek, Peek::String, what)?;
        let start = self.json.current_index();
        let digits = self.json.known_str()?;
        if digits.is_empty() {
            return Ok(false);
        }
        match hex::read_id(digits.as_bytes(), id) {
            Some(()) => Ok(true),
            None => Err(FromJsonError::new(FromJsonErrorKind::Expected(what), start)),
        }
    }

    /// Reads a number or a bool: what its varint or its fixed-size form holds.
    fn number(&mut self, peek: Peek, kind: Kind) -> Result<u64, FromJsonError> {
        let start = self.json.current_index();
        if let Kind::Bool = kind {
            return match peek {
                Peek::True | Peek::False => Ok(u64::from(self.json.known_bool(peek)?)),
                _ => Err(self.error(FromJsonErrorKind::Expected("true or false"))),
            };
        }
        let text = match peek {
            Peek::String => self.json.known_str()?.as_bytes(),
            peek if peek.is_num() => self.json.known_number_bytes(peek)?,
            _ => &[],
        };
        let (bits, what) = match kind {
            Kind::Double => (number::double(text).map(f64::to_bits), "a number"),
            Kind::Int32 => (signed(text, i32::try_from), "an integer of 32 bits"),
            Kind::Sint32 => (signed(text, i32::try_from).map(|bits| zigzag(bits as i64)), "an integer of 32 bits"),
            Kind::Uint32 | Kind::Fixed32 => {
                (unsigned(text).filter(|&bits| bits <= u32::MAX.into()), "an integer of 32 bits, not below zero")
            }
            Kind::Int64 | Kind::Sfixed64 => (signed(text, i64::try_from), "an integer of 64 bits"),
            _ => (unsigned(text), "an integer of 64 bits, not below zero"),
        };
        bits.ok_or_else(|| FromJsonError::new(FromJsonErrorKind::Expected(what), start))
    }

    fn put_number(&mut self, kind: Kind, bits: u64) {
        match kind.wire_type() {
            WireType::Fixed64 => self.out.put(bits.to_le_bytes()),
            WireType::Fixed32 => self.out.put((bits as u32).to_le_bytes()),
            _ => self.out.varint(bits),
        }
    }
}

fn len_tag(field: &FieldSchema) -> u8 {
    short_tag(field.number, WireType::Len)
}

/// A signed integer, with its sign in all 64 bits.
fn signed<T: Into<i64>, E>(text: &[u8], narrow: impl Fn(i128) -> Result<T, E>) -> Option<u64> {
    number::integer(text).and_then(|value| narrow(value).ok()).map(|value| value.into() as u64)
}

fn unsigned(text: &[u8]) -> Option<u64> {
    number::integer(text).and_then(|value| u64::try_from(value).ok())
}

/// The fields of an object that came so far.
#[derive(Default)]
struct Order {
    /// Where each field stands in the output, by its place in the schema.
    ranges: [Range<usize>; MAX_FIELD_NUMBER],
    /// A bit for each place.
    seen: u32,
    /// One more than the place of the field that came last.
    next: usize,
    /// Whether a field came behind one of a higher number, or behind itself.
    is_disordered: bool,
    /// Whether a member of the oneof came.
    has_member: bool,
}

impl Order {
    /// The place of a key's field. Keys mostly come in the order of the schema, and the search begins behind the last
    /// one.
    #[inline]
    fn place_of(&self, name: &str, schema: &MessageSchema) -> Option<usize> {
        let (before, behind) = schema.fields.split_at(self.next);
        match behind.iter().position(|field| field.json_name == name) {
            Some(place) => Some(self.next + place),
            None => before.iter().position(|field| field.json_name == name),
        }
    }

    /// Whether a field may come now: scalars may come again, members of a oneof not even behind another one.
    #[inline]
    fn may_stand(&self, place: usize, schema: &MessageSchema) -> bool {
        let field = &schema.fields[place];
        if field.is_member {
            return !self.has_member;
        }
        self.seen & 1 << place == 0 || !(field.is_repeated || matches!(field.kind, Kind::Message(_)))
    }

    #[inline]
    fn add(&mut self, place: usize, field: &FieldSchema, range: Range<usize>) {
        self.has_member |= field.is_member;
        self.is_disordered |= place < self.next;
        self.seen |= 1 << place;
        self.next = place + 1;
        self.ranges[place] = range;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiter::JsonErrorType;

    fn read(text: &str) -> Result<Vec<u8>, FromJsonError> {
        from_json(text.as_bytes(), Signal::Traces, 100).map(|request| request.as_slice().to_vec())
    }

    /// JSON of a request around one span.
    fn around(span: &str) -> String {
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#)
    }

    /// The offset and path of a span in [`around`].
    const SPAN_OFFSET: usize = 43;
    const SPAN_PATH: &str = "resourceSpans[0].scopeSpans[0].spans[0]";

    fn span(text: &str) -> Vec<u8> {
        let request = read(&around(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
        request[6..].to_vec()
    }

    fn refused(text: &str) -> (FromJsonErrorKind, usize, String) {
        let error = read(&around(text)).expect_err(text);
        let path = error.path.strip_prefix(SPAN_PATH).unwrap_or_else(|| panic!("{text}: {}", error.path));
        (error.kind, error.offset - SPAN_OFFSET, path.trim_start_matches('.').to_owned())
    }

    #[test]
    fn fields_are_written_in_the_order_of_their_numbers_whatever_the_keys_came_in() {
        let ordered = span(r#"{"name":"n","kind":2,"attributes":[{"key":"k","value":{"intValue":"1"}}],"flags":3}"#);
        let turned = span(r#"{"flags":3,"attributes":[{"value":{"intValue":"1"},"key":"k"}],"kind":2,"name":"n"}"#);
        assert_eq!(turned, ordered);
        assert_eq!(ordered, b"\x2a\x01n\x30\x02\x4a\x07\x0a\x01k\x12\x02\x18\x01\x85\x01\x03\0\0\0");
    }

    #[test]
    fn last_scalar_counts_and_zero_is_left_out() {
        assert_eq!(span(r#"{"name":"first","kind":2,"name":"n"}"#), b"\x2a\x01n\x30\x02");
        assert_eq!(span(r#"{"kind":2,"name":"n","kind":0}"#), b"\x2a\x01n");
        assert_eq!(span(r#"{"name":"","kind":0,"startTimeUnixNano":"0","traceId":"","attributes":[],"flags":0}"#), b"");
        assert_eq!(span(r#"{"status":{},"attributes":[{}]}"#), b"\x4a\x00\x7a\x00");
    }

    #[test]
    fn null_and_unknown_keys_are_passed_over() {
        assert_eq!(span(r#"{"name":null,"status":null,"attributes":null}"#), b"");
        assert_eq!(span(r#"{"x":{"a":[1,{"b":[]}],"c":"\n"},"start_time_unix_nano":"5"}"#), b"");
        assert_eq!(read("{}").unwrap(), b"");
        assert_eq!(read(" {\"resourceSpans\" : [ ] }\n").unwrap(), b"");
    }

    #[test]
    fn values_are_read_in_all_their_forms() {
        let value = |json: &str| {
            let span = span(&format!(r#"{{"attributes":[{{"value":{json}}}]}}"#));
            span[4..].to_vec()
        };
        for integer in ["-2", "\"-2\"", "-2.0", "-20e-1", "\"-2e0\""] {
            assert_eq!(value(&format!(r#"{{"intValue":{integer}}}"#)), b"\x18\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
        }
        for double in ["1.5", "\"1.5\"", "15e-1"] {
            assert_eq!(value(&format!(r#"{{"doubleValue":{double}}}"#)), b"\x21\0\0\0\0\0\0\xf8\x3f");
        }
        assert_eq!(value(r#"{"doubleValue":"-Infinity"}"#), b"\x21\0\0\0\0\0\0\xf0\xff");
        for base64 in ["+/8=", "+/8", "-_8=", "-_8", "+/9="] {
            assert_eq!(value(&format!(r#"{{"bytesValue":"{base64}"}}"#)), b"\x3a\x02\xfb\xff");
        }
        // Members of a oneof are kept when they are zero.
        assert_eq!(value(r#"{"stringValue":""}"#), b"\x0a\x00");
        assert_eq!(value(r#"{"boolValue":false}"#), b"\x10\x00");
        assert_eq!(value(r#"{"bytesValue":""}"#), b"\x3a\x00");
        assert_eq!(value(r#"{"stringValue":"\ud83d\ude00\u00fc\"\/"}"#), "\x0a\x08😀ü\"/".as_bytes());
        assert_eq!(span(r#"{"spanId":"00AAbbCCddEEff11"}"#), b"\x12\x08\x00\xaa\xbb\xcc\xdd\xee\xff\x11");
    }

    #[test]
    fn numbers_of_metrics_are_packed_and_kept_when_present() {
        let point = r#"{"bucketCounts":["1",2],"explicitBounds":[0.5],"sum":0,"min":"NaN"}"#;
        let text = format!(
            r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":{{"dataPoints":[{point}]}}}}]}}]}}]}}"#
        );
        let request = from_json(text.as_bytes(), Signal::Metrics, 100).unwrap();
        let expected = b"\x29\0\0\0\0\0\0\0\0\x32\x10\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\
            \x3a\x08\0\0\0\0\0\0\xe0\x3f\x59\0\0\0\0\0\0\xf8\x7f";
        assert_eq!(&request.as_slice()[10..], expected);
    }

    #[test]
    fn what_a_field_cannot_hold_is_refused_with_its_place() {
        use FromJsonErrorKind::{Expected, Repeated};
        let cases = [
            (r#"{"name":7}"#, Expected("a string"), 8, "name"),
            (r#"{"kind":"SPAN_KIND_SERVER"}"#, Expected("an integer of 32 bits"), 8, "kind"),
            (r#"{"kind": 2147483648}"#, Expected("an integer of 32 bits"), 9, "kind"),
            (r#"{"flags":-1}"#, Expected("an integer of 32 bits, not below zero"), 9, "flags"),
            (r#"{"endTimeUnixNano":1.5}"#, Expected("an integer of 64 bits, not below zero"), 19, "endTimeUnixNano"),
            (r#"{"traceId":"00"}"#, Expected("a string of 32 hex digits"), 11, "traceId"),
            (r#"{"spanId":"AAAAAAAAAAAAAAA="}"#, Expected("a string of 16 hex digits"), 10, "spanId"),
            (r#"{"attributes":{}}"#, Expected("an array"), 14, "attributes"),
            (r#"{"attributes":[{},null]}"#, Expected("an object"), 18, "attributes[1]"),
            (r#"{"attributes":[{"value":[]}]}"#, Expected("an object"), 24, "attributes[0].value"),
            (r#"{"status":{},"status":{}}"#, Repeated, 22, "status"),
            (r#"{"links":[],"links":[]}"#, Repeated, 20, "links"),
            (
                r#"{"attributes":[{"value":{"intValue":"1","boolValue":true}}]}"#,
                Repeated,
                52,
                "attributes[0].value.boolValue",
            ),
            (
                r#"{"attributes":[{"value":{"boolValue":1}}]}"#,
                Expected("true or false"),
                37,
                "attributes[0].value.boolValue",
            ),
            (
                r#"{"attributes":[{"value":{"doubleValue":1e400}}]}"#,
                Expected("a number"),
                39,
                "attributes[0].value.doubleValue",
            ),
            (
                r#"{"attributes":[{"value":{"bytesValue":"a"}}]}"#,
                Expected("a string of base64"),
                38,
                "attributes[0].value.bytesValue",
            ),
        ];
        for (text, kind, offset, path) in cases {
            assert_eq!(refused(text), (kind, offset, path.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        use JsonErrorType::*;
        let cases: [(&str, JsonErrorType, usize, &str); 16] = [
            ("", EofWhileParsingValue, 0, ""),
            ("{", EofWhileParsingObject, 1, ""),
            ("{} x", TrailingCharacters, 3, ""),
            ("{,}", KeyMustBeAString, 1, ""),
            (r#"{"x":1,}"#, TrailingComma, 7, ""),
            (r#"{"x" 1}"#, ExpectedColon, 5, ""),
            (r#"{"x":01}"#, InvalidNumber, 6, ""),
            (r#"{"x":+1}"#, ExpectedSomeValue, 5, ""),
            (r#"{"x":NaN}"#, ExpectedSomeValue, 5, ""),
            (r#"{"x":tree}"#, ExpectedSomeIdent, 7, ""),
            ("{\"x\":\"\n\"}", ControlCharacterWhileParsingString, 6, ""),
            (r#"{"x":"\x"}"#, InvalidEscape, 7, ""),
            (r#"{"x":"\ud800"}"#, UnexpectedEndOfHexEscape, 12, ""),
            (r#"{"x":"\udc00"}"#, LoneLeadingSurrogateInHexEscape, 11, ""),
            (r#"{"resourceSpans":[{}"#, EofWhileParsingList, 20, "resourceSpans"),
            (r#"{"resourceSpans":[{"schemaUrl":"a"#, EofWhileParsingString, 33, "resourceSpans[0].schemaUrl"),
        ];
        for (text, kind, offset, path) in cases {
            let expected = FromJsonError { kind: FromJsonErrorKind::Syntax(kind), offset, path: path.to_owned() };
            assert_eq!(read(text), Err(expected), "{text}");
        }
        for text in ["[]", "null", "7", "\"\""] {
            let expected = FromJsonError::new(FromJsonErrorKind::Expected("an object"), 0);
            assert_eq!(read(text), Err(expected), "{text}");
        }
        let invalid = from_json(b"{\"x\":\"\xff\"}", Signal::Logs, 100).unwrap_err();
        assert_eq!((invalid.kind, invalid.offset), (FromJsonErrorKind::InvalidUtf8, 6));
    }

    #[test]
    fn depth_is_bounded_whatever_the_caller_allows() {
        let nested = |levels: usize| {
            let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(levels), "]}}".repeat(levels));
            around(&format!(r#"{{"attributes":[{{"value":{open}{close}}}]}}"#))
        };
        // The value lies at depth 5, and each array adds an ArrayValue and an AnyValue.
        let read = |levels, max_depth| from_json(nested(levels).as_bytes(), Signal::Traces, max_depth);
        assert!(read(4, 12).is_ok());
        assert_eq!(read(4, 11).unwrap_err().kind, FromJsonErrorKind::TooDeep);
        assert!(read(97, u32::MAX).is_ok());
        assert_eq!(read(100_000, u32::MAX).unwrap_err().kind, FromJsonErrorKind::TooDeep);
        let unknown = format!("{{\"x\":{}", "[".repeat(100_000));
        let error = from_json(unknown.as_bytes(), Signal::Traces, u32::MAX).unwrap_err();
        assert_eq!(error.kind, FromJsonErrorKind::Syntax(JsonErrorType::RecursionLimitExceeded));
    }
}
