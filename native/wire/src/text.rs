//! A borrowed string in one of CPython's storage forms, and its way into UTF-8.
//!
//! CPython keeps a `str` as an array of code points in the narrowest of three widths that holds its largest one, so a
//! single emoji makes every character of a message four bytes wide. protobuf wants UTF-8. `PyUnicode_AsUTF8` would do
//! it, but it leaves the result cached in the user's string for the rest of its life and refuses a lone surrogate;
//! here the code points go straight into the output, and nothing is kept.
//!
//! The two-byte form is **not** UTF-16. CPython stores U+1F600 as one four-byte unit, so a surrogate in the two-byte
//! form is always lone, also where a high one happens to precede a low one. UTF-8 has no encoding for it (RFC 3629,
//! section 3), and it is written as U+FFFD, as is a four-byte unit above U+10FFFF, which only a broken extension can
//! produce. The caller is told how many there were.
//!
//! The transcoding itself is in [`crate::simd`]; this file has no `unsafe`.

use crate::simd;

/// A borrowed string in one of CPython's storage forms.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// Bytes that are UTF-8 already (ASCII is the common case): copied as they are, not checked.
    Utf8(&'a [u8]),
    /// One byte for each code point, U+0000 to U+00FF.
    Latin1(&'a [u8]),
    /// Two bytes for each code point, U+0000 to U+FFFF; a surrogate stands for itself.
    Ucs2(&'a [u16]),
    /// Four bytes for each code point; values that are none are allowed and replaced.
    Ucs4(&'a [u32]),
}

impl Text<'_> {
    /// Whether the string has no code point.
    #[inline]
    pub fn is_empty(self) -> bool {
        match self {
            Text::Utf8(units) | Text::Latin1(units) => units.is_empty(),
            Text::Ucs2(units) => units.is_empty(),
            Text::Ucs4(units) => units.is_empty(),
        }
    }

    /// The most bytes that the UTF-8 form can take; `usize::MAX` where that does not fit.
    #[inline]
    pub fn max_utf8_len(self) -> usize {
        match self {
            Text::Utf8(units) => units.len(),
            Text::Latin1(units) => units.len().saturating_mul(simd::LATIN1_MAX_BYTES),
            Text::Ucs2(units) => units.len().saturating_mul(simd::UCS2_MAX_BYTES),
            Text::Ucs4(units) => units.len().saturating_mul(simd::UCS4_MAX_BYTES),
        }
    }

    /// The spare capacity in bytes with which [`Text::append_to`] never makes its vector grow: somewhat more than
    /// [`Text::max_utf8_len`], because the kernels write whole registers.
    #[inline]
    pub fn room(self) -> usize {
        match self {
            Text::Utf8(bytes) => bytes.len(),
            Text::Latin1(_) | Text::Ucs2(_) | Text::Ucs4(_) => self.max_utf8_len().saturating_add(simd::OVERHANG),
        }
    }

    /// The length of the UTF-8 form in bytes where no look at the content is needed to know it: [`Text::Utf8`] only.
    #[inline]
    pub fn known_utf8_len(self) -> Option<usize> {
        match self {
            Text::Utf8(bytes) => Some(bytes.len()),
            Text::Latin1(_) | Text::Ucs2(_) | Text::Ucs4(_) => None,
        }
    }

    /// Appends the UTF-8 form to `out` and returns how many code points were replaced by U+FFFD.
    #[inline]
    pub fn append_to(self, out: &mut Vec<u8>) -> usize {
        match self {
            Text::Utf8(bytes) => {
                out.extend_from_slice(bytes);
                0
            }
            Text::Latin1(units) => simd::latin1_to_utf8(units, out),
            Text::Ucs2(units) => simd::ucs2_to_utf8(units, out),
            Text::Ucs4(units) => simd::ucs4_to_utf8(units, out),
        }
    }
}
