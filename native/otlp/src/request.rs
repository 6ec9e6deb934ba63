//! The builder of export requests: items in, grouped by resource and scope, one message out.
//!
//! The three requests have one shape, with the same field numbers ([`envelope`]): a request holds resource groups, a
//! resource group holds its resource, scope groups and a schema URL, a scope group holds its scope, items and a schema
//! URL. Groups stand in first-seen order, items in the order of their arrival.
//!
//! **How it works.** All items are written one behind the other into one arena, each with its tag and length. For every
//! scope group the builder remembers which stretches of the arena are its own; neighbours merge into one run. Nothing
//! else happens per item. Only [`RequestBuilder::finish`] puts groups together: where there is one group, its envelope is
//! written into the headroom that the arena keeps in front of the first item, and the arena's memory is the request: no
//! byte is copied. Where there are several, the runs are gathered once, at memory speed.
//!
//! Envelopes stand one behind the other in one piece of memory as well, and the scope groups of a resource are a chain:
//! a group takes no allocation of its own, for there are requests with a group for each item.
//!
//! Why not one buffer per group: a server with thirty instrumented libraries would hold thirty half-empty buffers, and
//! the common case of one group would still have to be joined with its envelope.
//!
//! Resources and scopes stay known when a request is finished, so that ids stay valid. The walker makes a new builder for
//! each request all the same: of two resources that are equal but differ in the order of their attributes, the one
//! that comes first in a request gives its form to the group.

use crate::fields::envelope;
use otlp_wire::raw::MAX_LEN;
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint};
use otlp_wire::{Mark, PooledBytes, Writer, varint_len};
use std::fmt;
use std::ops::Deref;

/// A resource that the builder knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceId(u32);

/// A scope under a resource that the builder knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeId(u32);

impl ResourceId {
    /// The id as a number, for callers that keep it behind a C ABI.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl ScopeId {
    /// The id as a number, for callers that keep it behind a C ABI.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// No memory for an item or a group, or a request of 2 GiB: what was begun is taken back, the request is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("no memory for more, or the request would pass 2 GiB")
    }
}

impl std::error::Error for OutOfMemory {}

/// What stands around the parts of a group, as places in [`RequestBuilder::envelopes`]: the resource or scope field in
/// front, the schema URL field behind.
#[derive(Clone, Copy, Debug)]
struct Envelope {
    start: usize,
    tail: usize,
    end: usize,
}

impl Envelope {
    /// The most bytes that an envelope takes.
    fn max_len(content: &[u8], schema_url: &[u8]) -> usize {
        content.len().saturating_add(schema_url.len()).saturating_add(2 * MAX_FRONT_LEN)
    }

    fn new(envelopes: &mut Vec<u8>, head_tag: u8, content: &[u8], schema_url: &[u8]) -> Self {
        let start = envelopes.len();
        put_field(envelopes, head_tag, content);
        let tail = envelopes.len();
        if !schema_url.is_empty() {
            put_field(envelopes, envelope::SCHEMA_URL, schema_url);
        }
        Self { start, tail, end: envelopes.len() }
    }

    fn len(self) -> usize {
        self.end - self.start
    }

    fn head(self, envelopes: &[u8]) -> &[u8] {
        &envelopes[self.start..self.tail]
    }

    fn tail(self, envelopes: &[u8]) -> &[u8] {
        &envelopes[self.tail..self.end]
    }
}

#[derive(Debug)]
struct ResourceGroup {
    envelope: Envelope,
    /// Whether it stands in the order of the open request.
    is_listed: bool,
    /// First and last of its scope groups in the open request.
    scopes: Option<(ScopeId, ScopeId)>,
}

#[derive(Debug)]
struct ScopeGroup {
    envelope: Envelope,
    resource: ResourceId,
    /// Whether it stands in the order of the open request.
    is_listed: bool,
    /// The scope group that comes after it under its resource.
    next: Option<ScopeId>,
    /// Bytes of its items in the open request.
    items_len: usize,
    /// First and last of its runs in the open request; meaningless while `items_len` is 0.
    first_run: usize,
    last_run: usize,
}

/// A stretch of the arena that belongs to one scope group.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    end: usize,
    next: Option<usize>,
}

/// An item that was begun, to be given to [`RequestBuilder::close_item`] or [`RequestBuilder::abandon_item`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a begun item must be closed or abandoned"]
pub struct OpenItem {
    start: usize,
    mark: Mark,
}

/// An export request under construction.
#[derive(Debug)]
pub struct RequestBuilder {
    arena: Writer,
    headroom: usize,
    envelopes: Vec<u8>,
    resources: Vec<ResourceGroup>,
    scopes: Vec<ScopeGroup>,
    runs: Vec<Run>,
    /// Resource groups of the open request, in first-seen order.
    resource_order: Vec<ResourceId>,
    /// Scope groups of the open request, in first-seen order.
    scope_order: Vec<ScopeId>,
    item_count: usize,
    /// The first guess for the memory that the request needs.
    expected_len: usize,
    /// Bytes left free in front of the request, see [`RequestBuilder::set_padding`].
    padding: usize,
    /// The most bytes of a request.
    max_len: usize,
}

impl RequestBuilder {
    /// An empty request that is expected to take about `expected_len` bytes: a guess, which costs nothing where there is
    /// no memory for it.
    pub fn new(expected_len: usize) -> Self {
        Self {
            arena: Writer::new(),
            headroom: 0,
            envelopes: Vec::new(),
            resources: Vec::new(),
            scopes: Vec::new(),
            runs: Vec::new(),
            resource_order: Vec::new(),
            scope_order: Vec::new(),
            item_count: 0,
            expected_len,
            padding: 0,
            max_len: MAX_LEN,
        }
    }

    /// The number of items in the open request.
    pub fn item_count(&self) -> usize {
        self.item_count
    }

    /// Makes a resource known. `content` is an encoded `Resource` message, `schema_url` UTF-8.
    pub fn add_resource(&mut self, content: &[u8], schema_url: &[u8]) -> Result<ResourceId, OutOfMemory> {
        self.make_room(Envelope::max_len(content, schema_url))?;
        make_room_for_one(&mut self.resources, &mut self.resource_order)?;
        let envelope = Envelope::new(&mut self.envelopes, envelope::RESOURCE, content, schema_url);
        self.resources.push(ResourceGroup { envelope, is_listed: false, scopes: None });
        Ok(ResourceId((self.resources.len() - 1) as u32))
    }

    /// Makes a scope under a resource known. `content` is an encoded `InstrumentationScope` message, `schema_url` UTF-8.
    pub fn add_scope(
        &mut self,
        resource: ResourceId,
        content: &[u8],
        schema_url: &[u8],
    ) -> Result<ScopeId, OutOfMemory> {
        self.make_room(Envelope::max_len(content, schema_url))?;
        make_room_for_one(&mut self.scopes, &mut self.scope_order)?;
        let envelope = Envelope::new(&mut self.envelopes, envelope::SCOPE, content, schema_url);
        self.scopes.push(ScopeGroup {
            envelope,
            resource,
            is_listed: false,
            next: None,
            items_len: 0,
            first_run: 0,
            last_run: 0,
        });
        Ok(ScopeId((self.scopes.len() - 1) as u32))
    }

    /// Makes room for another envelope, if the request has room for it too.
    fn make_room(&mut self, envelope_len: usize) -> Result<(), OutOfMemory> {
        if !self.has_room_for(envelope_len) || self.envelopes.try_reserve(envelope_len).is_err() {
            return Err(OutOfMemory);
        }
        Ok(())
    }

    /// Whether the request stays below its limit with so many bytes more, whatever groups come to be listed.
    fn has_room_for(&self, additional: usize) -> bool {
        let fronts = (self.resources.len() + self.scopes.len() + 1).saturating_mul(MAX_FRONT_LEN);
        let len = self.arena.len() + self.envelopes.len();
        len.saturating_add(fronts).saturating_add(additional) <= self.max_len
    }

    /// The id with this number, if the builder gave it out.
    pub fn resource_id(&self, number: u32) -> Option<ResourceId> {
        ((number as usize) < self.resources.len()).then_some(ResourceId(number))
    }

    /// The id with this number, if the builder gave it out.
    pub fn scope_id(&self, number: u32) -> Option<ScopeId> {
        ((number as usize) < self.scopes.len()).then_some(ScopeId(number))
    }

    /// Lists a resource group in the open request, with items or without.
    pub fn list_resource(&mut self, resource: ResourceId) {
        let group = &mut self.resources[resource.0 as usize];
        if !group.is_listed {
            group.is_listed = true;
            self.resource_order.push(resource);
        }
    }

    /// Lists a scope group, and its resource group, in the open request, with items or without.
    pub fn list_scope(&mut self, scope: ScopeId) {
        let group = &mut self.scopes[scope.0 as usize];
        if !group.is_listed {
            group.is_listed = true;
            let resource = group.resource;
            self.scope_order.push(scope);
            self.list_resource(resource);
            let listed = &mut self.resources[resource.0 as usize].scopes;
            let first = match *listed {
                Some((first, last)) => {
                    self.scopes[last.0 as usize].next = Some(scope);
                    first
                }
                None => scope,
            };
            *listed = Some((first, scope));
        }
    }

    /// Bytes written for the open request so far; without its envelopes, which [`RequestBuilder::byte_count`] counts.
    pub fn written_len(&self) -> usize {
        self.arena.len()
    }

    /// Leaves so many bytes free in front of the requests that begin from now on: who writes long items may want them at
    /// addresses of a kind.
    pub fn set_padding(&mut self, padding: usize) {
        self.padding = padding;
    }

    /// Where the fields of an open item are written.
    #[inline]
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.arena
    }

    /// Begins an item of about `guess` bytes; its fields go to [`RequestBuilder::writer`].
    #[inline]
    pub fn open_item(&mut self, scope: ScopeId, guess: usize) -> OpenItem {
        if self.arena.is_empty() {
            self.begin_request(scope);
        }
        let start = self.arena.len();
        OpenItem { start, mark: self.arena.open(envelope::ITEMS, guess) }
    }

    #[cold]
    fn begin_request(&mut self, scope: ScopeId) {
        // Two lengths of at most five bytes and two tags stand between and in front of the heads.
        let scope = &self.scopes[scope.0 as usize];
        let resource = &self.resources[scope.resource.0 as usize];
        self.headroom = self.padding + resource.envelope.len() + scope.envelope.len() + 12;
        // A quarter above what is expected, so that like requests never grow.
        let expected = self.expected_len.saturating_add(self.expected_len / 4).saturating_add(self.headroom);
        if !self.arena.reserve(expected) {
            // It was only a guess: what really comes may find room.
            self.arena.restart(0);
        }
        self.arena.put_gap(self.headroom);
    }

    /// Ends an item and counts it to the group of `scope`.
    #[inline]
    pub fn close_item(&mut self, scope: ScopeId, item: OpenItem) -> Result<(), OutOfMemory> {
        self.arena.close(item.mark);
        if self.arena.failed() || !self.has_room_for(0) || self.runs.try_reserve(1).is_err() {
            self.abandon_item(item);
            return Err(OutOfMemory);
        }
        let (start, end) = (item.start, self.arena.len());
        let group = &mut self.scopes[scope.0 as usize];
        self.item_count += 1;
        if group.items_len > 0 {
            group.items_len += end - start;
            let next = self.runs.len();
            let last = &mut self.runs[group.last_run];
            if last.end == start {
                last.end = end;
                return Ok(());
            }
            last.next = Some(next);
        } else {
            group.items_len = end - start;
            group.first_run = self.runs.len();
            self.list_scope(scope);
        }
        self.scopes[scope.0 as usize].last_run = self.runs.len();
        self.runs.push(Run { start, end, next: None });
        Ok(())
    }

    /// Takes a begun item back: the request is as it was before.
    pub fn abandon_item(&mut self, item: OpenItem) {
        self.arena.restart(if self.item_count == 0 { 0 } else { item.start });
    }

    /// Adds an item whose content was written elsewhere.
    pub fn add_item(&mut self, scope: ScopeId, content: &[u8]) -> Result<(), OutOfMemory> {
        let item = self.open_item(scope, content.len());
        self.arena.put_slice(content);
        self.close_item(scope, item)
    }

    /// The exact length that the open request would have if it were finished now.
    pub fn byte_count(&self) -> usize {
        match (&self.resource_order[..], &self.scope_order[..]) {
            ([_], &[scope]) => field_len(self.single_group_len(scope)),
            (resources, _) => resources.iter().map(|&resource| field_len(self.resource_group_len(resource))).sum(),
        }
    }

    fn scope_group_len(&self, scope: ScopeId) -> usize {
        let group = &self.scopes[scope.0 as usize];
        group.envelope.len() + group.items_len
    }

    fn single_group_len(&self, scope: ScopeId) -> usize {
        let resource = &self.resources[self.scopes[scope.0 as usize].resource.0 as usize];
        resource.envelope.len() + field_len(self.scope_group_len(scope))
    }

    fn resource_group_len(&self, resource: ResourceId) -> usize {
        let scopes: usize = self.scopes_of(resource).map(|scope| field_len(self.scope_group_len(scope))).sum();
        self.resources[resource.0 as usize].envelope.len() + scopes
    }

    /// The scope groups of a resource in the open request, in first-seen order.
    fn scopes_of(&self, resource: ResourceId) -> impl Iterator<Item = ScopeId> {
        let first = self.resources[resource.0 as usize].scopes.map(|(first, _)| first);
        std::iter::successors(first, |scope| self.scopes[scope.0 as usize].next)
    }

    /// Gives the finished request piece by piece, [`RequestBuilder::byte_count`] bytes in all.
    pub fn for_each_piece(&self, mut sink: impl FnMut(&[u8])) {
        for &id in &self.resource_order {
            let resource = self.resources[id.0 as usize].envelope;
            sink(&Front::new(envelope::RESOURCE_GROUPS, self.resource_group_len(id)));
            sink(resource.head(&self.envelopes));
            for scope in self.scopes_of(id) {
                let items = &self.scopes[scope.0 as usize];
                sink(&Front::new(envelope::SCOPE_GROUPS, self.scope_group_len(scope)));
                sink(items.envelope.head(&self.envelopes));
                let mut next = (items.items_len > 0).then_some(items.first_run);
                while let Some(run) = next.map(|index| self.runs[index]) {
                    sink(&self.arena.as_slice()[run.start..run.end]);
                    next = run.next;
                }
                sink(items.envelope.tail(&self.envelopes));
            }
            sink(resource.tail(&self.envelopes));
        }
    }

    /// Gives the request out and begins an empty one. Resources and scopes stay known.
    ///
    /// # Errors
    /// There is no memory to put its groups together: the request is as it was.
    pub fn finish(&mut self) -> Result<PooledBytes, OutOfMemory> {
        let finished = match (&self.resource_order[..], &self.scope_order[..]) {
            ([], _) => Ok(PooledBytes::default()),
            ([_], &[scope]) if !self.arena.is_empty() => self.finish_in_place(scope),
            _ => self.gather(),
        };
        if finished.is_ok() {
            self.forget_items();
        }
        finished
    }

    /// One group: the envelope goes into the headroom and behind the items, and the arena is the request.
    fn finish_in_place(&mut self, scope: ScopeId) -> Result<PooledBytes, OutOfMemory> {
        let request_len = self.single_group_len(scope);
        let group_len = self.scope_group_len(scope);
        let items = &self.scopes[scope.0 as usize];
        let resource = self.resources[items.resource.0 as usize].envelope;
        let front: &[&[u8]] = &[
            &Front::new(envelope::RESOURCE_GROUPS, request_len),
            resource.head(&self.envelopes),
            &Front::new(envelope::SCOPE_GROUPS, group_len),
            items.envelope.head(&self.envelopes),
        ];
        let Some(start) = self.headroom.checked_sub(front.iter().map(|piece| piece.len()).sum()) else {
            return self.gather();
        };
        let mut at = start;
        for piece in front {
            self.arena.overwrite(at, piece);
            at += piece.len();
        }
        let items_end = self.arena.len();
        self.arena.put_slice(items.envelope.tail(&self.envelopes));
        self.arena.put_slice(resource.tail(&self.envelopes));
        if self.arena.failed() {
            self.arena.restart(items_end);
            return Err(OutOfMemory);
        }
        Ok(PooledBytes::new(self.arena.take(), start))
    }

    fn gather(&mut self) -> Result<PooledBytes, OutOfMemory> {
        let mut out = Writer::new();
        if !out.reserve(self.byte_count()) {
            return Err(OutOfMemory);
        }
        self.for_each_piece(|piece| out.put_slice(piece));
        Ok(PooledBytes::new(out.take(), 0))
    }

    fn forget_items(&mut self) {
        self.arena.restart(0);
        for scope in self.scope_order.drain(..) {
            let group = &mut self.scopes[scope.0 as usize];
            (group.items_len, group.is_listed, group.next) = (0, false, None);
        }
        for resource in self.resource_order.drain(..) {
            let group = &mut self.resources[resource.0 as usize];
            (group.is_listed, group.scopes) = (false, None);
        }
        self.runs.clear();
        self.item_count = 0;
    }
}

/// Makes room for another group and its place in the order of the request: listing it takes no memory.
fn make_room_for_one<G, I>(groups: &mut Vec<G>, order: &mut Vec<I>) -> Result<(), OutOfMemory> {
    let unlisted = groups.len() + 1 - order.len();
    groups.try_reserve(1).and(order.try_reserve(unlisted)).map_err(|_| OutOfMemory)
}

fn put_field(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.extend_from_slice(&Front::new(tag, content.len()));
    out.extend_from_slice(content);
}

/// What stands in front of the content of a length-delimited field: its tag, of one byte, and its length.
struct Front {
    bytes: [u8; 1 + MAX_VARINT_LEN],
    len: usize,
}

/// The most bytes of a [`Front`] in a request: lengths are below 2 GiB.
const MAX_FRONT_LEN: usize = 6;

impl Front {
    fn new(tag: u8, content_len: usize) -> Self {
        let mut length = [0; MAX_VARINT_LEN];
        let len = 1 + encode_varint(content_len as u64, &mut length);
        let mut bytes = [tag; 1 + MAX_VARINT_LEN];
        bytes[1..].copy_from_slice(&length);
        Self { bytes, len }
    }
}

impl Deref for Front {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The length of a length-delimited field with a one-byte tag.
fn field_len(content: usize) -> usize {
    1 + varint_len(content as u64) + content
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Item = (usize, usize, Vec<u8>);
    type Scopes = Vec<(usize, Vec<u8>)>;

    fn naive_field(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes_field(tag, content);
        writer.as_slice().to_vec()
    }

    fn schema_field(url: &str) -> Vec<u8> {
        if url.is_empty() { Vec::new() } else { naive_field(envelope::SCHEMA_URL, url.as_bytes()) }
    }

    fn resource_parts(resource: usize) -> (Vec<u8>, String) {
        (vec![resource as u8; resource * 61], "r".repeat(resource * 3))
    }

    fn scope_parts(resource: usize, scope: usize) -> (Vec<u8>, String) {
        (vec![(16 * resource + scope) as u8; scope * 47], "s".repeat(scope * 5))
    }

    /// The request as the definition says: nested vectors, joined from the inside out.
    fn naive(items: &[Item]) -> Vec<u8> {
        let mut groups: Vec<(usize, Scopes)> = Vec::new();
        for (resource, scope, item) in items {
            let at = groups.iter().position(|group| group.0 == *resource).unwrap_or_else(|| {
                groups.push((*resource, Vec::new()));
                groups.len() - 1
            });
            let scopes = &mut groups[at].1;
            let at = scopes.iter().position(|group| group.0 == *scope).unwrap_or_else(|| {
                scopes.push((*scope, Vec::new()));
                scopes.len() - 1
            });
            scopes[at].1.extend(naive_field(envelope::ITEMS, item));
        }
        let mut request = Vec::new();
        for (resource, scopes) in groups {
            let (content, url) = resource_parts(resource);
            let mut body = naive_field(envelope::RESOURCE, &content);
            for (scope, spans) in scopes {
                let (content, scope_url) = scope_parts(resource, scope);
                let parts = [naive_field(envelope::SCOPE, &content), spans, schema_field(&scope_url)];
                body.extend(naive_field(envelope::SCOPE_GROUPS, &parts.concat()));
            }
            body.extend(schema_field(&url));
            request.extend(naive_field(envelope::RESOURCE_GROUPS, &body));
        }
        request
    }

    fn know_all(builder: &mut RequestBuilder) -> Vec<Vec<ScopeId>> {
        let add = |resource: usize, builder: &mut RequestBuilder| {
            let (content, url) = resource_parts(resource);
            let id = builder.add_resource(&content, url.as_bytes()).unwrap();
            (0..3)
                .map(|scope| {
                    let (content, url) = scope_parts(resource, scope);
                    builder.add_scope(id, &content, url.as_bytes()).unwrap()
                })
                .collect()
        };
        (0..4).map(|resource| add(resource, builder)).collect()
    }

    proptest! {
        #[test]
        fn request_equals_its_definition(
            requests in proptest::collection::vec(
                proptest::collection::vec((0usize..4, 0usize..3, proptest::collection::vec(any::<u8>(), 0..300)), 0..40),
                1..4,
            ),
            abandon in any::<u8>(),
        ) {
            let mut builder = RequestBuilder::new(0);
            let ids = know_all(&mut builder);
            for items in &requests {
                for (index, (resource, scope, content)) in items.iter().enumerate() {
                    let scope = ids[*resource][*scope];
                    if (index as u8).is_multiple_of(abandon % 5 + 2) {
                        let item = builder.open_item(ids[(index + 1) % 4][index % 3], 100);
                        builder.writer().put_slice(b"taken back");
                        builder.abandon_item(item);
                    }
                    builder.add_item(scope, content).unwrap();
                }
                let expected = naive(items);
                prop_assert_eq!(builder.item_count(), items.len());
                prop_assert_eq!(builder.byte_count(), expected.len());
                let mut gathered = Vec::new();
                builder.for_each_piece(|piece| gathered.extend_from_slice(piece));
                prop_assert_eq!(&gathered, &expected);
                let finished = builder.finish().unwrap();
                prop_assert_eq!(finished.as_slice(), &expected[..]);
                prop_assert_eq!((builder.item_count(), builder.byte_count()), (0, 0));
            }
        }
    }

    #[test]
    fn listed_groups_stand_in_the_request_without_items() {
        let mut builder = RequestBuilder::new(0);
        let first = builder.add_resource(b"r", b"").unwrap();
        let second = builder.add_resource(b"s", b"").unwrap();
        let scope = builder.add_scope(second, b"t", b"u").unwrap();
        builder.list_resource(first);
        builder.list_scope(scope);
        let scope_group = [naive_field(envelope::SCOPE, b"t"), naive_field(envelope::SCHEMA_URL, b"u")].concat();
        let group = [naive_field(envelope::RESOURCE, b"s"), naive_field(envelope::SCOPE_GROUPS, &scope_group)].concat();
        let expected = [
            naive_field(envelope::RESOURCE_GROUPS, &naive_field(envelope::RESOURCE, b"r")),
            naive_field(envelope::RESOURCE_GROUPS, &group),
        ];
        assert_eq!(builder.byte_count(), expected.concat().len());
        assert_eq!(builder.finish().unwrap().as_slice(), expected.concat());
        builder.list_scope(scope);
        assert_eq!(builder.byte_count(), expected[1].len());
        assert_eq!(builder.finish().unwrap().as_slice(), expected[1]);
        assert_eq!(builder.finish().unwrap().as_slice(), b"");
    }

    #[test]
    fn request_of_one_group_is_handed_out_without_a_copy() {
        let mut builder = RequestBuilder::new(0);
        let resource = builder.add_resource(b"resource", b"").unwrap();
        let scope = builder.add_scope(resource, b"scope", b"").unwrap();
        builder.add_item(scope, b"item").unwrap();
        let arena = builder.writer().as_slice().as_ptr_range();
        let finished = builder.finish().unwrap();
        assert!(arena.contains(&finished.as_slice().as_ptr()));
    }

    #[test]
    fn item_that_finds_no_memory_leaves_the_request_as_it_was() {
        let mut builder = RequestBuilder::new(0);
        let resource = builder.add_resource(b"r", b"").unwrap();
        let scope = builder.add_scope(resource, b"s", b"").unwrap();
        builder.add_item(scope, b"kept").unwrap();
        let before = builder.byte_count();
        let item = builder.open_item(scope, 10);
        builder.writer().reserve(usize::MAX / 2);
        assert_eq!(builder.close_item(scope, item), Err(OutOfMemory));
        assert_eq!((builder.item_count(), builder.byte_count()), (1, before));
        builder.add_item(scope, b"next").unwrap();
        assert_eq!(builder.item_count(), 2);
    }

    #[test]
    fn guess_that_finds_no_memory_costs_nothing() {
        for guess in [usize::MAX, usize::MAX / 4, MAX_LEN] {
            let mut builder = RequestBuilder::new(guess);
            let resource = builder.add_resource(b"r", b"").unwrap();
            let scope = builder.add_scope(resource, b"s", b"").unwrap();
            builder.add_item(scope, b"item").unwrap();
            assert_eq!(builder.finish().unwrap().as_slice().len(), builder_of(&[b"item"]).byte_count());
        }
    }

    fn builder_of(items: &[&[u8]]) -> RequestBuilder {
        let mut builder = RequestBuilder::new(0);
        let resource = builder.add_resource(b"r", b"").unwrap();
        let scope = builder.add_scope(resource, b"s", b"").unwrap();
        items.iter().for_each(|item| builder.add_item(scope, item).unwrap());
        builder
    }

    proptest! {
        #[test]
        fn request_stays_within_its_limit_with_its_envelopes(
            max_len in 0usize..600,
            parts in proptest::collection::vec((0usize..3, 0usize..80), 0..40),
        ) {
            let mut builder = RequestBuilder { max_len, ..RequestBuilder::new(0) };
            let (mut resources, mut scopes, mut item_count) = (Vec::new(), Vec::new(), 0);
            for (kind, len) in parts {
                let (before, content) = (builder.byte_count(), vec![0; len]);
                let added = match kind {
                    0 => builder.add_resource(&content, b"url").map(|id| {
                        builder.list_resource(id);
                        resources.push(id);
                    }),
                    1 => resources.last().map_or(Ok(()), |&resource| {
                        builder.add_scope(resource, &content, b"").map(|id| {
                            builder.list_scope(id);
                            scopes.push(id);
                        })
                    }),
                    _ => scopes.first().map_or(Ok(()), |&scope| {
                        builder.add_item(scope, &content).map(|()| item_count += 1)
                    }),
                };
                prop_assert!(builder.byte_count() <= max_len);
                if added.is_err() {
                    prop_assert_eq!(builder.byte_count(), before);
                    // Not long before: envelopes count once more for the headroom, and each group for its fronts.
                    prop_assert!(2 * before + len + 12 * (resources.len() + scopes.len() + 4) > max_len);
                }
                prop_assert_eq!(builder.item_count(), item_count);
            }
            let expected = builder.byte_count();
            prop_assert_eq!(builder.finish().unwrap().as_slice().len(), expected);
        }
    }

    #[test]
    fn only_ids_that_were_given_out_are_known() {
        let mut builder = RequestBuilder::new(0);
        assert_eq!((builder.resource_id(0), builder.scope_id(0)), (None, None));
        let resource = builder.add_resource(b"r", b"").unwrap();
        let scope = builder.add_scope(resource, b"s", b"").unwrap();
        builder.add_item(scope, b"item").unwrap();
        builder.finish().unwrap();
        assert_eq!(builder.resource_id(resource.number()), Some(resource));
        assert_eq!(builder.scope_id(scope.number()), Some(scope));
        assert_eq!((builder.resource_id(1), builder.scope_id(1)), (None, None));
    }
}
