//! Requests to columns: each node is taken apart, its shape chosen, its values said.

use super::{Codec, Scalar};
use crate::canonical::{self, Value};
use crate::coder::{Coder, Columns, Writing};
use crate::models::Slot;
use crate::plan::{self, Kind, Plan};
use crate::shape::{Head, Shape};
use crate::shapes::{Behind, Found};
use crate::skeleton::Parsed;
use crate::values::{self, HeadValues, Surroundings};
use otlp_schema::signal::Signal;

/// A request, taken to columns.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) columns: Columns,
    pub(crate) items: u64,
}

impl Codec {
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
                    for node in canonical::nodes(run) {
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
