//! How the values of holes are predicted: one function for both directions, see [`Coder`].

use crate::canonical;
use crate::coder::Coder;
use crate::families::Families;
use crate::frame::push_varint;
use crate::ids::{Ids, Mention, Use};
use crate::models::{self, Magnitudes, PlaceTree, Slot, decision};
use crate::plan::Clock;
use crate::shape::Head;
use crate::template::{digit_of, hex_digit};
use std::io::Write as _;

/// Doubles that are no decimals of few digits.
pub(crate) const BINARY: u8 = 15;
/// The most decimals of a double.
const MAX_SCALE: u8 = 9;
const POWERS: [f64; MAX_SCALE as usize + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Integers up to here are doubles, each its own.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What is known where a node stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings {
    /// The time of what is around or just before, in ns: a span's start, its last event.
    pub(crate) time: u64,
    /// The end of what is around.
    pub(crate) end: u64,
}

/// The latest times of a stream, by what they are the time of.
pub(crate) type Clocks = [u64; Clock::COUNT];

/// A count: mostly as last time, or on by as much as then.
pub(crate) fn count<C: Coder>(coder: &mut C, families: &mut Families, family: u16, slot: &mut Slot, value: u64) -> u64 {
    let guesses = (slot.last, slot.last.wrapping_add(slot.delta));
    let value = models::predicted(coder, slot, &mut families.change(family).magnitudes, guesses, value);
    slot.delta = value.wrapping_sub(slot.last);
    slot.last = value;
    value
}

/// How many nodes stand in a run: as last time, or one.
pub(crate) fn nodes<C: Coder>(coder: &mut C, families: &mut Families, family: u16, slot: &mut Slot, value: u64) -> u64 {
    let guesses = (slot.last, 1);
    let value = models::predicted(coder, slot, &mut families.change(family).magnitudes, guesses, value);
    slot.last = value;
    value
}

/// A number that may recur: as last time, from the family's table, or near the last one or zero.
pub(crate) fn recurring<C: Coder>(
    coder: &mut C,
    families: &mut Families,
    number: u16,
    slot: &mut Slot,
    value: u64,
) -> u64 {
    if coder.bit(&mut slot.bits[decision::IS_FIRST], value == slot.last) {
        return slot.last;
    }
    let place = if C::IS_WRITING { families.find(number, &value.to_le_bytes()) } else { None };
    let family = families.change(number);
    if family.len() > 0 && coder.bit(&mut slot.bits[decision::IS_IN_TABLE], place.is_some()) {
        let len = family.len();
        let place = placed(coder, &mut family.places, len, place);
        let found = family.value(place).and_then(|value| (**value).try_into().ok());
        families.note_found(number);
        slot.last = found.map_or(0, u64::from_le_bytes);
        return slot.last;
    }
    let base = models::nearer(coder, slot, (slot.last, 0), value);
    let value = family.magnitudes.difference(coder, &mut slot.class, base, value);
    families.enter(number, &value.to_le_bytes());
    slot.last = value;
    value
}

fn placed<C: Coder>(coder: &mut C, places: &mut PlaceTree, len: usize, place: Option<usize>) -> usize {
    places.place(coder, len, place.unwrap_or_default() as u32) as usize
}

/// A double: a decimal of as many digits as last time, predicted as a count; or its bits.
pub(crate) fn double<C: Coder>(coder: &mut C, families: &mut Families, family: u16, slot: &mut Slot, bits: u64) -> u64 {
    let scale = if C::IS_WRITING { scale_of(f64::from_bits(bits), slot.scale) } else { 0 };
    if !coder.bit(&mut slot.bits[decision::IS_SCALE], scale == slot.scale) {
        slot.scale = coder.bits(4, u64::from(scale)) as u8;
        (slot.last, slot.delta) = (0, 0);
    }
    let magnitudes = &mut families.change(family).magnitudes;
    let Some(power) = POWERS.get(usize::from(slot.scale)) else {
        let value = if coder.bit(&mut slot.bits[decision::IS_FIRST], bits == slot.last) {
            slot.last
        } else {
            slot.last ^ magnitudes.number(coder, &mut slot.class, bits ^ slot.last)
        };
        slot.last = value;
        return value;
    };
    let scaled = (f64::from_bits(bits) * power).round_ties_even() as i64;
    let guesses = (slot.last, slot.last.wrapping_add(slot.delta));
    let value = models::predicted(coder, slot, magnitudes, guesses, scaled as u64);
    slot.delta = value.wrapping_sub(slot.last);
    slot.last = value;
    (value as i64 as f64 / power).to_bits()
}

/// How many decimals a double has: as many as last time, if it can have them.
fn scale_of(value: f64, last: u8) -> u8 {
    let is_decimal = |scale: u8| {
        let Some(power) = POWERS.get(usize::from(scale)) else { return false };
        let scaled = (value * power).round_ties_even();
        // As an integer, which has no negative zero.
        scaled.abs() < MAX_EXACT && (scaled as i64 as f64 / power).to_bits() == value.to_bits()
    };
    if is_decimal(last) {
        return last;
    }
    (0..=MAX_SCALE).find(|scale| is_decimal(*scale)).unwrap_or(BINARY)
}

/// A time of something that is no span.
pub(crate) fn time<C: Coder>(
    coder: &mut C,
    families: &mut Families,
    family: u16,
    slot: &mut Slot,
    clocks: &mut Clocks,
    (clock, around): (Clock, &mut Surroundings),
    value: u64,
) -> u64 {
    let latest = clocks[clock as usize];
    let next = slot.last.wrapping_add(slot.delta);
    let guesses = match clock {
        Clock::Start | Clock::Record => (latest, next),
        Clock::End | Clock::Event => (around.time, around.end),
        Clock::Observed => (around.time.wrapping_add(slot.delta), latest),
        Clock::PointStart => (slot.last, latest),
        Clock::Point => (latest, next),
        Clock::Exemplar => (latest, clocks[Clock::Point as usize]),
    };
    let value = models::time(coder, slot, &mut families.change(family).magnitudes, guesses, value);
    slot.delta = match clock {
        Clock::Observed => value.wrapping_sub(around.time),
        _ => value.wrapping_sub(slot.last),
    };
    slot.last = value;
    clocks[clock as usize] = value;
    if matches!(clock, Clock::Event | Clock::Record) {
        around.time = value;
    }
    value
}

/// The ids and times of a span, as far as it has them; the ids of a log record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeadValues {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) parent_id: [u8; 8],
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// What is decided of the times of spans, by what is known of the span.
#[derive(Debug)]
pub(crate) struct HeadModels {
    starts: [Magnitudes; 3],
    ends: [Magnitudes; 3],
}

impl HeadModels {
    pub(crate) fn new() -> Self {
        let trees = || std::array::from_fn(|_| Magnitudes::default());
        Self { starts: trees(), ends: trees() }
    }

    fn trees(&mut self) -> impl Iterator<Item = &mut Magnitudes> {
        self.starts.iter_mut().chain(&mut self.ends)
    }

    pub(crate) fn commit(&mut self) {
        self.trees().for_each(Magnitudes::commit);
    }

    pub(crate) fn rollback(&mut self) {
        self.trees().for_each(Magnitudes::rollback);
    }
}

/// The head of a span or log record.
///
/// The span's own id comes first: a span that was mentioned by its child has that child's trace, started shortly before it and
/// ended shortly after it. Then the parent's, which knows as much of a span whose siblings or parent came before.
pub(crate) fn head<C: Coder>(
    coder: &mut C,
    (ids, models): (&mut Ids, &mut HeadModels),
    head: &Head,
    slots: &mut [Slot],
    clocks: &mut Clocks,
    values: HeadValues,
) -> HeadValues {
    let mut result = HeadValues::default();
    let mut own = None;
    let mut parent = None;
    if head.span_id.is_some() {
        (result.span_id, own) = ids.span(coder, Use::Span, values.span_id);
    }
    if head.parent_id.is_some() {
        let of = if own.is_some() { Use::ParentOfKnown } else { Use::ParentOfNew };
        (result.parent_id, parent) = ids.span(coder, of, values.parent_id);
    }
    let known = own.or(parent);
    if head.trace_id.is_some() {
        result.trace_id = ids.trace(coder, known.map(|mention| mention.trace_id), values.trace_id);
    }
    let kind = if own.is_some() { 1 } else { usize::from(parent.is_some()) * 2 };
    if let Some(slot) = head.start.and_then(|at| slots.get_mut(usize::from(at))) {
        let latest = clocks[Clock::Start as usize];
        let guesses = (known.map_or(latest, |mention| mention.start), latest);
        result.start = models::time(coder, slot, &mut models.starts[kind], guesses, values.start);
        clocks[Clock::Start as usize] = result.start;
    }
    if let Some(slot) = head.end.and_then(|at| slots.get_mut(usize::from(at))) {
        let by_duration = result.start.wrapping_add(slot.last);
        let guesses = (known.map_or(by_duration, |mention| mention.end), by_duration);
        result.end = models::time(coder, slot, &mut models.ends[kind], guesses, values.end);
        slot.last = result.end.wrapping_sub(result.start);
    }
    if head.span_id.is_some() {
        let mention =
            Mention { span_id: result.span_id, trace_id: result.trace_id, start: result.start, end: result.end };
        ids.enter(mention);
        if head.parent_id.is_some() {
            let times = parent.unwrap_or(mention);
            ids.enter(Mention { span_id: result.parent_id, trace_id: result.trace_id, ..times });
        }
    }
    result
}

/// Where a text was found.
pub(crate) enum Text {
    /// In a table; it is written already.
    Known,
    /// Nowhere: it has to be sent, and [`note_text`].
    New,
}

/// The text of a hole, if it is as last time, the family's latest, or one of its table: appended to `out` when it is read.
pub(crate) fn known_text<C: Coder>(
    coder: &mut C,
    families: &mut Families,
    number: u16,
    slot: &mut Slot,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Text {
    let family = families.family(number);
    let latest = u64::from(family.tally.latest);
    if let Some(known) = family.value_at(slot.last)
        && coder.bit(&mut slot.bits[decision::IS_FIRST], C::IS_WRITING && canonical::is_equal(known, value))
    {
        if !C::IS_WRITING {
            out.extend_from_slice(known);
        }
        if latest != slot.last {
            families.change(number).tally.latest = slot.last as u32;
        }
        return Text::Known;
    }
    if latest != slot.last
        && let Some(known) = family.value_at(latest)
        && coder.bit(&mut slot.bits[decision::IS_LATEST], C::IS_WRITING && **known == *value)
    {
        if !C::IS_WRITING {
            out.extend_from_slice(known);
        }
        slot.last = latest;
        return Text::Known;
    }
    let place = if C::IS_WRITING { families.find(number, value) } else { None };
    let family = families.change(number);
    if family.len() == 0 || !coder.bit(&mut slot.bits[decision::IS_IN_TABLE], place.is_some()) {
        return Text::New;
    }
    let len = family.len();
    let place = placed(coder, &mut family.places, len, place);
    if !C::IS_WRITING
        && let Some(known) = family.value(place)
    {
        out.extend_from_slice(known);
    }
    slot.last = place as u64 + 1;
    family.tally.latest = place as u32 + 1;
    families.note_found(number);
    Text::Known
}

/// A text was sent in full.
pub(crate) fn note_text(families: &mut Families, number: u16, slot: &mut Slot, value: &[u8]) {
    let place = families.enter(number, value);
    slot.last = u64::from(place);
    families.change(number).tally.latest = place;
}

/// Packed numbers: how many they are, and each by how large the one before it was.
pub(crate) fn varints<C: Coder>(
    coder: &mut C,
    families: &mut Families,
    family: u16,
    slot: &mut Slot,
    value: &[u8],
    (out, max_len): (&mut Vec<u8>, usize),
) {
    let count = if C::IS_WRITING { canonical::varints(value).count() as u64 } else { 0 };
    let magnitudes = &mut families.change(family).magnitudes;
    let count = magnitudes.difference(coder, &mut slot.class, slot.last, count);
    slot.last = count;
    let mut numbers = canonical::varints(value);
    let mut class = 0;
    for _ in 0..count {
        let number = magnitudes.number(coder, &mut class, numbers.next().unwrap_or_default());
        if !C::IS_WRITING {
            if out.len() > max_len {
                return;
            }
            push_varint(out, number);
        }
    }
}

/// A run of decimal digits: a number, and how wide it is where it is padded with zeros.
pub(crate) fn digits<C: Coder>(
    coder: &mut C,
    families: &mut Families,
    family: u16,
    slot: &mut Slot,
    digits: &[u8],
    out: &mut Vec<u8>,
) {
    let width = match digits.len() as u8 {
        len if slot.scale != 0 && len == slot.scale => len,
        len if digits.first() == Some(&b'0') && len > 1 => len,
        _ => 0,
    };
    if !coder.bit(&mut slot.bits[decision::IS_SCALE], width == slot.scale) {
        slot.scale = coder.bits(5, u64::from(width)) as u8;
    }
    let number = digits.iter().fold(0u64, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit & 15)));
    let number = count(coder, families, family, slot, number);
    if !C::IS_WRITING {
        let width = usize::from(slot.scale);
        // Writing to a vector does not fail.
        let _ = write!(out, "{number:0width$}");
    }
}

/// Hexadecimal digits that nothing predicts.
pub(crate) fn hex<C: Coder>(coder: &mut C, len: u8, digits: &[u8], out: &mut Vec<u8>) {
    for at in 0..usize::from(len) {
        let digit = digits.get(at).and_then(|digit| hex_digit(*digit)).unwrap_or_default();
        let digit = coder.bits(4, u64::from(digit)) as u8;
        if !C::IS_WRITING {
            out.push(digit_of(digit));
        }
    }
}
