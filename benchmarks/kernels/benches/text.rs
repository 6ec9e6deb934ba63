//! Every path over every set of strings. A run transcodes the whole set; divide by its 512 strings.
//!
//! The answer is checked before anything is measured.

use criterion::{Criterion, criterion_group, criterion_main};
use otlp_kernel_benchmarks::{Input, inputs};
use otlp_wire::simd::{self, Path};
use otlp_wire::text::Text;
use std::hint::black_box;

type Kernel<U> = fn(Path, &[U], &mut Vec<u8>) -> usize;

fn measure<U>(
    criterion: &mut Criterion,
    input: &Input,
    units: &[Vec<U>],
    text: fn(&[U]) -> Text<'_>,
    kernel: Kernel<U>,
) {
    let mut group = criterion.benchmark_group(input.name);
    let mut out = Vec::with_capacity(1 << 16);
    for path in Path::available() {
        for (units, string) in units.iter().zip(&input.strings) {
            out.clear();
            assert_eq!(kernel(path, units, &mut out), 0, "{path}");
            assert_eq!(out, string.as_bytes(), "{path}");
        }
        group.bench_function(path.name(), |bencher| {
            bencher.iter(|| {
                for units in units {
                    out.clear();
                    kernel(path, black_box(units), &mut out);
                    black_box(&out);
                }
            });
        });
    }
    // What users get: the threshold, the look-up of the active path, the fastest kernel.
    group.bench_function("append_to", |bencher| {
        bencher.iter(|| {
            for units in units {
                out.clear();
                text(black_box(units)).append_to(&mut out);
                black_box(&out);
            }
        });
    });
    group.finish();
}

fn all(criterion: &mut Criterion) {
    for input in inputs() {
        let values = || input.strings.iter().map(|string| string.chars().map(u32::from));
        let fit = "the corpus keeps its characters within the storage form of the set";
        match input.name.split('/').next() {
            Some("latin1") => {
                let units: Vec<_> = values().map(|s| s.map(|v| u8::try_from(v).expect(fit)).collect()).collect();
                measure(criterion, &input, &units, |units| Text::Latin1(units), simd::latin1_to_utf8_with);
            }
            Some("ucs2") => {
                let units: Vec<_> = values().map(|s| s.map(|v| u16::try_from(v).expect(fit)).collect()).collect();
                measure(criterion, &input, &units, |units| Text::Ucs2(units), simd::ucs2_to_utf8_with);
            }
            _ => {
                let units: Vec<_> = values().map(Iterator::collect).collect();
                measure(criterion, &input, &units, |units| Text::Ucs4(units), simd::ucs4_to_utf8_with);
            }
        }
    }
}

criterion_group!(text, all);
criterion_main!(text);
