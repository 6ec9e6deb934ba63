//! What is counted, against counting span by span; and that nothing depends on order or batches.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
struct Span {
    scope: u32,
    name: u32,
    start: u64,
    end: u64,
    status: i32,
}

const SERVICES: [&str; 3] = ["cart", "", "checkout"];
const NAMES: [&str; 4] = ["GET /", "POST /", "", "never"];

/// Durations of groups that lie together and of such that do not, none, reversed ones, and the longest there are.
fn spans(most: usize) -> impl Strategy<Value = Vec<Span>> {
    let duration = prop_oneof![
        4 => 1_000_000..1_010_000i128,
        4 => (0..63u32, 0..1000i128).prop_map(|(shift, off)| (1 << shift) + off),
        1 => Just(0),
        1 => -5..0i128,
        1 => Just(i128::from(u64::MAX)),
    ];
    let start = prop_oneof![4 => 1_700_000_000_000_000_000..1_700_000_001_000_000_000u64, 1 => Just(0u64)];
    let span = (0..4u32, 0..3u32, start, duration, -1..4i32).prop_map(|(scope, name, start, duration, status)| {
        let end = (i128::from(start) + duration).clamp(0, i128::from(u64::MAX)) as u64;
        Span { scope, name, start, end, status }
    });
    prop::collection::vec(span, 0..most)
}

fn red(spans: &[Span]) -> Red {
    let of = |get: fn(&Span) -> u64| spans.iter().map(get).collect::<Vec<_>>();
    let scope: Vec<u32> = spans.iter().map(|span| span.scope).collect();
    let names: Vec<u32> = spans.iter().map(|span| span.name).collect();
    let status: Vec<i32> = spans.iter().map(|span| span.status).collect();
    let texts = |texts: &[&'static str]| texts.iter().map(|&text| Key::Text(text.into())).collect();
    let keys = vec![
        // Scope 3 is another one of the first service.
        KeyColumn {
            name: "resource.service.name".into(),
            codes: Codes::ByScope(vec![0, 1, 2, 0]),
            values: texts(&SERVICES),
        },
        KeyColumn { name: "name".into(), codes: Codes::BySpan(names.into()), values: texts(&NAMES) },
    ];
    let (start, end) = (of(|span| span.start), of(|span| span.end));
    let columns = Spans { scope: &scope, start_time_unix_nano: &start, end_time_unix_nano: &end, status_code: &status };
    Red::count(columns, keys, 100).unwrap()
}

/// The buckets of durations at the finest scale at which they fit: the scale, and the counts by their index.
fn histogram(durations: &[u64]) -> (u32, BTreeMap<i32, u64>) {
    (0..=MAX_SCALE)
        .rev()
        .find_map(|scale| {
            let mut counts = BTreeMap::new();
            for &duration in durations.iter().filter(|&&duration| duration > 0) {
                *counts.entry(buckets::index(duration) >> (MAX_SCALE - scale)).or_insert(0) += 1;
            }
            let (first, last) = (*counts.keys().next().unwrap_or(&0), *counts.keys().last().unwrap_or(&0));
            (last - first < MAX_BUCKETS as i32).then_some((scale, counts))
        })
        .unwrap()
}

proptest! {
    #[test]
    fn groups_are_what_counting_span_by_span_gives(spans in spans(60)) {
        let mut expected: BTreeMap<(&str, &str), Vec<&Span>> = BTreeMap::new();
        for span in &spans {
            expected.entry((SERVICES[span.scope as usize % 3], NAMES[span.name as usize])).or_default().push(span);
        }
        let red = red(&spans);
        let keys = |group: usize| red.keys.iter().map(move |key| key.values[key.codes[group] as usize].clone());
        let found: Vec<Vec<Key<'_>>> = (0..red.groups.len()).map(|group| keys(group).collect()).collect();
        let wanted: Vec<Vec<Key<'_>>> =
            expected.keys().map(|&(service, name)| vec![Key::Text(service.into()), Key::Text(name.into())]).collect();
        prop_assert_eq!(found, wanted);
        for (group, spans) in red.groups.iter().zip(expected.values()) {
            let durations: Vec<u64> = spans.iter().map(|span| span.end.saturating_sub(span.start)).collect();
            let (scale, counts) = histogram(&durations);
            let count_of = |test: fn(&Span) -> bool| spans.iter().filter(|span| test(span)).count() as u64;
            prop_assert_eq!(group.count, spans.len() as u64);
            prop_assert_eq!(group.errors, count_of(|span| span.status == 2));
            prop_assert_eq!(group.reversed, count_of(|span| span.end < span.start));
            prop_assert_eq!(group.sum, durations.iter().copied().fold(0, u64::saturating_add));
            prop_assert_eq!(group.min, *durations.iter().min().unwrap());
            prop_assert_eq!(group.max, *durations.iter().max().unwrap());
            prop_assert_eq!(group.zero_count, count_of(|span| span.end <= span.start));
            prop_assert_eq!(group.scale, scale);
            prop_assert_eq!(group.offset, *counts.keys().next().unwrap_or(&0));
            let filled = (group.offset..).zip(red.buckets_of(group)).filter(|&(_, &count)| count > 0);
            prop_assert_eq!(filled.map(|(index, &count)| (index, count)).collect::<BTreeMap<_, _>>(), counts);
        }
        let earliest = spans.iter().map(|span| span.start).filter(|&start| start > 0).min();
        prop_assert_eq!(red.earliest_start, earliest.unwrap_or(0));
        prop_assert_eq!(red.latest_end, spans.iter().map(|span| span.end).max().unwrap_or(0));
    }

    #[test]
    fn order_does_not_matter(spans in spans(60), seed in any::<u64>()) {
        let mut shuffled = spans.clone();
        shuffled.sort_by_key(|span| (span.end ^ seed).wrapping_mul(seed | 1));
        prop_assert_eq!(red(&spans), red(&shuffled));
    }

    #[test]
    fn batches_do_not_matter(spans in spans(60), cuts in prop::collection::vec(0..60usize, 1..5)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(spans.len())).chain([0, spans.len()]).collect();
        cuts.sort_unstable();
        let parts: Vec<Red> = cuts.windows(2).map(|pair| red(&spans[pair[0]..pair[1]])).collect();
        let whole = red(&spans);
        let merge = |parts: &[&Red]| Red::merge(parts, 100).unwrap();
        prop_assert_eq!(&merge(&parts.iter().collect::<Vec<_>>()), &whole, "at once");
        let from_the_left = parts.iter().fold(red(&[]), |all, part| merge(&[&all, part]));
        prop_assert_eq!(&from_the_left, &whole, "one by one");
        let from_the_right = parts.iter().rfold(red(&[]), |all, part| merge(&[part, &all]));
        prop_assert_eq!(&from_the_right, &whole, "one by one from behind");
    }

    #[test]
    fn quantiles_are_off_by_no_more_than_half_a_bucket(spans in spans(60), share in 0.0..=1.0f64) {
        let spans: Vec<Span> = spans.into_iter().map(|span| Span { scope: 0, name: 0, ..span }).collect();
        let mut durations: Vec<u64> = spans.iter().map(|span| span.end.saturating_sub(span.start)).collect();
        durations.sort_unstable();
        for group in &red(&spans).groups {
            let rank = ((share * durations.len() as f64).ceil() as usize).max(1);
            let (exact, found) = (durations[rank - 1] as f64, red(&spans).quantile(group, share));
            let base = (1.0 / f64::from(1 << group.scale)).exp2();
            let most = exact * (base - 1.0) / (base + 1.0) + exact * 1e-12;
            prop_assert!((found - exact).abs() <= most, "{} is not {} but for {}", found, exact, most);
            if rank == 1 || rank == durations.len() {
                prop_assert_eq!(found, exact);
            }
        }
    }
}

#[test]
fn counts_of_many_spans_of_one_bucket_and_of_zeros_are_whole() {
    let span = Span { scope: 0, name: 0, start: 5, end: 1_000_005, status: 0 };
    let spans: Vec<Span> =
        (0..3000).map(|place| if place % 2 == 0 { span.clone() } else { Span { end: 5, ..span.clone() } }).collect();
    let red = red(&spans);
    assert_eq!((red.groups[0].count, red.groups[0].zero_count), (3000, 1500));
    assert_eq!(red.buckets, [1500]);
}

#[test]
fn merging_ends_at_the_greatest_number() {
    let mut all = red(&[Span { scope: 0, name: 0, start: 1, end: 2, status: 2 }]);
    for _ in 0..70 {
        all = Red::merge(&[&all, &all], 100).unwrap();
    }
    let group = &all.groups[0];
    assert_eq!([group.count, group.errors, group.sum, all.buckets[0]], [u64::MAX; 4]);
}

#[test]
fn merging_needs_the_same_keys_and_few_enough_groups() {
    let span = Span { scope: 0, name: 0, start: 1, end: 2, status: 2 };
    let (left, right) = (red(std::slice::from_ref(&span)), red(&[Span { name: 1, ..span }]));
    assert_eq!(Red::merge(&[&left, &right], 1), Err(RedError::TooManyGroups { max_groups: 1 }));
    assert_eq!(Red::merge(&[&left, &left], 1).map(|red| red.groups.len()), Ok(1));
    let mut other = right;
    other.keys[0].name = "name".into();
    assert_eq!(Red::merge(&[&left, &other], 9), Err(RedError::DifferentKeys));
}
