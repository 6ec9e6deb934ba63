//! Rate, errors and duration of spans, by any of their keys.
//!
//! Spans are grouped by what the user asks for (the service, the name, an attribute), and of each group are counted the
//! spans, those that failed, and their durations, as a sum, the shortest, the longest, and a base-2 exponential
//! histogram of what lies between.
//!
//! **Mergeable.** What is counted depends on which spans there were, and on nothing else: not on their order, not on
//! how they were cut into batches. Everything is an integer; a sum of nanoseconds ends at 2^64 - 1, wherever it would
//! pass it; the scale of a histogram is the finest at which its durations take no more than 160 buckets, and the bucket
//! of a duration is exact ([`buckets`]); groups stand in the order of their keys. So `red(a + b)` is `red(a)` merged
//! with `red(b)`, byte for byte.
//!
//! **How.** The keys of spans become the numbers of groups ([`grouping`]). One pass counts everything but the
//! histograms. Then the shortest and longest duration of each group tell the scale and the place of its buckets, and a
//! second pass counts into them: no bucket is ever moved or halved. The other way, to keep buckets while the range
//! grows and to halve them when it gets too wide, is what a meter has to do, which sees each measurement once.
//!
//! **What counts.** A duration is the end less the start, in nanoseconds, as integers; where the end lies before the
//! start it is 0, as in the Collector's [span metrics connector],
//! and counted as `reversed`. A span failed when its status code is 2, `STATUS_CODE_ERROR`.
//!
//! [span metrics connector]:
//! https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector

mod buckets;
mod count;
mod error;
mod grouping;
mod key;
mod merge;
mod metrics;
mod quantile;
mod resolve;

pub use buckets::{MAX_BUCKETS, MAX_SCALE};
pub use error::RedError;
pub use key::{Codes, GroupKey, Key, KeyColumn};

use count::{Place, Tallies, count_buckets};
use std::ops::Range;

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
    /// [`RedError::TooManyGroups`] where there are more than `max_groups`.
    ///
    /// # Panics
    /// Where columns are not of the same length, or a code is not the place of a value.
    pub fn count(spans: Spans<'_>, keys: Vec<KeyColumn<'_>>, max_groups: usize) -> Result<Self, RedError> {
        let grouping = grouping::group(&keys, spans.scope, max_groups)?;
        let tallies = Tallies::count(spans, &grouping.groups, grouping.first_spans.len());
        let of_groups = keys.into_iter().map(|key| {
            let firsts = grouping.first_spans.iter().map(|&span| span as usize);
            let codes = match key.codes {
                Codes::BySpan(codes) => firsts.map(|span| codes[span]).collect(),
                Codes::ByScope(codes) => firsts.map(|span| codes[spans.scope[span] as usize]).collect(),
            };
            (key.name, codes, key.values)
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

#[cfg(test)]
mod tests;
