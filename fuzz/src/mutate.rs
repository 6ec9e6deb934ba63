//! Mutations that know the wire format: what they break is one thing at a time, deep inside, with all lengths around it right.
//!
//! Bytes that are flipped at random mostly break a length near the front, and everything behind it is never read. Here a field
//! is chosen anywhere in the request, it or its value is changed, and the lengths of the messages around it are written anew; now
//! and then they are not, and now and then bytes are flipped after all.

use crate::fields::{Place, fields_of};
use fastrand::Rng;
use otlp_schema::schema::{Kind, MessageSchema};
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint};
use otlp_wire::{WireType, tag};

/// Numbers at which something changes.
const EDGES: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0x3fff,
    0x4000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 53,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Changes a request, with pieces of `other`, another request of the same signal.
pub fn mutate(request: &[u8], other: &[u8], message: &'static MessageSchema, random: &mut Rng) -> Vec<u8> {
    let mut mutated = request.to_vec();
    for _ in 0..random.usize(1..5) {
        let places = fields_of(&mutated, message);
        mutated = if places.is_empty() || random.u8(..) < 16 {
            flip_bytes(mutated, random)
        } else {
            let chosen = random.usize(..places.len());
            let replacement = change_field(&mutated, &places[chosen], other, message, random);
            if random.u8(..) < 12 {
                // The lengths around it are wrong from here on.
                splice(&mutated, &places[chosen].whole, &replacement)
            } else {
                replace(&mutated, &places, chosen, &replacement)
            }
        };
    }
    mutated
}

fn splice(bytes: &[u8], range: &std::ops::Range<usize>, replacement: &[u8]) -> Vec<u8> {
    [&bytes[..range.start], replacement, &bytes[range.end..]].concat()
}

/// Replaces a field and writes the lengths of the messages around it anew.
fn replace(request: &[u8], places: &[Place], chosen: usize, replacement: &[u8]) -> Vec<u8> {
    let mut range = places[chosen].whole.clone();
    let mut replacement = replacement.to_vec();
    let mut parent = places[chosen].parent;
    while let Some(outer) = parent.map(|parent| &places[parent]) {
        let content =
            [&request[outer.content.start..range.start], &replacement, &request[range.end..outer.content.end]];
        replacement = field(tag_of(request, outer), &content.concat());
        range = outer.whole.clone();
        parent = outer.parent;
    }
    splice(request, &range, &replacement)
}

/// The bytes of the tag of a field.
fn tag_of<'a>(request: &'a [u8], place: &Place) -> &'a [u8] {
    let whole = &request[place.whole.clone()];
    let length = whole.iter().position(|byte| *byte < 0x80).map_or(whole.len(), |last| last + 1);
    &whole[..length]
}

fn field(tag: &[u8], content: &[u8]) -> Vec<u8> {
    [tag, &varint(content.len() as u64), content].concat()
}

fn varint(value: u64) -> Vec<u8> {
    let mut encoded = [0; MAX_VARINT_LEN];
    let length = encode_varint(value, &mut encoded);
    encoded[..length].to_vec()
}

fn edge(random: &mut Rng) -> u64 {
    match random.u8(..4) {
        0 => random.u64(..),
        1 => random.u64(..) >> random.u32(..64),
        2 => EDGES[random.usize(..EDGES.len())].wrapping_add(random.u64(..3)).wrapping_sub(1),
        _ => EDGES[random.usize(..EDGES.len())],
    }
}

/// What stands instead of a field.
fn change_field(
    request: &[u8],
    place: &Place,
    other: &[u8],
    message: &'static MessageSchema,
    random: &mut Rng,
) -> Vec<u8> {
    let whole = &request[place.whole.clone()];
    let content = &request[place.content.clone()];
    let own_tag = tag_of(request, place);
    match random.u8(..16) {
        0 => Vec::new(),
        1 => whole.repeat(random.usize(2..4)),
        2 => [whole, foreign_field(other, place, message, random)].concat(),
        3 => foreign_field(other, place, message, random).to_vec(),
        4 => [&varint(edge(random)), &whole[own_tag.len()..]].concat(),
        5 => {
            let number = place.schema.map_or(random.u32(1..20), |field| field.number);
            [&varint(u64::from(number << 3 | random.u32(..8))), &whole[own_tag.len()..]].concat()
        }
        6 => [unknown_field(random), whole.to_vec()].concat(),
        7 if place.content.start > place.whole.start + own_tag.len() => {
            // A length that is too long by its own bytes, or says something else.
            let mut length = varint(content.len() as u64);
            if random.bool() {
                let last = length.len() - 1;
                length[last] |= 0x80;
                length.extend([0x80; 3]);
                length.push(0);
            } else {
                length = varint((content.len() as u64).wrapping_add(edge(random)));
            }
            [own_tag, &length, content].concat()
        }
        8 => whole[..random.usize(..=whole.len())].to_vec(),
        9 if let [tag @ 0..0x80] = own_tag => [&[tag | 0x80, 0], &whole[1..]].concat(),
        10 if is_any_value(place) => field(own_tag, &nested_value(content, random)),
        _ => [own_tag, &changed_value(place, content, random)].concat(),
    }
}

fn is_any_value(place: &Place) -> bool {
    matches!(place.schema.map(|field| field.kind), Some(Kind::Message(inner)) if inner.name == "AnyValue")
}

/// A value inside many arrays or lists.
fn nested_value(content: &[u8], random: &mut Rng) -> Vec<u8> {
    use otlp_schema::fields::{any_value, array_value, key_value, key_value_list};
    let mut value = content.to_vec();
    for _ in 0..random.usize(1..120) {
        value = if random.bool() {
            field(&[any_value::ARRAY_VALUE], &field(&[array_value::VALUES], &value))
        } else {
            let pair = field(&[key_value::VALUE], &value);
            field(&[any_value::KVLIST_VALUE], &field(&[key_value_list::VALUES], &pair))
        };
    }
    value
}

/// The value of a field, changed: for a length-delimited one with its length.
fn changed_value(place: &Place, content: &[u8], random: &mut Rng) -> Vec<u8> {
    let delimited = |content: &[u8]| [&varint(content.len() as u64), content].concat();
    let mut bytes = content.to_vec();
    match place.schema.map(|field| field.kind) {
        Some(Kind::Id(length)) => {
            let length = [0, 1, length - 1, length, length + 1, 300][random.usize(..6)];
            delimited(&std::iter::repeat_with(|| random.u8(..)).take(length).collect::<Vec<_>>())
        }
        Some(Kind::Text | Kind::Bytes) => {
            let piece: &[u8] =
                [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", "\u{0}".as_bytes(), "ü€😀".as_bytes(), b"", &[b'x'; 300]]
                    [random.usize(..7)];
            let at = random.usize(..=bytes.len());
            bytes.splice(at..at, piece.iter().copied());
            delimited(&bytes)
        }
        Some(Kind::Double | Kind::Fixed64 | Kind::Sfixed64) if bytes.len() == 8 => edge(random).to_le_bytes().to_vec(),
        Some(Kind::Fixed32) if bytes.len() == 4 => (edge(random) as u32).to_le_bytes().to_vec(),
        Some(Kind::Message(_)) => {
            let keep = random.usize(..=bytes.len());
            bytes.truncate(keep);
            delimited(&bytes)
        }
        Some(Kind::Double | Kind::Fixed64 | Kind::Uint64) => {
            let element = edge(random);
            bytes.extend(if random.bool() { element.to_le_bytes().to_vec() } else { varint(element) });
            delimited(&bytes)
        }
        Some(_) => {
            let mut value = varint(edge(random));
            if random.u8(..8) == 0 {
                value = vec![0xff; random.usize(1..13)];
            }
            value
        }
        None => flip_bytes(bytes, random),
    }
}

/// A field of another request, of the same kind as `place` where there is one.
fn foreign_field<'a>(other: &'a [u8], place: &Place, message: &'static MessageSchema, random: &mut Rng) -> &'a [u8] {
    let places = fields_of(other, message);
    let alike = |candidate: &&Place| matches!((candidate.schema, place.schema), (Some(theirs), Some(ours)) if std::ptr::eq(theirs, ours));
    let mut candidates: Vec<&Place> = places.iter().filter(alike).collect();
    if candidates.is_empty() || random.u8(..8) == 0 {
        candidates = places.iter().collect();
    }
    candidates.get(random.usize(..candidates.len().max(1))).map_or(&[], |chosen| &other[chosen.whole.clone()])
}

/// A field that no message has, or a group.
fn unknown_field(random: &mut Rng) -> Vec<u8> {
    let highest = if random.bool() { 40 } else { (1 << 29) - 1 };
    let number = random.u32(1..=highest);
    let of_type = |wire_type| varint(u64::from(tag(number, wire_type)));
    match random.u8(..4) {
        0 => [of_type(WireType::Varint), varint(edge(random))].concat(),
        1 => field(&of_type(WireType::Len), b"unknown"),
        2 => [of_type(WireType::Fixed32), vec![1; 4]].concat(),
        _ => {
            let depth = random.usize(1..40);
            let is_closed = random.u8(..4) != 0;
            let ends = of_type(WireType::GroupEnd).repeat(if is_closed { depth } else { depth - 1 });
            [of_type(WireType::GroupStart).repeat(depth), ends].concat()
        }
    }
}

fn flip_bytes(mut bytes: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    if bytes.is_empty() {
        return vec![random.u8(..); random.usize(..4)];
    }
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..bytes.len());
        bytes[at] = random.u8(..);
    }
    if random.u8(..4) == 0 {
        bytes.truncate(random.usize(..=bytes.len()));
    }
    bytes
}
