//! `Points::write` against a naive writer that puts one byte behind the other.

use otlp_columns::points::{Attribute, Column, Data, Meaning, Points, PointsError, StartTimes, write_attribute};
use otlp_wire::Writer;
use proptest::prelude::*;

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(content.len() as u64), content].concat()
}

fn text(number: u8, text: &str) -> Vec<u8> {
    if text.is_empty() { Vec::new() } else { field(number, text.as_bytes()) }
}

fn fixed64(number: u8, word: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &word.to_le_bytes()].concat()
}

fn time(number: u8, word: u64) -> Vec<u8> {
    if word == 0 { Vec::new() } else { fixed64(number, word) }
}

fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    field(7, &[text(1, key), field(2, value)].concat())
}

/// An `AnyValue` of a number.
fn number(word: u64, meaning: Meaning) -> Vec<u8> {
    match meaning {
        Meaning::Double => fixed64(4, word),
        _ => [&[3 << 3][..], &varint(word)].concat(),
    }
}

/// The oracle.
fn naive(points: &Points<'_>, attributes: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut data = Vec::new();
    for row in 0..points.values.words.len() {
        let start = match points.start_times {
            StartTimes::Same(start) => start,
            StartTimes::Each(column) => column.words[row],
        };
        let value = if points.values.meaning == Meaning::Double { 4 } else { 6 };
        let point = [
            time(2, start),
            time(3, points.times.words[row]),
            fixed64(value, points.values.words[row]),
            points.constant.to_vec(),
            attributes(row),
        ];
        data.extend(field(1, &point.concat()));
    }
    let data = match points.data {
        _ if data.is_empty() => Vec::new(),
        Data::Gauge => field(5, &data),
        Data::Sum { temporality, is_monotonic } => {
            data.extend([2 << 3, temporality as u8]);
            if is_monotonic {
                data.extend([3 << 3, 1]);
            }
            field(7, &data)
        }
    };
    let metric = [text(1, points.name), text(2, points.description), text(3, points.unit), data].concat();
    let scope = [field(1, points.scope.0), field(2, &metric), text(3, points.scope.1)].concat();
    let resource = [field(1, points.resource.0), field(2, &scope), text(3, points.resource.1)].concat();
    field(1, &resource)
}

fn gauge<'a>(times: &'a [u64], values: &'a [u64]) -> Points<'a> {
    Points {
        name: "name",
        description: "",
        unit: "s",
        data: Data::Gauge,
        resource: (b"", ""),
        scope: (b"", ""),
        start_times: StartTimes::Same(0),
        times: Column { words: times, meaning: Meaning::Unsigned },
        values: Column { words: values, meaning: Meaning::Double },
        constant: b"",
        attributes: Vec::new(),
    }
}

fn constant(len: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    if len > 0 {
        write_attribute(&mut writer, "key", &field(1, &vec![b'v'; len]));
    }
    writer.take()
}

/// Times of which some are 0, positive as signed numbers.
fn times(rows: usize) -> impl Strategy<Value = Vec<u64>> {
    let time = prop_oneof![30 => 1u64..1 << 62, 1 => Just(0u64)];
    prop_oneof![proptest::collection::vec(1u64..1 << 62, rows), proptest::collection::vec(time, rows)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_points_equal_their_definition(
        (times, starts, values, codes) in (0usize..60).prop_flat_map(|rows| (
            times(rows),
            times(rows),
            proptest::collection::vec(0u64..1 << 63, rows),
            proptest::collection::vec(0u32..3, rows),
        )),
        start in prop_oneof![Just(None), Just(Some(0u64)), Just(Some(1u64))],
        meaning in prop_oneof![Just(Meaning::Double), Just(Meaning::Signed), Just(Meaning::Unsigned)],
        sum in proptest::option::of((1i32..3, any::<bool>())),
        texts in proptest::array::uniform3("[a-z]{0,3}"),
        urls in proptest::array::uniform2("[a-z]{0,3}"),
        constant_len in prop_oneof![Just(0usize), 1usize..200, Just(20_000)],
        (has_codes, has_numbers) in any::<(bool, bool)>(),
    ) {
        let constant = constant(constant_len);
        let entries = [field(1, b"one"), field(1, &[b'x'; 130])];
        let mut attributes = Vec::new();
        if has_codes {
            let values = [Some(&entries[0][..]), None, Some(&entries[1][..])];
            attributes.push(Attribute::coded("coded", &codes, values).unwrap());
        }
        let numbers = Column { words: &values, meaning };
        if has_numbers {
            attributes.push(Attribute::numbers("", numbers));
        }
        let points = Points {
            name: &texts[0],
            description: &texts[1],
            unit: &texts[2],
            data: sum.map_or(Data::Gauge, |(temporality, is_monotonic)| Data::Sum { temporality, is_monotonic }),
            resource: (b"\x10\x05", &urls[0]),
            scope: (b"\x20\x06", &urls[1]),
            start_times: start.map_or(
                StartTimes::Each(Column { words: &starts, meaning: Meaning::Signed }),
                StartTimes::Same,
            ),
            times: Column { words: &times, meaning: Meaning::Signed },
            values: numbers,
            constant: &constant,
            attributes,
        };
        let expected = naive(&points, |row| {
            let coded = match codes[row] {
                _ if !has_codes => Vec::new(),
                0 => attribute("coded", &entries[0]),
                1 => Vec::new(),
                _ => attribute("coded", &entries[1]),
            };
            let number = if has_numbers { attribute("", &number(values[row], meaning)) } else { Vec::new() };
            [coded, number].concat()
        });
        let written = points.write().unwrap();
        prop_assert_eq!(written.as_slice(), expected);
    }
}

#[test]
fn blocks_with_a_zero_time_stand_among_others() {
    for rows in [1, 7, 8, 2047, 2048, 2049, 5000, 9000] {
        let values: Vec<u64> = (0..rows as u64).map(|row| (row as f64).to_bits()).collect();
        let mut times: Vec<u64> = (1..=rows as u64).collect();
        assert_eq!(gauge(&times, &values).write().unwrap().as_slice(), naive(&gauge(&times, &values), |_| Vec::new()));
        times[rows / 2] = 0;
        assert_eq!(gauge(&times, &values).write().unwrap().as_slice(), naive(&gauge(&times, &values), |_| Vec::new()));
    }
}

#[test]
fn points_of_large_requests_begin_at_a_cache_line() {
    let rows = (16 << 20) / 20 + 1;
    let values = vec![5; rows];
    let mut times = vec![7; rows];
    for zero in [None, Some(100_000)] {
        if let Some(zero) = zero {
            times[zero] = 0;
        }
        let points = gauge(&times, &values);
        let written = points.write().unwrap();
        assert!(written.as_slice() == naive(&points, |_| Vec::new()), "{zero:?}");
        if zero.is_none() {
            let first = written.as_slice().len() - rows * 20;
            assert_eq!(written.as_slice()[first..].as_ptr().addr() % 64, 0);
        }
    }
}

#[test]
fn numbers_without_a_place_are_named() {
    let values = vec![1; 5000];
    let mut words = vec![1; 5000];
    words[4321] = 1 << 63;
    let signed = Column { words: &words, meaning: Meaning::Signed };
    let unsigned = Column { words: &words, meaning: Meaning::Unsigned };
    let failure = |points: Points<'_>| points.write().unwrap_err().to_string();
    let negative = "[4321] is -9223372036854775808, expected nanoseconds since 1970";
    assert_eq!(failure(Points { times: signed, ..gauge(&words, &values) }), format!("times{negative}"));
    let starts = StartTimes::Each(signed);
    assert_eq!(failure(Points { start_times: starts, ..gauge(&values, &values) }), format!("start_times{negative}"));
    let large = "[4321] is 9223372036854775808, expected less than 2**63: OTLP's integers are signed";
    assert_eq!(failure(Points { values: unsigned, ..gauge(&values, &values) }), format!("values{large}"));
    let attributes = vec![Attribute::numbers("a \"key\"", unsigned)];
    assert_eq!(failure(Points { attributes, ..gauge(&values, &values) }), format!(r#"attributes["a \"key\""]{large}"#));
    let codes: Vec<u32> = (0..5000).map(|row| u32::from(row == 17) * u32::MAX).collect();
    let attributes = vec![Attribute::coded("key", &codes, [None]).unwrap()];
    let expected = r#"attributes["key"][17] is 4294967295, expected a place in its list of values"#;
    assert_eq!(failure(Points { attributes, ..gauge(&values, &values) }), expected);
    assert!(Points { times: unsigned, ..gauge(&words, &values) }.write().is_ok(), "unsigned times may be as large");
}

#[test]
fn columns_of_other_lengths_are_named() {
    let words = [1; 9];
    let all = gauge(&words, &words);
    let short = Column { words: &words[..8], meaning: Meaning::Unsigned };
    let failure = |points: Points<'_>| points.write().unwrap_err().to_string();
    let expected = "has 8 elements, expected 9, one for each value";
    assert_eq!(failure(Points { times: short, ..gauge(&words, &words) }), format!("times {expected}"));
    assert_eq!(failure(Points { start_times: StartTimes::Each(short), ..all }), format!("start_times {expected}"));
    let attributes = vec![Attribute::numbers("key", short)];
    assert_eq!(failure(Points { attributes, ..gauge(&words, &words) }), format!(r#"attributes["key"] {expected}"#));
}

#[test]
fn more_than_2_gib_is_refused_before_memory_is_taken() {
    let words = vec![1; 40_000];
    let constant = constant(60_000);
    let points = Points { constant: &constant, ..gauge(&words, &words) };
    assert_eq!(points.write().unwrap_err(), PointsError::TooLong);
    let entry = field(1, &[b'x'; 60_000]);
    let codes = vec![0; 40_000];
    let attributes = vec![Attribute::coded("key", &codes, [Some(&entry[..])]).unwrap()];
    let points = Points { attributes, ..gauge(&words, &words) };
    assert_eq!(points.write().unwrap_err(), PointsError::TooLong);
}
