//! The two levels above the items: resources and scopes, which the requests of all signals have with the same field numbers.

use super::attributes::Attributes;
use super::check::Tables;
use super::column::{TextRef, Values};
use super::grouping::Grouping;
use otlp_schema::common::{text_field, varint_field};
use otlp_schema::fields::{envelope, resource, scope};
use otlp_wire::Writer;

/// The length of an item until one was written.
const FIRST_GUESS: usize = 0x80;

/// So many items tell how much memory all of them will take.
const SAMPLE: usize = 64;

/// The most memory that is taken ahead.
const MAX_EXPECTED: usize = 1 << 30;

/// The bytes of a group's own fields, roughly.
const ENVELOPE: usize = 0x80;

/// Writes all groups in the order of their tables, with their items, each of which `write_item` writes by its row.
pub(super) fn write(writer: &mut Writer, tables: &Tables<'_>, items: &str, write_item: impl FnMut(&mut Writer, usize)) {
    let (resources, scopes, items) = (tables.get("resources"), tables.get("scopes"), tables.get(items));
    let scopes_of = Grouping::new(scopes.values("resource").0, scopes.rows(), resources.rows());
    let mut items = Items {
        of: Grouping::new(items.values("scope").0, items.rows(), scopes.rows()),
        rows: items.rows(),
        write: write_item,
        written: 0,
        last_len: FIRST_GUESS,
    };
    let (resource_fields, scope_fields) = (Resources::new(tables), Scopes::new(tables));
    for resource in 0..resources.rows() {
        let item_count: usize = scopes_of.rows(resource).map(|scope| items.of.len(scope)).sum();
        let scope_count = scopes_of.len(resource);
        let group = writer.open(envelope::RESOURCE_GROUPS, items.guess(item_count) + ENVELOPE * (1 + scope_count));
        resource_fields.write(writer, resource);
        for scope in scopes_of.rows(resource) {
            let group = writer.open(envelope::SCOPE_GROUPS, items.guess(items.of.len(scope)) + ENVELOPE);
            scope_fields.write(writer, scope);
            items.write_all(writer, scope);
            text_field(writer, envelope::SCHEMA_URL, scope_fields.schema_url.get(scope));
            writer.close(group);
        }
        text_field(writer, envelope::SCHEMA_URL, resource_fields.schema_url.get(resource));
        writer.close(group);
    }
}

/// The items by their scope. Those of a request are much alike: each one's length is guessed to be that of the one before.
struct Items<W> {
    of: Grouping,
    rows: usize,
    write: W,
    written: usize,
    last_len: usize,
}

impl<W: FnMut(&mut Writer, usize)> Items<W> {
    /// About how long `count` items will be.
    fn guess(&self, count: usize) -> usize {
        count.saturating_mul(self.last_len)
    }

    fn write_all(&mut self, writer: &mut Writer, scope: usize) {
        for row in self.of.rows(scope) {
            let start = writer.len();
            let item = writer.open(envelope::ITEMS, self.last_len);
            (self.write)(writer, row);
            writer.close(item);
            self.last_len = writer.len() - start;
            self.written += 1;
            if self.written == SAMPLE {
                self.take_memory(writer);
            }
        }
    }

    /// Takes memory for all items at once: growing by and by copies about as much as is written.
    fn take_memory(&self, writer: &mut Writer) {
        let rest = (self.rows - SAMPLE).saturating_mul(writer.len() / SAMPLE);
        let expected = rest.saturating_add(rest / 16).min(MAX_EXPECTED);
        // It was only a guess: what is needed is asked for again.
        if !writer.failed() && !writer.reserve(expected) {
            writer.restart(writer.len());
        }
    }
}

struct Resources<'a> {
    schema_url: TextRef<'a>,
    dropped_attributes_count: Values<'a, u32>,
    attributes: Attributes<'a>,
}

impl<'a> Resources<'a> {
    fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("resources");
        Self {
            schema_url: table.texts("schema_url"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
            attributes: Attributes::new(tables, "resources", "attributes"),
        }
    }

    /// Writes a `Resource`, also where it is empty, as SDKs do.
    fn write(&self, writer: &mut Writer, row: usize) {
        let message = writer.open(envelope::RESOURCE, 0x80);
        self.attributes.write(writer, row, resource::ATTRIBUTES);
        varint_field(writer, resource::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        writer.close(message);
    }
}

struct Scopes<'a> {
    name: TextRef<'a>,
    version: TextRef<'a>,
    schema_url: TextRef<'a>,
    dropped_attributes_count: Values<'a, u32>,
    attributes: Attributes<'a>,
}

impl<'a> Scopes<'a> {
    fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("scopes");
        Self {
            name: table.texts("name"),
            version: table.texts("version"),
            schema_url: table.texts("schema_url"),
            dropped_attributes_count: table.values("dropped_attributes_count"),
            attributes: Attributes::new(tables, "scopes", "attributes"),
        }
    }

    /// Writes an `InstrumentationScope`, also where it is empty, as SDKs do.
    fn write(&self, writer: &mut Writer, row: usize) {
        let message = writer.open(envelope::SCOPE, 0);
        text_field(writer, scope::NAME, self.name.get(row));
        text_field(writer, scope::VERSION, self.version.get(row));
        self.attributes.write(writer, row, scope::ATTRIBUTES);
        varint_field(writer, scope::DROPPED_ATTRIBUTES_COUNT, u64::from(self.dropped_attributes_count.get(row)));
        writer.close(message);
    }
}
