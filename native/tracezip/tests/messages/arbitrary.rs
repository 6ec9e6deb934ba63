//! Requests that the schema makes up: valid ones of any fields, with numbers at which something changes, values that recur,
//! and now and then what other encoders would write otherwise.

use otlp_schema::schema::{FieldSchema, Kind, MessageSchema};
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint, zigzag};
use otlp_wire::{WireType, tag};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// Numbers at which something changes.
const EDGES: [u64; 16] = [
    0,
    1,
    127,
    128,
    1 << 32,
    1 << 53,
    1_700_000_000_000_000_000,
    1_700_000_000_000_001_000,
    i64::MAX as u64,
    i64::MIN as u64,
    u64::MAX,
    // Doubles: -0.0, infinity, a NaN with bits of its own, the smallest, and 0.1.
    1 << 63,
    0x7ff0_0000_0000_0000,
    0xfff8_dead_beef_0001,
    1 | 1 << 63,
    0x3fb9_9999_9999_999a,
];

const TEXTS: [&str; 10] = [
    "",
    "a",
    "service.name",
    "GET /cart/8742/items?page=0017",
    "took 12ms, 9a8b7c6d5e4f, a1b2c3",
    "4c21e6a0-7d2f-4b9e-8a55-0123456789ab",
    "4C21E6A0-7D2F-4B9E-8A55-0123456789AB and 000000000000000000000000000001",
    "\0\u{1}\u{2}\u{3}",
    "größer 東京 😀",
    "a long text that comes again, and is longer than a length of one byte can say: lorem ipsum dolor sit amet, consectetur",
];

/// Chooses what a request is made of.
struct Choices(TestRng);

impl Choices {
    fn below(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }

    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => self.0.next_u64() >> self.below(64),
            1 => EDGES[self.below(EDGES.len())].wrapping_add(self.below(3) as u64).wrapping_sub(1),
            _ => EDGES[self.below(EDGES.len())],
        }
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        // Mostly of few values, so that they come again.
        if self.below(3) == 0 {
            (0..len).map(|_| self.below(256) as u8).collect()
        } else {
            vec![self.below(4) as u8; len]
        }
    }
}

/// Requests of a message type, one behind the other, which have much in common.
pub(crate) fn requests(message: &'static MessageSchema) -> impl Strategy<Value = Vec<Vec<u8>>> {
    (any::<[u8; 32]>(), 1..6usize).prop_map(move |(seed, count)| {
        let mut choices = Choices(TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        (0..count).map(|_| fields(message, 0, &mut choices)).collect()
    })
}

fn fields(message: &'static MessageSchema, depth: usize, choices: &mut Choices) -> Vec<u8> {
    let mut bytes = Vec::new();
    let is_one_of = message.name == "AnyValue";
    for field in message.fields {
        // Deep down there are fewer messages, so that a request ends.
        let wanted = match field.kind {
            Kind::Message(_) => depth < 40 && choices.below(depth + 2) < 2,
            _ => choices.below(3) != 0,
        };
        if !wanted {
            continue;
        }
        // Now and then a field that should stand once stands twice.
        let most = if field.is_repeated { 4 } else { 1 + usize::from(choices.below(300) == 0) };
        for _ in 0..=choices.below(most) {
            bytes.extend(value(field, depth, choices));
        }
        if is_one_of {
            break;
        }
    }
    if choices.below(1_000) == 0 {
        bytes.extend(delimited(1_000, b"unknown"));
    }
    bytes
}

fn value(field: &FieldSchema, depth: usize, choices: &mut Choices) -> Vec<u8> {
    let number = choices.number();
    let as_varint = |number: u64| [head(field.number, WireType::Varint), varint(number)].concat();
    match field.kind {
        Kind::Text => delimited(field.number, TEXTS[choices.below(TEXTS.len())].as_bytes()),
        Kind::Bytes => delimited(field.number, &{
            let len = choices.below(20);
            choices.bytes(len)
        }),
        Kind::Id(len) => {
            let len = if choices.below(50) == 0 { choices.below(20) } else { len };
            delimited(field.number, &choices.bytes(len))
        }
        Kind::Bool => as_varint(number & 1),
        Kind::Int32 | Kind::Uint32 => as_varint(number & 0xffff_ffff),
        Kind::Sint32 => as_varint(zigzag(i64::from(number as i32)) & 0xffff_ffff),
        Kind::Int64 if choices.below(500) == 0 => {
            // As no encoder writes it: longer than it need be.
            [head(field.number, WireType::Varint), vec![0x81, 0x80, 0]].concat()
        }
        Kind::Int64 => as_varint(number),
        Kind::Fixed32 => [head(field.number, WireType::Fixed32), (number as u32).to_le_bytes().to_vec()].concat(),
        Kind::Uint64 => {
            let numbers: Vec<u8> = (0..choices.below(9)).flat_map(|_| varint(choices.number())).collect();
            delimited(field.number, &numbers)
        }
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 if field.is_repeated => {
            let numbers: Vec<u8> = (0..choices.below(9)).flat_map(|_| choices.number().to_le_bytes()).collect();
            delimited(field.number, &numbers)
        }
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => {
            [head(field.number, WireType::Fixed64), number.to_le_bytes().to_vec()].concat()
        }
        Kind::Message(inner) => delimited(field.number, &fields(inner, depth + 1, choices)),
    }
}

fn head(number: u32, wire_type: WireType) -> Vec<u8> {
    varint(u64::from(tag(number, wire_type)))
}

fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    [head(number, WireType::Len), varint(content.len() as u64), content.to_vec()].concat()
}

fn varint(value: u64) -> Vec<u8> {
    let mut encoded = [0; MAX_VARINT_LEN];
    let length = encode_varint(value, &mut encoded);
    encoded[..length].to_vec()
}
