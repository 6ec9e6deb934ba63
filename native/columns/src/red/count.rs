//! The two passes over spans: everything but histograms, then the buckets.

use super::buckets::{MAX_SCALE, Table, fitting_scale, index, position, position_shift};
use super::{Group, Spans};

/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;

/// What is counted without buckets.
pub(super) struct Tallies {
    pub(super) groups: Vec<Tally>,
    pub(super) earliest_start: u64,
    pub(super) latest_end: u64,
}

/// All of a group that does not depend on its scale, but for the count, which is that of its buckets.
#[derive(Clone)]
pub(super) struct Tally {
    errors: u32,
    reversed: u32,
    zero_count: u32,
    sum: u64,
    /// The shortest duration that is not 0; `u64::MAX` where there is none.
    least: u64,
    greatest: u64,
}

impl Tallies {
    /// Counts spans. What is rare stands behind branches, so that most spans cost three words of memory.
    #[inline(never)] // alone it has the registers for its loop
    pub(super) fn count(spans: Spans<'_>, groups: &[u32], group_count: usize) -> Self {
        let empty = Tally { errors: 0, reversed: 0, zero_count: 0, sum: 0, least: u64::MAX, greatest: 0 };
        let mut tallies = vec![empty; group_count];
        // Less 1, so that a start of 0, which is none, comes last.
        let mut before_earliest = u64::MAX;
        let mut latest_end = 0;
        let times = spans.start_time_unix_nano.iter().zip(spans.end_time_unix_nano);
        for ((&group, (&start, &end)), &status) in groups.iter().zip(times).zip(spans.status_code) {
            let tally = &mut tallies[group as usize];
            before_earliest = before_earliest.min(start.wrapping_sub(1));
            latest_end = latest_end.max(end);
            if status == ERROR {
                tally.errors += 1;
            }
            if end <= start {
                tally.zero_count += 1;
                tally.reversed += u32::from(end < start);
                continue;
            }
            let duration = end - start;
            tally.sum = tally.sum.saturating_add(duration);
            if duration < tally.least {
                tally.least = duration;
            }
            if duration > tally.greatest {
                tally.greatest = duration;
            }
        }
        Self { groups: tallies, earliest_start: before_earliest.wrapping_add(1), latest_end }
    }
}

/// Where the durations of a group are counted: the bucket of a position is `origin + (position >> shift)`.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    origin: isize,
    shift: u32,
}

impl Tally {
    /// The group, with buckets from `start` on, and where its durations are counted.
    pub(super) fn begin(&self, start: usize) -> (Group, Place) {
        let mut group = Group {
            count: u64::from(self.zero_count),
            errors: u64::from(self.errors),
            reversed: u64::from(self.reversed),
            sum: self.sum,
            min: if self.zero_count > 0 { 0 } else { self.least },
            max: self.greatest,
            zero_count: u64::from(self.zero_count),
            scale: MAX_SCALE,
            offset: 0,
            buckets: start..start,
        };
        if self.greatest == 0 {
            return (group, Place::default());
        }
        let (first, last) = (index(self.least), index(self.greatest));
        group.scale = fitting_scale(MAX_SCALE, first, last);
        let shift = MAX_SCALE - group.scale;
        group.offset = first >> shift;
        group.buckets.end = start + (last >> shift).abs_diff(group.offset) as usize + 1;
        // All durations in one bucket, and 0 is the end of one: shifted by all bits, of any position only the sign is
        // left.
        let (shift, offset) =
            if first == last { (63, first >> 31) } else { (position_shift(group.scale), group.offset) };
        (group, Place { origin: start as isize - offset as isize, shift })
    }
}

impl Place {
    /// The bucket of a span, `none` where its duration is 0.
    #[inline(always)]
    fn bucket(self, table: &Table, start: u64, end: u64, none: usize) -> usize {
        // One comparison for all that is rare: what ends before it starts wraps to a very long time, and so does 0 less
        // 1.
        let duration = end.wrapping_sub(start);
        if duration.wrapping_sub(1) < Table::LONGEST && self.shift >= position_shift(Table::SCALE) {
            self.at(table.position(duration))
        } else {
            self.rare_bucket(end.saturating_sub(start), none)
        }
    }

    #[inline(never)] // so that the loop keeps its registers
    fn rare_bucket(self, duration: u64, none: usize) -> usize {
        if duration == 0 { none } else { self.at(position(index(duration))) }
    }

    #[inline(always)]
    fn at(self, position: i64) -> usize {
        self.origin.wrapping_add(position.wrapping_shr(self.shift) as isize) as usize
    }
}

/// Counts the durations of all groups into their buckets.
///
/// Counting takes a byte for each bucket, so that the buckets of many groups stay in the cache, and notes where a byte
/// ran over. Buckets are found for many spans and then counted: a processor that does both at once waits for each
/// bucket before it looks for the next one, as it cannot know that they are in different places.
#[inline(never)]
pub(super) fn count_buckets(spans: Spans<'_>, groups: &[u32], places: &[Place], buckets: usize) -> Vec<u64> {
    const SPANS_AT_ONCE: usize = 1024;
    let table = Table::shared();
    // Durations of 0 have no bucket, and are counted behind the last one.
    let mut bytes = vec![0u8; buckets + 1];
    let mut ran_over = Vec::new();
    let mut found = [0; SPANS_AT_ONCE];
    let starts = spans.start_time_unix_nano.chunks(SPANS_AT_ONCE);
    let ends = spans.end_time_unix_nano.chunks(SPANS_AT_ONCE);
    for ((groups, starts), ends) in groups.chunks(SPANS_AT_ONCE).zip(starts).zip(ends) {
        for (((found, &group), &start), &end) in found.iter_mut().zip(groups).zip(starts).zip(ends) {
            *found = places[group as usize].bucket(table, start, end, buckets) as u32;
        }
        for &bucket in &found[..groups.len()] {
            let (count, over) = bytes[bucket as usize].overflowing_add(1);
            bytes[bucket as usize] = count;
            if over {
                ran_over.push(bucket as usize);
            }
        }
    }
    bytes.truncate(buckets);
    let mut counts: Vec<u64> = bytes.into_iter().map(u64::from).collect();
    for bucket in ran_over.into_iter().filter(|&bucket| bucket < buckets) {
        counts[bucket] += 1 << u8::BITS;
    }
    counts
}
