//! Columns to requests: each node's shape is chosen, and its values are put into the holes.

use super::{Codec, Scalar};
use crate::coder::Reading;
use crate::error::{TracezipError, damaged};
use crate::frame::push_varint;
use crate::models::Slot;
use crate::plan::{self, Hole, Kind, Plan};
use crate::shape::{Form, Head, Shape, Step, length_len};
use crate::shapes::{Behind, Found};
use crate::skeleton::MAX_LEN;
use crate::values::{self, HeadValues, Surroundings};

impl Codec {
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
                    if count == 0 {
                        // They would be work without end, as nothing comes out of them.
                        return Err(damaged("a run without nodes", 0));
                    }
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
