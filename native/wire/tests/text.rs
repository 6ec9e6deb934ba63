//! Every transcoding path against a naive oracle, and the names of the paths.

use otlp_wire::simd::{self, Path};
use otlp_wire::text::Text;
use proptest::prelude::*;

/// The oracle: one code point at a time, through `char`.
fn naive(values: impl IntoIterator<Item = u32>) -> (Vec<u8>, usize) {
    let mut text = String::new();
    let mut replaced = 0;
    for value in values {
        let character = char::from_u32(value);
        replaced += usize::from(character.is_none());
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (text.into_bytes(), replaced)
}

/// The three storage forms, so that one test body serves all of them.
trait Unit: Copy + Into<u32> + 'static {
    const BOUNDARIES: &'static [Self];
    fn text(units: &[Self]) -> Text<'_>;
    fn transcode(path: Path, units: &[Self], out: &mut Vec<u8>) -> usize;
}

impl Unit for u8 {
    const BOUNDARIES: &'static [u8] = &[0, 0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xff];

    fn text(units: &[u8]) -> Text<'_> {
        Text::Latin1(units)
    }

    fn transcode(path: Path, units: &[u8], out: &mut Vec<u8>) -> usize {
        simd::latin1_to_utf8_with(path, units, out)
    }
}

impl Unit for u16 {
    const BOUNDARIES: &'static [u16] = &[
        0, 0x41, 0x7f, 0x80, 0xff, 0x100, 0x7ff, 0x800, 0x7fff, 0x8000, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000,
        0xfffd, 0xffff,
    ];

    fn text(units: &[u16]) -> Text<'_> {
        Text::Ucs2(units)
    }

    fn transcode(path: Path, units: &[u16], out: &mut Vec<u8>) -> usize {
        simd::ucs2_to_utf8_with(path, units, out)
    }
}

impl Unit for u32 {
    const BOUNDARIES: &'static [u32] = &[
        0,
        0x41,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x7ff,
        0x800,
        0x7fff,
        0x8000,
        0xd7ff,
        0xd800,
        0xdbff,
        0xdc00,
        0xdfff,
        0xe000,
        0xfffd,
        0xffff,
        0x1_0000,
        0x1_d800,
        0xf_ffff,
        0x10_0000,
        0x10_d800,
        0x10_ffff,
        0x11_0000,
        0x11_d800,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0041,
        0x8000_d800,
        0xffff_0041,
        0xffff_ffff,
    ];

    fn text(units: &[u32]) -> Text<'_> {
        Text::Ucs4(units)
    }

    fn transcode(path: Path, units: &[u32], out: &mut Vec<u8>) -> usize {
        simd::ucs4_to_utf8_with(path, units, out)
    }
}

const BEFORE: &[u8] = b"before";

/// The one test body: all paths, appended to what is there, into a vector without room to spare.
fn check<U: Unit>(units: &[U]) {
    let (expected, expected_replaced) = naive(units.iter().map(|&unit| unit.into()));
    let same = |who: &dyn std::fmt::Display, out: &[u8], replaced: usize| {
        let values = || units.iter().map(|&unit| unit.into()).collect::<Vec<u32>>();
        assert_eq!(out.strip_prefix(BEFORE), Some(&expected[..]), "{who}: {:x?}", values());
        assert_eq!(replaced, expected_replaced, "{who}: count for {:x?}", values());
    };
    for path in Path::available() {
        let mut out = BEFORE.to_vec();
        out.shrink_to_fit();
        let replaced = U::transcode(path, units, &mut out);
        same(&path, &out, replaced);
    }
    let text = U::text(units);
    let mut out = Vec::with_capacity(BEFORE.len() + text.room());
    out.extend_from_slice(BEFORE);
    let capacity = out.capacity();
    let replaced = text.append_to(&mut out);
    same(&"active", &out, replaced);
    assert_eq!(out.capacity(), capacity, "grew although it had room");
    assert!(expected.len() <= text.max_utf8_len());
    assert_eq!(text.is_empty(), units.is_empty());
    assert_eq!(text.known_utf8_len(), None);
}

/// Uniform strings of every length with one odd unit at every place, read from every alignment in turn.
fn check_odd_one_out<U: Unit>() {
    // Each string is its own allocation, so that valgrind sees a read past its end.
    for length in 0..=130 {
        for (index, &common) in U::BOUNDARIES.iter().enumerate() {
            check(&vec![common; length].into_boxed_slice());
            let odd = U::BOUNDARIES[(index * 7 + length) % U::BOUNDARIES.len()];
            if length % 16 == index % 16 || length < 24 {
                for place in 0..length {
                    let mut units = vec![common; length].into_boxed_slice();
                    units[place] = odd;
                    check(&units);
                }
            }
        }
    }
}

/// Every length at every offset, all boundary values in turn.
fn check_lengths_and_offsets<U: Unit>() {
    let units: Vec<U> = U::BOUNDARIES.iter().copied().cycle().take(160).collect();
    for offset in 0..=16 {
        for length in 0..=130 {
            check(&units[offset..offset + length]);
        }
    }
}

/// All pairs of boundary values in one block, so that every key of the tables that they can form next to each other is
/// used.
fn check_neighbours<U: Unit>() {
    for &a in U::BOUNDARIES {
        for &b in U::BOUNDARIES {
            for &c in U::BOUNDARIES {
                check(&[a, b, c, a, a, c, b, b, c, a, c, a, b, c, c, b, a]);
            }
        }
    }
}

#[test]
fn test_odd_one_out_agrees_with_the_oracle() {
    check_odd_one_out::<u8>();
    check_odd_one_out::<u16>();
    check_odd_one_out::<u32>();
}

#[test]
fn test_every_length_and_offset_agrees_with_the_oracle() {
    check_lengths_and_offsets::<u8>();
    check_lengths_and_offsets::<u16>();
    check_lengths_and_offsets::<u32>();
}

#[test]
fn test_every_neighbourhood_agrees_with_the_oracle() {
    check_neighbours::<u8>();
    check_neighbours::<u16>();
    check_neighbours::<u32>();
}

#[test]
fn test_every_single_unit_agrees_with_the_oracle() {
    // In blocks, and therefore in every lane: the step to the next string is odd.
    let latin1: Vec<u8> = (0..=u8::MAX).collect();
    let ucs2: Vec<u16> = (0..=u16::MAX).collect();
    let ucs4: Vec<u32> = (0..0x11_0100).collect();
    latin1.chunks(17).for_each(check);
    ucs2.chunks(131).for_each(check);
    ucs4.chunks(4099).for_each(check);
}

#[test]
fn test_surrogates_are_never_paired() {
    for path in Path::available() {
        let mut out = Vec::new();
        let pair = [0xd83d, 0xde00].repeat(10);
        assert_eq!(simd::ucs2_to_utf8_with(path, &pair, &mut out), 20, "{path}");
        assert_eq!(out, "\u{fffd}".repeat(20).as_bytes(), "{path}");
    }
}

#[test]
fn test_utf8_is_copied_and_its_length_known() {
    let text = Text::Utf8("naïve 😀".as_bytes());
    let mut out = BEFORE.to_vec();
    assert_eq!(text.append_to(&mut out), 0);
    assert_eq!(out, "beforenaïve 😀".as_bytes());
    assert_eq!(text.known_utf8_len(), Some(11));
    assert_eq!(text.max_utf8_len(), 11);
    assert_eq!(text.room(), 11);
    assert!(!text.is_empty());
    assert!(Text::Utf8(&[]).is_empty());
}

#[test]
fn test_max_utf8_len_is_the_worst_case() {
    assert_eq!(Text::Latin1(&[0xff; 5]).max_utf8_len(), 10);
    assert_eq!(Text::Ucs2(&[0xffff; 5]).max_utf8_len(), 15);
    assert_eq!(Text::Ucs4(&[0x10_ffff; 5]).max_utf8_len(), 20);
}

#[test]
fn test_path_names_round_trip() {
    for (path, name) in [(Path::Scalar, "scalar"), (Path::Sse2, "sse2"), (Path::Avx2, "avx2")] {
        assert_eq!(path.to_string(), name);
        assert_eq!(name.parse(), Ok(path));
    }
    assert_eq!(format!("{:>7}", Path::Avx2), "   avx2");
}

#[test]
fn test_unknown_path_names_the_value_and_the_choices() {
    for name in ["", "AVX2", " avx2", "avx512", "neon"] {
        let error = name.parse::<Path>().expect_err(name);
        assert_eq!(error.to_string(), format!("unknown SIMD path {name:?}, expected one of scalar, sse2, avx2"));
    }
}

#[test]
fn test_forced_path_is_active_and_gives_the_same_bytes() {
    // Other tests run at the same time and see the forced path; their result does not depend on it.
    let best = Path::available().last().expect("scalar is always available");
    assert!(Path::available().any(|path| path == simd::active()));
    for path in Path::available() {
        simd::force(path).expect("available");
        assert_eq!(simd::active(), path);
        check(&[0x41_u32, 0xe9, 0x4e2d, 0x1_f600, 0xd800].repeat(9));
    }
    simd::force(best).expect("available");
    for path in [Path::Scalar, Path::Sse2, Path::Avx2] {
        assert_eq!(path.is_available(), Path::available().any(|other| other == path));
        assert_eq!(path.is_available(), simd::force(path).is_ok());
    }
    simd::force(best).expect("available");
}

/// Runs of one to forty units of the same class, most often near its boundaries: what real text looks like, and what
/// takes a kernel from one of its forms to another and back.
fn runs<U: Unit + std::fmt::Debug>(any: impl Strategy<Value = U>) -> impl Strategy<Value = Vec<U>> {
    let unit = prop_oneof![3 => prop::sample::select(U::BOUNDARIES), 1 => any];
    let run = (unit, prop_oneof![3 => 1..4_usize, 1 => 1..40_usize]);
    prop::collection::vec(run, 0..40)
        .prop_map(|runs| runs.into_iter().flat_map(|(unit, count)| std::iter::repeat_n(unit, count)).collect())
}

proptest! {
    #[test]
    fn test_random_latin1_agrees_with_the_oracle(units in runs(any::<u8>()), offset in 0..=16_usize) {
        check(units.get(offset..).unwrap_or_default());
    }

    #[test]
    fn test_random_ucs2_agrees_with_the_oracle(units in runs(any::<u16>()), offset in 0..=16_usize) {
        check(units.get(offset..).unwrap_or_default());
    }

    #[test]
    fn test_random_ucs4_agrees_with_the_oracle(
        units in runs(prop_oneof![4 => 0..0x11_1000_u32, 1 => any::<u32>()]),
        offset in 0..=16_usize,
    ) {
        check(units.get(offset..).unwrap_or_default());
    }
}
