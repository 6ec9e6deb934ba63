//! The path of an offset: which field of which message stands there.
//!
//! Errors carry an offset and nothing else, as a path would have to be kept up to date on the way down, for every field of
//! every request. Where an error has to be told, the way down to its offset is found again, by the schema: cold, and with
//! the place of every repeated message in it (`resource_spans[0].scope_spans[1].spans[17].attributes[3].value`).

use crate::schema::{Kind, MessageSchema};
use crate::signal::Signal;
use otlp_wire::{Reader, WireType};
use std::fmt::Write;

/// The deepest message that is followed: no path is worth more.
const MAX_DEPTH: usize = 32;

/// The path of the field that stands at `offset` of a request, dotted from the request down; of the message where the offset is
/// in no known field of it, and "" for the request itself.
pub fn locate(request: &[u8], signal: Signal, offset: usize) -> String {
    let mut path = String::new();
    let mut reader = Reader::new(request);
    let mut message = signal.request();
    for _ in 0..MAX_DEPTH {
        match step(&mut reader, message, offset, &mut path) {
            Some(inner) => message = inner,
            None => break,
        }
    }
    path
}

/// Looks for the field of `message` that reaches over `offset`, adds it to the path, and gives the message that it holds.
fn step(
    reader: &mut Reader<'_>,
    message: &'static MessageSchema,
    offset: usize,
    path: &mut String,
) -> Option<&'static MessageSchema> {
    // How often each field stood before, by its place in the schema.
    let mut counts = vec![0usize; message.fields.len()];
    loop {
        let tag = reader.read_tag().ok()??;
        let place = message.fields.iter().position(|field| field.number == tag.field);
        let mut content = *reader;
        let end = reader.skip(tag).map(|()| reader.offset());
        if end.is_ok_and(|end| end <= offset) {
            if let Some(place) = place {
                counts[place] += 1;
            }
            continue;
        }
        let field = &message.fields[place?];
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field.name);
        if field.is_repeated && tag.wire_type == WireType::Len {
            // Writing to a String cannot fail.
            let _ = write!(path, "[{}]", counts[place?]);
        }
        let Kind::Message(inner) = field.kind else { return None };
        *reader = content.nested().ok()?;
        // The error may be in the tag or the length, which belong to the field itself.
        return (offset >= reader.offset()).then_some(inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{any_value, envelope, key_value, span};
    use otlp_wire::Writer;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    #[test]
    fn offsets_are_told_as_paths() {
        let value = field(key_value::VALUE, &field(any_value::STRING_VALUE, b"xyz"));
        let attribute = field(span::ATTRIBUTES, &[field(key_value::KEY, b"key"), value].concat());
        let named = field(envelope::ITEMS, &field(span::NAME, b"name"));
        let spans = [named, field(envelope::ITEMS, &[attribute.clone(), attribute].concat())].concat();
        let request = field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &spans));
        let path_of = |offset| locate(&request, Signal::Traces, offset);
        let spans = "resource_spans[0].scope_spans[0].spans";
        assert_eq!(path_of(0), "resource_spans[0]");
        assert_eq!(path_of(2), "resource_spans[0].scope_spans[0]");
        assert_eq!(path_of(6), format!("{spans}[0].name"));
        let last = request.len() - 1;
        assert_eq!(path_of(last), format!("{spans}[1].attributes[1].value.string_value"));
        assert_eq!(path_of(last + 1), "");
        assert_eq!(path_of(usize::MAX), "");
    }

    #[test]
    fn what_ends_too_early_is_told_by_its_own_path() {
        let whole = field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &[0x12, 9, 0x2a, 1]));
        assert_eq!(locate(&whole, Signal::Traces, 5), "resource_spans[0].scope_spans[0].spans[0]");
        assert_eq!(locate(&whole[..1], Signal::Traces, 1), "resource_spans[0]");
        assert_eq!(locate(&[0xff; 3], Signal::Traces, 0), "");
        assert_eq!(locate(&[], Signal::Logs, 0), "");
    }
}
