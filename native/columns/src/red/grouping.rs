//! From the keys of spans to the numbers of their groups.
//!
//! Keys are folded two by two: a pair of numbers (the group so far, the place of the next key's value) becomes the
//! number of a smaller group. Where there are not many more possible pairs than spans, the pair is a place in a table;
//! where there are, it is looked up by its hash. What spans have from their scope is folded scope by scope first, so
//! that it costs a span one look-up, however many keys there are.

use super::RedError;
use super::buckets::MAX_BUCKETS;
use super::key::{Codes, KeyColumn};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::BuildHasher;

/// With so many groups the number of a bucket still fits into 32 bits.
pub(super) const MAX_GROUPS: usize = u32::MAX as usize / MAX_BUCKETS;

/// Spans by their groups.
pub(super) struct Grouping {
    /// The group of each span.
    pub(super) groups: Vec<u32>,
    /// The first span of each group.
    pub(super) first_spans: Vec<u32>,
}

/// Groups spans by their keys; `scopes` has the scope of each span.
pub(super) fn group(keys: &[KeyColumn<'_>], scopes: &[u32], max_groups: usize) -> Result<Grouping, RedError> {
    let scope_count = scopes.iter().max().map_or(0, |&last| last as usize + 1);
    let mut of_scope = Grouping { groups: vec![0; scope_count], first_spans: vec![0] };
    let mut by_span = Vec::new();
    for key in keys {
        match &key.codes {
            Codes::BySpan(codes) => by_span.push((&codes[..], key.values.len())),
            Codes::ByScope(codes) => {
                let counts = (of_scope.first_spans.len(), key.values.len());
                of_scope = fold(of_scope.groups.iter().copied().zip(codes.iter().copied()), counts, usize::MAX)?;
            }
        }
    }
    let lefts = scopes.iter().map(|&scope| of_scope.groups[scope as usize]);
    let left_count = of_scope.first_spans.len();
    let Some((&(first, count), others)) = by_span.split_first() else {
        return fold(lefts.zip(std::iter::repeat(0)), (left_count, 1), max_groups);
    };
    let mut grouping = fold(lefts.zip(first.iter().copied()), (left_count, count), max_groups)?;
    for &(codes, count) in others {
        let counts = (grouping.first_spans.len(), count);
        grouping = fold(grouping.groups.iter().copied().zip(codes.iter().copied()), counts, max_groups)?;
    }
    Ok(grouping)
}

/// Numbers the pairs of all rows in the order in which they turn up. `counts` says below what the two numbers of a pair
/// lie.
#[inline(never)] // alone it has the registers for its loop
fn fold(
    pairs: impl Iterator<Item = (u32, u32)>,
    counts: (usize, usize),
    max_groups: usize,
) -> Result<Grouping, RedError> {
    let rows = pairs.size_hint().0;
    let mut groups: Vec<u32> = Vec::new();
    let mut first_spans = Vec::new();
    let mut new_group = |row: usize| {
        first_spans.push(row as u32);
        first_spans.len() as u32 - 1
    };
    let places = pairs.enumerate();
    match counts.0.checked_mul(counts.1) {
        Some(possible) if possible <= 2 * rows + 0x1000 => {
            const NONE: u32 = u32::MAX;
            let mut table = vec![NONE; possible];
            groups.extend(places.map(|(row, (left, right))| {
                let known = &mut table[left as usize * counts.1 + right as usize];
                if *known == NONE {
                    *known = new_group(row);
                }
                *known
            }));
        }
        _ => {
            // Seeded anew for each process: keys come from outside.
            let hasher = RandomState::default();
            let mut table: HashTable<((u32, u32), u32)> = HashTable::new();
            groups.extend(places.map(|(row, pair)| {
                let same = |&(known, _): &((u32, u32), u32)| known == pair;
                match table.entry(hasher.hash_one(pair), same, |&(known, _)| hasher.hash_one(known)) {
                    Entry::Occupied(known) => known.get().1,
                    Entry::Vacant(free) => free.insert((pair, new_group(row))).get().1,
                }
            }));
        }
    }
    if first_spans.len() > max_groups.min(MAX_GROUPS) {
        return Err(RedError::TooManyGroups { max_groups });
    }
    Ok(Grouping { groups, first_spans })
}

#[cfg(test)]
mod tests {
    use super::super::key::Key;
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const SCOPES: usize = 5;

    fn key(by_scope: bool, codes: &[u32], count: usize) -> KeyColumn<'_> {
        let codes = if by_scope { Codes::ByScope(codes[..SCOPES].to_vec()) } else { Codes::BySpan(codes.into()) };
        KeyColumn { name: String::new(), codes, values: (0..count as i64).map(Key::Int).collect() }
    }

    proptest! {
           /// With many values that spans do not have, pairs are hashed; with few they are places in a table.
           #[test]
           fn spans_are_in_one_group_where_all_keys_are_the_same(
               scopes in prop::collection::vec(0..SCOPES as u32, 0..100),
               codes in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(0..4u32, 100), prop_oneof![Just(4usize), Just(100_000)]),
                0..5,
            ),
           ) {
               let keys: Vec<_> = codes.iter().map(|(by_scope, codes, count)| key(*by_scope, codes, *count)).collect();
               let grouping = group(&keys, &scopes, 1_000).unwrap();
               let mut groups = HashMap::new();
               for (span, &scope) in scopes.iter().enumerate() {
                   let values: Vec<u32> = codes
                       .iter()
                       .map(|(by_scope, codes, _)| codes[if *by_scope { scope as usize } else { span }])
                       .collect();
                   let next = groups.len() as u32;
                   let &mut (expected, first) = groups.entry(values).or_insert((next, span as u32));
                   prop_assert_eq!(grouping.groups[span], expected);
                   prop_assert_eq!(grouping.first_spans[expected as usize], first);
               }
               prop_assert_eq!(grouping.first_spans.len(), groups.len());
           }

           #[test]
           fn one_group_more_than_the_limit_is_refused(
            groups in 1..50usize,
            count in prop_oneof![Just(50usize), Just(100_000)],
        ) {
               let codes: Vec<u32> = (0..groups as u32).chain(0..groups as u32).collect();
               let scopes = vec![0; codes.len()];
               let keys = [KeyColumn {
    name: String::new(), codes: Codes::BySpan((&codes).into()), values: vec![Key::Absent; count] }];
               prop_assert_eq!(group(&keys, &scopes, groups).map(|grouping| grouping.first_spans.len()), Ok(groups));
               let max_groups = groups - 1;
               let refused = group(&keys, &scopes, max_groups).map(|_| ());
            prop_assert_eq!(refused, Err(RedError::TooManyGroups { max_groups }));
           }
       }
}
