//! Records with AVX2: words are moved to their places within a vector, which is then joined with the constant bytes.
//!
//! **Any record**: a word is loaded into all lanes at once, `vpshufb` leaves it at its place and zeros elsewhere, and two ORs
//! make the first 32 bytes of the record, which is one store. The next record is stored over the bytes that were too many,
//! or, where the record is longer, the rest of it follows in windows of 32 constant bytes.
//!
//! **Twenty bytes with words at 3 and 12**: the shortest record of two words, and the commonest (a tag and a length, a tag
//! and a word, a tag and a word). There each store of 32 bytes would be overwritten by more than a third, and nearly every
//! second one would cross a cache line. But four such records are five vectors of sixteen bytes, and each of these takes
//! its bytes from two words, but for one which takes one byte from a third. So four records lie in the lower halves of five
//! registers, and the next four in the upper halves.

// Arrays of vectors are walked by index: a closure, or an iterator over them, is a function without AVX2 until it is inlined,
// which depends on how the build is cut into units. Where it was not, this was slower than scalar code.
#![allow(clippy::needless_range_loop)]

use core::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_or_si128, _mm_sfence, _mm_unpackhi_epi64,
    _mm256_broadcastsi128_si256, _mm256_castpd_si256, _mm256_castsi128_si256, _mm256_castsi256_pd,
    _mm256_castsi256_si128, _mm256_cmpeq_epi64, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_loadu_si256,
    _mm256_or_si256, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_pd,
    _mm256_testz_si256, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64,
};

use super::super::sink::Sink;
use super::{Seen, Template, WINDOW, scalar};

/// Words in a vector.
const LANES: usize = 4;

/// Records that the kernel of twenty bytes writes together.
const BLOCK: usize = 8;

/// In a pattern of `vpshufb`: a zero.
const NONE: u8 = 0x80;

/// Appends a record for each row. The columns are equally long.
#[target_feature(enable = "avx2")]
pub(super) fn append<const N: usize>(template: &Template<N>, columns: [&[u64]; N], out: &mut Vec<u8>) -> [Seen; N] {
    let is_twenty = template.size == 20 && template.places[..] == [3, 12];
    let rows = columns.first().map_or(0, |column| column.len());
    let whole_blocks = rows - rows % if is_twenty { BLOCK } else { LANES };
    let blocks = columns.map(|column| &column[..whole_blocks]);
    let around_cache = template.around_cache && out.as_ptr_range().end.addr().is_multiple_of(size_of::<__m128i>());
    let watched = match template.windows.len() {
        1 if is_twenty && around_cache => append_twenties::<N, true>(template, blocks, out),
        1 if is_twenty => append_twenties::<N, false>(template, blocks, out),
        1 => append_records::<N, false>(template, blocks, out),
        _ => append_records::<N, true>(template, blocks, out),
    };
    let mut seen = scalar::append(template, columns.map(|column| &column[whole_blocks..]), out);
    for index in 0..N {
        seen[index] = seen[index].and(watched[index].seen());
    }
    seen
}

/// What was seen of a column, in lanes.
#[derive(Clone, Copy)]
struct Watched {
    zeros: __m256i,
    any_bits: __m256i,
}

impl Watched {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn nothing() -> Self {
        Self { zeros: _mm256_setzero_si256(), any_bits: _mm256_setzero_si256() }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn look(&mut self, words: __m256i) {
        self.zeros = _mm256_or_si256(self.zeros, _mm256_cmpeq_epi64(words, _mm256_setzero_si256()));
        self.any_bits = _mm256_or_si256(self.any_bits, words);
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn seen(self) -> Seen {
        let halves = _mm_or_si128(_mm256_castsi256_si128(self.any_bits), _mm256_extracti128_si256::<1>(self.any_bits));
        let any_bits = _mm_cvtsi128_si64(_mm_or_si128(halves, _mm_unpackhi_epi64(halves, halves))).cast_unsigned();
        Seen { has_zero: _mm256_testz_si256(self.zeros, self.zeros) == 0, any_bits }
    }
}

/// Appends a record for each row; records of more than one window are `LONG`. Rows are a multiple of `LANES`.
#[target_feature(enable = "avx2")]
fn append_records<const N: usize, const LONG: bool>(
    template: &Template<N>,
    columns: [&[u64]; N],
    out: &mut Vec<u8>,
) -> [Watched; N] {
    let mut watched = [Watched::nothing(); N];
    let Some((first, others)) = template.windows.split_first() else { return watched };
    let first = load(first);
    let mut patterns = [first; N];
    for (pattern, place) in patterns.iter_mut().zip(template.places) {
        let mut bytes = [NONE; WINDOW];
        for (byte, index) in bytes[place..place + 8].iter_mut().zip(0..) {
            *byte = index;
        }
        *pattern = load(&bytes);
    }
    let columns = columns.map(|column| column.as_chunks::<LANES>().0);
    let blocks = columns.first().map_or(0, |column| column.len());
    let columns = columns.map(|column| &column[..blocks]);
    let mut sink = Sink::with_room(out, template.room(blocks * LANES).unwrap_or(usize::MAX));
    for block in 0..blocks {
        for index in 0..N {
            watched[index].look(load_words(&columns[index][block]));
        }
        for row in 0..LANES {
            let mut record = first;
            for index in 0..N {
                let word = _mm256_set1_epi64x(columns[index][block][row].cast_signed());
                record = _mm256_or_si256(record, _mm256_shuffle_epi8(word, patterns[index]));
            }
            // SAFETY: the room holds every record, and behind the last one what its windows take beyond it. They cover the
            // whole record.
            unsafe {
                sink.put_at(0, record);
                if LONG {
                    for (index, window) in others.iter().enumerate() {
                        sink.put_at((index + 1) * WINDOW, load(window));
                    }
                }
                sink.keep(template.size);
            }
        }
    }
    sink.finish();
    watched
}

/// Appends records of twenty bytes with words at 3 and 12.
///
/// The five vectors of four records, by the records' words, `a` at 3 and `b` at 12, and constant bytes as dots:
/// ```text
/// ... a0 a0 a0 a0 a0 a0 a0 a0 . b0 b0 b0 b0 | b0 b0 b0 b0 ... a1 a1 a1 a1 a1 a1 a1 a1 . | b1 b1 b1 b1 b1 b1 b1 b1 ... a2 a2
/// a2 a2 a2 | a2 a2 a2 . b2 b2 b2 b2 b2 b2 b2 b2 ... a3 | a3 a3 a3 a3 a3 a3 a3 . b3 b3 b3 b3 b3 b3 b3 b3
/// ```
#[target_feature(enable = "avx2")]
fn append_twenties<const N: usize, const AROUND_CACHE: bool>(
    template: &Template<N>,
    columns: [&[u64]; N],
    out: &mut Vec<u8>,
) -> [Watched; N] {
    // In these patterns, bytes 0 to 7 are the word that comes first in the vector, 8 to 15 the one behind it.
    const PATTERNS: [[u8; 16]; 5] = [
        [NONE, NONE, NONE, 0, 1, 2, 3, 4, 5, 6, 7, NONE, 8, 9, 10, 11],
        [4, 5, 6, 7, NONE, NONE, NONE, 8, 9, 10, 11, 12, 13, 14, 15, NONE],
        [0, 1, 2, 3, 4, 5, 6, 7, NONE, NONE, NONE, 8, 9, 10, 11, 12],
        [5, 6, 7, NONE, 8, 9, 10, 11, 12, 13, 14, 15, NONE, NONE, NONE, NONE],
        [1, 2, 3, 4, 5, 6, 7, NONE, 8, 9, 10, 11, 12, 13, 14, 15],
    ];
    // The byte of the fourth record's first word that the fourth vector ends with.
    const THIRD: [u8; 16] =
        [NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 0];
    let mut four = [0; 5 * 16];
    for (byte, constant) in four.iter_mut().zip(template.windows[0][..20].iter().cycle()) {
        *byte = *constant;
    }
    let four = four.as_chunks().0;
    let third = both(&THIRD);
    let mut watched = [Watched::nothing(); N];
    let (a, b) = (columns[0].as_chunks::<BLOCK>().0, columns[1].as_chunks::<BLOCK>().0);
    let mut sink = Sink::with_room(out, template.room(a.len() * BLOCK).unwrap_or(usize::MAX));
    for (a, b) in a.iter().zip(b) {
        for (column, block) in [a, b].into_iter().enumerate() {
            let [low, high] = block.as_chunks::<LANES>().0 else { continue };
            watched[column].look(load_words(low));
            watched[column].look(load_words(high));
        }
        let (a01, a23) = (pairs(a, 0), pairs(a, 2));
        let (b01, b23) = (pairs(b, 0), pairs(b, 2));
        let a3_b3 = _mm256_unpackhi_epi64(a23, b23);
        let sources = [
            _mm256_unpacklo_epi64(a01, b01), // a0 b0
            low_high::<0b1010>(b01, a01),    // b0 a1
            low_high::<0b0101>(b01, a23),    // b1 a2
            _mm256_unpacklo_epi64(a23, b23), // a2 b2
            a3_b3,
        ];
        let mut vectors = sources;
        for index in 0..5 {
            let moved = _mm256_shuffle_epi8(sources[index], both(&PATTERNS[index]));
            vectors[index] = _mm256_or_si256(moved, both(&four[index]));
        }
        vectors[3] = _mm256_or_si256(vectors[3], _mm256_shuffle_epi8(a3_b3, third));
        for index in 0..5 {
            let (low, high) = (_mm256_castsi256_si128(vectors[index]), _mm256_extracti128_si256::<1>(vectors[index]));
            // SAFETY: the room holds every record; where they go around the cache, the first begins at a multiple of sixteen,
            // as the caller of this function saw to, and so do all vectors, as eight records are ten of them.
            unsafe {
                if AROUND_CACHE {
                    sink.stream_at(index * 16, low);
                    sink.stream_at(80 + index * 16, high);
                } else {
                    sink.put_at(index * 16, low);
                    sink.put_at(80 + index * 16, high);
                }
            }
        }
        // SAFETY: all of them were written.
        unsafe { sink.keep(160) };
    }
    if AROUND_CACHE {
        // Such stores are ordered against nothing, not even what another thread is told of them.
        _mm_sfence();
    }
    sink.finish();
    watched
}

/// Words `at` and `at + 1` of a block in the lower half, and the two that stand four further on in the upper half.
#[inline]
#[target_feature(enable = "avx2")]
fn pairs(block: &[u64; BLOCK], at: usize) -> __m256i {
    let (first, second) = ([block[at], block[at + 1]], [block[at + 4], block[at + 5]]);
    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(load_pair(&first)), load_pair(&second))
}

/// One word of each half of `first` and one of `second`, chosen by the bits of `CHOICE` (`vshufpd`).
#[inline]
#[target_feature(enable = "avx2")]
fn low_high<const CHOICE: i32>(first: __m256i, second: __m256i) -> __m256i {
    _mm256_castpd_si256(_mm256_shuffle_pd::<CHOICE>(_mm256_castsi256_pd(first), _mm256_castsi256_pd(second)))
}

/// The same sixteen bytes in both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn both(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: the load is the sixteen bytes.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; WINDOW]) -> __m256i {
    // SAFETY: the load is the 32 bytes.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_words(words: &[u64; LANES]) -> __m256i {
    // SAFETY: the load is the four words.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_pair(words: &[u64; 2]) -> __m128i {
    // SAFETY: the load is the two words.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}
