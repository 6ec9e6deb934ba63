//! Several results as one, as if all their spans had been counted together.

use super::buckets::{MAX_SCALE, fitting_scale};
use super::grouping::MAX_GROUPS;
use super::{Group, Red, RedError, key};

impl Red {
    /// Merges results that were grouped by the same keys; no results give no groups.
    ///
    /// # Errors
    /// [`RedError::DifferentKeys`], or [`RedError::TooManyGroups`] where there are more than `max_groups`.
    pub fn merge(parts: &[&Self], max_groups: usize) -> Result<Self, RedError> {
        let names = |part: &Self| part.keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        let key_names = parts.first().map_or(Vec::new(), |first| names(first));
        if parts.iter().any(|part| names(part) != key_names) {
            return Err(RedError::DifferentKeys);
        }
        let group_count = parts.iter().map(|part| part.groups.len()).sum();
        let keys = key_names.into_iter().enumerate().map(|(place, name)| {
            let (mut codes, mut values) = (Vec::with_capacity(group_count), Vec::new());
            for part in parts {
                let key = &part.keys[place];
                codes.extend(key.codes.iter().map(|code| code + values.len() as u32));
                values.extend(key.values.iter().map(key::Key::borrow));
            }
            (name, codes, values)
        });
        let (mut keys, order) = key::sort(keys.collect(), group_count);
        let all: Vec<(&Group, &[u64])> =
            parts.iter().flat_map(|part| part.groups.iter().map(|group| (group, part.buckets_of(group)))).collect();
        let mut merged =
            Self { keys: Vec::new(), groups: Vec::new(), buckets: Vec::new(), earliest_start: 0, latest_end: 0 };
        let same_keys = |&left: &usize, &right: &usize| keys.iter().all(|key| key.codes[left] == key.codes[right]);
        let places: Vec<usize> = (0..group_count).collect();
        let mut firsts = Vec::new();
        for run in places.chunk_by(same_keys) {
            if firsts.len() >= max_groups.min(MAX_GROUPS) {
                return Err(RedError::TooManyGroups { max_groups });
            }
            firsts.push(run[0]);
            let run: Vec<_> = run.iter().map(|&place| all[order[place] as usize]).collect();
            merged.push(&run);
        }
        for key in &mut keys {
            key.codes = firsts.iter().map(|&first| key.codes[first]).collect();
        }
        merged.keys = keys;
        merged.earliest_start =
            parts.iter().map(|part| part.earliest_start).filter(|&start| start > 0).min().unwrap_or(0);
        merged.latest_end = parts.iter().map(|part| part.latest_end).max().unwrap_or(0);
        Ok(merged)
    }

    /// The buckets of one of its groups.
    pub fn buckets_of(&self, group: &Group) -> &[u64] {
        &self.buckets[group.buckets.clone()]
    }

    /// Adds a group of what groups with equal keys, each with its buckets, have together.
    fn push(&mut self, parts: &[(&Group, &[u64])]) {
        let total = |of: fn(&Group) -> u64| parts.iter().map(|(part, _)| of(part)).fold(0, u64::saturating_add);
        let start = self.buckets.len();
        let mut group = Group {
            count: total(|part| part.count),
            errors: total(|part| part.errors),
            reversed: total(|part| part.reversed),
            sum: total(|part| part.sum),
            min: parts.iter().map(|(part, _)| part.min).min().unwrap_or(0),
            max: parts.iter().map(|(part, _)| part.max).max().unwrap_or(0),
            zero_count: total(|part| part.zero_count),
            scale: MAX_SCALE,
            offset: 0,
            buckets: start..start,
        };
        // The merged scale is none finer than any part's: what is alone too wide for the next scale is so in company.
        let histograms = parts.iter().filter(|(_, buckets)| !buckets.is_empty());
        let scale = histograms.clone().map(|(part, _)| part.scale).min().unwrap_or(MAX_SCALE);
        let ends = |(part, buckets): &(&Group, &[u64])| {
            let shift = part.scale - scale;
            (part.offset >> shift, (part.offset + (buckets.len() as i32 - 1)) >> shift)
        };
        let all_ends = histograms.clone().map(ends).reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        if let Some((first, last)) = all_ends {
            group.scale = fitting_scale(scale, first, last);
            group.offset = first >> (scale - group.scale);
            group.buckets.end += (last >> (scale - group.scale)).abs_diff(group.offset) as usize + 1;
        }
        self.buckets.resize(group.buckets.end, 0);
        for (part, buckets) in histograms {
            let shift = part.scale - group.scale;
            for (index, &count) in (part.offset..).zip(*buckets) {
                let bucket = &mut self.buckets[start + (index >> shift).abs_diff(group.offset) as usize];
                *bucket = bucket.saturating_add(count);
            }
        }
        self.groups.push(group);
    }
}
