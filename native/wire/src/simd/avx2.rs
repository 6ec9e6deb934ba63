//! The kernels for x86-64 with AVX2: sixteen units at a time, whatever mix of lengths they have.
//!
//! A block of sixteen units takes the first of four forms that fits all of it:
//!
//! 1. **ASCII**: narrow, store.
//! 2. **Up to U+07FF**: each 16-bit lane becomes its two-byte form, or stays as it is where it is ASCII. One bit for
//!    each lane says which, eight lanes make a byte, and that byte selects from a table of 256 `pshufb` patterns the
//!    one that closes the gaps. The length is 16 less the number of set bits.
//! 3. **Up to U+FFFF**: the same with four lanes of 32 bits and two bits for each lane. The bytes of a character stand
//!    at the end of its lane, so a character of any length is the last bytes of its lane and one table serves.
//!    Surrogates are replaced lane by lane before that, which costs three instructions and no branch: they are always
//!    lone here (see [`crate::text`]), so no lane has to look at its neighbour as a UTF-16 transcoder must.
//! 4. **Anything** (UCS-4 only): as 3, with 32-bit arithmetic and the fourth length.
//!
//! Latin-1 is widened to 16 bits and takes form 1 or 2; UCS-4 without a value above U+FFFF is narrowed to 16 bits and
//! takes forms 1 to 3.
//!
//! **The end of the string** is a block like the others. A scalar loop over up to fifteen units would take about as
//! long as all blocks of a typical attribute value. Instead the last units are loaded from `end - 8`, so that nothing
//! past the end is read, and moved down over those already written; zeros fill the block. A zero is ASCII and adds one
//! byte at the end, which is not counted. No block writes more than [`OVERHANG`] bytes past its start, counted or not,
//! so that much is reserved on top of what the units can take. Strings of fewer than eight units have no `end - 8` and
//! are scalar, except in UCS-4, where a masked load needs no such thing.
//!
//! **Why not** `pext` to close the gaps: it needs no table, but is microcoded, and slow, on AMD before Zen 3.
//! **Why not** 32 units at a time in UCS-2: it was 10 to 20 % slower on logs and JSON of 2,000 units.
//! Latin-1 does take 32, because there a block that is not ASCII needs no further question.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_movemask_epi8, _mm_packus_epi16, _mm_set_epi64x, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm256_and_si256, _mm256_blendv_epi8, _mm256_castsi256_si128, _mm256_cmpeq_epi16,
    _mm256_cmpeq_epi32, _mm256_cmpgt_epi16, _mm256_cmpgt_epi32, _mm256_cvtepu8_epi16, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_maskload_epi32, _mm256_max_epu32, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_packs_epi16, _mm256_packs_epi32, _mm256_packus_epi32, _mm256_permute4x64_epi64, _mm256_set_m128i,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi32,
    _mm256_slli_epi16, _mm256_slli_epi32, _mm256_srli_epi16, _mm256_srli_epi32, _mm256_testz_si256,
    _mm256_unpackhi_epi16, _mm256_unpacklo_epi16,
};

use super::sink::Sink;
use super::tables::{self, Table};
use super::{LATIN1_MAX_BYTES, OVERHANG, UCS2_MAX_BYTES, UCS4_MAX_BYTES, scalar};

/// Units in a block.
const BLOCK: usize = 16;

/// Units that a load at the end of the string covers; shorter Latin-1 and UCS-2 strings are scalar.
const HALF: usize = 8;

/// Appends Latin-1 as UTF-8; nothing is ever replaced.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn latin1(src: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(last) = src.last_chunk::<HALF>() else {
        return scalar::latin1(src, out);
    };
    let mut sink = Sink::with_room(out, src.len().saturating_mul(LATIN1_MAX_BYTES).saturating_add(OVERHANG));
    let mut left = src;
    while let Some((blocks, rest)) = left.split_first_chunk::<{ 2 * BLOCK }>() {
        // SAFETY: the load is the 32 bytes of `blocks`; the units so far have taken no more than their share of the
        // room, so the next 32 have theirs.
        unsafe {
            let units = _mm256_loadu_si256(blocks.as_ptr().cast());
            if _mm256_movemask_epi8(units) == 0 {
                sink.put(units);
            } else {
                put_two_byte_block(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(units)), &mut sink);
                put_two_byte_block(_mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(units)), &mut sink);
            }
        }
        left = rest;
    }
    if let Some((block, rest)) = left.split_first_chunk::<BLOCK>() {
        // SAFETY: the load is the sixteen bytes of `block`; the units so far have taken no more than their share of
        // the room, so this block has its overhang.
        unsafe { put_latin1_block(_mm_loadu_si128(block.as_ptr().cast()), &mut sink) };
        left = rest;
    }
    if !left.is_empty() {
        let last = u64::from_le_bytes(*last);
        let units = match left.first_chunk::<HALF>() {
            Some(first) => (u64::from_le_bytes(*first), last.unbounded_shr(unit_bits(BLOCK - left.len()))),
            None => (last.unbounded_shr(unit_bits(HALF - left.len())), 0),
        };
        let units = _mm_set_epi64x(units.1.cast_signed(), units.0.cast_signed());
        // SAFETY: the room holds the overhang of one more block; the units that fill it up took one byte each.
        unsafe {
            put_latin1_block(units, &mut sink);
            sink.take_back(BLOCK - left.len());
        }
    }
    sink.finish();
    0
}

/// Appends UCS-2 as UTF-8 and returns how many surrogates were replaced.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn ucs2(src: &[u16], out: &mut Vec<u8>) -> usize {
    let Some(last) = src.last_chunk::<HALF>() else {
        return scalar::ucs2(src, out);
    };
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS2_MAX_BYTES).saturating_add(OVERHANG));
    let mut replaced = 0;
    let mut left = src;
    while let Some((block, rest)) = left.split_first_chunk::<BLOCK>() {
        // SAFETY: the load is the 32 bytes of `block`; the units so far have taken no more than their share of the
        // room, so this block has its overhang.
        replaced += unsafe { put_ucs2_block(_mm256_loadu_si256(block.as_ptr().cast()), &mut sink) };
        left = rest;
    }
    if !left.is_empty() {
        // SAFETY: the loads are the sixteen bytes of `last` and of `first`.
        let (low, high) = unsafe {
            let last = _mm_loadu_si128(last.as_ptr().cast());
            match left.first_chunk::<HALF>() {
                Some(first) => (_mm_loadu_si128(first.as_ptr().cast()), drop_units(last, BLOCK - left.len())),
                None => (drop_units(last, HALF - left.len()), _mm_setzero_si128()),
            }
        };
        // SAFETY: the room holds the overhang of one more block; the units that fill it up took one byte each.
        unsafe {
            replaced += put_ucs2_block(_mm256_set_m128i(high, low), &mut sink);
            sink.take_back(BLOCK - left.len());
        }
    }
    sink.finish();
    replaced
}

/// Appends UCS-4 as UTF-8 and returns how many values were replaced.
#[target_feature(enable = "avx2,popcnt")]
pub(super) fn ucs4(src: &[u32], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS4_MAX_BYTES).saturating_add(OVERHANG));
    let mut replaced = 0;
    let mut left = src;
    while let Some((block, rest)) = left.split_first_chunk::<BLOCK>() {
        let at = block.as_ptr().cast::<__m256i>();
        // SAFETY: the two loads are the 64 bytes of `block`; the units so far have taken no more than their share of
        // the room, so this block has its overhang.
        replaced += unsafe { put_ucs4_block(_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1)), &mut sink) };
        left = rest;
    }
    if !left.is_empty() {
        // Unlike 16-bit lanes, 32-bit lanes can be left out of a load, so here no unit is read twice.
        let count = _mm256_set1_epi32(left.len() as i32);
        let low = _mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        let high = _mm256_cmpgt_epi32(count, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15));
        let at = left.as_ptr().cast::<i32>();
        // SAFETY: a masked load does not touch the lanes whose mask is clear, which are those past the end of `left`;
        // the second address is computed without a claim to be inside. The room holds the overhang of one more block;
        // the units that fill it up took one byte each.
        unsafe {
            let (low, high) = (_mm256_maskload_epi32(at, low), _mm256_maskload_epi32(at.wrapping_add(HALF), high));
            replaced += put_ucs4_block(low, high, &mut sink);
            sink.take_back(BLOCK - left.len());
        }
    }
    sink.finish();
    replaced
}

/// Writes sixteen Latin-1 units.
///
/// # Safety
/// The sink has room for [`OVERHANG`] bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_latin1_block(units: __m128i, sink: &mut Sink<'_>) {
    // SAFETY: the caller has the room; no unit of Latin-1 is above U+07FF.
    unsafe {
        if _mm_movemask_epi8(units) == 0 {
            sink.put(units);
        } else {
            put_two_byte_block(_mm256_cvtepu8_epi16(units), sink);
        }
    }
}

/// Writes sixteen UCS-2 units and returns how many were replaced.
///
/// # Safety
/// The sink has room for [`OVERHANG`] bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_ucs2_block(units: __m256i, sink: &mut Sink<'_>) -> usize {
    // SAFETY: the caller has the room.
    unsafe {
        if _mm256_testz_si256(units, _mm256_set1_epi16(!0x7f)) != 0 {
            sink.put(_mm_packus_epi16(_mm256_castsi256_si128(units), _mm256_extracti128_si256::<1>(units)));
            0
        } else if _mm256_testz_si256(units, _mm256_set1_epi16(!0x7ff)) != 0 {
            put_two_byte_block(units, sink);
            0
        } else {
            put_three_byte_block(units, sink)
        }
    }
}

/// Writes sixteen UCS-4 units and returns how many were replaced.
///
/// # Safety
/// The sink has room for [`OVERHANG`] bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_ucs4_block(low: __m256i, high: __m256i, sink: &mut Sink<'_>) -> usize {
    // SAFETY: the caller has the room; a wide half writes 32 bytes.
    unsafe {
        let all = _mm256_or_si256(low, high);
        if _mm256_testz_si256(all, _mm256_set1_epi32(!0x7f)) != 0 {
            let narrow = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            sink.put(_mm_packus_epi16(_mm256_castsi256_si128(narrow), _mm256_extracti128_si256::<1>(narrow)));
            0
        } else if _mm256_testz_si256(all, _mm256_set1_epi32(!0xffff)) != 0 {
            // The narrowing works within 128-bit halves; the permutation puts the quarters back into order.
            let narrow = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi32(low, high));
            put_ucs2_block(narrow, sink)
        } else {
            put_wide_half_block(low, sink) + put_wide_half_block(high, sink)
        }
    }
}

/// Form 2: writes sixteen units, all up to U+07FF.
///
/// # Safety
/// The sink has room for 32 bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_two_byte_block(units: __m256i, sink: &mut Sink<'_>) {
    let ascii = _mm256_cmpgt_epi16(_mm256_set1_epi16(0x80), units);
    let lead = _mm256_srli_epi16::<6>(units);
    let trail = _mm256_slli_epi16::<8>(_mm256_and_si256(units, _mm256_set1_epi16(0x3f)));
    let marks = _mm256_set1_epi16(0x80c0_u16.cast_signed());
    let pairs = _mm256_or_si256(_mm256_or_si256(lead, trail), marks);
    let pairs = _mm256_blendv_epi8(pairs, units, ascii);

    let keys = _mm256_movemask_epi8(_mm256_packs_epi16(ascii, _mm256_setzero_si256()));
    let (key0, key1) = (keys as u8, (keys >> 16) as u8);
    // SAFETY: two registers, the second at most sixteen bytes in.
    unsafe {
        put_closed(_mm256_castsi256_si128(pairs), &tables::TWO_BYTE_LANES, key0, sink);
        put_closed(_mm256_extracti128_si256::<1>(pairs), &tables::TWO_BYTE_LANES, key1, sink);
    }
}

/// Form 3: writes sixteen units of any value and returns how many were surrogates.
///
/// # Safety
/// The sink has room for 52 bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_three_byte_block(units: __m256i, sink: &mut Sink<'_>) -> usize {
    let high_bits = _mm256_and_si256(units, _mm256_set1_epi16(!0x7ff));
    let surrogate = _mm256_cmpeq_epi16(high_bits, _mm256_set1_epi16(0xd800_u16.cast_signed()));
    let up_to_7ff = _mm256_cmpeq_epi16(high_bits, _mm256_setzero_si256());
    let units = _mm256_blendv_epi8(units, _mm256_set1_epi16(0xfffd_u16.cast_signed()), surrogate);
    let ascii = _mm256_cmpeq_epi16(_mm256_and_si256(units, _mm256_set1_epi16(!0x7f)), _mm256_setzero_si256());

    // The last two bytes of every character, and the byte before them, which only a three-byte character has.
    let last = _mm256_slli_epi16::<8>(_mm256_and_si256(units, _mm256_set1_epi16(0x3f)));
    let middle = _mm256_and_si256(_mm256_srli_epi16::<6>(units), _mm256_set1_epi16(0x3f));
    let marks = _mm256_blendv_epi8(
        _mm256_set1_epi16(0x8080_u16.cast_signed()),
        _mm256_set1_epi16(0x80c0_u16.cast_signed()),
        up_to_7ff,
    );
    let pairs = _mm256_or_si256(_mm256_or_si256(last, middle), marks);
    let pairs = _mm256_blendv_epi8(pairs, _mm256_slli_epi16::<8>(units), ascii);
    let first = _mm256_and_si256(_mm256_srli_epi16::<4>(units), _mm256_set1_epi16(0x0f00));
    let first = _mm256_or_si256(first, _mm256_set1_epi16(0xe000_u16.cast_signed()));
    // Units 0..4 and 8..12; units 4..8 and 12..16.
    let even = _mm256_unpacklo_epi16(first, pairs);
    let odd = _mm256_unpackhi_epi16(first, pairs);

    // Within each half: four bits of `ascii`, four of `up_to_7ff` for one key, then the same for the next.
    let bits = _mm256_shuffle_epi32::<0b11_01_10_00>(_mm256_packs_epi16(ascii, up_to_7ff));
    let [key0, key1, key2, key3] = _mm256_movemask_epi8(bits).to_le_bytes();
    // SAFETY: four registers, each at most twelve bytes after the one before.
    unsafe {
        put_closed(_mm256_castsi256_si128(even), &tables::FOUR_BYTE_LANES, key0, sink);
        put_closed(_mm256_castsi256_si128(odd), &tables::FOUR_BYTE_LANES, key1, sink);
        put_closed(_mm256_extracti128_si256::<1>(even), &tables::FOUR_BYTE_LANES, key2, sink);
        put_closed(_mm256_extracti128_si256::<1>(odd), &tables::FOUR_BYTE_LANES, key3, sink);
    }
    _mm256_movemask_epi8(surrogate).count_ones() as usize / 2
}

/// Form 4: writes eight values and returns how many were replaced.
///
/// # Safety
/// The sink has room for 32 bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_wide_half_block(values: __m256i, sink: &mut Sink<'_>) -> usize {
    let surrogate = _mm256_cmpeq_epi32(_mm256_and_si256(values, _mm256_set1_epi32(!0x7ff)), _mm256_set1_epi32(0xd800));
    // AVX2 has no unsigned comparison; a value is at least the limit where it is the larger of the two.
    let beyond = _mm256_cmpeq_epi32(_mm256_max_epu32(values, _mm256_set1_epi32(0x11_0000)), values);
    let bad = _mm256_or_si256(surrogate, beyond);
    let values = _mm256_blendv_epi8(values, _mm256_set1_epi32(0xfffd), bad);
    let ascii = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x80), values);
    let up_to_7ff = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x800), values);
    let above_ffff = _mm256_cmpgt_epi32(values, _mm256_set1_epi32(0xffff));

    let six_bits = |shifted| _mm256_and_si256(shifted, _mm256_set1_epi32(0x3f));
    let bytes = _mm256_or_si256(
        _mm256_or_si256(
            _mm256_slli_epi32::<24>(six_bits(values)),
            _mm256_slli_epi32::<16>(six_bits(_mm256_srli_epi32::<6>(values))),
        ),
        _mm256_or_si256(
            _mm256_slli_epi32::<8>(six_bits(_mm256_srli_epi32::<12>(values))),
            _mm256_srli_epi32::<18>(values),
        ),
    );
    let marks = _mm256_set1_epi32(0x8080_e000_u32.cast_signed());
    let marks = _mm256_blendv_epi8(marks, _mm256_set1_epi32(0x80c0_0000_u32.cast_signed()), up_to_7ff);
    let marks = _mm256_blendv_epi8(marks, _mm256_set1_epi32(0x8080_80f0_u32.cast_signed()), above_ffff);
    let bytes = _mm256_or_si256(bytes, marks);
    let bytes = _mm256_blendv_epi8(bytes, _mm256_slli_epi32::<24>(values), ascii);

    let bits = _mm256_packs_epi32(_mm256_or_si256(ascii, above_ffff), up_to_7ff);
    let keys = _mm256_movemask_epi8(_mm256_packs_epi16(bits, bits));
    // SAFETY: two registers, the second at most sixteen bytes in.
    unsafe {
        put_closed(_mm256_castsi256_si128(bytes), &tables::FOUR_BYTE_LANES, keys as u8, sink);
        put_closed(_mm256_extracti128_si256::<1>(bytes), &tables::FOUR_BYTE_LANES, (keys >> 16) as u8, sink);
    }
    _mm256_movemask_epi8(bad).count_ones() as usize / 4
}

/// Moves the bytes that `key` keeps to the front and writes them.
///
/// # Safety
/// The sink has room for sixteen bytes.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_closed(lanes: __m128i, table: &Table, key: u8, sink: &mut Sink<'_>) {
    // SAFETY: a pattern is sixteen bytes long; the caller has the room.
    unsafe {
        let pattern = _mm_loadu_si128(table.patterns[usize::from(key)].as_ptr().cast());
        sink.put_part(_mm_shuffle_epi8(lanes, pattern), usize::from(table.lengths[usize::from(key)]));
    }
}

/// How far to shift for `count` units of Latin-1.
#[inline(always)]
fn unit_bits(count: usize) -> u32 {
    8 * count as u32
}

/// Moves the 16-bit units down by `count` places, zeros coming in from above.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn drop_units(units: __m128i, count: usize) -> __m128i {
    // A byte of 0x80 in a pattern gives zero: the pattern that starts `2 * count` bytes into this one moves down by
    // as many bytes.
    static SLIDE: [u8; 32] = {
        let mut slide = [0x80; 32];
        let mut index = 0;
        while index < 16 {
            slide[index] = index as u8;
            index += 1;
        }
        slide
    };
    let at = &SLIDE[2 * count..][..16];
    // SAFETY: the load is the sixteen bytes of `at`.
    _mm_shuffle_epi8(units, unsafe { _mm_loadu_si128(at.as_ptr().cast()) })
}
