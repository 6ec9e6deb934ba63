//! The kernels without vector instructions: always compiled, and what short strings take on every machine.
//!
//! Each looks at eight units at a time. Eight ASCII units are narrowed and written as one block; a block with anything
//! else in it is written unit by unit, and the next block starts afresh. The obvious loop, which looks for the
//! next ASCII run after every other unit, would try and fail at each word boundary of a Cyrillic text.
//!
//! Latin-1 has no branch per unit at all: both bytes of the long form are always written, and the step is one or two.

use super::sink::Sink;
use super::{LATIN1_MAX_BYTES, UCS2_MAX_BYTES, UCS4_MAX_BYTES};

/// What stands for a code point that UTF-8 cannot hold: U+FFFD.
const REPLACEMENT: [u8; 3] = [0xef, 0xbf, 0xbd];

/// Units that are looked at together.
const BLOCK: usize = 8;

/// Appends Latin-1 as UTF-8; nothing is ever replaced.
pub(super) fn latin1(src: &[u8], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(LATIN1_MAX_BYTES));
    // SAFETY: the room is the most that `src` can take.
    unsafe { put_latin1(src, &mut sink) };
    sink.finish();
    0
}

/// Appends UCS-2 as UTF-8 and returns how many surrogates were replaced.
pub(super) fn ucs2(src: &[u16], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS2_MAX_BYTES));
    // SAFETY: the room is the most that `src` can take.
    let replaced = unsafe { put_ucs2(src, &mut sink) };
    sink.finish();
    replaced
}

/// Appends UCS-4 as UTF-8 and returns how many values were replaced.
pub(super) fn ucs4(src: &[u32], out: &mut Vec<u8>) -> usize {
    let mut sink = Sink::with_room(out, src.len().saturating_mul(UCS4_MAX_BYTES));
    // SAFETY: the room is the most that `src` can take.
    let replaced = unsafe { put_ucs4(src, &mut sink) };
    sink.finish();
    replaced
}

/// # Safety
/// The sink has room for [`LATIN1_MAX_BYTES`] for each unit of `src`.
#[inline(always)]
pub(super) unsafe fn put_latin1(mut src: &[u8], sink: &mut Sink<'_>) {
    while let Some((block, rest)) = src.split_first_chunk::<BLOCK>() {
        if u64::from_ne_bytes(*block) & 0x8080_8080_8080_8080 == 0 {
            // SAFETY: eight units have room for sixteen bytes.
            unsafe { sink.put(*block) };
        } else {
            for &unit in block {
                // SAFETY: this unit has room for two bytes, those before it took no more than theirs.
                unsafe { put_latin1_unit(unit, sink) };
            }
        }
        src = rest;
    }
    for &unit in src {
        // SAFETY: as above.
        unsafe { put_latin1_unit(unit, sink) };
    }
}

/// # Safety
/// The sink has room for [`LATIN1_MAX_BYTES`] for each unit of `src`.
#[inline(always)]
unsafe fn put_latin1_unit(unit: u8, sink: &mut Sink<'_>) {
    let wide = unit >= 0x80;
    let lead = if wide { 0xc0 | (unit >> 6) } else { unit };
    // SAFETY: two bytes, for which the caller has room.
    unsafe { sink.put_part([lead, 0x80 | (unit & 0x3f)], 1 + usize::from(wide)) };
}

/// # Safety
/// The sink has room for [`UCS2_MAX_BYTES`] for each unit of `src`.
#[inline(always)]
pub(super) unsafe fn put_ucs2(mut src: &[u16], sink: &mut Sink<'_>) -> usize {
    let mut replaced = 0;
    while let Some((block, rest)) = src.split_first_chunk::<BLOCK>() {
        if block.iter().fold(0, |all, unit| all | unit) < 0x80 {
            // SAFETY: eight units have room for 24 bytes.
            unsafe { sink.put(block.map(|unit| unit as u8)) };
        } else {
            for &unit in block {
                // SAFETY: this unit has room for three bytes, those before it took no more than theirs.
                replaced += unsafe { put_bmp(u32::from(unit), sink) };
            }
        }
        src = rest;
    }
    for &unit in src {
        // SAFETY: as above.
        replaced += unsafe { put_bmp(u32::from(unit), sink) };
    }
    replaced
}

/// # Safety
/// The sink has room for [`UCS4_MAX_BYTES`] for each unit of `src`.
#[inline(always)]
pub(super) unsafe fn put_ucs4(mut src: &[u32], sink: &mut Sink<'_>) -> usize {
    let mut replaced = 0;
    while let Some((block, rest)) = src.split_first_chunk::<BLOCK>() {
        if block.iter().fold(0, |all, unit| all | unit) < 0x80 {
            // SAFETY: eight units have room for 32 bytes.
            unsafe { sink.put(block.map(|unit| unit as u8)) };
        } else {
            for &unit in block {
                // SAFETY: this unit has room for four bytes, those before it took no more than theirs.
                replaced += unsafe { put_ucs4_unit(unit, sink) };
            }
        }
        src = rest;
    }
    for &unit in src {
        // SAFETY: as above.
        replaced += unsafe { put_ucs4_unit(unit, sink) };
    }
    replaced
}

/// Writes a value up to U+FFFF and returns 1 where it was a surrogate, 0 otherwise.
///
/// # Safety
/// The sink has room for three bytes.
#[inline(always)]
unsafe fn put_bmp(value: u32, sink: &mut Sink<'_>) -> usize {
    // SAFETY: at most three bytes are written, for which the caller has room.
    unsafe {
        if value < 0x80 {
            sink.put([value as u8]);
        } else if value < 0x800 {
            sink.put([0xc0 | (value >> 6) as u8, trail(value)]);
        } else if value & 0xf800 == 0xd800 {
            sink.put(REPLACEMENT);
            return 1;
        } else {
            sink.put([0xe0 | (value >> 12) as u8, trail(value >> 6), trail(value)]);
        }
    }
    0
}

/// Writes any value and returns 1 where it was replaced, 0 otherwise.
///
/// # Safety
/// The sink has room for four bytes.
#[inline(always)]
unsafe fn put_ucs4_unit(value: u32, sink: &mut Sink<'_>) -> usize {
    // SAFETY: at most four bytes are written, for which the caller has room.
    unsafe {
        if value <= 0xffff {
            return put_bmp(value, sink);
        }
        if value > 0x10_ffff {
            sink.put(REPLACEMENT);
            return 1;
        }
        sink.put([0xf0 | (value >> 18) as u8, trail(value >> 12), trail(value >> 6), trail(value)]);
    }
    0
}

/// The continuation byte for the lowest six bits.
#[inline(always)]
fn trail(value: u32) -> u8 {
    0x80 | (value & 0x3f) as u8
}
