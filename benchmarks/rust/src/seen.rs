//! What is seen of a message's fields, by whoever walks it: the same sum over all of them, or nothing but that each was there.
//!
//! The same calls are made for a message of prost and for a view, so that equal sums say that both have read the same.
//! A sum does not depend on the order of a message's fields, which may stand on the wire in any; so it does not tell the
//! order of repeated ones.

use std::hint::black_box;

/// Receives the fields of a message, each under the tag that it has on the wire.
pub trait Seen: Default {
    /// A number that is there, zero or not.
    fn number(&mut self, tag: impl Into<u64>, value: u64);

    /// A string or bytes that are there, empty or not.
    fn bytes(&mut self, tag: impl Into<u64>, value: &[u8]);

    /// What was seen of a message in this one.
    fn message(&mut self, tag: impl Into<u64>, content: Self);

    /// A plain number of proto3, which is not there when it is zero.
    #[inline(always)]
    fn plain(&mut self, tag: impl Into<u64>, value: u64) {
        if value != 0 {
            self.number(tag, value);
        }
    }

    /// A plain string of proto3, which is not there when it is empty.
    #[inline(always)]
    fn text(&mut self, tag: impl Into<u64>, value: &[u8]) {
        if !value.is_empty() {
            self.bytes(tag, value);
        }
    }
}

/// A sum over all fields and every byte of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(pub u64);

/// 2^64 divided by the golden ratio, made odd: spreads the bits of what it multiplies.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline(always)]
fn mixed(tag: u64, value: u64) -> u64 {
    let product = (value ^ tag.wrapping_mul(SPREAD)).wrapping_mul(SPREAD);
    product ^ product >> 32
}

/// All bytes in one number, eight at a time. What is behind the last eight is read together with bytes in front of it.
#[inline(always)]
fn folded(value: &[u8]) -> u64 {
    let mut folded = value.len() as u64;
    let mut rest = value;
    while let Some((word, behind)) = rest.split_first_chunk() {
        folded = folded.rotate_left(23) ^ u64::from_le_bytes(*word).wrapping_mul(SPREAD);
        rest = behind;
    }
    match (rest, value.last_chunk(), rest.first_chunk(), rest.last_chunk()) {
        ([], ..) => folded,
        (_, Some(word), ..) => folded.rotate_left(23) ^ u64::from_le_bytes(*word),
        (_, _, Some(low), Some(high)) => {
            folded ^ (u64::from(u32::from_le_bytes(*low)) << 32 | u64::from(u32::from_le_bytes(*high)))
        }
        _ => rest.iter().fold(folded, |folded, &byte| folded.rotate_left(23) ^ u64::from(byte)),
    }
}

impl Seen for Sum {
    #[inline(always)]
    fn number(&mut self, tag: impl Into<u64>, value: u64) {
        self.0 = self.0.wrapping_add(mixed(tag.into(), value));
    }

    #[inline(always)]
    fn bytes(&mut self, tag: impl Into<u64>, value: &[u8]) {
        self.number(tag, folded(value));
    }

    #[inline(always)]
    fn message(&mut self, tag: impl Into<u64>, content: Self) {
        self.number(tag, content.0);
    }
}

/// Takes every field and makes nothing of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touched;

impl Seen for Touched {
    #[inline(always)]
    fn number(&mut self, _: impl Into<u64>, value: u64) {
        black_box(value);
    }

    #[inline(always)]
    fn bytes(&mut self, _: impl Into<u64>, value: &[u8]) {
        black_box(value);
    }

    #[inline(always)]
    fn message(&mut self, _: impl Into<u64>, _: Self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_text_counts() {
        for length in 0..40 {
            let text = vec![b'a'; length];
            for place in 0..length {
                let mut changed = text.clone();
                changed[place] = b'b';
                assert_ne!(folded(&text), folded(&changed), "byte {place} of {length}");
            }
            assert_ne!(folded(&text), folded(&[&text[..], b"a"].concat()));
        }
    }

    #[test]
    fn a_field_counts_under_its_tag_only() {
        let sum = |tag: u8, value| {
            let mut sum = Sum::default();
            sum.number(tag, value);
            sum
        };
        assert_ne!(sum(1, 5), sum(2, 5));
        assert_ne!(sum(1, 0), Sum::default());
    }
}
