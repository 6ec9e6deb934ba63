//! The kernels for x86-64 without AVX2: ASCII runs sixteen units at a time, everything else scalar.
//!
//! SSE2 can narrow and compare but cannot move bytes by a computed pattern (`pshufb` came with SSSE3), and without that
//! the bytes of a mixed block cannot be closed up. So this path only tells ASCII blocks from others; the blocks that
//! are not ASCII go through the scalar code sixteen units at a time.
//!
//! Latin-1 has no kernel here: its scalar form already looks at eight bytes at once, and a version with SSE2 was from
//! 17 % slower to 4 % faster.

use core::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_packs_epi32,
    _mm_packus_epi16, _mm_set1_epi16, _mm_set1_epi32, _mm_setzero_si128,
};

use super::sink::Sink;
use super::{UCS2_MAX_BYTES, UCS4_MAX_BYTES, scalar};

/// Units that are looked at together.
const BLOCK: usize = 16;

/// Appends UCS-2 as UTF-8 and returns how many surrogates were replaced.
#[target_feature(enable = "sse2")]
pub(super) fn ucs2(mut src: &[u16], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS2_MAX_BYTES));
    let mut replaced = 0;
    while let Some((block, rest)) = src.split_first_chunk::<BLOCK>() {
        let at = block.as_ptr().cast::<__m128i>();
        // SAFETY: the two loads are the 32 bytes of `block`, and every block has room for the
        // most that its units can take.
        unsafe {
            let (low, high) = (_mm_loadu_si128(at), _mm_loadu_si128(at.add(1)));
            if is_zero(_mm_and_si128(_mm_or_si128(low, high), _mm_set1_epi16(!0x7f))) {
                sink.put(_mm_packus_epi16(low, high));
            } else {
                replaced += scalar::put_ucs2(block, &mut sink);
            }
        }
        src = rest;
    }
    // SAFETY: what is left has room for the most that its units can take.
    replaced += unsafe { scalar::put_ucs2(src, &mut sink) };
    sink.finish();
    replaced
}

/// Appends UCS-4 as UTF-8 and returns how many values were replaced.
#[target_feature(enable = "sse2")]
pub(super) fn ucs4(mut src: &[u32], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS4_MAX_BYTES));
    let mut replaced = 0;
    while let Some((block, rest)) = src.split_first_chunk::<BLOCK>() {
        let at = block.as_ptr().cast::<__m128i>();
        // SAFETY: the four loads are the 64 bytes of `block`, and every block has room for the
        // most that its units can take.
        unsafe {
            let (a, b) = (_mm_loadu_si128(at), _mm_loadu_si128(at.add(1)));
            let (c, d) = (_mm_loadu_si128(at.add(2)), _mm_loadu_si128(at.add(3)));
            let all = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
            if is_zero(_mm_and_si128(all, _mm_set1_epi32(!0x7f))) {
                sink.put(_mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
            } else {
                replaced += scalar::put_ucs4(block, &mut sink);
            }
        }
        src = rest;
    }
    // SAFETY: what is left has room for the most that its units can take.
    replaced += unsafe { scalar::put_ucs4(src, &mut sink) };
    sink.finish();
    replaced
}

#[inline]
#[target_feature(enable = "sse2")]
fn is_zero(value: __m128i) -> bool {
    _mm_movemask_epi8(_mm_cmpeq_epi8(value, _mm_setzero_si128())) == 0xffff
}
