//! What is decided again and again, each with probabilities of its own: places in tables, numbers, times.

use crate::coder::{Bit, Coder};
use crate::journal::Journaled;
use otlp_wire::varint::{unzigzag, zigzag};

/// A class, its highest bit first, by a tree whose root is `tree[1]`.
#[inline(always)]
fn class<C: Coder>(coder: &mut C, tree: &mut [Bit; CLASSES], value: u32) -> u32 {
    let mut node = 1;
    for at in (0..CLASS_WIDTH).rev() {
        let bit = coder.bit(&mut tree[node % CLASSES], value >> at & 1 == 1);
        node = node << 1 | usize::from(bit);
    }
    (node % CLASSES) as u32
}

/// How many decisions of a tree of places are copied together.
const PAGE_LEN: usize = 8;

/// The places of a table that grows, as a tree.
#[derive(Debug, Default)]
pub(crate) struct PlaceTree(Journaled<[Bit; PAGE_LEN]>);

impl PlaceTree {
    /// A place of a table of `len`, its lowest bit first: what was learned stays right when the table needs another bit.
    pub(crate) fn place<C: Coder>(&mut self, coder: &mut C, len: usize, value: u32) -> u32 {
        let width = usize::BITS - len.saturating_sub(1).leading_zeros();
        while self.0.len() * PAGE_LEN < 1 << width {
            self.0.push([Bit::default(); PAGE_LEN]);
        }
        let mut result = 0;
        for at in 0..width {
            let node = (1 << at) | result as usize;
            let page = self.0.change(node / PAGE_LEN);
            let bit = coder.bit(&mut page[node % PAGE_LEN], value >> at & 1 == 1);
            result |= u32::from(bit) << at;
        }
        result
    }

    pub(crate) fn commit(&mut self) {
        self.0.commit();
    }

    pub(crate) fn rollback(&mut self) {
        self.0.rollback();
    }
}

/// Classes of magnitude: how many bits a number has, the last one for all that have 63 or more.
const CLASS_WIDTH: u32 = 6;
const CLASSES: usize = 1 << CLASS_WIDTH;
const MAX_CLASS: u32 = CLASSES as u32 - 1;
/// How many trees of magnitudes there are, by how large the number was last time.
const CONTEXTS: usize = 6;
/// How many bits of class make a tree of its own.
const CONTEXT_STEP: u8 = 6;

/// The decisions of numbers of one context: of the class, and for each class of the bit behind the highest.
#[derive(Clone, Copy, Debug)]
struct Magnitude {
    classes: [Bit; CLASSES],
    seconds: [Bit; CLASSES],
}

/// Trees of magnitudes, which are made when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Magnitudes(Journaled<Magnitude>);

impl Magnitudes {
    /// A number of which only the magnitude can be guessed, from its predecessor's `class`.
    pub(crate) fn number<C: Coder>(&mut self, coder: &mut C, class: &mut u8, value: u64) -> u64 {
        let context = usize::from(class.div_ceil(CONTEXT_STEP)).min(CONTEXTS - 1);
        let value = self.number_by(coder, context, value);
        *class = class_of(value) as u8;
        value
    }

    /// A number of which only the magnitude can be guessed, by one of the trees.
    pub(crate) fn number_by<C: Coder>(&mut self, coder: &mut C, tree: usize, value: u64) -> u64 {
        while self.0.len() <= tree {
            self.0.push(Magnitude { classes: [Bit::default(); CLASSES], seconds: [Bit::default(); CLASSES] });
        }
        let tree = self.0.change(tree);
        let class = self::class(coder, &mut tree.classes, class_of(value));
        match class {
            0 => 0,
            1 => 1,
            MAX_CLASS => coder.bits(64, value),
            _ => {
                let plain = class - 2;
                let second = coder.bit(&mut tree.seconds[class as usize], value >> plain & 1 == 1);
                let low = coder.bits(plain, value & ((1 << plain) - 1));
                (2 | u64::from(second)) << plain | low
            }
        }
    }

    /// A number by how far it is from another.
    pub(crate) fn difference<C: Coder>(&mut self, coder: &mut C, class: &mut u8, base: u64, value: u64) -> u64 {
        let distance = self.number(coder, class, zigzag(value.wrapping_sub(base) as i64));
        base.wrapping_add(unzigzag(distance) as u64)
    }

    pub(crate) fn commit(&mut self) {
        self.0.commit();
    }

    pub(crate) fn rollback(&mut self) {
        self.0.rollback();
    }
}

fn class_of(value: u64) -> u32 {
    (u64::BITS - value.leading_zeros()).min(MAX_CLASS)
}

/// What is known of a hole in a shape: its last value and how it was predicted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    /// The last value; of a text, its place in the family's table and one.
    pub(crate) last: u64,
    /// The last value less the one before.
    pub(crate) delta: u64,
    pub(crate) bits: [Bit; 6],
    /// How large the last difference was.
    pub(crate) class: u8,
    /// What all times are multiples of: 10 to the third of this power, in ns.
    pub(crate) unit: u8,
    /// How many times in a row were multiples of the next unit.
    pub(crate) run: u8,
    /// How many decimals doubles have, or [`crate::numbers::BINARY`].
    pub(crate) scale: u8,
}

/// Which decision of a slot means what.
pub(crate) mod decision {
    pub(crate) const IS_FIRST: usize = 0;
    pub(crate) const IS_SECOND: usize = 1;
    pub(crate) const IS_NEAR_SECOND: usize = 2;
    pub(crate) const IS_UNIT: usize = 3;
    pub(crate) const IS_SCALE: usize = 3;
    pub(crate) const IS_IN_TABLE: usize = 4;
    pub(crate) const IS_LATEST: usize = 5;
}

/// A number with two predictions: one of them, or how far it is from the nearer one.
pub(crate) fn predicted<C: Coder>(
    coder: &mut C,
    slot: &mut Slot,
    magnitudes: &mut Magnitudes,
    guesses: (u64, u64),
    value: u64,
) -> u64 {
    if let Some(value) = guessed(coder, slot, guesses, value) {
        return value;
    }
    let base = nearer(coder, slot, guesses, value);
    magnitudes.difference(coder, &mut slot.class, base, value)
}

/// The number, if it is one of two predictions.
#[inline]
fn guessed<C: Coder>(coder: &mut C, slot: &mut Slot, (first, second): (u64, u64), value: u64) -> Option<u64> {
    if coder.bit(&mut slot.bits[decision::IS_FIRST], value == first) {
        return Some(first);
    }
    (first != second && coder.bit(&mut slot.bits[decision::IS_SECOND], value == second)).then_some(second)
}

/// The one of two numbers that is nearer.
pub(crate) fn nearer<C: Coder>(coder: &mut C, slot: &mut Slot, (first, second): (u64, u64), value: u64) -> u64 {
    let distance = |base: u64| (value.wrapping_sub(base) as i64).unsigned_abs();
    let is_second =
        first != second && coder.bit(&mut slot.bits[decision::IS_NEAR_SECOND], distance(second) < distance(first));
    if is_second { second } else { first }
}

/// The units that clocks tick in, in ns.
const UNITS: [u64; 3] = [1, 1_000, 1_000_000];
const MAX_UNIT: u8 = UNITS.len() as u8 - 1;
/// After how many times that were multiples of the next unit it is taken.
const UNIT_RUN: u8 = 6;

/// A time with two predictions, as [`predicted`], counted in the unit in which the slot's clock ticks.
pub(crate) fn time<C: Coder>(
    coder: &mut C,
    slot: &mut Slot,
    magnitudes: &mut Magnitudes,
    guesses: (u64, u64),
    value: u64,
) -> u64 {
    if let Some(value) = guessed(coder, slot, guesses, value) {
        return value;
    }
    let base = nearer(coder, slot, guesses, value);
    while slot.unit > 0 {
        let is_multiple = ticks(base, value, slot.unit).is_some();
        if coder.bit(&mut slot.bits[decision::IS_UNIT], is_multiple) {
            break;
        }
        slot.unit -= 1;
        slot.run = 0;
    }
    let distance = zigzag(ticks(base, value, slot.unit).unwrap_or_default());
    let distance = unzigzag(magnitudes.number(coder, &mut slot.class, distance));
    let unit = UNITS[usize::from(slot.unit)];
    let value = (base - base % unit).wrapping_add((distance as u64).wrapping_mul(unit));
    if slot.unit < MAX_UNIT {
        slot.run = if is_multiple(value, slot.unit + 1) { slot.run + 1 } else { 0 };
        if slot.run >= UNIT_RUN {
            slot.unit += 1;
            slot.run = 0;
        }
    }
    value
}

/// How many units a value is from a base that is rounded down to one; `None` where it is no whole number of them.
fn ticks(base: u64, value: u64, unit: u8) -> Option<i64> {
    // Divisions by what the compiler knows take no division.
    match unit {
        0 => ticks_of::<1>(base, value),
        1 => ticks_of::<1_000>(base, value),
        _ => ticks_of::<1_000_000>(base, value),
    }
}

#[inline]
fn ticks_of<const UNIT: i64>(base: u64, value: u64) -> Option<i64> {
    let distance = value.wrapping_sub(base - base % UNIT as u64) as i64;
    (distance % UNIT == 0).then_some(distance / UNIT)
}

/// Whether a time is a multiple of a unit.
fn is_multiple(value: u64, unit: u8) -> bool {
    match unit {
        0 => true,
        1 => value.is_multiple_of(1_000),
        _ => value.is_multiple_of(1_000_000),
    }
}
