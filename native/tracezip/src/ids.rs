//! Ids: random when they are new, and known when they come again.
//!
//! A span is exported before its parent, so a parent's id is first seen as a *parent id*; when its own span comes, the id is a
//! reference to that. Each mention of a span enters a ring; a reference says how many mentions back. What is known of a span
//! through its child (the trace, about when) predicts the rest of its head.

use crate::coder::{Bit, Coder};
use crate::journal::{Journaled, Places};
use crate::models::{self, Tree};

/// A mention of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) span_id: [u8; 8],
    pub(crate) trace_id: [u8; 16],
    /// Start and end of the span, or of the child that mentioned it, in ns.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Whether the times are the span's own.
    pub(crate) is_own: bool,
}

/// What is decided of ids, each where it is decided.
#[derive(Clone, Copy, Debug, Default)]
struct Decisions {
    is_known: [Bit; Use::COUNT],
}

/// The mentions of the stream.
#[derive(Debug)]
pub(crate) struct Ids {
    ring: Journaled<Mention>,
    capacity: usize,
    mentions: u64,
    spans: Places,
    traces: Places,
    distances: Tree,
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
            capacity,
            mentions: 0,
            spans: Places::default(),
            traces: Places::default(),
            distances: models::magnitude_trees(Use::COUNT),
            decisions: Decisions::default(),
            last_trace: [0; 16],
            committed: (0, Decisions::default(), [0; 16]),
        }
    }

    fn span_key(span_id: &[u8; 8]) -> u64 {
        u64::from_le_bytes(*span_id)
    }

    fn trace_key(trace_id: &[u8; 16]) -> u64 {
        u128::from_le_bytes(*trace_id) as u64 ^ (u128::from_le_bytes(*trace_id) >> 64) as u64
    }

    /// How far back the span was mentioned: 1 for the latest mention.
    fn find_span(&self, span_id: &[u8; 8]) -> Option<u64> {
        let place = self.spans.get(Self::span_key(span_id))?;
        (self.ring[place].span_id == *span_id).then(|| self.distance(place))
    }

    fn find_trace(&self, trace_id: &[u8; 16]) -> Option<u64> {
        let place = self.traces.get(Self::trace_key(trace_id))?;
        (self.ring[place].trace_id == *trace_id).then(|| self.distance(place))
    }

    fn distance(&self, place: usize) -> u64 {
        let latest = (self.mentions - 1) % self.capacity as u64;
        (latest + self.capacity as u64 - place as u64) % self.capacity as u64 + 1
    }

    /// The mention so far back; an empty one where that is none.
    fn mention(&self, distance: u64) -> Mention {
        if distance == 0 || distance > self.mentions.min(self.capacity as u64) {
            return Mention::default();
        }
        self.ring[((self.mentions - distance) % self.capacity as u64) as usize]
    }

    /// A span is mentioned.
    pub(crate) fn enter(&mut self, mention: Mention) {
        let place = (self.mentions % self.capacity as u64) as usize;
        if place < self.ring.len() {
            let old = self.ring[place];
            self.spans.remove(Self::span_key(&old.span_id), place);
            self.traces.remove(Self::trace_key(&old.trace_id), place);
            *self.ring.change(place) = mention;
        } else {
            self.ring.push(mention);
        }
        self.spans.set(Self::span_key(&mention.span_id), place);
        self.traces.set(Self::trace_key(&mention.trace_id), place);
        self.mentions += 1;
    }

    fn reference<C: Coder>(&mut self, coder: &mut C, of: Use, distance: Option<u64>) -> Option<u64> {
        let of = of as usize;
        if !coder.bit(&mut self.decisions.is_known[of], distance.is_some()) {
            return None;
        }
        Some(models::magnitude_by(coder, &mut self.distances, of, distance.unwrap_or_default()))
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
