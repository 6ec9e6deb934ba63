//! Resources and scopes: the two levels above the items, which the requests of all signals have.
//!
//! The three requests differ here in their names and in nothing else, so the views of traces read them all, and an item
//! is handed on as the bytes and the offset of a message whose type the signal knows.

use super::attribute_index::AttributesBuilder;
use super::limits::RowCount;
use super::{CoreTable, DecodeError, Limits, Position, Rows};
use crate::table::{Column, Table, TextBuilder};
use otlp_schema::fields;
use otlp_schema::view::messages::{
    Resource, ResourceField, ResourceSpans, ResourceSpansField, Scope, ScopeField, ScopeSpans, ScopeSpansField,
    TracesRequest, TracesRequestField,
};
use otlp_schema::view::set_once;

/// The depth of spans, log records and metrics. Their attributes lie one deeper.
pub(super) const ITEM_DEPTH: u32 = 3;

/// A span, log record or metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    /// Its bytes.
    pub(super) content: &'a [u8],
    /// Where they begin in the request.
    pub(super) offset: usize,
    /// Where its field begins: what errors about the item as a whole name.
    pub(super) tag_offset: usize,
    /// The row of its scope.
    pub(super) scope: u32,
}

impl Item<'_> {
    /// Where it lies.
    #[inline]
    pub(super) fn position(&self) -> Position {
        Position::of(self.content, self.offset)
    }
}

/// Checks the envelopes of a request, hands on its items in their order, and gives the tables `resources` and `scopes`.
pub(super) fn decode<'a>(
    data: &'a [u8],
    limits: Limits,
    mut add_item: impl FnMut(Item<'a>) -> Result<(), DecodeError>,
) -> Result<[CoreTable; 2], DecodeError> {
    let mut groups = Groups::new(limits);
    let mut fields = TracesRequest::new(data).fields();
    let mut start = fields.offset();
    while let Some(field) = fields.next() {
        if let TracesRequestField::ResourceSpans(group) = field? {
            limits.check_depth(1, start)?;
            groups.read_resource_group(group, start, &mut add_item)?;
        }
        start = fields.offset();
    }
    Ok(groups.finish())
}

/// How many items to take memory for at once: as many as a request of this length has whose items are of the usual
/// length. Where they are shorter the columns grow; where they are longer what is not used is at most a quarter of the
/// request. Counting the items first is no better: it goes through the request from length to length, waiting for
/// memory at each, and took a third of the time.
pub(super) fn expected_items(data: &[u8], limits: Limits) -> usize {
    const USUAL_LENGTH: usize = 400;
    (data.len() / USUAL_LENGTH).min(limits.max_items)
}

/// Both tables under construction.
struct Groups<'a> {
    limits: Limits,
    resources: Level<'a>,
    scopes: Level<'a>,
    scope_resources: Vec<u32>,
    scope_names: TextBuilder<'a>,
    scope_versions: TextBuilder<'a>,
}

/// What the two tables have in common.
struct Level<'a> {
    rows: RowCount,
    schema_urls: TextBuilder<'a>,
    dropped_attributes_counts: Vec<u32>,
    attributes: AttributesBuilder<'a>,
    positions: Vec<Position>,
}

impl<'a> Level<'a> {
    fn new(limits: Limits) -> Self {
        Self {
            rows: RowCount::new(limits),
            schema_urls: TextBuilder::default(),
            dropped_attributes_counts: Vec::new(),
            attributes: AttributesBuilder::with_capacity(0, limits),
            positions: Vec::new(),
        }
    }
}

impl<'a> Groups<'a> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            resources: Level::new(limits),
            scopes: Level::new(limits),
            scope_resources: Vec::new(),
            scope_names: TextBuilder::default(),
            scope_versions: TextBuilder::default(),
        }
    }

    fn read_resource_group(
        &mut self,
        group: ResourceSpans<'a>,
        tag_offset: usize,
        add_item: &mut impl FnMut(Item<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let row = self.resources.rows.get();
        self.resources.rows.add(tag_offset)?;
        let (mut resource, mut schema_url) = (None, "");
        let mut fields = group.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                ResourceSpansField::Resource(message) => {
                    self.limits.check_depth(2, start)?;
                    set_once(&mut resource, message, start)?;
                }
                ResourceSpansField::ScopeSpans(scope_group) => {
                    self.limits.check_depth(2, start)?;
                    self.read_scope_group(scope_group, start, row, add_item)?;
                }
                ResourceSpansField::SchemaUrl(url) => schema_url = url,
                ResourceSpansField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        let dropped = match resource {
            Some(resource) => self.read_resource(resource)?,
            None => 0,
        };
        let level = &mut self.resources;
        level.schema_urls.push(schema_url);
        level.dropped_attributes_counts.push(dropped);
        level.attributes.end_row();
        level.positions.push(resource.map_or_else(Position::default, |it| Position::of(it.content(), it.offset())));
        Ok(())
    }

    /// Gives the number of attributes that were dropped.
    fn read_resource(&mut self, resource: Resource<'a>) -> Result<u32, DecodeError> {
        let mut dropped = 0;
        let mut fields = resource.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                ResourceField::Attribute(attribute) => {
                    self.resources.attributes.add(attribute, 3, start, resource.offset())?;
                }
                ResourceField::DroppedAttributesCount(count) => dropped = count,
                ResourceField::EntityRef(entity) => {
                    self.limits.check_depth(3, start)?;
                    entity.fields().try_for_each(|field| field.map(drop))?;
                }
                ResourceField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        Ok(dropped)
    }

    fn read_scope_group(
        &mut self,
        group: ScopeSpans<'a>,
        tag_offset: usize,
        resource: u32,
        add_item: &mut impl FnMut(Item<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        let row = self.scopes.rows.get();
        self.scopes.rows.add(tag_offset)?;
        let (mut scope, mut schema_url) = (None, "");
        let mut fields = group.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                ScopeSpansField::Scope(message) => {
                    self.limits.check_depth(ITEM_DEPTH, start)?;
                    set_once(&mut scope, message, start)?;
                }
                ScopeSpansField::Span(item) => {
                    self.limits.check_depth(ITEM_DEPTH, start)?;
                    let (content, offset) = (item.content(), item.offset());
                    add_item(Item { content, offset, tag_offset: start, scope: row })?;
                }
                ScopeSpansField::SchemaUrl(url) => schema_url = url,
                ScopeSpansField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        self.read_scope(scope)?;
        self.scope_resources.push(resource);
        let level = &mut self.scopes;
        level.schema_urls.push(schema_url);
        level.attributes.end_row();
        level.positions.push(scope.map_or_else(Position::default, |it| Position::of(it.content(), it.offset())));
        Ok(())
    }

    fn read_scope(&mut self, scope: Option<Scope<'a>>) -> Result<(), DecodeError> {
        let (mut name, mut version, mut dropped) = ("", "", 0);
        let scope = scope.unwrap_or(Scope::new(&[]));
        let mut fields = scope.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                ScopeField::Name(text) => name = text,
                ScopeField::Version(text) => version = text,
                ScopeField::Attribute(attribute) => {
                    self.scopes.attributes.add(attribute, ITEM_DEPTH + 1, start, scope.offset())?;
                }
                ScopeField::DroppedAttributesCount(count) => dropped = count,
                ScopeField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        self.scope_names.push(name);
        self.scope_versions.push(version);
        self.scopes.dropped_attributes_counts.push(dropped);
        Ok(())
    }

    fn finish(self) -> [CoreTable; 2] {
        let Level { rows, schema_urls, dropped_attributes_counts, attributes, positions } = self.resources;
        let (attributes, index) = attributes.finish();
        let resources = vec![
            ("schema_url", Column::Text(schema_urls.finish())),
            ("dropped_attributes_count", Column::U32(dropped_attributes_counts)),
            ("attributes", attributes),
        ];
        let resources = CoreTable {
            name: "resources",
            table: Table { rows: rows.get() as usize, columns: resources },
            rows: Rows::new(positions, fields::resource::ATTRIBUTES),
            attributes: index,
        };
        let Level { rows, schema_urls, dropped_attributes_counts, attributes, positions } = self.scopes;
        let (attributes, index) = attributes.finish();
        let scopes = vec![
            ("resource", Column::U32(self.scope_resources)),
            ("name", Column::Text(self.scope_names.finish())),
            ("version", Column::Text(self.scope_versions.finish())),
            ("schema_url", Column::Text(schema_urls.finish())),
            ("dropped_attributes_count", Column::U32(dropped_attributes_counts)),
            ("attributes", attributes),
        ];
        let scopes = CoreTable {
            name: "scopes",
            table: Table { rows: rows.get() as usize, columns: scopes },
            rows: Rows::new(positions, fields::scope::ATTRIBUTES),
            attributes: index,
        };
        [resources, scopes]
    }
}
