//! Requests to columns and back, with what the stream has learned.
//!
//! A request is a tree of nodes. Each says its shape, then its values; where the shape has a run of nodes, they follow.

use crate::capacity::Capacity;
use crate::coder::{Coder, Columns, Reading, Writing};
use crate::error::{TracezipError, damaged};
use crate::families::Families;
use crate::frame::push_varint;
use crate::ids::Ids;
use crate::models::Slot;
use crate::plan::{self, Hole, Kind, Plan};
use crate::shapes::{Behind, Found, Shapes};
use crate::skeleton::{self, Form, Head, HoleOf, MAX_LEN, Parsed, Shape, Step, Value, length_len};
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

/// A request, taken to columns.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) columns: Columns,
    pub(crate) items: u64,
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

    /// The columns of a request; `None` where it would not come back as the same bytes. Then the stream must be rolled back.
    pub(crate) fn encode(&mut self, request: &[u8]) -> Option<Encoded> {
        let plan = plan::request(self.signal);
        let mut encoding = Encoding {
            codec: self,
            coder: Writing::new(Columns::for_request(request.len())),
            parsed: Parsed::with_room(),
            items: 0,
            unused: Vec::new(),
        };
        encoding.node(request, plan, None, Behind::Nothing, Surroundings::default())?;
        Some(Encoded { items: encoding.items, columns: encoding.coder.finish() })
    }

    /// The request of columns, of at most `len` bytes.
    pub(crate) fn decode(&mut self, coder: Reading<'_>, len: usize) -> Result<Vec<u8>, TracezipError> {
        let plan = plan::request(self.signal);
        let mut out = Vec::new();
        out.try_reserve_exact(len).map_err(|_| TracezipError::OutOfMemory)?;
        let mut decoding = Decoding { codec: self, coder, out, len };
        decoding.node(plan, None, Behind::Nothing, Surroundings::default())?;
        let Decoding { coder, out, .. } = decoding;
        if !coder.is_complete() {
            return Err(damaged("columns with something left", 0));
        }
        Ok(out)
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
            self.text(coder, shape.holes[next], &mut taken.slots[next], variable, (out, max_len))?;
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

/// A request on its way to columns.
struct Encoding<'a, 'c> {
    codec: &'c mut Codec,
    coder: Writing,
    parsed: Parsed<'a>,
    items: u64,
    unused: Vec<u8>,
}

impl<'a> Encoding<'a, '_> {
    fn node(
        &mut self,
        bytes: &'a [u8],
        plan: &Plan,
        parent: Option<usize>,
        behind: Behind,
        mut around: Surroundings,
    ) -> Option<usize> {
        let first = self.parsed.values.len();
        let scope = self.codec.shapes.scope(plan, parent);
        let expected = self.codec.shapes.expected(plan.kind, scope, behind).into_iter().flatten();
        let mut known = None;
        for (place, shape) in expected {
            if self.parsed.by_shape(bytes, shape).is_some() {
                known = Some(place);
                break;
            }
        }
        if known.is_none() {
            self.parsed.node(bytes, plan)?;
            known = self.codec.shapes.find(scope, &self.parsed.skeleton);
        }
        let is_item =
            if self.codec.signal == Signal::Metrics { plan.kind == Kind::Point } else { plan.kind == Kind::Item };
        self.items += u64::from(is_item);

        let codec = &mut *self.codec;
        let place = match codec.shapes.choose(&mut self.coder, plan.kind, behind, known) {
            Found::Place(place) => place,
            Found::New => {
                let skeleton = &self.parsed.skeleton;
                let families = &mut codec.families;
                let shape = codec.shapes.read(skeleton, plan, families).ok()?;
                let lengths = &mut families.change(0).magnitudes;
                let class = &mut codec.latest.skeleton_class;
                let len = lengths.number(&mut self.coder, class, skeleton.len() as u64);
                self.coder.text(len, skeleton, &mut self.unused);
                codec.shapes.enter(plan.kind, behind, scope, shape)
            }
        };
        let mut taken = self.codec.take(place)?;
        let is_done = self.holes(&taken.shape, &mut taken.slots, first, place, &mut around);
        self.codec.put_back(taken);
        self.parsed.values.truncate(first);
        is_done.map(|()| place)
    }

    fn holes(
        &mut self,
        shape: &Shape,
        slots: &mut [Slot],
        first: usize,
        place: usize,
        around: &mut Surroundings,
    ) -> Option<()> {
        let is_head = shape.head != Head::default();
        if is_head {
            let values = &self.parsed.values[first..];
            let at = |place: Option<u16>| place.map(|at| scalar(values[usize::from(at)]));
            let head = HeadValues {
                trace_id: at(shape.head.trace_id).map_or([0; 16], Scalar::trace_id),
                span_id: at(shape.head.span_id).map_or([0; 8], Scalar::span_id),
                parent_id: at(shape.head.parent_id).map_or([0; 8], Scalar::span_id),
                start: at(shape.head.start).map_or(0, Scalar::number),
                end: at(shape.head.end).map_or(0, Scalar::number),
            };
            let head = self.codec.head(&mut self.coder, &shape.head, slots, head);
            *around = Surroundings { time: head.start, end: head.end };
        }
        for (at, hole) in shape.holes.iter().enumerate() {
            let slot = &mut slots[at];
            match self.parsed.values[first + at] {
                Value::Text(text) => {
                    let out = (&mut self.unused, usize::MAX);
                    self.codec.text(&mut self.coder, *hole, slot, text, out).ok()?;
                }
                Value::Nodes(count, run) => {
                    let families = &mut self.codec.families;
                    values::nodes(&mut self.coder, families, hole.family, slot, count);
                    let plan = hole.nodes?;
                    let mut behind = Behind::Parent(place);
                    for node in skeleton::nodes(run) {
                        let node_place = self.node(node, plan, Some(place), behind, *around)?;
                        behind = Behind::Sibling(node_place);
                        if plan.kind == Kind::Event {
                            around.time = self.codec.latest.clocks[plan::Clock::Event as usize];
                        }
                    }
                }
                _ if is_head && shape.head.has(at) => {}
                value => {
                    self.codec.value(&mut self.coder, *hole, slot, around, scalar(value));
                }
            }
        }
        Some(())
    }
}

fn scalar(value: Value<'_>) -> Scalar {
    match value {
        Value::Number(number) => Scalar::Number(number),
        Value::TraceId(id) => Scalar::TraceId(id),
        Value::SpanId(id) => Scalar::SpanId(id),
        Value::Text(_) | Value::Nodes(..) => Scalar::Number(0),
    }
}

/// The part of a head that belongs into a hole.
fn part(places: &Head, head: &HeadValues, hole: usize) -> Scalar {
    match Some(hole as u16) {
        at if at == places.trace_id => Scalar::TraceId(head.trace_id),
        at if at == places.span_id => Scalar::SpanId(head.span_id),
        at if at == places.parent_id => Scalar::SpanId(head.parent_id),
        at if at == places.start => Scalar::Number(head.start),
        _ => Scalar::Number(head.end),
    }
}

/// Columns on their way to a request.
struct Decoding<'a, 'c> {
    codec: &'c mut Codec,
    coder: Reading<'a>,
    out: Vec<u8>,
    /// The most bytes that come out.
    len: usize,
}

impl Decoding<'_, '_> {
    /// Refuses to go on behind the announced end, of the request or of a column.
    fn check(&self) -> Result<(), TracezipError> {
        if self.out.len() > self.len {
            return Err(damaged("a request longer than announced", 0));
        }
        if self.coder.is_overrun() {
            return Err(damaged("columns that end too early", 0));
        }
        Ok(())
    }

    fn node(
        &mut self,
        plan: &'static Plan,
        parent: Option<usize>,
        behind: Behind,
        mut around: Surroundings,
    ) -> Result<usize, TracezipError> {
        self.check()?;
        let codec = &mut *self.codec;
        let place = match codec.shapes.choose(&mut self.coder, plan.kind, behind, None) {
            Found::Place(place) => place,
            Found::New => {
                let lengths = &mut codec.families.change(0).magnitudes;
                let class = &mut codec.latest.skeleton_class;
                let len = lengths.number(&mut self.coder, class, 0);
                if len >= MAX_LEN as u64 {
                    return Err(damaged("a skeleton that is too long", 0));
                }
                let skeleton = self.coder.take_text(len);
                let shape = codec.shapes.read(skeleton, plan, &mut codec.families)?;
                let scope = codec.shapes.scope(plan, parent);
                codec.shapes.enter(plan.kind, behind, scope, shape)
            }
        };
        self.check()?;
        if self.codec.shapes.entry(place).is_none_or(|entry| entry.kind != plan.kind) {
            return Err(damaged("a shape of another kind", 0));
        }
        let mut taken = self.codec.take(place).ok_or_else(|| damaged("a shape within itself", 0))?;
        let result = self.holes(&taken.shape, &mut taken.slots, place, &mut around);
        self.codec.put_back(taken);
        result.map(|()| place)
    }

    fn holes(
        &mut self,
        shape: &Shape,
        slots: &mut [Slot],
        place: usize,
        around: &mut Surroundings,
    ) -> Result<(), TracezipError> {
        let mut head = HeadValues::default();
        let is_head = shape.head != Head::default();
        if is_head {
            head = self.codec.head(&mut self.coder, &shape.head, slots, head);
            *around = Surroundings { time: head.start, end: head.end };
        }
        let mut opened = Vec::new();
        let mut next = 0;
        for step in &shape.steps {
            match step {
                Step::Copy(range) => {
                    self.out.extend_from_slice(shape.part(range));
                }
                Step::Open => {
                    // Most of what is inline is shorter than 128 bytes.
                    self.out.push(0);
                    opened.push(self.out.len());
                }
                Step::Close => {
                    let start = opened.pop().expect("closes what was opened");
                    self.close(start);
                }
                Step::Attribute(before, key, tag) => {
                    self.out.extend_from_slice(shape.part(before));
                    self.out.push(0);
                    let start = self.out.len();
                    self.out.extend_from_slice(shape.part(key));
                    self.out.extend_from_slice(&[0, *tag]);
                    let value_start = self.out.len() - 1;
                    self.hole(shape, slots, next, &head, around)?;
                    self.close(value_start);
                    self.close(start);
                    next += 1;
                }
                Step::Hole => {
                    self.hole(shape, slots, next, &head, around)?;
                    next += 1;
                }
                Step::Nodes(tag, plan) => {
                    let families = &mut self.codec.families;
                    let hole = shape.holes[next];
                    let count = values::nodes(&mut self.coder, families, hole.family, &mut slots[next], 0);
                    let mut behind = Behind::Parent(place);
                    for _ in 0..count {
                        self.out.extend_from_slice(&[*tag, 0]);
                        let start = self.out.len();
                        behind = Behind::Sibling(self.node(plan, Some(place), behind, *around)?);
                        self.close(start);
                        if plan.kind == Kind::Event {
                            around.time = self.codec.latest.clocks[plan::Clock::Event as usize];
                        }
                    }
                    next += 1;
                }
            }
        }
        self.check()
    }

    /// The value of a hole that is no run of nodes.
    fn hole(
        &mut self,
        shape: &Shape,
        slots: &mut [Slot],
        at: usize,
        head: &HeadValues,
        around: &mut Surroundings,
    ) -> Result<(), TracezipError> {
        let hole = shape.holes[at];
        if matches!(hole.hole, Hole::Text | Hole::Varints) {
            self.out.push(0);
            let start = self.out.len();
            let out = (&mut self.out, self.len);
            self.codec.text(&mut self.coder, hole, &mut slots[at], &[], out)?;
            self.close(start);
        } else if shape.head.has(at) {
            self.write(hole.form, part(&shape.head, head, at));
        } else {
            let value = self.codec.value(&mut self.coder, hole, &mut slots[at], around, Scalar::Number(0));
            self.write(hole.form, value);
        }
        self.check()
    }

    /// Writes the length of what begins at `start`, in front of which a byte is kept for it.
    fn close(&mut self, start: usize) {
        let len = self.out.len() - start;
        if len < 0x80 {
            self.out[start - 1] = len as u8;
            return;
        }
        let more = length_len(len) - 1;
        let end = self.out.len();
        self.out.resize(end + more, 0);
        self.out.copy_within(start..end, start + more);
        let mut rest = len;
        for byte in &mut self.out[start - 1..start + more] {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        self.out[start + more - 1] &= 0x7f;
    }

    fn write(&mut self, form: Form, value: Scalar) {
        match (form, value) {
            (Form::Fixed64, _) => self.out.extend_from_slice(&value.number().to_le_bytes()),
            (Form::Varint, _) => push_varint(&mut self.out, value.number()),
            (Form::Len, Scalar::TraceId(id)) => {
                self.out.push(id.len() as u8);
                self.out.extend_from_slice(&id);
            }
            (Form::Len, Scalar::SpanId(id)) => {
                self.out.push(id.len() as u8);
                self.out.extend_from_slice(&id);
            }
            (Form::Len | Form::Nodes | Form::Text, _) => {}
        }
    }
}
