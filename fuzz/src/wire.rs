//! The wire format by itself: the checked reader, the writer and the kernels of every path, each beside the plainest code for the
//! same ([`crate::naive`]).

use crate::naive::{self, Field};
use crate::oracles::Breach;
use otlp_wire::simd::records::{self, Template};
use otlp_wire::simd::{Path, latin1_to_utf8_with, ucs2_to_utf8_with, ucs4_to_utf8_with, utf8};
use otlp_wire::varint::short_tag;
use otlp_wire::{ReadError, Reader, WireType, Writer};

/// Messages in messages are followed so deep.
const MAX_DEPTH: usize = 8;

/// Everything that takes bytes of any kind.
pub(crate) fn check(input: &[u8]) -> Result<(), Breach> {
    check_reader(input, 0, 0)?;
    check_writer(input)?;
    check_text(input)?;
    check_records(input)
}

/// The fields of a message by the checked reader.
fn read(mut reader: Reader<'_>) -> (Vec<Field>, Option<ReadError>) {
    let mut fields = Vec::new();
    loop {
        match read_field(&mut reader) {
            Ok(Some(field)) => fields.push(field),
            Ok(None) => return (fields, None),
            Err(error) => return (fields, Some(error)),
        }
    }
}

fn read_field(reader: &mut Reader<'_>) -> Result<Option<Field>, ReadError> {
    let Some(tag) = reader.read_tag()? else { return Ok(None) };
    let mut skipping = *reader;
    let skipped = skipping.skip(tag);
    let value = match tag.wire_type {
        WireType::Varint => reader.read_varint(),
        WireType::Fixed64 => reader.read_fixed64(),
        WireType::Fixed32 => reader.read_fixed32().map(u64::from),
        WireType::Len => reader.read_bytes().map(|content| content.len() as u64),
        WireType::GroupStart | WireType::GroupEnd => reader.skip(tag).map(|()| 0),
    };
    assert_eq!(skipped.err(), value.err(), "passed over and read");
    let value = value?;
    assert_eq!(skipping.offset(), reader.offset(), "passed over and read");
    Ok(Some(Field { number: tag.field, wire_type: tag.wire_type, value, bounds: (tag.offset, reader.offset()) }))
}

/// Reader and naive reader find the same fields and the same error at the same place, also in all that may be messages.
fn check_reader(message: &[u8], offset: usize, depth: usize) -> Result<(), Breach> {
    let found = read(Reader::within(message, offset));
    let (mut fields, error) = naive::fields(message);
    for field in &mut fields {
        field.bounds = (field.bounds.0 + offset, field.bounds.1 + offset);
    }
    let expected = (fields, error.map(|error| ReadError { offset: error.offset + offset, ..error }));
    if found != expected {
        return Err(format!("{message:x?} at {offset} is read as {found:?}, not {expected:?}"));
    }
    for field in expected.0.iter().filter(|field| field.wire_type == WireType::Len && depth < MAX_DEPTH) {
        let end = field.bounds.1 - offset;
        let content = &message[end - field.value as usize..end];
        check_reader(content, offset + end - content.len(), depth + 1)?;
    }
    Ok(())
}

/// What is written is canonical, whatever was guessed about its length.
fn check_writer(input: &[u8]) -> Result<(), Breach> {
    const NUMBER: u8 = short_tag(1, WireType::Varint);
    const CONTENT: u8 = short_tag(2, WireType::Len);
    const FIXED: u8 = short_tag(3, WireType::Fixed64);
    const PACKED: u8 = short_tag(4, WireType::Len);
    const WORDS: u8 = short_tag(5, WireType::Len);
    let delimited = |tag: u8, content: &[u8], out: &mut Vec<u8>| {
        out.push(tag);
        naive::put_varint(content.len() as u64, out);
        out.extend(content);
    };
    // Each chunk is a word, shortened by its own lowest bits so that all lengths of varints occur.
    let words: Vec<u64> = input.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
    let numbers: Vec<u64> = words.iter().map(|word| word >> (word % 64)).collect();
    let guess = numbers.first().map_or(0, |number| (number % 0x8000) as usize);

    let mut writer = Writer::new();
    let whole = writer.open(CONTENT, guess);
    let mut expected = Vec::new();
    for &number in &numbers {
        writer.varint_field(NUMBER, number);
        expected.push(NUMBER);
        naive::put_varint(number, &mut expected);
        writer.fixed64_field(FIXED, number);
        expected.push(FIXED);
        expected.extend(number.to_le_bytes());
    }
    writer.bytes_field(CONTENT, input);
    delimited(CONTENT, input, &mut expected);
    writer.packed_varint_field(PACKED, &numbers);
    writer.packed_fixed64_field(WORDS, &words);
    if !words.is_empty() {
        let mut packed = Vec::new();
        numbers.iter().for_each(|&number| naive::put_varint(number, &mut packed));
        delimited(PACKED, &packed, &mut expected);
        delimited(WORDS, input.as_chunks::<8>().0.as_flattened(), &mut expected);
    }
    writer.close(whole);
    let mut request = Vec::new();
    delimited(CONTENT, &expected, &mut request);
    if writer.failed() || writer.as_slice() != request {
        return Err(format!("written as {:x?}, not {request:x?}", writer.as_slice()));
    }
    Ok(())
}

/// The input as text in each form that CPython stores, along every path; and as UTF-8.
fn check_text(input: &[u8]) -> Result<(), Breach> {
    let ucs2: Vec<u16> = input.as_chunks().0.iter().map(|&bytes| u16::from_le_bytes(bytes)).collect();
    // Half of all units become ones that a string can have.
    let ucs4: Vec<u32> = input.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect();
    let ucs4: Vec<u32> = ucs4.iter().map(|unit| if unit & 1 == 0 { unit >> 11 } else { *unit }).collect();
    let expected = [
        naive::utf8(input.iter().copied().map(u32::from)),
        naive::utf8(ucs2.iter().copied().map(u32::from)),
        naive::utf8(ucs4.iter().copied()),
    ];
    for path in Path::available() {
        let (mut one, mut two, mut four) = (Vec::new(), Vec::new(), Vec::new());
        let replaced = [
            latin1_to_utf8_with(path, input, &mut one),
            ucs2_to_utf8_with(path, &ucs2, &mut two),
            ucs4_to_utf8_with(path, &ucs4, &mut four),
        ];
        for ((text, replaced), expected) in [one, two, four].into_iter().zip(replaced).zip(&expected) {
            if (&text, replaced) != (&expected.0, expected.1) {
                return Err(format!("{path}: {text:x?}, {replaced} replaced, and not {expected:x?}"));
            }
        }
    }
    let text = utf8::from_utf8(input);
    if text == std::str::from_utf8(input).ok() { Ok(()) } else { Err(format!("as UTF-8: {text:?}")) }
}

/// The input as a record and its words, along every path.
fn check_records(input: &[u8]) -> Result<(), Breach> {
    let Some((&[size, first, gap], rest)) = input.split_first_chunk() else { return Ok(()) };
    let Some((record, rest)) = rest.split_at_checked(usize::from(size)) else { return Ok(()) };
    let places = [usize::from(first), usize::from(first) + usize::from(gap)];
    let Some(template) = Template::new(record, places) else { return Ok(()) };
    let words: Vec<u64> = rest.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect();
    let columns = [&words[words.len() / 2..], &words[..]];
    let rows = columns[0].len();
    let mut expected = Vec::new();
    for row in 0..rows {
        let start = expected.len();
        expected.extend(record);
        for (column, place) in columns.iter().zip(places) {
            expected[start + place..][..8].copy_from_slice(&column[row].to_le_bytes());
        }
    }
    for (path, around_cache) in Path::available().flat_map(|path| [(path, false), (path, true)]) {
        let mut out = Vec::new();
        let seen = records::append_with(path, &template.clone().around_cache(around_cache), columns, &mut out);
        let is_seen = seen.iter().zip(columns).all(|(seen, column)| {
            let column = &column[..rows];
            seen.has_zero == column.contains(&0) && seen.any_bits == column.iter().fold(0, |all, word| all | word)
        });
        if out != expected || !is_seen {
            return Err(format!("{path}: {rows} rows of {record:x?} at {places:?}: {out:x?}, {seen:?}"));
        }
    }
    Ok(())
}
