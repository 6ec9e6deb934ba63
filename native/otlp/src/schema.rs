//! What the messages of OTLP are made of, as data: names, numbers and kinds of all fields.
//!
//! The tables are made by the same lines that make the views ([`crate::view::messages`]), so the two cannot differ.
//! Code that treats all messages alike walks them: JSON in both directions, and the path of an error.

use crate::signal::Signal;
use otlp_wire::WireType;
use std::fmt;

/// The highest number of a field that is known, `Span.flags`.
pub const MAX_FIELD_NUMBER: usize = 16;

/// A message type.
#[derive(Debug)]
pub struct MessageSchema {
    /// Its name in the `.proto` files, without the package.
    pub name: &'static str,
    /// Its fields in the order of their numbers.
    pub fields: &'static [FieldSchema],
    /// Where in `fields` the field of each number is.
    pub(crate) places: Places,
}

/// For each number the place of its field and one more than that: 0 where there is no such field.
#[derive(Debug)]
pub(crate) struct Places([u8; MAX_FIELD_NUMBER + 1]);

impl Places {
    /// The places of fields with these numbers.
    ///
    /// # Panics
    /// At compile time, where a number is above [`MAX_FIELD_NUMBER`] or not above the one in front of it.
    pub(crate) const fn of(numbers: &[u32]) -> Self {
        let mut places = [0; MAX_FIELD_NUMBER + 1];
        let mut place = 0;
        while place < numbers.len() {
            assert!(place == 0 || numbers[place - 1] < numbers[place]);
            places[numbers[place] as usize] = place as u8 + 1;
            place += 1;
        }
        Self(places)
    }
}

/// A field of a message.
#[derive(Debug)]
pub struct FieldSchema {
    /// Its number.
    pub number: u32,
    /// Its name in the `.proto` files: `start_time_unix_nano`.
    pub name: &'static str,
    /// Its name in JSON: `startTimeUnixNano`.
    pub json_name: &'static str,
    /// The same as it stands in front of a value: `"startTimeUnixNano":`.
    pub json_key: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether it may stand any number of times.
    pub is_repeated: bool,
    /// Whether a value of zero differs from none: members of a oneof, `optional` fields and messages.
    pub has_presence: bool,
    /// Whether it is a member of the message's oneof. No message has more than one.
    pub is_member: bool,
}

/// What the value of a field is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `string`
    Text,
    /// `bytes`
    Bytes,
    /// `bytes` that are a trace or span id, with its length in bytes: hexadecimal in JSON.
    Id(usize),
    /// `bool`
    Bool,
    /// `double`
    Double,
    /// `int32`, or an enum: a number in JSON.
    Int32,
    /// `sint32`
    Sint32,
    /// `uint32`
    Uint32,
    /// `fixed32`
    Fixed32,
    /// `int64`
    Int64,
    /// `uint64`
    Uint64,
    /// `fixed64`
    Fixed64,
    /// `sfixed64`
    Sfixed64,
    /// A message.
    Message(&'static MessageSchema),
}

impl fmt::Debug for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Messages hold themselves: an AnyValue an array of AnyValue.
        out.write_str(match self {
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Id(_) => "id",
            Self::Bool => "bool",
            Self::Double => "double",
            Self::Int32 => "int32",
            Self::Sint32 => "sint32",
            Self::Uint32 => "uint32",
            Self::Fixed32 => "fixed32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
            Self::Fixed64 => "fixed64",
            Self::Sfixed64 => "sfixed64",
            Self::Message(message) => message.name,
        })
    }
}

impl Kind {
    /// How a value that is not packed is laid out.
    pub const fn wire_type(self) -> WireType {
        match self {
            Self::Text | Self::Bytes | Self::Id(_) | Self::Message(_) => WireType::Len,
            Self::Bool | Self::Int32 | Self::Sint32 | Self::Uint32 | Self::Int64 | Self::Uint64 => WireType::Varint,
            Self::Double | Self::Fixed64 | Self::Sfixed64 => WireType::Fixed64,
            Self::Fixed32 => WireType::Fixed32,
        }
    }
}

impl FieldSchema {
    /// Whether its values stand one behind the other in one field: repeated numbers.
    pub const fn is_packed(&self) -> bool {
        self.is_repeated && !matches!(self.kind.wire_type(), WireType::Len)
    }
}

impl MessageSchema {
    /// The place of a number's field in `fields`, if the message has one.
    #[inline]
    pub fn place(&self, number: u32) -> Option<usize> {
        usize::from(*self.places.0.get(number as usize)?).checked_sub(1)
    }

    /// The field of a number, if the message has one.
    pub fn field(&self, number: u32) -> Option<&'static FieldSchema> {
        self.place(number).map(|place| &self.fields[place])
    }
}

impl Signal {
    /// The request message of this signal.
    pub const fn request(self) -> &'static MessageSchema {
        use crate::view::messages::{LogsRequest, MetricsRequest, TracesRequest};
        match self {
            Self::Traces => TracesRequest::SCHEMA,
            Self::Logs => LogsRequest::SCHEMA,
            Self::Metrics => MetricsRequest::SCHEMA,
        }
    }
}
