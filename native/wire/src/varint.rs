//! Varints, zigzag and tags: the arithmetic of the wire format, without any buffer.
//!
//! A varint holds seven bits per byte, least significant group first, the high bit set on all bytes but the last
//! (<https://protobuf.dev/programming-guides/encoding/#varints>). A 64-bit value takes 1 to 10 bytes.

/// Most bytes that a varint can take.
pub const MAX_VARINT_LEN: usize = 10;

/// How the value of a field is laid out (<https://protobuf.dev/programming-guides/encoding/#structure>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// `int32`, `int64`, `uint32`, `uint64`, `sint32`, `sint64`, `bool`, enums.
    Varint = 0,
    /// `fixed64`, `sfixed64`, `double`.
    Fixed64 = 1,
    /// Strings, bytes, messages, packed repeated fields.
    Len = 2,
    /// Start of a group: deprecated, read so that unknown fields can be skipped, never written.
    GroupStart = 3,
    /// End of a group.
    GroupEnd = 4,
    /// `fixed32`, `sfixed32`, `float`.
    Fixed32 = 5,
}

impl WireType {
    /// The wire type in the low three bits of a tag; `None` for the two values that mean nothing.
    #[inline]
    pub const fn from_tag(tag: u32) -> Option<Self> {
        match tag & 7 {
            0 => Some(Self::Varint),
            1 => Some(Self::Fixed64),
            2 => Some(Self::Len),
            3 => Some(Self::GroupStart),
            4 => Some(Self::GroupEnd),
            5 => Some(Self::Fixed32),
            _ => None,
        }
    }
}

/// The tag of a field: its number and wire type in one integer.
#[inline]
pub const fn tag(field: u32, wire_type: WireType) -> u32 {
    (field << 3) | wire_type as u32
}

/// The tag of a field whose number is below 16, as the single byte that it takes on the wire.
///
/// # Panics
/// At compile time (the result is meant for a `const`) when the field number does not fit.
#[inline]
pub const fn short_tag(field: u32, wire_type: WireType) -> u8 {
    assert!(field > 0 && field < 16, "this field's tag takes more than one byte");
    (field as u8) << 3 | wire_type as u8
}

/// How many bytes the varint of `value` takes: 1 to 10.
#[inline]
pub const fn varint_len(value: u64) -> usize {
    // ceil(bits / 7) without a division: 9/64 is just above 1/7 and exact over 1..=64 bits.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    (bits * 9 + 64) / 64
}

/// Maps signed to unsigned so that small magnitudes stay short: 0, -1, 1, -2 become 0, 1, 2, 3 (`sint64`).
#[inline]
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The reverse of [`zigzag`].
#[inline]
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Writes `value` as a varint to the start of `out` and gives the number of bytes taken.
#[inline]
pub const fn encode_varint(mut value: u64, out: &mut [u8; MAX_VARINT_LEN]) -> usize {
    let mut at = 0;
    while value >= 0x80 {
        out[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    out[at] = value as u8;
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn varint_len_agrees_with_encoding_at_every_boundary() {
        let mut out = [0; MAX_VARINT_LEN];
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                assert_eq!(varint_len(value), encode_varint(value, &mut out), "{value}");
            }
        }
    }

    #[test]
    fn known_encodings_are_written() {
        let mut out = [0; MAX_VARINT_LEN];
        for (value, bytes) in [(0u64, &[0u8][..]), (127, &[0x7f]), (128, &[0x80, 1]), (300, &[0xac, 2])] {
            let length = encode_varint(value, &mut out);
            assert_eq!(&out[..length], bytes);
        }
        assert_eq!(encode_varint(u64::MAX, &mut out), 10);
        assert_eq!(out, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }

    #[test]
    fn small_magnitudes_stay_short_in_zigzag() {
        assert_eq!([0, -1, 1, -2, i64::MAX, i64::MIN].map(zigzag), [0, 1, 2, 3, u64::MAX - 1, u64::MAX]);
    }

    proptest! {
        #[test]
        fn zigzag_is_reversed_by_unzigzag(value in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn wire_types_six_and_seven_mean_nothing() {
        for number in 0..8u32 {
            let known = WireType::from_tag(number).map(|wire_type| wire_type as u32);
            assert_eq!(known, (number < 6).then_some(number));
        }
    }
}
