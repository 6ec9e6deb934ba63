//! Every path of the record kernels against a naive oracle, and what a template takes.

use otlp_wire::Writer;
use otlp_wire::simd::Path;
use otlp_wire::simd::records::{self, Seen, Template};
use proptest::prelude::*;

/// The oracle: one record after the other, a copy with its words overwritten.
fn naive<const N: usize>(record: &[u8], places: [usize; N], columns: [&[u64]; N]) -> Vec<u8> {
    let mut out = Vec::new();
    for row in 0..columns[0].len() {
        let mut copy = record.to_vec();
        for (column, place) in columns.iter().zip(places) {
            copy[place..place + 8].copy_from_slice(&column[row].to_le_bytes());
        }
        out.extend(copy);
    }
    out
}

/// The oracle of what is seen on the way.
fn naive_seen<const N: usize>(columns: [&[u64]; N]) -> [Seen; N] {
    columns
        .map(|column| Seen { has_zero: column.contains(&0), any_bits: column.iter().fold(0, |all, word| all | word) })
}

/// The one test body: all paths, through the cache and around it, behind what is there at aligned and other addresses, into
/// memory with exactly the room that was promised; and the active path through a writer.
fn check<const N: usize>(record: &[u8], places: [usize; N], columns: [&[u64]; N]) {
    let expected = (naive(record, places, columns), naive_seen(columns));
    let template = Template::new(record, places).expect("a template");
    let room = template.room(columns[0].len()).expect("room");
    for (path, around_cache) in Path::available().flat_map(|path| [(path, false), (path, true)]) {
        let template = template.clone().around_cache(around_cache);
        for before in [0, 6, 16] {
            let mut out = Vec::with_capacity(before + room);
            let capacity = out.capacity();
            out.extend(std::iter::repeat_n(b'b', before));
            let seen = records::append_with(path, &template, columns, &mut out);
            let who = format!("{path}, around the cache: {around_cache}, behind {before}");
            assert_eq!(out.capacity(), capacity, "{who}: grew although it had room");
            let written = out.split_off(before);
            assert_eq!((written, seen), expected, "{who}: {} rows, {places:?}", columns[0].len());
            assert_eq!(out, vec![b'b'; before], "{who}");
        }
    }
    let mut writer = Writer::new();
    writer.put_slice(b"before");
    let seen = writer.put_records(&template, columns);
    assert_eq!((writer.as_slice().strip_prefix(b"before"), seen), (Some(&expected.0[..]), expected.1));
}

/// Words in which every byte tells where it is from.
fn words(count: usize, seed: u8) -> Vec<u64> {
    (0..count).map(|row| u64::from_le_bytes(std::array::from_fn(|byte| seed ^ (row * 8 + byte) as u8))).collect()
}

#[test]
fn every_number_of_rows_around_the_block_sizes() {
    for rows in (0..70).chain([127, 128, 129, 1000, 1023]) {
        let (a, b, c) = (words(rows, 1), words(rows, 0x55), words(rows, 0xff));
        let record: Vec<u8> = (100..200).collect();
        check(&record[..20], [3, 12], [&a, &b]);
        check(&record[..29], [12, 21], [&a, &b]);
        check(&record[..29], [3, 12, 21], [&a, &b, &c]);
        check(&record[..73], [4, 13], [&a, &b]);
        check(&record[..20], [3, 11], [&a, &b]);
    }
}

#[test]
fn unaligned_columns_are_read_as_they_are() {
    let (a, b) = (words(100, 7), words(100, 9));
    for start in 0..9 {
        check(&[0xee; 20], [3, 12], [&a[start..], &b[start..]]);
        check(&[0xee; 20], [3, 12], [&a[start..90], &b[..90 - start]]);
    }
}

#[test]
fn a_zero_is_seen_wherever_it_stands() {
    for rows in [1, 7, 8, 9, 31] {
        for zero in 0..rows {
            let (a, mut b) = (words(rows, 1).iter().map(|word| word | 1).collect::<Vec<_>>(), vec![1 << 63; rows]);
            b[zero] = 0;
            check(&[0xee; 20], [3, 12], [&a, &b]);
            check(&[0xee; 29], [12, 21], [&b, &a]);
        }
    }
}

#[test]
fn shortest_column_counts() {
    let (a, b) = (words(21, 7), words(13, 9));
    let template = Template::new(&[1; 20], [3, 12]).unwrap();
    for path in Path::available() {
        let mut out = Vec::new();
        records::append_with(path, &template, [&a, &b], &mut out);
        assert_eq!(out, naive(&[1; 20], [3, 12], [&a[..13], &b]), "{path}");
    }
}

#[test]
fn template_takes_only_places_that_a_kernel_can_fill() {
    let record = [0; 64];
    assert!(Template::new(&record, [0, 8]).is_some());
    assert!(Template::new(&record, [16, 24]).is_some());
    assert!(Template::new(&record, [16, 25]).is_none(), "past the first 32 bytes");
    assert!(Template::new(&record[..20], [3, 13]).is_none(), "past the record");
    assert!(Template::new(&record, [3, 10]).is_none(), "overlapping");
    assert!(Template::new(&record, [12, 3]).is_none(), "not ascending");
    assert!(Template::new(&record, [usize::MAX]).is_none());
    assert!(Template::new(&[], []).is_none());
}

#[test]
fn more_than_fits_in_memory_is_refused() {
    let template = Template::new(&[0; 20], [3, 12]).unwrap();
    assert_eq!(template.room(usize::MAX / 10), None);
    let long = Template::new(&vec![0; 1 << 20], [3]).unwrap();
    let mut writer = Writer::new();
    writer.put_records(&long, [&vec![1; 4096]]);
    assert!(writer.failed() && writer.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_record_equals_its_definition(
        record in proptest::collection::vec(any::<u8>(), 16..200),
        rows in proptest::collection::vec(any::<(u64, u64)>(), 0..70),
        first in 0usize..17,
        gap in 0usize..17,
    ) {
        let places = [first, first + 8 + gap];
        let (a, b): (Vec<u64>, Vec<u64>) = rows.into_iter().unzip();
        if places[1] + 8 <= record.len().min(32) {
            check(&record, places, [&a, &b]);
        }
        if first + 8 <= record.len() {
            check(&record, [first], [&a]);
        }
    }
}
