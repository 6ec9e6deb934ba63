//! Which bucket of a base-2 exponential histogram a duration belongs to, exactly.
//!
//! At scale `s` the base is `2^(2^-s)`, and bucket `i` holds what is above `base^i` and not above `base^(i + 1)`
//! (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>). Durations come in nanoseconds
//! and are counted in seconds, the unit that the semantic conventions ask for, so that a histogram can leave as it is:
//! bucket 0 begins at one second.
//!
//! The bucket at a scale is the bucket at the next finer one, halved: merging pairs loses nothing. So one index says it
//! all, that at scale 20, and [`index`] gives it without error. A logarithm in floating point is a bucket off now and
//! then near a boundary, and then another machine would give another histogram. Here it only settles what lies clearly
//! inside a bucket, which is nearly everything; integers of 128 bits settle the rest.
//!
//! Few histograms are that fine: where the longest duration is more than an eighth above the shortest, the scale is 10
//! or below. For these there is a [`Table`], which takes one look-up, one addition and one shift.

use std::sync::LazyLock;

/// The finest scale, as the SDKs have it.
pub const MAX_SCALE: u32 = 20;

/// The most buckets of a histogram, as the SDKs have it.
pub const MAX_BUCKETS: usize = 160;

/// The index at [`MAX_SCALE`] of a duration in nanoseconds that is not 0.
#[inline(never)] // so that loops which seldom come here keep their registers
pub(super) fn index(duration: u64) -> i32 {
    const LOG2_NANOSECONDS: f64 = 29.897_352_853_986_263;
    const BUCKETS_PER_OCTAVE: f64 = (1 << MAX_SCALE) as f64;
    /// How near to a boundary, in widths of a bucket, the logarithm is not trusted. The worst library errs by a
    /// thousandth of it.
    const DOUBT: f64 = 1e-3;
    let position = ((duration as f64).log2() - LOG2_NANOSECONDS) * BUCKETS_PER_OCTAVE;
    let truncated = position as i32;
    let floor = truncated - i32::from(position < f64::from(truncated));
    let inside = position - f64::from(floor);
    if inside > DOUBT && inside < 1.0 - DOUBT { floor } else { exact_index(duration) }
}

/// The same without a logarithm: each squaring of a number gives one bit of its own.
///
/// A bit would be wrong where a duration lies nearer to a boundary than the 2^-126 of it that is lost here. The nearest
/// that 64 bits can lie is 2^-83, but for those that lie on it, which are powers of two of seconds.
#[cold]
fn exact_index(duration: u64) -> i32 {
    /// 10^9 is 2^9 times this.
    const ODD_PART: u64 = 1_953_125;
    /// 2^157 / 10^9, rounded down, as 128 significant bits.
    const INVERSE: u128 = {
        let (whole, rest) = ((1 << 127) / ODD_PART as u128, (1 << 127) % ODD_PART as u128);
        (whole << 21) + (rest << 21) / ODD_PART as u128
    };
    if duration >> duration.trailing_zeros() == ODD_PART {
        return ((duration.trailing_zeros() as i32 - 9) << MAX_SCALE) - 1;
    }
    let zeros = duration.leading_zeros();
    // A mantissa from 1 to 2, of which the topmost bit is the one; times 2^exponent it is the duration in seconds.
    let mut mantissa = multiply_high(u128::from(duration) << (64 + zeros), INVERSE);
    let carry = (mantissa >> 127) as i32;
    mantissa <<= 1 - carry;
    let exponent = 63 - zeros as i32 - 30 + carry;
    (0..MAX_SCALE).fold(exponent, |index, _| {
        let square = multiply_high(mantissa, mantissa);
        let carry = (square >> 127) as i32;
        mantissa = square << (1 - carry);
        2 * index + carry
    })
}

/// The upper half of a product of 256 bits.
fn multiply_high(left: u128, right: u128) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (high, low) = (left >> 64, left & LOW);
    let (right_high, right_low) = (right >> 64, right & LOW);
    let crossed = high * right_low + ((low * right_low) >> 64);
    let other = low * right_high + (crossed & LOW);
    high * right_high + (crossed >> 64) + (other >> 64)
}

/// How far a position is shifted to the right to give the index at a scale.
pub(super) const fn position_shift(scale: u32) -> u32 {
    MANTISSA_BITS - scale
}

/// The position of the duration whose index at [`MAX_SCALE`] is this.
pub(super) fn position(index: i32) -> i64 {
    i64::from(index) << position_shift(MAX_SCALE)
}

/// The indexes of the coarser scales, from the bits of a double.
///
/// These bits, taken as an integer, are a logarithm already, one that is straight between powers of two: the exponent
/// stands above the mantissa. What has to be added to make its first bits those of the true one is in the table, for
/// each of 2048 cells of the mantissa. A cell is narrower than a bucket, so one number is right for all of it: it makes
/// the sum carry into the index just where the next bucket begins.
pub(super) struct Table {
    corrections: [i64; CELLS],
}

const MANTISSA_BITS: u32 = 52;
/// With twice as many cells as buckets in an octave, even the last of a cell is narrower than the first bucket.
const CELLS: usize = 2 << Table::SCALE;
const CELL_SHIFT: u32 = MANTISSA_BITS - Table::SCALE - 1;

impl Table {
    /// The finest scale that it has.
    pub(super) const SCALE: u32 = 10;

    /// The longest duration that it has, in nanoseconds; 104 days. All below are the same as a double.
    pub(super) const LONGEST: u64 = (1 << 53) - 1;

    /// The table, made when it is first asked for.
    pub(super) fn shared() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(Table::new);
        &TABLE
    }

    fn new() -> Self {
        /// The exponent of a double whose mantissa are the lowest bits of an integer: 52, and 1023 that are added to
        /// all.
        const EXPONENT: i64 = (MANTISSA_BITS as i64 + 1023) << MANTISSA_BITS;
        let index_of = |mantissa: u64| i64::from(index(1 << MANTISSA_BITS | mantissa) >> (MAX_SCALE - Self::SCALE));
        let corrections = std::array::from_fn(|cell| {
            let start = (cell as u64) << CELL_SHIFT;
            let index = index_of(start);
            // The last of the cell that is in the bucket of the first.
            let last = (0..CELL_SHIFT).rev().fold(start, |last, bit| {
                let further = last | 1 << bit;
                if index_of(further) == index { further } else { last }
            });
            // Without a boundary in the cell, its start is the start of a bucket as well as any.
            let is_whole = last == start | ((1 << CELL_SHIFT) - 1);
            let (next, first) = if is_whole { (index, start) } else { (index + 1, last + 1) };
            (next << (MANTISSA_BITS - Self::SCALE)) - first as i64 - EXPONENT
        });
        Self { corrections }
    }

    /// The position of a duration between 1 and [`Table::LONGEST`]: right down to the index at [`Table::SCALE`].
    #[inline(always)]
    pub(super) fn position(&self, duration: u64) -> i64 {
        // A signed integer becomes a double in one instruction, an unsigned one in many.
        let bits = (duration as i64 as f64).to_bits();
        (bits as i64).wrapping_add(self.corrections[(bits >> CELL_SHIFT) as usize % CELLS])
    }
}

/// The finest scale at which the buckets from one index to another, both at `scale`, are no more than [`MAX_BUCKETS`].
pub(super) fn fitting_scale(scale: u32, first: i32, last: i32) -> u32 {
    let mut shift = 0;
    while (last >> shift).abs_diff(first >> shift) as usize >= MAX_BUCKETS {
        shift += 1;
    }
    scale - shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A mantissa of 512 bits, topmost first, between 1 and 2; what it stands for is not below it and below the next
    /// one.
    type Wide = [u32; 16];

    /// The upper half of the square, rounded down or up.
    fn square(of: &Wide, up: bool) -> Wide {
        let mut product = [0u64; 32];
        for (place, &left) in of.iter().enumerate() {
            let mut carry = 0;
            for (other, &right) in of.iter().enumerate().rev() {
                let sum = product[place + other + 1] + u64::from(left) * u64::from(right) + carry;
                product[place + other + 1] = sum & 0xffff_ffff;
                carry = sum >> 32;
            }
            // Rows come from the topmost on, so that what is carried may run on.
            let mut above = place;
            product[above] += carry;
            while product[above] > 0xffff_ffff {
                product[above] &= 0xffff_ffff;
                above -= 1;
                product[above] += 1;
            }
        }
        let mut half: Wide = std::array::from_fn(|place| product[place] as u32);
        if up {
            add_one(&mut half);
        }
        half
    }

    fn add_one(number: &mut Wide) {
        for digit in number.iter_mut().rev() {
            *digit = digit.wrapping_add(1);
            if *digit != 0 {
                return;
            }
        }
        panic!("no room above");
    }

    fn double(number: &mut Wide, up: bool) {
        let mut carry = u32::from(up);
        for digit in number.iter_mut().rev() {
            (*digit, carry) = (*digit << 1 | carry, *digit >> 31);
        }
    }

    /// The binary logarithm by long division and squaring, once rounded down all the way and once up: what the two
    /// agree on is so.
    fn bit_by_bit(duration: u64) -> i32 {
        let both = [false, true].map(|up| {
            let mut mantissa: Wide = [0; 16];
            let (mut exponent, mut rest) = (0, u128::from(duration));
            while rest < 1_000_000_000 {
                (rest, exponent) = (rest << 1, exponent - 1);
            }
            let mut divisor = 1_000_000_000u128;
            while rest >= divisor << 1 {
                (divisor, exponent) = (divisor << 1, exponent + 1);
            }
            for place in 0..512 {
                let bit = u32::from(rest >= divisor);
                rest = (rest - divisor * u128::from(bit)) << 1;
                mantissa[place / 32] |= bit << (31 - place % 32);
            }
            if rest == 0 && mantissa[0] == 1 << 31 && mantissa[1..].iter().all(|&digit| digit == 0) {
                return (exponent << MAX_SCALE) - 1;
            }
            if up {
                add_one(&mut mantissa);
            }
            (0..MAX_SCALE).fold(exponent, |index, _| {
                mantissa = square(&mantissa, up);
                let carry = (mantissa[0] >> 31) as i32;
                if carry == 0 {
                    double(&mut mantissa, up);
                }
                2 * index + carry
            })
        });
        assert_eq!(both[0], both[1], "512 bits settle it");
        both[0]
    }

    /// Durations of every length.
    fn durations() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0..64u32).prop_map(|(bits, shift)| (bits | 1 << 63) >> shift)
    }

    /// The last duration of a bucket at scale 20, and the first of the next.
    fn around_a_boundary(duration: u64) -> [u64; 2] {
        let bucket = bit_by_bit(duration);
        let (mut inside, mut outside) = (duration, duration.saturating_add(duration >> 19).saturating_add(1));
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2;
            if bit_by_bit(middle) == bucket { inside = middle } else { outside = middle }
        }
        [inside, outside]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn index_is_that_of_arithmetic_with_512_bits(duration in durations()) {
            prop_assert_eq!(exact_index(duration), bit_by_bit(duration));
            prop_assert_eq!(index(duration), bit_by_bit(duration));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]

        #[test]
        fn boundaries_lie_where_arithmetic_with_512_bits_has_them(duration in durations()) {
            for near in around_a_boundary(duration) {
                prop_assert_eq!(exact_index(near), bit_by_bit(near));
                prop_assert_eq!(index(near), bit_by_bit(near));
            }
        }
    }

    proptest! {
        #[test]
        fn table_has_the_same_indexes(
            duration in durations(),
            cell in 0..CELLS as u64,
            scale in 1..=Table::SCALE,
        ) {
            let start = 1 << MANTISSA_BITS | cell << CELL_SHIFT;
            let found = exact_index(start) >> (MAX_SCALE - Table::SCALE);
            // The last one in the bucket of the cell's first, by halving, and the one behind it.
            let (mut inside, mut outside) = (start, start + (2 << CELL_SHIFT));
            while outside - inside > 1 {
                let middle = inside + (outside - inside) / 2;
                let is_inside = exact_index(middle) >> (MAX_SCALE - Table::SCALE) == found;
                *if is_inside { &mut inside } else { &mut outside } = middle;
            }
            let shifted = [inside >> (duration % 53), outside >> (duration % 53)];
            for duration in [start, inside, outside, duration].into_iter().chain(shifted) {
                let duration = duration.clamp(1, Table::LONGEST);
                let index = Table::shared().position(duration) >> position_shift(scale);
                prop_assert_eq!(index, i64::from(exact_index(duration) >> (MAX_SCALE - scale)), "{}", duration);
            }
        }
    }

    #[test]
    fn powers_of_two_end_their_buckets() {
        for power in -9..=34 {
            let seconds = if power < 0 { 1_000_000_000 >> -power } else { 1_000_000_000u64 << power };
            assert_eq!(index(seconds), (power << MAX_SCALE) - 1, "2^{power} s");
            assert_eq!(index(seconds + 1), power << MAX_SCALE, "just above 2^{power} s");
        }
    }

    #[test]
    fn all_of_u64_fits_at_scale_1() {
        assert_eq!(fitting_scale(MAX_SCALE, index(1), index(u64::MAX)), 1);
    }

    #[test]
    fn scale_is_the_finest_that_fits() {
        assert_eq!(fitting_scale(20, 5, 5), 20);
        assert_eq!(fitting_scale(20, -100, 59), 20, "160 buckets");
        assert_eq!(fitting_scale(20, -100, 60), 19, "161 buckets");
        assert_eq!(fitting_scale(20, 1, 320), 18, "0 to 160 at the next scale");
        assert_eq!(fitting_scale(20, 0, 319), 19, "0 to 159 at the next scale");
    }
}
