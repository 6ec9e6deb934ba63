//! Borrowed views: a request as what it says, read field by field from the bytes that hold it.
//!
//! A view is a slice and an offset: `Copy`, made without allocating, and not looked into before somebody asks. `fields()` gives
//! the fields of a message one after the other, as they stand on the wire, each as a value of the message's own enum:
//!
//! ```
//! use otlp_schema::view::messages::{ResourceSpansField, ScopeSpansField, SpanField, TracesRequest, TracesRequestField};
//!
//! fn names(request: &[u8]) -> Result<Vec<&str>, otlp_wire::ReadError> {
//!     let mut names = Vec::new();
//!     for field in TracesRequest::new(request).fields() {
//!         let TracesRequestField::ResourceSpans(resource_spans) = field? else { continue };
//!         for field in resource_spans.fields() {
//!             let ResourceSpansField::ScopeSpans(scope_spans) = field? else { continue };
//!             for field in scope_spans.fields() {
//!                 let ScopeSpansField::Span(span) = field? else { continue };
//!                 for field in span.fields() {
//!                     if let SpanField::Name(name) = field? {
//!                         names.push(name);
//!                     }
//!                 }
//!             }
//!         }
//!     }
//!     Ok(names)
//! }
//! # assert_eq!(names(b"\x0a\x07\x12\x05\x12\x03\x2a\x01x"), Ok(vec!["x"]));
//! ```
//!
//! **Why not getters.** A getter has to look for its field, so that reading a span through twenty getters reads it twenty
//! times, or has to keep what it found, which is a second model of a span. One loop with one `match` reads each byte once,
//! sees unknown fields, and knows their order.
//!
//! **What is checked.** Everything that is given out: tags, wire types, lengths, varints, UTF-8. Every error carries its offset
//! in the outermost input; [`crate::locate`] tells the path of an offset. After an error an iterator is at its end.
//! What is *in* a message is checked when that is read. A known field with a wire type that is not its own is an error, where
//! protobuf would take it for an unknown one. Packed fields are read packed and one by one, as protobuf demands.
//!
//! **What is the reader's business**: that a scalar which stands twice means the last one, and a message that must stand once and
//! stands twice is refused ([`set_once`]). Protobuf would merge the two; no encoder writes that.

pub mod messages;
mod packed;
mod value;

pub use packed::{Fixed64s, Varints};

use otlp_wire::reader::FieldTag;
use otlp_wire::{ErrorKind, ReadError, Reader};

/// A field that its message does not have: from a newer OTLP, or none at all.
#[derive(Clone, Copy, Debug)]
pub struct Unknown<'a> {
    /// Its number and wire type, and where it stands.
    pub tag: FieldTag,
    /// Its bytes, from the tag on.
    pub bytes: &'a [u8],
}

/// Sets a message that must stand once in its message.
///
/// # Errors
/// [`ErrorKind::RepeatedMessage`] where it was set before; `offset` is where the second one begins.
#[inline]
pub fn set_once<T>(slot: &mut Option<T>, value: T, offset: usize) -> Result<(), ReadError> {
    if slot.is_some() {
        return Err(ReadError { kind: ErrorKind::RepeatedMessage, offset });
    }
    *slot = Some(value);
    Ok(())
}

/// Reads an id behind its tag: `N` bytes, or none.
#[inline(always)]
fn read_id<const N: usize>(reader: &mut Reader<'_>) -> Result<Option<[u8; N]>, ReadError> {
    let start = *reader;
    let content = reader.read_bytes()?;
    match content.try_into() {
        Ok(id) => Ok(Some(id)),
        Err(_) if content.is_empty() => Ok(None),
        Err(_) => Err(start.error(ErrorKind::BadIdLength)),
    }
}

/// Reads an unknown field from its tag on.
#[cold]
fn read_unknown<'a>(start: Reader<'a>, reader: &mut Reader<'a>, tag: FieldTag) -> Result<Unknown<'a>, ReadError> {
    reader.skip(tag)?;
    Ok(Unknown { tag, bytes: &start.rest()[..reader.offset() - start.offset()] })
}
