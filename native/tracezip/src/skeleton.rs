//! A node's *skeleton*: its bytes without the values of its holes and the lengths that follow from them.
//!
//! Taking a message apart ([`Parsed::node`]) gives the skeleton and the values; equal skeletons are one shape, sent once. A
//! skeleton is read by the same plan that made it ([`crate::shape::Shape::read`]), so a receiver finds the holes without being told:
//!
//! | role | in the skeleton, behind the tag |
//! |---|---|
//! | constant, key | the value as on the wire |
//! | hole | nothing |
//! | hole of an id | 0; or 1 and the value as on the wire, where it has another length |
//! | inline message | the length of its skeleton as u16, and that |
//! | run of nodes | nothing; the tag stands once |
//! | packed numbers | 0 and how many they are as varint; or 1 and the value as on the wire, where they are more than [`MAX_PACKED`] |
//!
//! Only what would come back as the same bytes has a skeleton: varints and lengths that are minimal, fields that are known.

use crate::canonical::{Canonical, Value};
use crate::frame::push_varint;
use crate::plan::{Hole, Plan, Role};
use crate::shape::{Shape, Step};

/// The most packed numbers that are holes.
pub(crate) const MAX_PACKED: u64 = 512;
/// The longest skeleton.
pub(crate) const MAX_LEN: usize = 1 << 16;
/// The most holes of a node.
pub(crate) const MAX_HOLES: usize = 1 << 12;
/// How deep inline messages go.
pub(crate) const MAX_DEPTH: u32 = 32;

/// Messages taken apart.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    /// The skeleton of the last node.
    pub(crate) skeleton: Vec<u8>,
    /// The values of the nodes that are open, the last one's at the end.
    pub(crate) values: Vec<Value<'a>>,
    /// The most values that there may be while the node at hand is taken apart.
    max_values: usize,
}

impl<'a> Parsed<'a> {
    /// Nothing yet, with room for the values of a few nodes.
    pub(crate) fn with_room() -> Self {
        Self { skeleton: Vec::with_capacity(1 << 10), values: Vec::with_capacity(1 << 7), max_values: MAX_HOLES }
    }

    /// Takes a node apart: its skeleton, and its values behind those that are there.
    pub(crate) fn node(&mut self, bytes: &'a [u8], plan: &Plan) -> Option<()> {
        self.skeleton.clear();
        self.max_values = self.values.len() + MAX_HOLES;
        self.fields(bytes, plan, MAX_DEPTH)
    }

    /// The values of a node that has this shape; `None` where it has another.
    ///
    /// What [`Parsed::node`] and a look into the table of shapes would find, at a fraction of the time: nothing is copied.
    pub(crate) fn by_shape(&mut self, bytes: &'a [u8], shape: &Shape) -> Option<()> {
        let first = self.values.len();
        let matched = self.match_shape(bytes, shape);
        if matched.is_none() {
            self.values.truncate(first);
        }
        matched
    }

    fn match_shape(&mut self, bytes: &'a [u8], shape: &Shape) -> Option<()> {
        let mut rest = Canonical(bytes);
        // How many bytes follow the end of each message that is open.
        let mut behind = [0; MAX_DEPTH as usize + 2];
        let mut depth = 0;
        let mut holes = shape.holes.iter();
        for step in &shape.steps {
            match step {
                Step::Copy(range) => rest.expect(shape.part(range))?,
                Step::Attribute(before, key, tag) => {
                    rest.expect(shape.part(before))?;
                    let len = rest.varint()? as usize;
                    let end = rest.0.len().checked_sub(len)?;
                    rest.expect(shape.part(key))?;
                    let len = rest.varint()? as usize;
                    if rest.0.len().checked_sub(len) != Some(end) {
                        return None;
                    }
                    rest.expect(&[*tag])?;
                    let value = rest.value(holes.next()?.hole)?;
                    if rest.0.len() != end {
                        return None;
                    }
                    self.values.push(value);
                }
                Step::Open => {
                    let len = usize::try_from(rest.varint()?).ok()?;
                    behind[depth] = rest.0.len().checked_sub(len)?;
                    depth += 1;
                }
                Step::Close => {
                    depth -= 1;
                    if rest.0.len() != behind[depth] {
                        return None;
                    }
                }
                Step::Hole => {
                    let value = rest.value(holes.next()?.hole)?;
                    self.values.push(value);
                }
                Step::Nodes(tag, _) => {
                    holes.next();
                    let run = rest.run(*tag)?;
                    self.values.push(run);
                }
            }
        }
        rest.0.is_empty().then_some(())
    }

    fn fields(&mut self, bytes: &'a [u8], plan: &Plan, depth: u32) -> Option<()> {
        let mut rest = Canonical(bytes);
        while !rest.0.is_empty() {
            let start = rest.0;
            let (tag, wire_type) = rest.tag()?;
            self.copy(&start[..start.len() - rest.0.len()])?;
            match plan.role(tag) {
                Role::Unknown => return None,
                Role::Constant | Role::Key => self.copy(rest.as_written(wire_type)?)?,
                Role::Hole(hole) => self.hole(&mut rest, hole)?,
                Role::Inline(inline) => {
                    let content = rest.nested()?;
                    let at = self.skeleton.len();
                    self.copy(&[0; 2])?;
                    self.fields(content, inline, depth.checked_sub(1)?)?;
                    let len = u16::try_from(self.skeleton.len() - at - 2).ok()?;
                    self.skeleton[at..at + 2].copy_from_slice(&len.to_le_bytes());
                }
                Role::Nodes(_) => {
                    rest = Canonical(start);
                    let run = rest.run(u8::try_from(tag).ok()?)?;
                    self.values.push(run);
                }
                Role::PackedFixed64 => {
                    let before = rest;
                    let content = rest.nested()?;
                    let (numbers, odd) = content.as_chunks::<8>();
                    if numbers.len() as u64 > MAX_PACKED || !odd.is_empty() {
                        self.literal(before, rest)?;
                        continue;
                    }
                    self.copy(&[0])?;
                    push_varint(&mut self.skeleton, numbers.len() as u64);
                    self.values.extend(numbers.iter().map(|number| Value::Number(u64::from_le_bytes(*number))));
                }
            }
            if self.values.len() > self.max_values || self.skeleton.len() >= MAX_LEN {
                return None;
            }
        }
        Some(())
    }

    /// Adds to the skeleton, as far as it may grow.
    #[inline]
    fn copy(&mut self, bytes: &[u8]) -> Option<()> {
        (self.skeleton.len() + bytes.len() < MAX_LEN).then(|| self.skeleton.extend_from_slice(bytes))
    }

    /// A value that could have been a hole, as part of the skeleton.
    fn literal(&mut self, before: Canonical<'a>, behind: Canonical<'a>) -> Option<()> {
        self.copy(&[1])?;
        self.copy(&before.0[..before.0.len() - behind.0.len()])
    }

    #[inline]
    fn hole(&mut self, rest: &mut Canonical<'a>, hole: Hole) -> Option<()> {
        let before = *rest;
        let is_id = matches!(hole, Hole::TraceId | Hole::SpanId | Hole::ParentId);
        let Some(value) = rest.value(hole) else {
            if !is_id {
                return None;
            }
            *rest = before;
            rest.nested()?;
            return self.literal(before, *rest);
        };
        if is_id {
            self.copy(&[0])?;
        }
        self.values.push(value);
        Some(())
    }
}
