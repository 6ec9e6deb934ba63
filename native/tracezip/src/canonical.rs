//! Protobuf, read only as it is canonically written: what would not come back as the same bytes is nothing.

use crate::plan::Hole;
use otlp_wire::WireType;

/// The value of a hole, borrowed from the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// A number, a time, or a count.
    Number(u64),
    /// Text, or packed numbers as on the wire.
    Text(&'a [u8]),
    /// A trace id.
    TraceId([u8; 16]),
    /// A span id.
    SpanId([u8; 8]),
    /// A run of nodes: how many, and the bytes from the first's tag to the last's end.
    Nodes(u64, &'a [u8]),
}

/// Reads protobuf, but only as it is canonically written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canonical<'a>(pub(crate) &'a [u8]);

impl<'a> Canonical<'a> {
    #[inline(always)]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        if *first < 0x80 {
            self.0 = rest;
            return Some(u64::from(*first));
        }
        self.long_varint()
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        let mut value = u64::from(first & 0x7f);
        for (at, byte) in rest.iter().take(9).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * (at + 1));
            if *byte < 0x80 {
                // A last group of zeros, or one above 64 bits, would not be written again.
                let is_canonical = *byte != 0 && (at < 8 || *byte == 1);
                self.0 = &rest[at + 1..];
                return is_canonical.then_some(value);
            }
        }
        None
    }

    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    pub(crate) fn nested(&mut self) -> Option<&'a [u8]> {
        let len = self.varint()?;
        self.take(usize::try_from(len).ok()?)
    }

    /// Varints one behind the other, as they stand on the wire.
    pub(crate) fn varints(&mut self) -> Option<&'a [u8]> {
        let content = self.nested()?;
        let mut rest = Canonical(content);
        while !rest.0.is_empty() {
            rest.varint()?;
        }
        Some(content)
    }

    /// The value of a field as it stands on the wire, its length in front of it.
    pub(crate) fn as_written(&mut self, wire_type: WireType) -> Option<&'a [u8]> {
        let all = self.0;
        match wire_type {
            WireType::Varint => drop(self.varint()?),
            WireType::Fixed64 => drop(self.take(8)?),
            WireType::Fixed32 => drop(self.take(4)?),
            WireType::Len => drop(self.nested()?),
            WireType::GroupStart | WireType::GroupEnd => return None,
        }
        Some(&all[..all.len() - self.0.len()])
    }

    /// Takes what must stand here.
    #[inline(always)]
    pub(crate) fn expect(&mut self, expected: &[u8]) -> Option<()> {
        // Most of what is compared is one tag, and else differs at its end, if at all.
        if let ([expected], [byte, rest @ ..]) = (expected, self.0) {
            self.0 = rest;
            return (byte == expected).then_some(());
        }
        let (taken, rest) = self.0.split_at_checked(expected.len())?;
        self.0 = rest;
        is_equal(taken, expected).then_some(())
    }

    /// The value of a hole that is no run of nodes; `None` for an id of another length.
    #[inline(always)]
    pub(crate) fn value(&mut self, hole: Hole) -> Option<Value<'a>> {
        Some(match hole {
            Hole::Text => Value::Text(self.nested()?),
            Hole::Varint | Hole::Count => Value::Number(self.varint()?),
            Hole::Fixed64 | Hole::Double | Hole::Time(_) => Value::Number(u64::from_le_bytes(self.array()?)),
            Hole::TraceId => Value::TraceId(self.nested()?.try_into().ok()?),
            Hole::SpanId | Hole::ParentId => Value::SpanId(self.nested()?.try_into().ok()?),
            Hole::Varints => Value::Text(self.varints()?),
            Hole::Nodes | Hole::Digits | Hole::Hex(_) => return None,
        })
    }

    /// The nodes that stand one behind the other, each with this tag: at least one.
    pub(crate) fn run(&mut self, tag: u8) -> Option<Value<'a>> {
        let start = self.0;
        let mut count = 0;
        while let Some((first, rest)) = self.0.split_first() {
            let mut node = Canonical(rest);
            if *first != tag || node.nested().is_none() {
                break;
            }
            *self = node;
            count += 1;
        }
        (count > 0).then(|| Value::Nodes(count, &start[..start.len() - self.0.len()]))
    }

    pub(crate) fn tag(&mut self) -> Option<(u32, WireType)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        Some((tag, WireType::from_tag(tag)?))
    }
}

/// Whether two pieces are equal: most are short, and then a call takes longer than the comparison.
#[inline(always)]
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ends =
        |bytes: &[u8]| Some((u64::from_le_bytes(*bytes.first_chunk()?), u64::from_le_bytes(*bytes.last_chunk()?)));
    match one.len() {
        8..=16 => ends(one) == ends(other),
        17..=32 => {
            ends(&one[..16]) == ends(&other[..16]) && ends(&one[one.len() - 16..]) == ends(&other[one.len() - 16..])
        }
        _ => one == other,
    }
}

/// The numbers of a packed field that was looked at before.
pub(crate) fn varints(content: &[u8]) -> impl Iterator<Item = u64> {
    let mut rest = Canonical(content);
    std::iter::from_fn(move || rest.varint())
}

/// The nodes of a run, from the bytes between the first's tag and the last's end.
pub(crate) fn nodes(run: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Canonical(run);
    std::iter::from_fn(move || {
        rest.tag()?;
        rest.nested()
    })
}
