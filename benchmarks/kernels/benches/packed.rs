//! Packed varints: eight at a time, as `Writer::packed_varint_field` does it, beside one after the other. A run writes 512
//! arrays of 160 counts, the buckets of an exponential histogram.
//!
//! The answer is checked before anything is measured.

use criterion::{Criterion, criterion_group, criterion_main};
use otlp_wire::Writer;
use std::hint::black_box;

const TAG: u8 = 0x12;
const ARRAYS: usize = 512;
const COUNTS: usize = 160;

fn one_by_one(writer: &mut Writer, counts: &[u64]) {
    let mark = writer.open(TAG, counts.len());
    counts.iter().for_each(|&count| writer.varint(count));
    writer.close(mark);
}

fn eight_at_a_time(writer: &mut Writer, counts: &[u64]) {
    writer.packed_varint_field(TAG, counts);
}

/// Counts of which every `nth` is above 127; none where that is 0.
fn arrays(nth: usize) -> Vec<Vec<u64>> {
    let count = |array: usize, at: usize| {
        let small = (array * 31 + at * 7) as u64 % 100;
        if nth != 0 && at.is_multiple_of(nth) { 1_000 + small } else { small }
    };
    (0..ARRAYS).map(|array| (0..COUNTS).map(|at| count(array, at)).collect()).collect()
}

fn all(criterion: &mut Criterion) {
    for (name, nth) in [("packed/small", 0), ("packed/every 20th above 127", 20), ("packed/every 3rd above 127", 3)] {
        let arrays = arrays(nth);
        let mut group = criterion.benchmark_group(name);
        let mut writer = Writer::new();
        for (path, write) in [("scalar", one_by_one as fn(&mut Writer, &[u64])), ("lanes", eight_at_a_time)] {
            for counts in &arrays {
                writer.restart(0);
                write(&mut writer, counts);
                let written = writer.as_slice().to_vec();
                writer.restart(0);
                one_by_one(&mut writer, counts);
                assert_eq!(written, writer.as_slice());
            }
            group.bench_function(path, |bencher| {
                bencher.iter(|| {
                    for counts in &arrays {
                        writer.restart(0);
                        write(&mut writer, black_box(counts));
                        black_box(writer.as_slice());
                    }
                });
            });
        }
        group.finish();
    }
}

criterion_group!(packed, all);
criterion_main!(packed);
