//! Records of fixed size on each path: 8,192 data points of OTLP metrics, whose columns and records lie in the second cache.
//!
//! The answer is checked before anything is measured.

use criterion::{Criterion, criterion_group, criterion_main};
use otlp_wire::simd::Path;
use otlp_wire::simd::records::{self, Template};
use std::hint::black_box;

const POINTS: usize = 8192;

/// A `NumberDataPoint` with its tag and length, zeros where words will be, and the places of its words.
fn points() -> [(&'static str, Vec<u8>, Vec<usize>); 4] {
    let value = [&[0x21][..], &[0; 8]].concat();
    let time = [&[0x19][..], &[0; 8]].concat();
    let start = [0x11, 0, 0x40, 0x6f, 0x5c, 0x2e, 0x1a, 0x93, 0x17];
    let attribute = b"\x3a\x1d\x0a\x0chost.name.is\x12\x0d\x0a\x0bserver-4711".as_slice();
    [
        ("records/time, value", [&[0x0a, 18][..], &time, &value].concat(), vec![3, 12]),
        ("records/constant start, time, value", [&[0x0a, 27][..], &start, &time, &value].concat(), vec![12, 21]),
        ("records/start, time, value", [&[0x0a, 27][..], &start, &time, &value].concat(), vec![3, 12, 21]),
        ("records/time, value, attribute", [&[0x0a, 49][..], &time, &value, attribute].concat(), vec![3, 12]),
    ]
}

fn measure<const N: usize>(criterion: &mut Criterion, name: &str, record: &[u8], places: [usize; N]) {
    let words = |seed: u64| (0..POINTS as u64).map(|row| seed + row * 1_000_000_007).collect::<Vec<u64>>();
    let columns = [1_700_000_000_000_000_000, 1_800_000_000_000_000_000, 0x4037_0000_0000_0000].map(words);
    let columns: [&[u64]; N] = std::array::from_fn(|index| &columns[index][..]);
    let template = Template::new(record, places).expect("a template");
    let mut out = Vec::with_capacity(template.room(POINTS).expect("room"));
    records::append_with(Path::Scalar, &template, columns, &mut out);
    for (row, written) in out.chunks(record.len()).enumerate() {
        let mut expected = record.to_vec();
        for (column, place) in columns.iter().zip(places) {
            expected[place..place + 8].copy_from_slice(&column[row].to_le_bytes());
        }
        assert_eq!(written, expected);
    }
    let scalar = out.clone();
    let mut group = criterion.benchmark_group(name);
    for path in [Path::Scalar, Path::Avx2].into_iter().filter(|path| path.is_available()) {
        out.clear();
        records::append_with(path, &template, columns, &mut out);
        assert_eq!(out, scalar, "{path}");
        group.bench_function(path.name(), |bencher| {
            bencher.iter(|| {
                out.clear();
                records::append_with(path, black_box(&template), black_box(columns), &mut out);
                black_box(out.as_slice());
            });
        });
    }
    group.finish();
}

fn all(criterion: &mut Criterion) {
    for (name, record, places) in points() {
        match places[..] {
            [a, b] => measure(criterion, name, &record, [a, b]),
            [a, b, c] => measure(criterion, name, &record, [a, b, c]),
            _ => unreachable!("two words or three"),
        }
    }
}

criterion_group!(records_of_points, all);
criterion_main!(records_of_points);
