//! What is decided again and again, each with probabilities of its own: trees of decisions, numbers, distances.

use crate::coder::{Bit, Coder};
use crate::journal::Journaled;
use otlp_wire::varint::{unzigzag, zigzag};

/// A tree's decisions.
pub(crate) type Tree = Journaled<Bit>;

/// A value of `width` bits, its highest bit first, by the tree whose root is at `base + 1`.
#[inline]
pub(crate) fn high_first<C: Coder>(coder: &mut C, tree: &mut Tree, base: usize, width: u32, value: u32) -> u32 {
    let mut node = 1;
    for at in (0..width).rev() {
        let bit = coder.bit(tree.change(base + node), value >> at & 1 == 1);
        node = node << 1 | usize::from(bit);
    }
    (node - (1 << width)) as u32
}

/// A place in a table that grows, its lowest bit first: what was learned stays right when the table needs another bit.
pub(crate) fn low_first<C: Coder>(coder: &mut C, tree: &mut Tree, width: u32, value: u32) -> u32 {
    while tree.len() < 1 << width {
        tree.push(Bit::default());
    }
    let mut result = 0;
    for at in 0..width {
        let node = (1 << at) | result as usize;
        let bit = coder.bit(tree.change(node), value >> at & 1 == 1);
        result |= u32::from(bit) << at;
    }
    result
}

/// How many bits the places of a table of `len` take.
pub(crate) fn place_width(len: usize) -> u32 {
    usize::BITS - len.saturating_sub(1).leading_zeros()
}

/// Classes of magnitude: how many bits a number has, the last one for all that have 63 or more.
const CLASS_WIDTH: u32 = 6;
const MAX_CLASS: u32 = (1 << CLASS_WIDTH) - 1;
/// The bits behind a number's highest that are decisions, as they often recur.
const LEADING: u32 = 2;
/// The decisions of one tree of magnitudes: of the class, then of the leading bits of each class.
const MAGNITUDE_LEN: usize = (1 << CLASS_WIDTH) + ((1 << CLASS_WIDTH) << LEADING);
/// How many trees of magnitudes there are, by how large the number was last time.
const CONTEXTS: usize = 6;

/// The trees of magnitudes that [`magnitude`] needs.
pub(crate) fn magnitudes() -> Tree {
    magnitude_trees(CONTEXTS)
}

/// So many trees of magnitudes.
pub(crate) fn magnitude_trees(count: usize) -> Tree {
    let mut tree = Tree::default();
    for _ in 0..count * MAGNITUDE_LEN {
        tree.push(Bit::default());
    }
    tree
}

/// Which of the trees a number belongs to whose predecessor had this class.
fn context(class: u8) -> usize {
    usize::from(class.div_ceil(6)).min(CONTEXTS - 1)
}

/// A number of which only the magnitude can be guessed, from its predecessor's `class`.
pub(crate) fn magnitude<C: Coder>(coder: &mut C, tree: &mut Tree, class: &mut u8, value: u64) -> u64 {
    let tree_number = context(*class);
    let value = magnitude_by(coder, tree, tree_number, value);
    *class = class_of(value) as u8;
    value
}

fn class_of(value: u64) -> u32 {
    (u64::BITS - value.leading_zeros()).min(MAX_CLASS)
}

/// A number of which only the magnitude can be guessed, by one of several trees.
pub(crate) fn magnitude_by<C: Coder>(coder: &mut C, tree: &mut Tree, tree_number: usize, value: u64) -> u64 {
    let base = tree_number * MAGNITUDE_LEN;
    let class = high_first(coder, tree, base, CLASS_WIDTH, class_of(value));
    match class {
        0 => 0,
        1 => 1,
        MAX_CLASS => coder.bits(64, value),
        _ => {
            let rest = class - 1;
            let leading = rest.min(LEADING);
            let plain = rest - leading;
            let node = base + (1 << CLASS_WIDTH) + ((class as usize) << LEADING);
            let high = (value >> plain) as u32 & ((1 << leading) - 1);
            let high = u64::from(high_first(coder, tree, node, leading, high));
            let low = coder.bits(plain, value & ((1 << plain) - 1));
            1 << rest | high << plain | low
        }
    }
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
    tree: &mut Tree,
    (first, second): (u64, u64),
    value: u64,
) -> u64 {
    if coder.bit(&mut slot.bits[decision::IS_FIRST], value == first) {
        return first;
    }
    if first != second && coder.bit(&mut slot.bits[decision::IS_SECOND], value == second) {
        return second;
    }
    let base = nearer(coder, slot, (first, second), value);
    difference(coder, tree, &mut slot.class, base, value)
}

/// A number by how far it is from another.
pub(crate) fn difference<C: Coder>(coder: &mut C, tree: &mut Tree, class: &mut u8, base: u64, value: u64) -> u64 {
    let distance = magnitude(coder, tree, class, zigzag(value.wrapping_sub(base) as i64));
    base.wrapping_add(unzigzag(distance) as u64)
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
/// After how many times that were multiples of the next unit it is taken.
const UNIT_RUN: u8 = 6;

/// A time with two predictions, as [`predicted`], counted in the unit in which the slot's clock ticks.
pub(crate) fn time<C: Coder>(
    coder: &mut C,
    slot: &mut Slot,
    tree: &mut Tree,
    (first, second): (u64, u64),
    value: u64,
) -> u64 {
    if coder.bit(&mut slot.bits[decision::IS_FIRST], value == first) {
        return first;
    }
    if first != second && coder.bit(&mut slot.bits[decision::IS_SECOND], value == second) {
        return second;
    }
    let base = nearer(coder, slot, (first, second), value);
    while slot.unit > 0 {
        let is_multiple = ticks(base, value, UNITS[usize::from(slot.unit)]).is_some();
        if coder.bit(&mut slot.bits[decision::IS_UNIT], is_multiple) {
            break;
        }
        slot.unit -= 1;
        slot.run = 0;
    }
    let unit = UNITS[usize::from(slot.unit)];
    let distance = zigzag(ticks(base, value, unit).unwrap_or_default());
    let distance = unzigzag(magnitude(coder, tree, &mut slot.class, distance));
    let value = (base - base % unit).wrapping_add((distance as u64).wrapping_mul(unit));
    if let Some(next) = UNITS.get(usize::from(slot.unit) + 1) {
        slot.run = if value % next == 0 { slot.run + 1 } else { 0 };
        if slot.run >= UNIT_RUN {
            slot.unit += 1;
            slot.run = 0;
        }
    }
    value
}

/// How many units a value is from a base that is rounded down to one; `None` where it is no whole number of them.
fn ticks(base: u64, value: u64, unit: u64) -> Option<i64> {
    let distance = value.wrapping_sub(base - base % unit) as i64;
    (distance % unit as i64 == 0).then_some(distance / unit as i64)
}
