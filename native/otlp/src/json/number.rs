//! Integers and doubles from the digits of JSON.
//!
//! JSON has numbers, and says nothing of integers: `1e3`, `1000.0` and `1000` are the same, and protobuf takes all of
//! them for an integer. Going through a double would lose what is above 53 bits, so the digits are shifted instead.

use jiter::NumberFloat;

/// The integer that a JSON number is, exactly; `None` where it is none, or none of 64 bits.
pub(super) fn integer(text: &[u8]) -> Option<i128> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let magnitude = i128::from(whole(digits).or_else(|| scaled(digits))?);
    Some(if is_negative { -magnitude } else { magnitude })
}

/// The double that a JSON number is, or one of the three names; `None` where it is none, or beyond a double's range.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => NumberFloat::from_bytes(text, false).ok().map(f64::from).filter(|value| value.is_finite()),
    }
}

/// Digits and nothing else, without zeros in front.
fn whole(digits: &[u8]) -> Option<u64> {
    match digits {
        [] => None,
        [b'0', _, ..] => None,
        _ => digits.iter().try_fold(0, |value, &digit| append(value, digit)),
    }
}

/// A number with a point or an exponent.
#[cold]
fn scaled(text: &[u8]) -> Option<u64> {
    double(text)?;
    let (mantissa, exponent) = split_at(text, |byte| matches!(byte, b'e' | b'E'));
    let (whole, fraction) = split_at(mantissa, |byte| byte == b'.');
    let digits = whole.iter().chain(fraction);
    let zeros = digits.clone().rev().take_while(|&&digit| digit == b'0').count();
    let significant = whole.len() + fraction.len() - zeros;
    if significant == 0 {
        return Some(0);
    }
    let shift = i64::try_from(zeros).ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let shift = u32::try_from(shift.checked_add(signed(exponent)?)?).ok()?;
    let value = digits.take(significant).try_fold(0, |value, &digit| append(value, digit))?;
    10_u64.checked_pow(shift)?.checked_mul(value)
}

/// An exponent, "" for none.
fn signed(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let magnitude = digits.iter().try_fold(0, |value, &digit| append(value, digit))?;
    i64::try_from(magnitude).ok().map(|magnitude| sign * magnitude)
}

fn append(value: u64, digit: u8) -> Option<u64> {
    let digit = digit.wrapping_sub(b'0');
    if digit > 9 {
        return None;
    }
    value.checked_mul(10)?.checked_add(u64::from(digit))
}

/// What stands in front of the first byte of a kind, and what behind it.
fn split_at(text: &[u8], is_separator: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| is_separator(byte)) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_are_exact_in_every_form() {
        let cases: [(&str, Option<i128>); 32] = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("7", Some(7)),
            ("-9223372036854775808", Some(-1 << 63)),
            ("18446744073709551615", Some((1 << 64) - 1)),
            ("18446744073709551616", None),
            ("18446744073709551615.0", Some((1 << 64) - 1)),
            ("1.8446744073709551615e19", Some((1 << 64) - 1)),
            ("9007199254740993e0", Some((1 << 53) + 1)),
            ("1e3", Some(1000)),
            ("1E+3", Some(1000)),
            ("-1.50e1", Some(-15)),
            ("1200e-2", Some(12)),
            ("0e999999999999999999", Some(0)),
            ("0.000e-5", Some(0)),
            ("1e99999999999999999999", None),
            ("1e20", None),
            ("1.5", None),
            ("15e-1", None),
            ("1e-1", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("01", None),
            ("-01", None),
            ("1.", None),
            (".5e1", None),
            ("1e", None),
            (" 1", None),
            ("1 ", None),
            ("0x10", None),
            ("NaN", None),
        ];
        for (text, expected) in cases {
            assert_eq!(integer(text.as_bytes()), expected, "{text:?}");
        }
        let zeros = "0".repeat(400);
        assert_eq!(integer(format!("0.{zeros}12e402").as_bytes()), Some(12));
        assert_eq!(integer(format!("12{zeros}e-400").as_bytes()), Some(12));
    }

    #[test]
    fn doubles_beyond_their_range_and_other_names_are_refused() {
        assert_eq!(double(b"-1.5e3"), Some(-1500.0));
        assert!(double(b"NaN").is_some_and(f64::is_nan));
        assert_eq!((double(b"Infinity"), double(b"-Infinity")), (Some(f64::INFINITY), Some(f64::NEG_INFINITY)));
        assert_eq!(double(b"-0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
        for text in ["1e400", "-1e400", "nan", "inf", "-NaN", "+Infinity", "", "1.", "1 ", "01"] {
            assert_eq!(double(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn digits_are_shifted_as_decimals_are(value in any::<u64>(), point in 0_usize..20, zeros in 0_usize..5) {
            let mut text = format!("{value}{}", "0".repeat(zeros));
            let point = point.min(text.len() - 1);
            text.insert(text.len() - point, '.');
            let text = format!("-{}e{}", text.trim_end_matches('.'), point as i64 - zeros as i64);
            prop_assert_eq!(integer(text.as_bytes()), Some(-i128::from(value)), "{}", text);
        }
    }
}
