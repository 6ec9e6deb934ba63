//! What the messages of OTLP are made of, as data: names, numbers and kinds of all fields.
//!
//! The tables are made by the same lines that make the views ([`crate::view::messages`]), so the two cannot differ. Code that
//! treats all messages alike walks them: JSON in both directions, and the path of an error.

use crate::signal::Signal;
use std::fmt;

/// A message type.
#[derive(Debug)]
pub struct MessageSchema {
    /// Its name in the `.proto` files, without the package.
    pub name: &'static str,
    /// Its fields in the order of their numbers.
    pub fields: &'static [FieldSchema],
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
    /// What its value is.
    pub kind: Kind,
    /// Whether it may stand any number of times.
    pub is_repeated: bool,
    /// Whether a value of zero differs from none: members of a oneof, `optional` fields and messages.
    pub has_presence: bool,
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

impl MessageSchema {
    /// The field of a number, if the message has one.
    pub fn field(&self, number: u32) -> Option<&'static FieldSchema> {
        self.fields.iter().find(|field| field.number == number)
    }

    /// The field of a name in JSON, if the message has one.
    pub fn json_field(&self, json_name: &str) -> Option<&'static FieldSchema> {
        self.fields.iter().find(|field| field.json_name == json_name)
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
