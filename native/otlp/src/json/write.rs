//! A request as JSON.
//!
//! **How it works.** Fields are written as they come, which is in the order of their numbers: all encoders write them so.
//! Protobuf allows more: fields in any order, repeated fields with others between them, scalars and members of a oneof that come
//! again and of which the last one counts. A request where any of that is found is begun anew, and each of its messages read
//! twice: the first time only its tags, to learn where the first and the last value of each field are, the second time its fields in the
//! order of the schema. So whatever comes takes at most three passes, and nearly everything one.
//!
//! A key is written before its value is looked at, and taken back where the value turns out to be left out. Each field ends
//! with a comma, and the last one's becomes the bracket.

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
        if depth > self.max_depth {
            return Err(content.error(ErrorKind::TooDeep).into());
        }
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
                let content = reader.nested()?;
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

    /// Writes an attribute that is a short key and a short string, as nearly all are, in one piece; whether it is one. That
    /// takes a fifth of the time that the way through two messages takes, and halves that of a whole request.
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
