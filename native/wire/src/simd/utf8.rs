//! The check that a string is UTF-8, for strings as short as telemetry's.
//!
//! Nearly all of them are ASCII and take 5 to 60 bytes. The check of the standard library goes from byte to byte until
//! it is aligned, and vector code for all of UTF-8 costs more to get into than such a string takes. So ASCII comes
//! first, eight bytes at a time at any alignment, the last eight reaching back over bytes that were seen; only what is
//! not ASCII is looked at again.

use simdutf8::basic;

/// Strings from here on go to the vector code of simdutf8; below, its dispatch costs more than it saves.
const LONG: usize = 64;

/// The high bit of each byte of a word.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Whether no byte is above 0x7f. For short input: it is read with words, not with vectors.
#[inline(always)]
pub fn is_short_ascii(content: &[u8]) -> bool {
    let seen = match (content.last_chunk::<8>(), content.first_chunk::<4>(), content.last_chunk::<4>()) {
        (Some(last), ..) => content.chunks_exact(8).fold(u64::from_le_bytes(*last), |seen, chunk| {
            seen | u64::from_le_bytes(chunk.try_into().unwrap_or_default())
        }),
        (None, Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first) | u32::from_le_bytes(*last)),
        _ => content.iter().fold(0, |seen, &byte| seen | u64::from(byte)),
    };
    seen & HIGH_BITS == 0
}

/// The text that bytes are, if they are UTF-8.
#[inline]
pub fn from_utf8(content: &[u8]) -> Option<&str> {
    if content.len() < LONG && is_short_ascii(content) {
        // SAFETY: ASCII is UTF-8.
        return Some(unsafe { str::from_utf8_unchecked(content) });
    }
    from_any_utf8(content)
}

#[inline(never)]
fn from_any_utf8(content: &[u8]) -> Option<&str> {
    if content.len() < LONG { str::from_utf8(content).ok() } else { basic::from_utf8(content).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_of_every_length_counts() {
        for length in 0..2 * LONG {
            let mut content = vec![b'a'; length];
            assert!(is_short_ascii(&content), "{length}");
            for place in 0..length {
                content[place] = 0x80;
                assert!(!is_short_ascii(&content), "{length} {place}");
                assert_eq!(from_utf8(&content), None, "{length} {place}");
                content[place] = 0x7f;
            }
            assert_eq!(from_utf8(&content), str::from_utf8(&content).ok(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(text in ".{0,90}", damage in any::<Option<(usize, u8)>>()) {
            let mut content = text.into_bytes();
            if let Some((place, byte)) = damage && !content.is_empty() {
                let place = place % content.len();
                content[place] = byte;
            }
            prop_assert_eq!(from_utf8(&content), str::from_utf8(&content).ok());
        }
    }
}
