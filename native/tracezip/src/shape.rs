//! A shape: a skeleton that was read, as the steps in which a node of it is written.

use crate::canonical::Canonical;
use crate::error::{TracezipError, damaged};
use crate::plan::{Clock, Hole, Kind, Plan, Role};
use crate::skeleton::{MAX_DEPTH, MAX_HOLES, MAX_PACKED};
use otlp_wire::varint::varint_len;
use std::ops::Range;

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
