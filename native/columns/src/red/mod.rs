//! Rate, errors and duration of spans, by any of their keys.
//!
//! Spans are grouped by what the user asks for (the service, the name, an attribute), and of each group are counted the spans, those
//! that failed, and their durations, as a sum, the shortest, the longest, and a base-2 exponential histogram of what lies
//! between.
//!
//! **Mergeable.** What is counted depends on which spans there were, and on nothing else: not on their order, not on how they were
//! cut into batches. Everything is an integer; a sum of nanoseconds ends at 2^64 - 1, wherever it would pass it; the scale of a
//! histogram is the finest at which its durations take no more than 160 buckets, and the bucket of a duration is exact
//! ([`buckets`]); groups stand in the order of their keys. So `red(a + b)` is `red(a)` merged with `red(b)`, byte for byte.
//!
//! **How.** The keys of spans become the numbers of groups ([`grouping`]). One pass counts everything but the histograms. Then the
//! shortest and longest duration of each group tell the scale and the place of its buckets, and a second pass counts into them:
//! no bucket is ever moved or halved. The other way, to keep buckets while the range grows and to halve them when it
//! gets too wide, is what a meter has to do, which sees each measurement once.
//!
//! **What counts.** A duration is the end less the start, in nanoseconds, as integers; where the end lies before the start it
//! is 0, as in the Collector's
//! [span metrics](https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector),
//! and counted as `reversed`. A span failed when its status code is 2, `STATUS_CODE_ERROR`.

mod buckets;
mod grouping;
mod key;
mod merge;

pub use buckets::{MAX_BUCKETS, MAX_SCALE};
pub use key::{Codes, GroupKey, Key, KeyColumn};

use buckets::{Table, fitting_scale, index, position, position_shift};
use std::fmt;
use std::ops::Range;

/// `STATUS_CODE_ERROR`.
const ERROR: i32 = 2;

/// The columns of spans that are counted, all of the same length.
#[derive(Clone, Copy, Debug)]
pub struct Spans<'a> {
    /// The row of each span's scope.
    pub scope: &'a [u32],
    /// In nanoseconds since the epoch.
    pub start_time_unix_nano: &'a [u64],
    /// In nanoseconds since the epoch.
    pub end_time_unix_nano: &'a [u64],
    /// `StatusCode`.
    pub status_code: &'a [i32],
}

/// There are more groups than were allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyGroups {
    /// How many were.
    pub max_groups: usize,
}

impl fmt::Display for TooManyGroups {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the spans have more than {} groups, as many as max_groups allows", self.max_groups)
    }
}

impl std::error::Error for TooManyGroups {}

/// Rate, errors and duration of groups of spans. Equal groups of equal spans are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Red {
    /// The keys, in the order in which they were asked for.
    pub keys: Vec<GroupKey>,
    /// The groups, in the order of their keys.
    pub groups: Vec<Group>,
    /// The buckets of all groups, one behind the other.
    pub buckets: Vec<u64>,
    /// The earliest start of a span, in nanoseconds since the epoch; 0 where none has one.
    pub earliest_start: u64,
    /// The latest end of a span, in nanoseconds since the epoch; 0 where none has one.
    pub latest_end: u64,
}

/// A group of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many spans.
    pub count: u64,
    /// How many of them failed.
    pub errors: u64,
    /// How many of them end before they start.
    pub reversed: u64,
    /// The sum of durations in ns, `u64::MAX` where it would be more.
    pub sum: u64,
    /// The shortest duration in ns.
    pub min: u64,
    /// The longest duration in ns.
    pub max: u64,
    /// How many durations are 0, and so in no bucket.
    pub zero_count: u64,
    /// The scale of the histogram; [`MAX_SCALE`] where there are no buckets.
    pub scale: u32,
    /// The index of the first bucket, in seconds; 0 where there are no buckets.
    pub offset: i32,
    /// Where its buckets lie in [`Red::buckets`]. The first and the last one are not 0.
    pub buckets: Range<usize>,
}

impl Red {
    /// Counts spans by their keys.
    ///
    /// # Errors
    /// There are more groups than `max_groups`.
    ///
    /// # Panics
    /// Where columns are not of the same length, or a code is not the place of a value.
    pub fn count(spans: Spans<'_>, keys: Vec<KeyColumn<'_>>, max_groups: usize) -> Result<Self, TooManyGroups> {
        let grouping = grouping::group(&keys, spans.scope, max_groups)?;
        let tallies = Tallies::count(spans, &grouping.groups, grouping.first_spans.len());
        let of_groups = keys.into_iter().map(|key| {
            let firsts = grouping.first_spans.iter().map(|&span| span as usize);
            let codes = match key.codes {
                Codes::BySpan(codes) => firsts.map(|span| codes[span]).collect(),
                Codes::ByScope(codes) => firsts.map(|span| codes[spans.scope[span] as usize]).collect(),
            };
            (codes, key.values)
        });
        let (keys, order) = key::sort(of_groups.collect(), tallies.groups.len());
        let mut buckets_end = 0;
        let mut places = vec![Place::default(); tallies.groups.len()];
        let groups = order.iter().map(|&group| {
            let group = group as usize;
            let (found, place) = tallies.groups[group].begin(buckets_end);
            buckets_end = found.buckets.end;
            places[group] = place;
            found
        });
        let mut groups: Vec<Group> = groups.collect();
        let buckets = count_buckets(spans, &grouping.groups, &places, buckets_end);
        for group in &mut groups {
            group.count += buckets[group.buckets.clone()].iter().sum::<u64>();
        }
        Ok(Self { keys, groups, buckets, earliest_start: tallies.earliest_start, latest_end: tallies.latest_end })
    }
}

/// What is counted without buckets.
struct Tallies {
    groups: Vec<Tally>,
    earliest_start: u64,
    latest_end: u64,
}

/// All of a group that does not depend on its scale, but for the count, which is that of its buckets.
#[derive(Clone)]
struct Tally {
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
    fn count(spans: Spans<'_>, groups: &[u32], group_count: usize) -> Self {
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
struct Place {
    origin: isize,
    shift: u32,
}

impl Tally {
    /// The group, with buckets from `start` on, and where its durations are counted.
    fn begin(&self, start: usize) -> (Group, Place) {
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
        // All durations in one bucket, and 0 is the end of one: shifted by all bits, of any position only the sign is left.
        let (shift, offset) =
            if first == last { (63, first >> 31) } else { (position_shift(group.scale), group.offset) };
        (group, Place { origin: start as isize - offset as isize, shift })
    }
}

/// Counts the durations of all groups into their buckets.
///
/// Counting takes a byte for each bucket, so that the buckets of many groups stay in the cache, and notes where a byte ran over.
/// Buckets are found for many spans and then counted: a processor that does both at once waits for each bucket before it looks
/// for the next one, as it cannot know that they are in different places.
#[inline(never)]
fn count_buckets(spans: Spans<'_>, groups: &[u32], places: &[Place], buckets: usize) -> Vec<u64> {
    const SPANS_AT_ONCE: usize = 256;
    let table = Table::shared();
    // Durations of 0 have no bucket, and are counted behind the last one.
    let mut bytes = vec![0u8; buckets + 1];
    let mut ran_over = Vec::new();
    let mut found = [0; SPANS_AT_ONCE];
    let starts = spans.start_time_unix_nano.chunks(SPANS_AT_ONCE);
    let ends = spans.end_time_unix_nano.chunks(SPANS_AT_ONCE);
    for ((groups, starts), ends) in groups.chunks(SPANS_AT_ONCE).zip(starts).zip(ends) {
        for (((found, &group), &start), &end) in found.iter_mut().zip(groups).zip(starts).zip(ends) {
            let (duration, place) = (end.saturating_sub(start), places[group as usize]);
            let position = if place.shift >= position_shift(Table::SCALE) && duration <= Table::LONGEST {
                table.position(duration)
            } else {
                position(index(duration))
            };
            let bucket = place.origin.wrapping_add(position.wrapping_shr(place.shift) as isize) as usize;
            *found = if duration == 0 { buckets } else { bucket };
        }
        for &bucket in &found[..groups.len()] {
            let (count, over) = bytes[bucket].overflowing_add(1);
            bytes[bucket] = count;
            if over {
                ran_over.push(bucket);
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
