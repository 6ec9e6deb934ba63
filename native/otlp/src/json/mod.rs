//! OTLP/JSON: requests as JSON, and JSON as requests
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! OTLP/JSON is the [JSON form of protobuf](https://protobuf.dev/programming-guides/json/) with three changes: trace
//! and span ids are hexadecimal, enums are numbers, and keys are lowerCamelCase only. Both directions are one walker
//! each over the tables of [`crate::schema`]; no message has code of its own.
//!
//! **What is written.** Fields in the order of their numbers, without white space. 64-bit integers are strings; doubles
//! take the fewest digits that read back the same, and NaN, Infinity and -Infinity are strings; bytes are padded
//! base64. Zero and empty values are left out, but for members of a oneof and `optional` fields. **Unknown fields are
//! lost**, as JSON has no name for them.
//!
//! **What is read.** Keys in any order; unknown ones are passed over, and so is `null`. Integers may be strings or
//! numbers, also such as `1e3`; base64 may be of either alphabet, with or without padding; ids may have capital
//! letters. What comes out is canonical: fields in the order of their numbers, minimal lengths, zeros left out likewise.
//!
//! **What stands twice.** Scalars: the last one counts, on the wire and in JSON. A message that must stand once and
//! stands twice is refused in both; so is, in JSON, an array, and a second member of a oneof, where on the wire the
//! last one counts. Protobuf refuses any key that stands twice.
//!
//! **What is refused** besides: what is not JSON (RFC 8259) or not UTF-8, a lone surrogate (protobuf refuses it too),
//! numbers out of their range, ids of other lengths than 0 and their own, what lies too deep.

mod hex;
mod number;
mod read;
mod text;
mod write;

pub use read::from_json;
pub use write::to_json;

use jiter::{JiterError, JiterErrorType, JsonErrorType};
use otlp_wire::ReadError;
use std::fmt;

/// The deepest message that is followed, whatever the caller allows: twice what protobuf parsers read, and what any
/// thread's stack has room for (a level takes 1.4 KB).
pub const DEEPEST: u32 = 200;

/// Why a request did not become JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToJsonError {
    /// It is not such a request.
    Malformed(ReadError),
    /// No memory, or 2 GiB were passed.
    OutOfMemory,
}

impl From<ReadError> for ToJsonError {
    fn from(error: ReadError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for ToJsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(out),
            Self::OutOfMemory => out.write_str("no memory for the JSON, or it would pass 2 GiB"),
        }
    }
}

impl std::error::Error for ToJsonError {}

/// Why JSON did not become a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromJsonError {
    /// What is wrong.
    pub kind: FromJsonErrorKind,
    /// Where, in bytes of the text.
    pub offset: usize,
    /// The field that it was found in, in the names of JSON: `resourceSpans[0].scopeSpans[1].spans[17].kind`.
    pub path: String,
}

/// What is wrong with JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromJsonErrorKind {
    /// It is not JSON.
    Syntax(JsonErrorType),
    /// It is not UTF-8.
    InvalidUtf8,
    /// A field has another value than it may have: what was expected.
    Expected(&'static str),
    /// A key for an object or array stands a second time, or a second member of a oneof.
    Repeated,
    /// Messages are nested too deeply.
    TooDeep,
    /// No memory, or 2 GiB were passed.
    OutOfMemory,
}

impl FromJsonError {
    const fn new(kind: FromJsonErrorKind, offset: usize) -> Self {
        Self { kind, offset, path: String::new() }
    }

    /// The same, found in the field of a name. Paths are put together on the way back up, so that only errors pay for
    /// them.
    fn in_field(mut self, name: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }

    /// The same, found in an element of an array.
    fn in_element(mut self, index: usize) -> Self {
        let separator = if self.path.is_empty() { "" } else { "." };
        self.path = format!("[{index}]{separator}{}", self.path);
        self
    }
}

impl From<JiterError> for FromJsonError {
    fn from(error: JiterError) -> Self {
        let kind = match error.error_type {
            JiterErrorType::JsonError(kind) => kind,
            JiterErrorType::WrongType { .. } => JsonErrorType::ExpectedSomeValue,
        };
        Self::new(FromJsonErrorKind::Syntax(kind), error.index)
    }
}

impl fmt::Display for FromJsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FromJsonErrorKind::Syntax(kind) => write!(out, "not JSON: {kind}")?,
            FromJsonErrorKind::InvalidUtf8 => out.write_str("the text is not valid UTF-8")?,
            FromJsonErrorKind::Expected(what) => write!(out, "expected {what}")?,
            FromJsonErrorKind::Repeated => {
                out.write_str("a key that must stand once stands a second time, or a second member of a oneof")?;
            }
            FromJsonErrorKind::TooDeep => out.write_str("messages are nested too deeply")?,
            FromJsonErrorKind::OutOfMemory => out.write_str("no memory for the request, or it would pass 2 GiB")?,
        }
        write!(out, " at offset {}", self.offset)
    }
}

impl std::error::Error for FromJsonError {}
