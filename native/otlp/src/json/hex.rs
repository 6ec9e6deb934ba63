//! Trace and span ids as hexadecimal digits, written in lower case and read in both.
//!
//! A table of a digit pair for each byte, and one of a value for each digit. An id is eight bytes or sixteen, and there
//! are three in a span: crates that do it with vector instructions begin to gain where these end.

use otlp_wire::Writer;

/// The longest id in bytes, a trace's.
pub(super) const MAX_ID_LEN: usize = 16;

/// What stands for a character that is no digit.
const NO_DIGIT: u8 = 0xff;

const PAIRS: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 0xf]];
        byte += 1;
    }
    pairs
};

const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        let character = b"0123456789abcdef"[digit];
        values[character as usize] = digit as u8;
        values[character.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Writes an id, or none, as a JSON string.
pub(super) fn put_id(out: &mut Writer, id: &[u8]) {
    let mut digits = [[0; 2]; MAX_ID_LEN];
    for (pair, byte) in digits.iter_mut().zip(id) {
        *pair = PAIRS[usize::from(*byte)];
    }
    out.put_pair([b'"'], &digits.as_flattened()[..2 * id.len()], [b'"'], &[]);
}

/// The id that digits stand for; `None` where they are not two for each byte of `id`, or no digits.
pub(super) fn read_id(digits: &[u8], id: &mut [u8]) -> Option<()> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    if pairs.len() != id.len() {
        return None;
    }
    let mut all = 0;
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        let (high, low) = (VALUES[usize::from(*high)], VALUES[usize::from(*low)]);
        all |= high | low;
        *byte = high << 4 | low & 0xf;
    }
    (all < 16).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_read_back_in_both_cases(id in any::<[u8; 16]>()) {
            let mut out = Writer::new();
            put_id(&mut out, &id);
            let expected: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(std::str::from_utf8(out.as_slice()), Ok(&*format!("\"{expected}\"")));
            for digits in [expected.to_uppercase(), expected] {
                let mut read = [0; 16];
                prop_assert_eq!(read_id(digits.as_bytes(), &mut read), Some(()));
                prop_assert_eq!(read, id);
            }
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let mut id = [0; 8];
        for digits in ["", "0", "00112233445566", "001122334455667", "00112233445566778", "0011223344556677ff"] {
            assert_eq!(read_id(digits.as_bytes(), &mut id), None, "{digits}");
        }
        for byte in (0..=0xff_u8).filter(|byte| !byte.is_ascii_hexdigit()) {
            for place in 0..16 {
                let mut digits = *b"0011223344556677";
                digits[place] = byte;
                assert_eq!(read_id(&digits, &mut id), None, "{byte:#x} at {place}");
            }
        }
    }
}
