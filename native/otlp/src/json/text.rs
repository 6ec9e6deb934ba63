//! Strings as JSON.
//!
//! Nearly all strings of telemetry are ASCII, short, and have nothing to escape. That is asked first, with one answer
//! for the whole string: eight bytes are looked at together, and the last ones once more with those in front of them
//! instead of one by one. Only where the answer is no, UTF-8 is checked and the escapes are looked for.

use otlp_wire::Writer;
use otlp_wire::simd::utf8::from_utf8;

/// Bytes that are looked at together.
const WORD: usize = 8;

/// Whether a byte cannot stand in a JSON string as it is (RFC 8259, section 7).
const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Writes a JSON string; `None` where it is not UTF-8.
#[inline]
pub(super) fn put_string(out: &mut Writer, bytes: &[u8]) -> Option<()> {
    if is_plain(bytes) {
        out.put_pair([b'"'], bytes, [b'"'], &[]);
        return Some(());
    }
    put_escaped(out, from_utf8(bytes)?);
    Some(())
}

/// Whether all bytes are ASCII and stand for themselves.
#[inline]
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let word = |bytes: &[u8; WORD]| special(u64::from_le_bytes(*bytes));
    if let Some(last) = bytes.last_chunk() {
        return bytes.as_chunks().0.iter().fold(word(last), |all, bytes| all | word(bytes)) == 0;
    }
    let half = |bytes: &[u8; WORD / 2]| u64::from(u32::from_le_bytes(*bytes));
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => special(half(first) | half(last) << 32) == 0,
        _ => bytes.iter().all(|&byte| byte < 0x80 && !needs_escape(byte)),
    }
}

/// Not zero where one of eight bytes is not ASCII or has to be escaped: the high bit of each byte tells whether it is
/// above 0x7f, below 0x20, or without difference to a quote or a backslash. A borrow may set bits above such a byte as
/// well, and never without one.
const fn special(word: u64) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(each(limit)) & !word
    }
    (word | below(word, 0x20) | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1)) & each(0x80)
}

#[inline(never)]
fn put_escaped(out: &mut Writer, text: &str) {
    out.put([b'"']);
    let mut rest = text.as_bytes();
    while let Some(at) = first_escape(rest) {
        out.put_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.put(*b"\\\""),
            b'\\' => out.put(*b"\\\\"),
            b'\n' => out.put(*b"\\n"),
            b'\r' => out.put(*b"\\r"),
            b'\t' => out.put(*b"\\t"),
            control => {
                let digits = b"0123456789abcdef";
                let [high, low] = [control >> 4, control & 0xf].map(|digit| digits[usize::from(digit)]);
                out.put([b'\\', b'u', b'0', b'0', high, low]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.put_slice(rest);
    out.put([b'"']);
}

/// Where the first byte stands that needs an escape.
fn first_escape(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<WORD>();
    // Words with a byte that is not ASCII are looked at one by one, too.
    let plain = words.iter().take_while(|word| special(u64::from_le_bytes(**word)) == 0).count() * WORD;
    bytes[plain..].iter().position(|&byte| needs_escape(byte)).map(|at| plain + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &str) -> String {
        let mut out = Writer::new();
        put_string(&mut out, value.as_bytes()).unwrap();
        String::from_utf8(out.as_slice().to_vec()).unwrap()
    }

    #[test]
    fn every_ascii_character_is_escaped_where_it_must_be() {
        for byte in 0..0x80_u8 {
            let character = char::from(byte);
            let escaped = match character {
                '"' => r#"\""#.to_owned(),
                '\\' => r"\\".to_owned(),
                '\n' => r"\n".to_owned(),
                '\r' => r"\r".to_owned(),
                '\t' => r"\t".to_owned(),
                '\0'..' ' => format!(r"\u{byte:04x}"),
                _ => character.to_string(),
            };
            // Wherever it stands, among bytes that are looked at one by one or together.
            for (before, behind) in (0..20).flat_map(|before| [0, 1, 3, 7, 16].map(|behind| (before, behind))) {
                let [before, behind] = [before, behind].map(|count| "~".repeat(count));
                assert_eq!(written(&format!("{before}{character}{behind}")), format!("\"{before}{escaped}{behind}\""));
            }
        }
        assert_eq!(written(""), "\"\"");
        assert_eq!(written("für 東京 😀"), "\"für 東京 😀\"");
    }

    proptest! {
        #[test]
        fn escapes_are_found_wherever_they_stand(pieces in proptest::collection::vec("[a-zé\"\n]{0,20}", 0..6)) {
            let value = pieces.concat();
            let expected = value.replace('"', "\\\"").replace('\n', "\\n");
            prop_assert_eq!(written(&value), format!("\"{expected}\""));
        }
    }
}
