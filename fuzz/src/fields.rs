//! All fields of a request, found by the schema: what a mutation chooses from.

use otlp_schema::schema::{FieldSchema, Kind, MessageSchema};
use otlp_wire::Reader;
use std::ops::Range;

/// A field as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// From its tag to its end.
    pub(crate) whole: Range<usize>,
    /// Its value; of a length-delimited one, what stands behind the length.
    pub(crate) content: Range<usize>,
    /// What it is; `None` for an unknown field.
    pub(crate) schema: Option<&'static FieldSchema>,
    /// The place, in the list, of the message that it stands in; `None` for a field of the request.
    pub(crate) parent: Option<usize>,
}

/// Messages deeper than this are not looked into: mutations make such, and they are read elsewhere.
const MAX_DEPTH: usize = 40;

/// The fields of a request and of all messages in it, parents first. Where the bytes are no message any more, it ends.
pub(crate) fn fields_of(request: &[u8], message: &'static MessageSchema) -> Vec<Place> {
    let mut places = Vec::new();
    collect(Reader::new(request), message, None, 0, &mut places);
    places
}

fn collect(
    mut reader: Reader<'_>,
    message: &'static MessageSchema,
    parent: Option<usize>,
    depth: usize,
    places: &mut Vec<Place>,
) {
    while let Ok(Some(tag)) = reader.read_tag() {
        let mut value = reader;
        if reader.skip(tag).is_err() {
            return;
        }
        let schema = message.field(tag.field);
        let nested = matches!(tag.wire_type, otlp_wire::WireType::Len).then(|| value.nested().ok()).flatten();
        let start = nested.map_or(value.offset(), |content| content.offset());
        let place = places.len();
        places.push(Place { whole: tag.offset..reader.offset(), content: start..reader.offset(), schema, parent });
        if let (Some(content), Some(Kind::Message(inner))) = (nested, schema.map(|field| field.kind))
            && depth < MAX_DEPTH
        {
            collect(content, inner, Some(place), depth + 1, places);
        }
    }
}
