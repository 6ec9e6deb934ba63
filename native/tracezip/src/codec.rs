//! Requests to columns and back, with what the stream has learned.
//!
//! A request is a tree of nodes. Each says its shape, then its values; where the shape has a run of nodes, they follow. What is
//! said is written once for both directions here; how a request is walked differs: [`encoding`] and [`decoding`].

mod decoding;
mod encoding;

use crate::canonical::Value;
use crate::capacity::Capacity;
use crate::coder::Coder;
use crate::error::{TracezipError, damaged};
use crate::families::Families;
use crate::ids::Ids;
use crate::models::Slot;
use crate::plan::{Hole, Kind};
use crate::shape::{Form, Head, HoleOf, Shape, Step};
use crate::shapes::{Behind, Found, Shapes};
use crate::skeleton::MAX_LEN;
use crate::template;
use crate::values::{self, Clocks, HeadModels, HeadValues, Surroundings, Text};
use otlp_schema::signal::Signal;
use std::sync::Arc;

/// What a stream has learned. Both ends hold the same.
#[derive(Debug)]
pub(crate) struct Codec {
    signal: Signal,
    shapes: Shapes,
    families: Families,
    ids: Ids,
    heads: HeadModels,
    latest: Latest,
    committed: Latest,
}

/// What was last, of what has no table.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    clocks: Clocks,
    /// The magnitude of the last skeleton's length.
    skeleton_class: u8,
}

impl Codec {
    /// A stream that has learned nothing.
    pub(crate) fn new(signal: Signal, capacity: Capacity) -> Self {
        let mut codec = Self {
            signal,
            shapes: Shapes::new(capacity.shapes),
            families: Families::new(capacity.values, capacity.families),
            ids: Ids::new(capacity.mentions),
            heads: HeadModels::new(),
            latest: Latest::default(),
            committed: Latest::default(),
        };
        // A stream that is rolled back to its start has what it was made with.
        codec.commit();
        codec
    }

    pub(crate) fn commit(&mut self) {
        self.shapes.commit();
        self.families.commit();
        self.ids.commit();
        self.heads.commit();
        self.committed = self.latest;
    }

    pub(crate) fn rollback(&mut self) {
        self.shapes.rollback();
        self.families.rollback();
        self.ids.rollback();
        self.heads.rollback();
        self.latest = self.committed;
    }

    /// The shape at a place with its slots, which are put back by [`Codec::put_back`].
    fn take(&mut self, place: usize) -> Option<Taken> {
        let entry = self.shapes.change(place)?;
        let shape = entry.shape.take()?;
        Some(Taken { shape, slots: std::mem::take(&mut entry.slots), place, number: entry.number })
    }

    /// Puts a shape back, if its place was not given away.
    fn put_back(&mut self, taken: Taken) {
        if let Some(entry) = self.shapes.change(taken.place).filter(|entry| entry.number == taken.number) {
            entry.shape = Some(taken.shape);
            entry.slots = taken.slots;
        }
    }

    /// The value of a hole that is no text, no run of nodes, and not part of a head.
    fn value<C: Coder>(
        &mut self,
        coder: &mut C,
        hole: HoleOf,
        slot: &mut Slot,
        around: &mut Surroundings,
        value: Scalar,
    ) -> Scalar {
        let (families, family) = (&mut self.families, hole.family);
        match (hole.hole, value) {
            (Hole::TraceId, _) => Scalar::TraceId(self.ids.trace(coder, None, value.trace_id())),
            (Hole::SpanId | Hole::ParentId, _) => {
                Scalar::SpanId(self.ids.span(coder, crate::ids::Use::Named, value.span_id()).0)
            }
            (Hole::Varint, _) => Scalar::Number(values::recurring(coder, families, family, slot, value.number())),
            (Hole::Double, _) => Scalar::Number(values::double(coder, families, family, slot, value.number())),
            (Hole::Time(clock), _) => {
                let of = (clock, around);
                Scalar::Number(values::time(coder, families, family, slot, &mut self.latest.clocks, of, value.number()))
            }
            (_, _) => Scalar::Number(values::count(coder, families, family, slot, value.number())),
        }
    }

    /// A text, packed numbers, or part of a text: appended to `out` when it is read.
    fn text<C: Coder>(
        &mut self,
        coder: &mut C,
        hole: HoleOf,
        slot: &mut Slot,
        value: &[u8],
        (out, max_len): (&mut Vec<u8>, usize),
    ) -> Result<(), TracezipError> {
        let (families, number) = (&mut self.families, hole.family);
        match hole.hole {
            Hole::Varints => values::varints(coder, families, number, slot, value, (out, max_len)),
            Hole::Digits => values::digits(coder, families, number, slot, value, out),
            Hole::Hex(len) => values::hex(coder, len, value, out),
            _ => {
                if let Text::New = values::known_text(coder, families, number, slot, value, out) {
                    let start = out.len();
                    self.new_text(coder, hole, value, (out, max_len))?;
                    let value = if C::IS_WRITING { value } else { &out[start..] };
                    values::note_text(&mut self.families, number, slot, value);
                }
            }
        }
        Ok(())
    }

    /// A text in full: as a UUID, by its template, or as it is.
    fn new_text<C: Coder>(
        &mut self,
        coder: &mut C,
        hole: HoleOf,
        value: &[u8],
        (out, max_len): (&mut Vec<u8>, usize),
    ) -> Result<(), TracezipError> {
        let number = hole.family;
        let uuid = if C::IS_WRITING { template::parse_uuid(value) } else { None };
        let family = self.families.change(number);
        if coder.bit(&mut family.tally.forms[0], uuid.is_some()) {
            let uuid = coder.bytes(uuid.unwrap_or_default());
            if !C::IS_WRITING {
                template::write_uuid(uuid, out);
            }
            return Ok(());
        }
        let mut skeleton = Vec::new();
        let mut variables = Vec::new();
        let has_template =
            C::IS_WRITING && family.has_templates() && template::parse(value, &mut skeleton, &mut variables);
        // What is part of a text has no parts.
        if hole.form == Form::Text || !coder.bit(&mut family.tally.forms[1], has_template) {
            let len = family.magnitudes.number(coder, &mut family.tally.class, value.len() as u64);
            coder.text(len, value, out);
            return Ok(());
        }
        let behind = match (family.tally.template as usize).checked_sub(1) {
            Some(place) => Behind::Sibling(place),
            None => Behind::Nothing,
        };
        let scope = Kind::Template as u64;
        let known = if C::IS_WRITING { self.shapes.find(scope, &skeleton) } else { None };
        let (place, is_new) = match self.shapes.choose(coder, Kind::Template, behind, known) {
            Found::Place(place) => (place, false),
            Found::New => {
                let lengths = &mut self.families.change(0).magnitudes;
                let class = &mut self.latest.skeleton_class;
                let len = lengths.number(coder, class, skeleton.len() as u64);
                let given = std::mem::take(&mut skeleton);
                coder.text(len.min(MAX_LEN as u64), &given, &mut skeleton);
                let skeleton = if C::IS_WRITING { &given } else { &skeleton };
                let families = &mut self.families;
                let shape = template::read(skeleton, |name| families.named(name))?;
                (self.shapes.enter(Kind::Template, behind, scope, shape), true)
            }
        };
        let tally = &mut self.families.change(number).tally;
        tally.template = place as u32 + 1;
        let count = if is_new { &mut tally.new_templates } else { &mut tally.known_templates };
        *count = count.saturating_add(1);
        if self.shapes.entry(place).is_none_or(|entry| entry.kind != Kind::Template) {
            return Err(damaged("a shape of another kind", 0));
        }
        let mut taken = self.take(place).ok_or_else(|| damaged("a template within itself", 0))?;
        let shape = &taken.shape;
        let mut next = 0;
        for step in &shape.steps {
            if let Step::Copy(range) = step {
                if !C::IS_WRITING {
                    out.extend_from_slice(shape.part(range));
                }
                continue;
            }
            let variable = match variables.get(next) {
                Some(Value::Text(variable)) => *variable,
                _ => &[],
            };
            let start = out.len();
            self.text(coder, shape.holes[next], &mut taken.slots[next], variable, (out, max_len))?;
            if !C::IS_WRITING && out.len() == start {
                return Err(damaged("a variable without text", 0));
            }
            next += 1;
            if out.len() > max_len {
                break;
            }
        }
        self.put_back(taken);
        Ok(())
    }

    /// The head of an item, if its shape has one.
    fn head<C: Coder>(&mut self, coder: &mut C, head: &Head, slots: &mut [Slot], values: HeadValues) -> HeadValues {
        values::head(coder, (&mut self.ids, &mut self.heads), head, slots, &mut self.latest.clocks, values)
    }
}

/// A shape and what is known of its holes, while a node of it is under way.
struct Taken {
    shape: Arc<Shape>,
    slots: Box<[Slot]>,
    place: usize,
    number: u64,
}

/// A value that is no text.
#[derive(Clone, Copy, Debug)]
enum Scalar {
    Number(u64),
    TraceId([u8; 16]),
    SpanId([u8; 8]),
}

impl Scalar {
    fn number(self) -> u64 {
        if let Self::Number(number) = self { number } else { 0 }
    }

    fn trace_id(self) -> [u8; 16] {
        if let Self::TraceId(id) = self { id } else { [0; 16] }
    }

    fn span_id(self) -> [u8; 8] {
        if let Self::SpanId(id) = self { id } else { [0; 8] }
    }
}
