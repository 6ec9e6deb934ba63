//! A node's *skeleton*: its bytes without the values of its holes and the lengths that follow from them.
//!
//! Taking a message apart ([`Parsed::node`]) gives the skeleton and the values; equal skeletons are one shape, sent once. A
//! skeleton is read by the same plan that made it ([`Shape::read`]), so a receiver finds the holes without being told:
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

use crate::error::{TracezipError, damaged};
use crate::frame::push_varint;
use crate::plan::{Clock, Hole, Kind, Plan, Role};
use otlp_wire::WireType;
use otlp_wire::varint::varint_len;
use std::ops::Range;

/// The most packed numbers that are holes.
pub(crate) const MAX_PACKED: u64 = 512;
/// The longest skeleton.
pub(crate) const MAX_LEN: usize = 1 << 16;
/// The most holes of a node.
pub(crate) const MAX_HOLES: usize = 1 << 12;
/// How deep inline messages go.
const MAX_DEPTH: u32 = 32;

/// The value of a hole, borrowed from the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// A number, a time, or a count.
    Number(u64),
    /// Text, or packed numbers as on the wire.
    Text(&'a [u8]),
    /// A trace id.
    TraceId([u8; 16]),
    /// A span id.
    SpanId([u8; 8]),
    /// A run of nodes: how many, and the bytes from the first's tag to the last's end.
    Nodes(u64, &'a [u8]),
}

/// Reads protobuf, but only as it is canonically written.
#[derive(Clone, Copy, Debug)]
struct Canonical<'a>(&'a [u8]);

impl<'a> Canonical<'a> {
    #[inline(always)]
    fn varint(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        if *first < 0x80 {
            self.0 = rest;
            return Some(u64::from(*first));
        }
        self.long_varint()
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        let mut value = u64::from(first & 0x7f);
        for (at, byte) in rest.iter().take(9).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * (at + 1));
            if *byte < 0x80 {
                // A last group of zeros, or one above 64 bits, would not be written again.
                let is_canonical = *byte != 0 && (at < 8 || *byte == 1);
                self.0 = &rest[at + 1..];
                return is_canonical.then_some(value);
            }
        }
        None
    }

    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    fn nested(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(usize::try_from(len).ok()?)
    }

    /// Varints one behind the other, as they stand on the wire.
    fn varints(&mut self) -> Option<&'a [u8]> {
        let content = self.nested()?;
        let mut rest = Canonical(content);
        while !rest.0.is_empty() {
            rest.varint()?;
        }
        Some(content)
    }

    /// The value of a field as it stands on the wire, its length in front of it.
    fn as_written(&mut self, wire_type: WireType) -> Option<&'a [u8]> {
        let all = self.0;
        match wire_type {
            WireType::Varint => drop(self.varint()?),
            WireType::Fixed64 => drop(self.take(8)?),
            WireType::Fixed32 => drop(self.take(4)?),
            WireType::Len => drop(self.nested()?),
            WireType::GroupStart | WireType::GroupEnd => return None,
        }
        Some(&all[..all.len() - self.0.len()])
    }

    /// Takes what must stand here.
    #[inline(always)]
    fn expect(&mut self, expected: &[u8]) -> Option<()> {
        // Most of what is compared is one tag, and else differs at its end, if at all.
        if let ([expected], [byte, rest @ ..]) = (expected, self.0) {
            self.0 = rest;
            return (byte == expected).then_some(());
        }
        let (taken, rest) = self.0.split_at_checked(expected.len())?;
        self.0 = rest;
        is_equal(taken, expected).then_some(())
    }

    /// The value of a hole that is no run of nodes; `None` for an id of another length.
    #[inline(always)]
    fn value(&mut self, hole: Hole) -> Option<Value<'a>> {
        Some(match hole {
            Hole::Text => Value::Text(self.nested()?),
            Hole::Varint | Hole::Count => Value::Number(self.varint()?),
            Hole::Fixed64 | Hole::Double | Hole::Time(_) => Value::Number(u64::from_le_bytes(self.array()?)),
            Hole::TraceId => Value::TraceId(self.nested()?.try_into().ok()?),
            Hole::SpanId | Hole::ParentId => Value::SpanId(self.nested()?.try_into().ok()?),
            Hole::Varints => Value::Text(self.varints()?),
            Hole::Nodes | Hole::Digits | Hole::Hex(_) => return None,
        })
    }

    /// The nodes that stand one behind the other, each with this tag: at least one.
    fn run(&mut self, tag: u8) -> Option<Value<'a>> {
        let start = self.0;
        let mut count = 0;
        while let Some((first, rest)) = self.0.split_first() {
            let mut node = Canonical(rest);
            if *first != tag || node.nested().is_none() {
                break;
            }
            *self = node;
            count += 1;
        }
        (count > 0).then(|| Value::Nodes(count, &start[..start.len() - self.0.len()]))
    }

    fn tag(&mut self) -> Option<(u32, WireType)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        Some((tag, WireType::from_tag(tag)?))
    }
}

/// Whether two pieces are equal: most are short, and then a call takes longer than the comparison.
#[inline(always)]
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ends =
        |bytes: &[u8]| Some((u64::from_le_bytes(*bytes.first_chunk()?), u64::from_le_bytes(*bytes.last_chunk()?)));
    match one.len() {
        8..=16 => ends(one) == ends(other),
        17..=32 => {
            ends(&one[..16]) == ends(&other[..16]) && ends(&one[one.len() - 16..]) == ends(&other[one.len() - 16..])
        }
        _ => one == other,
    }
}

/// The numbers of a packed field that was looked at before.
pub(crate) fn varints(content: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = Canonical(content);
    std::iter::from_fn(move || rest.varint())
}

/// The nodes of a run, from the bytes between the first's tag and the last's end.
pub(crate) fn nodes(run: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Canonical(run);
    std::iter::from_fn(move || {
        rest.tag()?;
        rest.nested()
    })
}

/// Where in the values the parts of a span's head are: trace, span and parent id, start and end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) trace_id: Option<u16>,
    pub(crate) span_id: Option<u16>,
    pub(crate) parent_id: Option<u16>,
    pub(crate) start: Option<u16>,
    pub(crate) end: Option<u16>,
}

impl Head {
    /// Whether a hole is part of the head.
    #[inline]
    pub(crate) fn has(&self, hole: usize) -> bool {
        [self.trace_id, self.span_id, self.parent_id, self.start, self.end].contains(&Some(hole as u16))
    }

    /// Notes where a hole is; whether it is the first of its kind.
    fn note(&mut self, hole: Hole, at: usize) -> bool {
        let place = match hole {
            Hole::TraceId => &mut self.trace_id,
            Hole::SpanId => &mut self.span_id,
            Hole::ParentId => &mut self.parent_id,
            Hole::Time(Clock::Start) => &mut self.start,
            Hole::Time(Clock::End) => &mut self.end,
            _ => return true,
        };
        place.replace(at as u16).is_none()
    }
}

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

/// How the value of a hole stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A length and bytes.
    Len,
    /// A varint.
    Varint,
    /// Eight bytes.
    Fixed64,
    /// Not at all: the nodes of a run.
    Nodes,
    /// As part of a text.
    Text,
}

/// A hole of a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoleOf {
    pub(crate) hole: Hole,
    pub(crate) form: Form,
    /// Which family its values belong to.
    pub(crate) family: u16,
    /// What becomes of the nodes of a run.
    pub(crate) nodes: Option<&'static Plan>,
}

/// A step of writing a node.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These bytes of the skeleton.
    Copy(Range<u32>),
    /// The value of the next hole.
    Hole,
    /// An attribute with a value that is one hole: the bytes in front of its length, those between its length and its
    /// value's, and the tag of the hole. What most steps would be, as one.
    Attribute(Range<u32>, Range<u32>, u8),
    /// A message or packed field opens; its tag is written already.
    Open,
    /// It ends.
    Close,
    /// The nodes of the next hole, each behind this tag.
    Nodes(u8, &'static Plan),
}

/// A shape: a skeleton, read.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) skeleton: Box<[u8]>,
    pub(crate) steps: Box<[Step]>,
    pub(crate) holes: Box<[HoleOf]>,
    /// Where the parts of a span's head are; nothing in other nodes.
    pub(crate) head: Head,
}

/// Reads a skeleton.
struct ShapeReader<'a, F: FnMut(&[u8]) -> u16> {
    skeleton: &'a [u8],
    at: usize,
    steps: Vec<Step>,
    holes: Vec<HoleOf>,
    head: Head,
    has_head: bool,
    /// What the values of an attribute are filed under.
    key: &'a [u8],
    /// The number of a family, by its name.
    family: F,
    name: Vec<u8>,
}

impl Shape {
    /// Part of the skeleton.
    #[inline]
    pub(crate) fn part(&self, range: &Range<u32>) -> &[u8] {
        &self.skeleton[range.start as usize..range.end as usize]
    }

    /// Reads the skeleton of a node. `family` gives the number of a family by its name.
    pub(crate) fn read(skeleton: &[u8], plan: &Plan, family: impl FnMut(&[u8]) -> u16) -> Result<Self, TracezipError> {
        let mut reader = ShapeReader {
            skeleton,
            at: 0,
            steps: Vec::new(),
            holes: Vec::new(),
            head: Head::default(),
            has_head: plan.kind == Kind::Item,
            key: &[],
            family,
            name: Vec::new(),
        };
        reader.fields(skeleton.len(), plan, MAX_DEPTH).ok_or_else(|| damaged("a skeleton that is none", reader.at))?;
        if reader.holes.len() > MAX_HOLES {
            return Err(damaged("a skeleton with too many holes", 0));
        }
        Ok(Self {
            skeleton: skeleton.into(),
            steps: fused(&reader.steps, skeleton),
            holes: reader.holes.into(),
            head: reader.head,
        })
    }
}

/// The same steps, with those of each plain attribute as one.
fn fused(steps: &[Step], skeleton: &[u8]) -> Box<[Step]> {
    let mut result = Vec::with_capacity(steps.len());
    let mut rest = steps;
    while let Some(step) = rest.first() {
        if let [
            Step::Copy(before),
            Step::Open,
            Step::Copy(key),
            Step::Open,
            Step::Copy(tag),
            Step::Hole,
            Step::Close,
            Step::Close,
            ..,
        ] = rest
            && tag.len() == 1
        {
            result.push(Step::Attribute(before.clone(), key.clone(), skeleton[tag.start as usize]));
            rest = &rest[8..];
        } else {
            result.push(step.clone());
            rest = &rest[1..];
        }
    }
    result.into()
}

impl<F: FnMut(&[u8]) -> u16> ShapeReader<'_, F> {
    fn rest(&self, end: usize) -> Canonical<'_> {
        Canonical(&self.skeleton[self.at..end])
    }

    /// Copies what `read` reads.
    fn copy<T>(&mut self, end: usize, read: impl FnOnce(&mut Canonical<'_>) -> Option<T>) -> Option<T> {
        let mut rest = self.rest(end);
        let before = rest.0.len();
        let result = read(&mut rest)?;
        let len = before - rest.0.len();
        let start = self.at as u32;
        self.at += len;
        let copied = start..self.at as u32;
        match self.steps.last_mut() {
            Some(Step::Copy(range)) if range.end == start => range.end = copied.end,
            _ => self.steps.push(Step::Copy(copied)),
        }
        Some(result)
    }

    fn byte(&mut self, end: usize) -> Option<u8> {
        let byte = *self.rest(end).0.first()?;
        self.at += 1;
        Some(byte)
    }

    fn fields(&mut self, end: usize, plan: &Plan, depth: u32) -> Option<()> {
        while self.at < end {
            let mut peeked = self.rest(end);
            let (tag, wire_type) = peeked.tag()?;
            let role = plan.role(tag);
            if let Role::Nodes(nodes) = role {
                self.at = end - peeked.0.len();
                self.steps.push(Step::Nodes(u8::try_from(tag).ok()?, nodes));
                self.hole(Hole::Nodes, Form::Nodes, tag, Some(nodes))?;
                continue;
            }
            self.copy(end, |rest| rest.tag())?;
            match role {
                Role::Unknown | Role::Nodes(_) => return None,
                Role::Constant => drop(self.copy(end, |rest| rest.as_written(wire_type).map(|_| ()))?),
                Role::Key => {
                    let start = self.at;
                    self.copy(end, |rest| rest.as_written(wire_type).map(|_| ()))?;
                    self.key = &self.skeleton[start..self.at];
                }
                Role::Hole(hole) => {
                    let form = match hole {
                        Hole::Text | Hole::TraceId | Hole::SpanId | Hole::ParentId => Form::Len,
                        Hole::Varint | Hole::Count => Form::Varint,
                        Hole::Fixed64 | Hole::Double | Hole::Time(_) => Form::Fixed64,
                        Hole::Varints => Form::Len,
                        Hole::Nodes | Hole::Digits | Hole::Hex(_) => return None,
                    };
                    let is_id = matches!(hole, Hole::TraceId | Hole::SpanId | Hole::ParentId);
                    if is_id && self.is_literal(end)? {
                        continue;
                    }
                    self.steps.push(Step::Hole);
                    self.hole(hole, form, tag, None)?;
                }
                Role::Inline(inline) => {
                    let len = usize::from(u16::from_le_bytes([self.byte(end)?, self.byte(end)?]));
                    let inner_end = self.at.checked_add(len).filter(|inner_end| *inner_end <= end)?;
                    let key = self.key;
                    self.steps.push(Step::Open);
                    self.fields(inner_end, inline, depth.checked_sub(1)?)?;
                    self.steps.push(Step::Close);
                    self.key = key;
                }
                Role::PackedFixed64 => {
                    if self.is_literal(end)? {
                        continue;
                    }
                    let mut rest = self.rest(end);
                    let count = rest.varint().filter(|count| *count <= MAX_PACKED)?;
                    self.at = end - rest.0.len();
                    self.steps.push(Step::Open);
                    for _ in 0..count {
                        self.steps.push(Step::Hole);
                        self.hole(Hole::Fixed64, Form::Fixed64, tag, None)?;
                    }
                    self.steps.push(Step::Close);
                }
            }
        }
        Some(())
    }

    /// Whether a value is part of the skeleton, which then is copied.
    fn is_literal(&mut self, end: usize) -> Option<bool> {
        match self.byte(end)? {
            0 => Some(false),
            1 => self.copy(end, |rest| rest.nested().map(|_| true)),
            _ => None,
        }
    }

    fn hole(&mut self, hole: Hole, form: Form, tag: u32, nodes: Option<&'static Plan>) -> Option<()> {
        if self.has_head && !self.head.note(hole, self.holes.len()) {
            return None;
        }
        if self.holes.len() > MAX_HOLES {
            return None;
        }
        self.name.clear();
        self.name.extend_from_slice(self.key);
        self.name.extend_from_slice(&[tag as u8, form as u8]);
        let family = (self.family)(&self.name);
        self.holes.push(HoleOf { hole, form, family, nodes });
        Some(())
    }
}

/// The bytes that a length in front of `len` bytes takes.
pub(crate) fn length_len(len: usize) -> usize {
    varint_len(len as u64)
}
