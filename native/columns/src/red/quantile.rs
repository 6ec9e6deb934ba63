//! Quantiles, from buckets.

use super::{Group, Red};

impl Red {
    /// The duration that a share `q` of the group's spans, from 0 to 1, does not exceed, in ns: an estimate of the
    /// shortest one for which that is so.
    ///
    /// It is off by no more than `(base - 1) / (base + 1)` of what it stands for, `base` being `2^(2^-scale)`: 1.1 % at
    /// scale 5, where the longest duration is up to 32 times the shortest, 2.2 % at scale 4, 4.4 % at scale 3, 8.7 % at
    /// scale 2, and 17.2 % at scale 1, which is the coarsest that there is. The shortest and the longest are exact.
    pub fn quantile(&self, group: &Group, q: f64) -> f64 {
        let rank = ((q * group.count as f64).ceil() as u64).clamp(1, group.count.max(1));
        if rank == 1 {
            return group.min as f64;
        }
        if rank == group.count {
            return group.max as f64;
        }
        let mut below = group.zero_count;
        if rank <= below {
            return 0.0;
        }
        let mut index = group.offset;
        for &count in self.buckets_of(group) {
            below = below.saturating_add(count);
            if rank <= below {
                break;
            }
            index += 1;
        }
        let bound = |index: i32| 1e9 * (f64::from(index) / f64::from(1 << group.scale)).exp2();
        let (lower, upper) = (bound(index), bound(index + 1));
        // Of all numbers between the two, this is off by the least part of what it stands for.
        (2.0 * lower * upper / (lower + upper)).clamp(group.min as f64, group.max as f64)
    }
}
