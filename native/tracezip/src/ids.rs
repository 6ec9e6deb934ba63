//! Ids: random when they are new, and known when they come again.
//!
//! A span is exported before its parent, so a parent's id is first seen as a *parent id*; when its own span comes, the id is a
//! reference to that. Each mention of a span enters a ring; a reference says how many mentions back. What is known of a span
//! through its child (the trace, about when) predicts the rest of its head.

use crate::coder::{Bit, Coder};
use crate::journal::Journaled;
use crate::models::Magnitudes;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// A mention of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) span_id: [u8; 8],
    pub(crate) trace_id: [u8; 16],
    /// Start and end of the span, or of the first child that mentioned it, in ns.
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A mention in the ring, with the numbers of the earlier ones that are filed with it, by span and by trace.
///
/// One line of the processor's cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Filed {
    mention: Mention,
    earlier_span: u64,
    earlier_trace: u64,
}

/// What is decided of ids, each where it is decided.
#[derive(Clone, Copy, Debug, Default)]
struct Decisions {
    is_known: [Bit; Use::COUNT],
}

/// The mentions of the stream.
#[derive(Debug)]
pub(crate) struct Ids {
    ring: Journaled<Filed>,
    capacity: u64,
    /// What ids are hashed with: odd, and of this end alone, so that nobody can choose ids that are all filed together.
    multiplier: u64,
    /// How many mentions there were; each has a number, from 1.
    mentions: u64,
    /// The number of the latest mention with each hash of a span id, and of a trace id: chains that need no removal, as what
    /// left the ring is known by its number.
    spans: Journaled<u64>,
    traces: Journaled<u64>,
    distances: Magnitudes,
    decisions: Decisions,
    pub(crate) last_trace: [u8; 16],
    committed: (u64, Decisions, [u8; 16]),
}

/// Which id is looked for, as each is known differently often.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Use {
    /// A span's own id.
    Span,
    /// The parent's, of a span that was mentioned, and of one that was not.
    ParentOfKnown,
    ParentOfNew,
    /// The trace, where a mention predicts it; where none does.
    PredictedTrace,
    Trace,
    OtherTrace,
    /// A span that something else names: a link, a log record, an exemplar.
    Named,
}

impl Use {
    const COUNT: usize = Self::Named as usize + 1;
}

impl Ids {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            ring: Journaled::default(),
            capacity: capacity as u64,
            multiplier: RandomState::new().hash_one(0) | 1,
            mentions: 0,
            spans: Journaled::filled(0, capacity),
            traces: Journaled::filled(0, capacity),
            distances: Magnitudes::default(),
            decisions: Decisions::default(),
            last_trace: [0; 16],
            committed: (0, Decisions::default(), [0; 16]),
        }
    }

    /// Where a hash is filed.
    fn place(&self, id: u64) -> usize {
        let hash = id.wrapping_mul(self.multiplier);
        ((u128::from(hash) * u128::from(self.capacity)) >> 64) as usize
    }

    fn span_place(&self, span_id: &[u8; 8]) -> usize {
        self.place(u64::from_le_bytes(*span_id))
    }

    fn trace_place(&self, trace_id: &[u8; 16]) -> usize {
        let id = u128::from_le_bytes(*trace_id);
        self.place(id as u64 ^ (id >> 64) as u64)
    }

    /// The mention with a number, if it is still in the ring.
    #[inline]
    fn filed(&self, number: u64) -> Option<&Filed> {
        let is_here = number > 0 && number <= self.mentions && self.mentions - number < self.capacity;
        is_here.then(|| &self.ring[((number - 1) % self.capacity) as usize])
    }

    /// How far back the span was mentioned: 1 for the latest mention.
    fn find_span(&self, span_id: &[u8; 8]) -> Option<u64> {
        let mut number = self.spans[self.span_place(span_id)];
        while let Some(filed) = self.filed(number) {
            if filed.mention.span_id == *span_id {
                return Some(self.mentions - number + 1);
            }
            number = filed.earlier_span;
        }
        None
    }

    /// How far back the trace was mentioned.
    fn find_trace(&self, trace_id: &[u8; 16]) -> Option<u64> {
        let mut number = self.traces[self.trace_place(trace_id)];
        while let Some(filed) = self.filed(number) {
            if filed.mention.trace_id == *trace_id {
                return Some(self.mentions - number + 1);
            }
            number = filed.earlier_trace;
        }
        None
    }

    /// The mention so far back; an empty one where that is none.
    fn mention(&self, distance: u64) -> Mention {
        let number = (self.mentions + 1).saturating_sub(distance);
        self.filed(number).map(|filed| filed.mention).unwrap_or_default()
    }

    /// A span is mentioned.
    pub(crate) fn enter(&mut self, mention: Mention) {
        let place = (self.mentions % self.capacity) as usize;
        self.mentions += 1;
        let (span, trace) = (self.span_place(&mention.span_id), self.trace_place(&mention.trace_id));
        let earlier_span = std::mem::replace(self.spans.change(span), self.mentions);
        let earlier_trace = std::mem::replace(self.traces.change(trace), self.mentions);
        let filed = Filed { mention, earlier_span, earlier_trace };
        if place < self.ring.len() {
            *self.ring.change(place) = filed;
        } else {
            self.ring.push(filed);
        }
    }

    fn reference<C: Coder>(&mut self, coder: &mut C, of: Use, distance: Option<u64>) -> Option<u64> {
        let of = of as usize;
        if !coder.bit(&mut self.decisions.is_known[of], distance.is_some()) {
            return None;
        }
        Some(self.distances.number_by(coder, of, distance.unwrap_or_default()))
    }

    /// A span id, and its last mention if there was one.
    pub(crate) fn span<C: Coder>(&mut self, coder: &mut C, of: Use, value: [u8; 8]) -> ([u8; 8], Option<Mention>) {
        let distance = if C::IS_WRITING { self.find_span(&value) } else { None };
        match self.reference(coder, of, distance) {
            Some(distance) => {
                let mention = self.mention(distance);
                (mention.span_id, Some(mention))
            }
            None => (coder.bytes(value), None),
        }
    }

    /// A trace id; `predicted` where a mention says which it should be.
    pub(crate) fn trace<C: Coder>(&mut self, coder: &mut C, predicted: Option<[u8; 16]>, value: [u8; 16]) -> [u8; 16] {
        let (of, guess) = match predicted {
            Some(trace_id) => (Use::PredictedTrace, trace_id),
            None => (Use::Trace, self.last_trace),
        };
        let trace_id = if coder.bit(&mut self.decisions.is_known[of as usize], value == guess) {
            guess
        } else {
            let distance = if C::IS_WRITING { self.find_trace(&value) } else { None };
            match self.reference(coder, Use::OtherTrace, distance) {
                Some(distance) => self.mention(distance).trace_id,
                None => coder.bytes(value),
            }
        };
        self.last_trace = trace_id;
        trace_id
    }

    pub(crate) fn commit(&mut self) {
        self.ring.commit();
        self.spans.commit();
        self.traces.commit();
        self.distances.commit();
        self.committed = (self.mentions, self.decisions, self.last_trace);
    }

    pub(crate) fn rollback(&mut self) {
        self.ring.rollback();
        self.spans.rollback();
        self.traces.rollback();
        self.distances.rollback();
        (self.mentions, self.decisions, self.last_trace) = self.committed;
    }
}
