//! Putting requests together into one, on their bytes.
//!
//! Requests one behind the other are one request already: that is how protobuf merges repeated fields. But each has its
//! resource, its scopes and their attributes once more, and a consumer that collects small requests has them a hundred
//! times. Here groups with the same resource become one, and in it groups with the same scope. The items are never
//! looked at.
//!
//! **What is the same.** Resource groups whose resource is the same bytes, and whose schema URL too; scope groups
//! likewise. No resource and an empty one are two. Nothing is decoded for it: an encoder writes equal resources as
//! equal bytes, and where it does not, the groups stay apart, which is correct as well.
//!
//! **What comes out.**
//! - Groups stand in the order in which the first of each came, items in the order in which they came in their group.
//!   The items with their resource and scope are those of the requests, none more and none less.
//! - The fields of groups are in the order of their numbers, with minimal lengths; items, resources and scopes are
//!   copied.
//! - A group with anything else in it stays as it is, by itself: with a field that this code does not know, which may
//!   hold items too (as `instrumentation_library_spans = 1000` once did), or with a resource or schema URL that stands
//!   twice. It is not looked into. Unknown fields of the requests themselves stand at the end.
//! - A single canonical request without two equal groups comes out as the same bytes.

use crate::fields::envelope;
use crate::signal::Signal;
use otlp_wire::raw::MAX_LEN;
use otlp_wire::reader::FieldTag;
use otlp_wire::{PooledBytes, ReadError, Reader, WireType, Writer};
use std::collections::HashMap;
use std::fmt;

/// Why requests were not put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeError {
    /// One of them is not such a request.
    Malformed {
        /// Which one, counted from 0.
        request: usize,
        /// What is wrong, and at which offset of it.
        error: ReadError,
        /// The message that it was found in, dotted from the request down.
        path: &'static str,
    },
    /// No memory, or 2 GiB were passed.
    OutOfMemory,
}

impl fmt::Display for MergeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { request, error, path } => {
                let separator = if path.is_empty() { "" } else { "." };
                write!(out, "{error} in requests[{request}]{separator}{path}")
            }
            Self::OutOfMemory => out.write_str("no memory for the request, or it would pass 2 GiB"),
        }
    }
}

impl std::error::Error for MergeError {}

/// One request with everything that is in `requests`, by the rules at the head of this module.
///
/// # Errors
/// The first request that is none, or [`MergeError::OutOfMemory`].
pub fn merge(requests: &[&[u8]], signal: Signal) -> Result<PooledBytes, MergeError> {
    let mut merger = Merger::default();
    for (request, data) in requests.iter().enumerate() {
        merger.add(data).map_err(|(level, error)| {
            let path = signal.levels()[level].path;
            MergeError::Malformed { request, error, path }
        })?;
    }
    let mut out = Writer::new();
    merger.write(&mut out, requests.iter().fold(0, |sum, data| data.len().saturating_add(sum)));
    if out.failed() { Err(MergeError::OutOfMemory) } else { Ok(PooledBytes::new(out.take(), 0)) }
}

/// What tells groups apart: the resource or scope, and the schema URL.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    subject: Option<&'a [u8]>,
    schema_url: Option<&'a [u8]>,
}

/// A resource or scope group of the result.
enum Group<'a, T> {
    /// One that stays as it is: its whole field.
    Untouched(&'a [u8]),
    Merged(Key<'a>, T),
}

/// Groups in the order in which they came first.
struct Groups<'a, T> {
    groups: Vec<Group<'a, T>>,
    by_key: HashMap<Key<'a>, usize>,
}

/// The items of a scope group: runs of whole fields.
type Items<'a> = Vec<&'a [u8]>;

#[derive(Default)]
struct Merger<'a> {
    resources: Groups<'a, Groups<'a, Items<'a>>>,
    unknown: Vec<&'a [u8]>,
}

/// An error, and how many levels below the request it was found.
type LevelError = (usize, ReadError);

impl<'a> Merger<'a> {
    fn add(&mut self, data: &'a [u8]) -> Result<(), LevelError> {
        let bytes_of = |tag: FieldTag, behind: &Reader<'_>| &data[tag.offset..behind.offset()];
        let mut request = Reader::new(data);
        while let Some((tag, resource)) = next_field(&mut request, envelope::RESOURCE_GROUPS).map_err(at(0))? {
            let field = bytes_of(tag, &request);
            let Some(mut resource) = resource else {
                self.unknown.push(field);
                continue;
            };
            let key = Key::of(resource).map_err(at(1))?;
            let Some(scopes) = self.resources.open(key, field) else { continue };
            while let Some((tag, scope)) = next_field(&mut resource, envelope::SCOPE_GROUPS).map_err(at(1))? {
                let field = bytes_of(tag, &resource);
                let Some(mut scope) = scope else { continue };
                let key = Key::of(scope).map_err(at(2))?;
                let Some(items) = scopes.open(key, field) else { continue };
                let mut run = 0..0;
                while let Some((tag, item)) = next_field(&mut scope, envelope::ITEMS).map_err(at(2))? {
                    if item.is_none() {
                        continue;
                    }
                    if tag.offset != run.end {
                        items.push(&data[run]);
                        run = tag.offset..tag.offset;
                    }
                    run.end = scope.offset();
                }
                items.push(&data[run]);
            }
        }
        Ok(())
    }

    fn write(&self, out: &mut Writer, total_len: usize) {
        out.reserve(total_len.min(MAX_LEN));
        self.resources.write(out, envelope::RESOURCE_GROUPS, total_len, |scopes, out| {
            scopes.write(out, envelope::SCOPE_GROUPS, total_len, |items, out| {
                items.iter().for_each(|run| out.put_slice(run));
            });
        });
        self.unknown.iter().for_each(|field| out.put_slice(field));
    }
}

fn at(level: usize) -> impl Fn(ReadError) -> LevelError {
    move |error| (level, error)
}

/// The next field of a message, with a reader of its content where it is the one that `child` is the tag of.
fn next_field<'a>(message: &mut Reader<'a>, child: u8) -> Result<Option<(FieldTag, Option<Reader<'a>>)>, ReadError> {
    let Some(tag) = message.read_tag()? else { return Ok(None) };
    if tag.field != u32::from(child >> 3) {
        message.skip(tag)?;
        return Ok(Some((tag, None)));
    }
    message.require_type(tag, WireType::Len)?;
    Ok(Some((tag, Some(message.nested()?))))
}

impl<'a> Key<'a> {
    /// What tells this group from others; `None` where it has to stay as it is. Resource and scope groups have the same
    /// numbers.
    fn of(mut group: Reader<'a>) -> Result<Option<Self>, ReadError> {
        let mut key = Self { subject: None, schema_url: None };
        let mut is_plain = true;
        while let Some(tag) = group.read_tag()? {
            let slot = match u8::try_from(tag.field << 3 | WireType::Len as u32) {
                Ok(envelope::SCOPE_GROUPS) => None,
                Ok(envelope::RESOURCE) => Some(&mut key.subject),
                Ok(envelope::SCHEMA_URL) => Some(&mut key.schema_url),
                _ => {
                    group.skip(tag)?;
                    is_plain = false;
                    continue;
                }
            };
            group.require_type(tag, WireType::Len)?;
            let content = group.read_bytes()?;
            if let Some(slot) = slot {
                is_plain &= slot.replace(content).is_none();
            }
        }
        Ok(is_plain.then_some(key))
    }
}

impl<T> Default for Groups<'_, T> {
    fn default() -> Self {
        Self { groups: Vec::new(), by_key: HashMap::new() }
    }
}

impl<'a, T: Default> Groups<'a, T> {
    /// What the group of a key holds so far; `None` for a group that stays as it is, which is `field`.
    fn open(&mut self, key: Option<Key<'a>>, field: &'a [u8]) -> Option<&mut T> {
        let Some(key) = key else {
            self.groups.push(Group::Untouched(field));
            return None;
        };
        let place = *self.by_key.entry(key).or_insert(self.groups.len());
        if place == self.groups.len() {
            self.groups.push(Group::Merged(key, T::default()));
        }
        match &mut self.groups[place] {
            Group::Merged(_, content) => Some(content),
            Group::Untouched(_) => None,
        }
    }

    /// Writes all groups as fields of the given tag, each of which is some part of `total_len`.
    fn write(&self, out: &mut Writer, tag: u8, total_len: usize, write_content: impl Fn(&T, &mut Writer)) {
        for group in &self.groups {
            match group {
                Group::Untouched(field) => out.put_slice(field),
                Group::Merged(key, content) => {
                    let mark = out.open(tag, total_len / self.groups.len());
                    if let Some(subject) = key.subject {
                        out.bytes_field(envelope::RESOURCE, subject);
                    }
                    write_content(content, out);
                    if let Some(schema_url) = key.schema_url {
                        out.bytes_field(envelope::SCHEMA_URL, schema_url);
                    }
                    out.close(mark);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use otlp_wire::ErrorKind;

    fn field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    fn merged(requests: &[&[u8]]) -> Vec<u8> {
        merge(requests, Signal::Traces).unwrap().as_slice().to_vec()
    }

    fn items(items: &[&str]) -> Vec<u8> {
        items.iter().flat_map(|item| field(envelope::ITEMS, item.as_bytes())).collect()
    }

    fn scope(name: &str, content: &[&str]) -> Vec<u8> {
        let subject = field(envelope::SCOPE, name.as_bytes());
        field(envelope::SCOPE_GROUPS, &[subject, items(content)].concat())
    }

    fn resource(name: &str, content: &[u8]) -> Vec<u8> {
        let subject = field(envelope::RESOURCE, name.as_bytes());
        field(envelope::RESOURCE_GROUPS, &[&subject, content].concat())
    }

    #[test]
    fn equal_resources_and_scopes_become_one_in_first_seen_order() {
        let first = [resource("a", &scope("s", &["1"])), resource("b", &scope("s", &["2"]))].concat();
        let second = resource("a", &[scope("t", &["3"]), scope("s", &["4", "5"])].concat());
        let scopes = [scope("s", &["1", "4", "5"]), scope("t", &["3"])].concat();
        let expected = [resource("a", &scopes), resource("b", &scope("s", &["2"]))].concat();
        assert_eq!(merged(&[&first, &second]), expected);
        assert_eq!(merged(&[&[first, second].concat()]), expected, "one behind the other is the same");
        assert_eq!(merged(&[&expected]), expected);
        assert_eq!(merged(&[]), b"");
    }

    #[test]
    fn schema_urls_and_missing_resources_keep_groups_apart() {
        let with_url = |url: &str| field(envelope::RESOURCE_GROUPS, &field(envelope::SCHEMA_URL, url.as_bytes()));
        let none = field(envelope::RESOURCE_GROUPS, b"");
        let all = [with_url("1"), with_url("2"), none, resource("", b"")].concat();
        assert_eq!(merged(&[&all, &all]), all);
    }

    #[test]
    fn groups_with_anything_else_stay_as_they_are_in_their_place() {
        let unknown = [
            resource("a", b"\xc2\x3e\x01x"),
            resource("a", b"\x20\x01"),
            resource("a", &field(envelope::RESOURCE, b"a")),
        ];
        for odd in unknown {
            let odd = [odd, resource("b", b"")].concat();
            assert_eq!(merged(&[&odd, &odd]), [&odd[..], &odd[..odd.len() - resource("b", b"").len()]].concat());
        }
        let odd_scope = field(envelope::SCOPE_GROUPS, &[&field(envelope::SCOPE, b"s"), &b"\x20\x01"[..]].concat());
        let whole = resource("a", &[odd_scope.clone(), scope("s", &["1"])].concat());
        let expected = resource("a", &[odd_scope.clone(), scope("s", &["1", "1"]), odd_scope].concat());
        assert_eq!(merged(&[&whole, &whole]), expected);
    }

    #[test]
    fn lengths_become_minimal_and_fields_of_groups_are_put_in_order() {
        // A schema URL in front of two items with a resource between them, and lengths of two bytes.
        let scope = b"\x12\x8a\x00\x1a\x01u\x12\x00\x0a\x00\x12\x01x";
        let expected = resource("r", b"\x12\x0a\x0a\x00\x12\x00\x12\x01x\x1a\x01u");
        assert_eq!(merged(&[&resource("r", scope)]), expected);
    }

    #[test]
    fn unknown_fields_of_requests_are_kept_at_the_end() {
        let request = [&b"\x10\x07"[..], &resource("a", b"")].concat();
        let expected = [&resource("a", b"")[..], b"\x10\x07\x10\x07"].concat();
        assert_eq!(merged(&[&request, &request]), expected);
    }

    #[test]
    fn malformed_request_is_told_by_its_number_offset_and_path() {
        let cases: [(&[u8], &str, ErrorKind, usize); 5] = [
            (b"\x08\x01", "", ErrorKind::WrongWireType, 0),
            (b"\x0a\x05\x12", "", ErrorKind::LengthPastEnd, 1),
            (b"\x0a\x02\x12\x01", "resource_logs", ErrorKind::LengthPastEnd, 3),
            (b"\x0a\x02\x18\x01", "resource_logs", ErrorKind::WrongWireType, 2),
            (b"\x0a\x04\x12\x02\x12\x09", "resource_logs.scope_logs", ErrorKind::LengthPastEnd, 5),
        ];
        for (data, path, kind, offset) in cases {
            let error = merge(&[b"", data], Signal::Logs).err();
            assert_eq!(error, Some(MergeError::Malformed { request: 1, error: ReadError { kind, offset }, path }));
        }
    }
}
