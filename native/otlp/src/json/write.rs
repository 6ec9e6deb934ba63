//! A request as JSON.
//!
//! **How it works.** Fields are written as they come, which is in the order of their numbers: all encoders write them
//! so. Protobuf allows more: fields in any order, repeated fields with others between them, scalars and members of a
//! oneof that come again and of which the last one counts. A request where any of that is found is begun anew, and each
//! of its messages read twice: the first time only its tags, to learn where the first and the last value of each field
//! are, the second time its fields in the order of the schema. So whatever comes takes at most three passes, and nearly
//! everything one.
//!
//! A key is written before its value is looked at, and taken back where the value turns out to be left out. Each field
//! ends with a comma, and the last one's becomes the bracket.

use super::{DEEPEST, ToJsonError, hex, text};
use crate::fields::{any_value, key_value};
use crate::schema::{FieldSchema, Kind, MAX_FIELD_NUMBER, MessageSchema};
use crate::signal::Signal;
use crate::view::messages::KeyValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otlp_wire::raw::MAX_LEN;
use otlp_wire::reader::FieldTag;
use otlp_wire::varint::unzigzag;
use otlp_wire::{ErrorKind, PooledBytes, ReadError, Reader, WireType, Writer};

/// Bytes that are turned to base64 at a time: a multiple of three, so that only the last ones are padded.
const BASE64_CHUNK: usize = 768;

/// A request as OTLP/JSON, by the rules at the head of [`super`].
///
/// No message may lie deeper than `max_depth`, the request itself being at depth 0, and none deeper than [`DEEPEST`].
///
/// # Errors
/// What is wrong with the request, or [`ToJsonError::OutOfMemory`].
pub fn to_json(request: &[u8], signal: Signal, max_depth: u32) -> Result<PooledBytes, ToJsonError> {
    if request.len() > MAX_LEN {
        return Err(ToJsonError::OutOfMemory);
    }
    let mut writer = JsonWriter { out: Writer::new(), is_in_order: true, max_depth: max_depth.min(DEEPEST) };
    // Twice to two and a half times the request is what captured ones take.
    writer.out.reserve(request.len().saturating_mul(2).min(MAX_LEN));
    let whole = Reader::new(request);
    let mut written = writer.message(whole, signal.request(), 0);
    if let Err(Stop::OutOfOrder) = written {
        writer.is_in_order = false;
        writer.out.restart(0);
        written = writer.message(whole, signal.request(), 0);
    }
    match written {
        Err(Stop::Malformed(error)) => Err(error.into()),
        Ok(()) if !writer.out.failed() => Ok(PooledBytes::new(writer.out.take(), 0)),
        _ => Err(ToJsonError::OutOfMemory),
    }
}

/// Why a message was not written.
enum Stop {
    /// Its fields do not come in order; only where they are taken to.
    OutOfOrder,
    Malformed(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Malformed(error)
    }
}

/// Where the values of a field stand, counted from the beginning of their message.
#[derive(Clone, Copy, Default)]
struct Found {
    /// The tag of the first one.
    first_tag: u32,
    /// The last one, behind its tag; 0 where there is none.
    last_value: u32,
}

struct JsonWriter {
    out: Writer,
    /// Whether fields are written as they come.
    is_in_order: bool,
    max_depth: u32,
}

impl JsonWriter {
    fn message(&mut self, content: Reader<'_>, schema: &MessageSchema, depth: u32) -> Result<(), Stop> {
        self.out.put([b'{']);
        if self.is_in_order {
            self.fields_as_they_come(content, schema, depth)?;
        } else {
            self.fields_in_any_order(content, schema, depth)?;
        }
        self.close(b'}');
        Ok(())
    }

    fn fields_as_they_come(&mut self, mut reader: Reader<'_>, schema: &MessageSchema, depth: u32) -> Result<(), Stop> {
        let (mut next_place, mut has_member) = (0, false);
        while let Some(tag) = reader.read_tag()? {
            let Some(place) = schema.place(tag.field) else {
                reader.skip(tag)?;
                continue;
            };
            let field = &schema.fields[place];
            if place < next_place || (field.is_member && has_member) {
                return Err(Stop::OutOfOrder);
            }
            next_place = place + 1;
            has_member |= field.is_member;
            let start = self.begin(field);
            let is_zero = if field.is_repeated {
                self.out.put([b'[']);
                let first = self.out.len();
                self.elements(&mut reader, tag, field, depth)?;
                // Further elements follow, as a rule.
                let mut behind = reader;
                while let Some(next) = behind.read_tag()?.filter(|next| next.field == tag.field) {
                    self.elements(&mut behind, next, field, depth)?;
                    reader = behind;
                }
                let is_empty = self.out.len() == first;
                self.close(b']');
                is_empty
            } else {
                require_type(field, tag)?;
                self.value(&mut reader, field.kind, depth)?
            };
            self.end(field, start, is_zero);
        }
        Ok(())
    }

    fn fields_in_any_order(&mut self, content: Reader<'_>, schema: &MessageSchema, depth: u32) -> Result<(), Stop> {
        let mut places = [Found::default(); MAX_FIELD_NUMBER];
        let member = find(content, schema, &mut places)?;
        for (place, (field, found)) in schema.fields.iter().zip(&places).enumerate() {
            if found.last_value == 0 || (field.is_member && member != Some(place)) {
                continue;
            }
            let start = self.begin(field);
            let mut reader = content;
            let is_zero = if field.is_repeated {
                self.out.put([b'[']);
                let first = self.out.len();
                reader.advance(found.first_tag as usize);
                while let Some(tag) = reader.read_tag()? {
                    let is_last = reader.offset() - content.offset() == found.last_value as usize;
                    if tag.field == field.number {
                        self.elements(&mut reader, tag, field, depth)?;
                    } else {
                        reader.skip(tag)?;
                    }
                    if is_last {
                        break;
                    }
                }
                let is_empty = self.out.len() == first;
                self.close(b']');
                is_empty
            } else {
                reader.advance(found.last_value as usize);
                self.value(&mut reader, field.kind, depth)?
            };
            self.end(field, start, is_zero);
        }
        Ok(())
    }

    /// Writes the key of a field; where it begins.
    #[inline]
    fn begin(&mut self, field: &FieldSchema) -> usize {
        let start = self.out.len();
        self.out.put_slice(field.json_key.as_bytes());
        start
    }

    /// Ends a field, or takes back one that is left out.
    #[inline]
    fn end(&mut self, field: &FieldSchema, start: usize, is_zero: bool) {
        if is_zero && !field.has_presence {
            self.out.truncate(start);
        } else {
            self.out.put([b',']);
        }
    }

    /// Writes the elements of a repeated field that stand behind one tag: one, or a packed array of numbers.
    #[inline]
    fn elements(
        &mut self,
        reader: &mut Reader<'_>,
        tag: FieldTag,
        field: &FieldSchema,
        depth: u32,
    ) -> Result<(), Stop> {
        if !(field.is_packed() && tag.wire_type == WireType::Len) {
            require_type(field, tag)?;
            self.value(reader, field.kind, depth)?;
            self.out.put([b',']);
            return Ok(());
        }
        let at_length = *reader;
        let mut elements = reader.nested()?;
        let is_fixed = matches!(field.kind.wire_type(), WireType::Fixed64);
        if is_fixed && elements.rest().len() % size_of::<u64>() != 0 {
            return Err(at_length.error(ErrorKind::BadPackedLength).into());
        }
        while !elements.is_at_end() {
            self.value(&mut elements, field.kind, depth)?;
            self.out.put([b',']);
        }
        Ok(())
    }

    /// Writes a value; whether it is zero or empty.
    #[inline]
    fn value(&mut self, reader: &mut Reader<'_>, kind: Kind, depth: u32) -> Result<bool, Stop> {
        match kind {
            Kind::Text => {
                let start = *reader;
                let value = reader.read_bytes()?;
                if text::put_string(&mut self.out, value).is_none() {
                    return Err(start.error(ErrorKind::InvalidUtf8).into());
                }
                Ok(value.is_empty())
            }
            Kind::Message(schema) => {
                let start = *reader;
                let content = reader.nested()?;
                if depth == self.max_depth {
                    return Err(start.error(ErrorKind::TooDeep).into());
                }
                if !(std::ptr::eq(schema, KeyValue::SCHEMA) && self.text_attribute(content.rest(), depth + 1)) {
                    self.message(content, schema, depth + 1)?;
                }
                Ok(false)
            }
            Kind::Id(len) => {
                let start = *reader;
                let id = reader.read_bytes()?;
                if !id.is_empty() && id.len() != len {
                    return Err(start.error(ErrorKind::BadIdLength).into());
                }
                hex::put_id(&mut self.out, id);
                Ok(id.is_empty())
            }
            Kind::Bytes => {
                let bytes = reader.read_bytes()?;
                self.base64(bytes);
                Ok(bytes.is_empty())
            }
            Kind::Bool => {
                let value = reader.read_varint()? != 0;
                self.out.put_slice(if value { b"true" } else { b"false" });
                Ok(!value)
            }
            Kind::Double => {
                let value = f64::from_bits(reader.read_fixed64()?);
                self.double(value);
                // The other zero, -0.0, is a value.
                Ok(value.to_bits() == 0)
            }
            // Protobuf reads the low 32 bits of whatever varint stands there.
            Kind::Int32 => Ok(self.short_integer(reader.read_varint()? as i32)),
            Kind::Sint32 => Ok(self.short_integer(unzigzag(u64::from(reader.read_varint()? as u32)) as i32)),
            Kind::Uint32 => Ok(self.short_integer(reader.read_varint()? as u32)),
            Kind::Fixed32 => Ok(self.short_integer(reader.read_fixed32()?)),
            Kind::Int64 => Ok(self.long_integer(reader.read_varint()? as i64)),
            Kind::Uint64 => Ok(self.long_integer(reader.read_varint()?)),
            Kind::Fixed64 => Ok(self.long_integer(reader.read_fixed64()?)),
            Kind::Sfixed64 => Ok(self.long_integer(reader.read_fixed64()? as i64)),
        }
    }

    /// Writes an attribute that is a short key and a short string, as nearly all are, in one piece; whether it is one.
    /// The way through two messages and their fields made captured traces 1.6 times as slow.
    #[inline]
    fn text_attribute(&mut self, content: &[u8], depth: u32) -> bool {
        let [key_value::KEY, key_len, rest @ ..] = content else { return false };
        let Some((key, value)) = rest.split_at_checked(usize::from(*key_len)) else { return false };
        let [key_value::VALUE, value_len, any_value::STRING_VALUE, text_len, text @ ..] = value else { return false };
        // Lengths below 0x80 are single bytes. The value is a message, one deeper than the pair.
        let is_whole = usize::from(*text_len) == text.len() && usize::from(*value_len) == text.len() + 2;
        let is_short = (1..0x80).contains(key_len) && *value_len < 0x80;
        if !(is_whole && is_short && depth < self.max_depth && text::is_plain(key) && text::is_plain(text)) {
            return false;
        }
        self.out.put_pair(*b"{\"key\":\"", key, *b"\",\"value\":{\"stringValue\":\"", text);
        self.out.put(*b"\"}}");
        true
    }

    fn short_integer<T: itoa::Integer + Default + PartialEq>(&mut self, value: T) -> bool {
        let is_zero = value == T::default();
        self.out.put_slice(itoa::Buffer::new().format(value).as_bytes());
        is_zero
    }

    /// An integer of 64 bits is a string, as JavaScript's numbers end at 53.
    fn long_integer<T: itoa::Integer + Default + PartialEq>(&mut self, value: T) -> bool {
        let is_zero = value == T::default();
        self.out.put_pair([b'"'], itoa::Buffer::new().format(value).as_bytes(), [b'"'], &[]);
        is_zero
    }

    #[inline(never)]
    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.out.put_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        } else if value.is_nan() {
            self.out.put_slice(b"\"NaN\"");
        } else {
            self.out.put_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
        }
    }

    #[inline(never)]
    fn base64(&mut self, bytes: &[u8]) {
        self.out.put([b'"']);
        let mut encoded = [0; BASE64_CHUNK / 3 * 4];
        for chunk in bytes.chunks(BASE64_CHUNK) {
            let len = STANDARD.encode_slice(chunk, &mut encoded).expect("four bytes for every three");
            self.out.put_slice(&encoded[..len]);
        }
        self.out.put([b'"']);
    }

    /// Ends an object or array: the comma behind the last field becomes its bracket.
    fn close(&mut self, bracket: u8) {
        if self.out.as_slice().last() == Some(&b',') {
            self.out.truncate(self.out.len() - 1);
        }
        self.out.put([bracket]);
    }
}

/// An error unless a value has the layout that its field is declared with.
#[inline]
fn require_type(field: &FieldSchema, tag: FieldTag) -> Result<(), ReadError> {
    if tag.wire_type == field.kind.wire_type() {
        Ok(())
    } else {
        Err(ReadError { kind: ErrorKind::WrongWireType, offset: tag.offset })
    }
}

/// Reads the tags of a message: where the values of its fields stand, and which member of its oneof counts.
fn find(
    content: Reader<'_>,
    schema: &MessageSchema,
    places: &mut [Found; MAX_FIELD_NUMBER],
) -> Result<Option<usize>, ReadError> {
    let mut member = None;
    let mut reader = content;
    while let Some(tag) = reader.read_tag()? {
        let value = reader.offset();
        reader.skip(tag)?;
        let Some(place) = schema.place(tag.field) else { continue };
        let (field, found) = (&schema.fields[place], &mut places[place]);
        if !field.is_repeated {
            require_type(field, tag)?;
        }
        if found.last_value == 0 {
            found.first_tag = (tag.offset - content.offset()) as u32;
        } else if matches!(field.kind, Kind::Message(_)) && !field.is_repeated {
            return Err(ReadError { kind: ErrorKind::RepeatedMessage, offset: tag.offset });
        }
        found.last_value = (value - content.offset()) as u32;
        if field.is_member {
            member = Some(place);
        }
    }
    Ok(member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::envelope;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    /// A request around one item.
    fn around(item: &[u8]) -> Vec<u8> {
        let item = field(envelope::ITEMS, item);
        field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &item))
    }

    /// Where the item begins in [`around`], if it is short.
    const ITEM_OFFSET: usize = 6;

    fn span(content: &[u8]) -> Result<String, ToJsonError> {
        let json = to_json(&around(content), Signal::Traces, 100)?;
        let json = std::str::from_utf8(json.as_slice()).expect("JSON is UTF-8");
        let inner = json.strip_prefix(r#"{"resourceSpans":[{"scopeSpans":[{"spans":["#).expect("the groups around");
        Ok(inner.strip_suffix("]}]}]}").expect("the groups around").to_owned())
    }

    #[test]
    fn values_are_written_as_otlp_says() {
        let content = b"\x0a\x10\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff\x2a\x03a\"b\x30\x02\
            \x39\x15\xcd\x5b\x07\0\0\0\0\x4a\x0b\x0a\x02id\x12\x05\x3a\x03\xff\xfe\xfd\x85\x01\x01\x01\0\0";
        let expected = concat!(
            r#"{"traceId":"000102030405060708090a0b0c0d0eff","name":"a\"b","kind":2,"startTimeUnixNano":"123456789","#,
            r#""attributes":[{"key":"id","value":{"bytesValue":"//79"}}],"flags":257}"#
        );
        assert_eq!(span(content).unwrap(), expected);
    }

    #[test]
    fn zero_is_left_out_but_for_members_of_a_oneof_and_messages() {
        assert_eq!(span(b"\x0a\x00\x2a\x00\x30\x00\x39\0\0\0\0\0\0\0\0\x7a\x00").unwrap(), r#"{"status":{}}"#);
        let values = b"\x4a\x04\x12\x02\x0a\x00\x4a\x04\x12\x02\x10\x00\x4a\x04\x12\x02\x18\x00\x4a\x02\x12\x00";
        let expected = concat!(
            r#"{"attributes":[{"value":{"stringValue":""}},{"value":{"boolValue":false}},"#,
            r#"{"value":{"intValue":"0"}},{"value":{}}]}"#
        );
        assert_eq!(span(values).unwrap(), expected);
    }

    #[test]
    fn fields_in_any_order_are_put_together() {
        // An attribute, the name, another attribute, the name again, and a value with two members.
        let disordered = b"\x4a\x03\x0a\x01a\x2a\x03old\x4a\x0b\x0a\x01b\x12\x06\x18\x05\x0a\x02xy\x2a\x01n";
        let expected = r#"{"name":"n","attributes":[{"key":"a"},{"key":"b","value":{"stringValue":"xy"}}]}"#;
        assert_eq!(span(disordered).unwrap(), expected);
        assert_eq!(
            span(b"\x4a\x07\x12\x05\x0a\x01x\x18\x05").unwrap(),
            r#"{"attributes":[{"value":{"intValue":"5"}}]}"#,
            "the last member counts in any order"
        );
        assert_eq!(span(b"\x2a\x01n\x2a\x00").unwrap(), "{}", "the last name is empty");
        // The value in front of the key, and an unknown field in either.
        assert_eq!(
            span(b"\x4a\x0b\x12\x04\x48\x01\x18\x05\x0a\x01k\x40\x07\x2a\x01n").unwrap(),
            r#"{"name":"n","attributes":[{"key":"k","value":{"intValue":"5"}}]}"#
        );
    }

    #[test]
    fn packed_and_single_numbers_are_one_array() {
        let histogram = b"\x4a\x1d\x0a\x1b\x31\x07\0\0\0\0\0\0\0\x32\x10\x08\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0";
        let json = to_json(&around(histogram), Signal::Metrics, 100).unwrap();
        let json = std::str::from_utf8(json.as_slice()).unwrap();
        assert!(json.contains(r#"{"dataPoints":[{"bucketCounts":["7","8","9"]}]}"#), "{json}");
    }

    #[test]
    fn long_attributes_and_such_with_escapes_are_written_like_short_ones() {
        for text in
            ["", "x", "seven..", "eight...", "a\"b", "für", &"y".repeat(123), &"y".repeat(124), &"z".repeat(400)]
        {
            let value = field(key_value::VALUE, &field(any_value::STRING_VALUE, text.as_bytes()));
            let attribute = field(0x4a, &[&b"\x0a\x01k"[..], &value].concat());
            let escaped = text.replace('"', "\\\"");
            let request =
                field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &field(envelope::ITEMS, &attribute)));
            let json = to_json(&request, Signal::Traces, 5).unwrap();
            let expected = format!(r#"{{"key":"k","value":{{"stringValue":"{escaped}"}}}}"#);
            let json = std::str::from_utf8(json.as_slice()).unwrap();
            assert!(json.contains(&expected), "{json}");
            assert!(to_json(&request, Signal::Traces, 4).is_err(), "the value lies at depth 5");
        }
    }

    #[test]
    fn malformed_requests_are_refused_with_their_place() {
        let cases: [(&[u8], ErrorKind, usize); 8] = [
            (b"\x2a\x02\xff\xff", ErrorKind::InvalidUtf8, 1),
            (b"\x2a\x05x", ErrorKind::LengthPastEnd, 1),
            (b"\x28\x01", ErrorKind::WrongWireType, 0),
            (b"\x0a\x03abc", ErrorKind::BadIdLength, 1),
            (b"\x7a\x00\x7a\x00", ErrorKind::RepeatedMessage, 2),
            (b"\x2a\x01n\x4a\x02\x12\x01", ErrorKind::LengthPastEnd, 6),
            (b"\x39\0\0", ErrorKind::Truncated, 1),
            (b"\x4a\x06\x12\x04\x0a\x02\xc3\x28", ErrorKind::InvalidUtf8, 5),
        ];
        for (content, kind, offset) in cases {
            let error = ReadError { kind, offset: offset + ITEM_OFFSET };
            assert_eq!(span(content), Err(ToJsonError::Malformed(error)), "{content:x?}");
            // The same in a request that is not in order, whose first field comes again.
            let disordered = [content, b"\x2a\x01n\x0a\x00"].concat();
            assert!(span(&disordered).is_err(), "{content:x?}");
        }
        let packed = to_json(&around(b"\x4a\x06\x0a\x04\x32\x02\0\0"), Signal::Metrics, 100).err();
        let error = ReadError { kind: ErrorKind::BadPackedLength, offset: ITEM_OFFSET + 5 };
        assert_eq!(packed, Some(ToJsonError::Malformed(error)));
    }

    #[test]
    fn depth_is_bounded_whatever_the_caller_allows() {
        let nested = |levels| {
            let mut value = Vec::new();
            for _ in 0..levels {
                value = field(any_value::ARRAY_VALUE, &field(0x0a, &value));
            }
            around(&field(0x4a, &field(key_value::VALUE, &value)))
        };
        let write = |levels, max_depth| to_json(&nested(levels), Signal::Traces, max_depth).map(|_| ());
        assert_eq!(write(4, 13), Ok(()));
        assert!(matches!(write(4, 12), Err(ToJsonError::Malformed(ReadError { kind: ErrorKind::TooDeep, .. }))));
        assert_eq!(write(97, u32::MAX), Ok(()));
        assert!(write(10_000, u32::MAX).is_err());
    }
}
