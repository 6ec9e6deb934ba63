//! Attributes as columns: those of one key, all of a table, and which keys there are.
//!
//! A request is mostly attributes, and who reads it wants some of them. So decoding makes no columns of them: it checks them,
//! counts them, and keeps where the messages lie, and for the tables that have the most, spans, log records and points,
//! where each attribute stands and which key it has: the [`AttributeIndex`]. The column of a key reads the attributes of this key
//! alone; which keys there are is told without looking into the request.
//!
//! In the other tables the messages are walked once more. In nearly every attribute the key stands first and the value
//! fills the rest; there, the length and the bytes of the key tell whether it is the one, and the value of another key is
//! never looked at.

use crate::decode::{AttributeIndex, Columns, FAR, Rows, Tags};
use crate::table::{Column, Dictionary, Table, TextBuilder, TextColumn};
use crate::values::{self, ValuesBuilder};
use otlp_schema::fields::key_value;
use otlp_schema::view::messages::{AnyValue, KeyValue};
use otlp_wire::{ReadError, Reader, WireType};

/// The values of one key, with a row for each row of `table`: the columns of [`values`] that occur, type
/// [`values::ABSENT`] where there is no such attribute. Of a key that stands twice in a row the last one counts. `None`
/// where the rows of `table` have no attributes, or the signal has no such table.
///
/// # Errors
/// `data` is not the request that was decoded.
pub fn column(columns: &Columns, data: &[u8], table: &str, key: &str) -> Result<Option<Table>, ReadError> {
    let Some(rows) = columns.rows(data, table)? else { return Ok(None) };
    let mut found = ValuesBuilder::with_capacity(rows.positions.len());
    match columns.attribute_index(table) {
        Some((offsets, index)) => indexed(&rows, data, key, offsets, index, &mut found)?,
        None => each_message(&rows, data, |message, tag| push(&mut found, last_value(message, tag, key)?))?,
    }
    Ok(Some(Table { rows: rows.positions.len(), columns: found.finish_occurring() }))
}

/// How many attributes are loaded ahead: as many as there can be reads of memory under way at once, and some more.
const AHEAD: usize = 32;

/// The bytes that frame an attribute's value if it is laid out as encoders do: the field's tag and length, the key's
/// tag and length, and behind the key the value's tag and length.
#[derive(Clone, Copy, Default)]
struct Frame {
    head: [u8; 4],
    value: [u8; 2],
}

impl Frame {
    /// The frame of an attribute whose field begins at `start`; zeros where the request ends before it does.
    #[inline(always)]
    fn load(data: &[u8], start: usize, key: &str) -> Self {
        let head = data.get(start..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        let value = data.get(start + 4 + key.len()..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        Self { head, value }
    }

    /// The length of the value, if this is such a frame.
    #[inline(always)]
    fn value_length(self, key: &str) -> Option<usize> {
        let [0..0x80, length @ 0..0x80, key_value::KEY, key_length] = self.head else { return None };
        let [key_value::VALUE, value_length] = self.value else { return None };
        let value_length = usize::from(value_length);
        (usize::from(key_length) == key.len() && usize::from(length) == 4 + key.len() + value_length)
            .then_some(value_length)
    }
}

/// The values of one key, by the index: what is no attribute of this key is not looked at.
///
/// What is looked at lies hundreds of bytes apart, and each waits for memory, but none for another. So the frames of
/// some attributes are loaded, with nothing decided on what they hold, before the first of them is read.
fn indexed<'a>(
    rows: &Rows<'_>,
    data: &'a [u8],
    key: &str,
    offsets: &[u32],
    index: &AttributeIndex,
    found: &mut ValuesBuilder<'a>,
) -> Result<(), ReadError> {
    let mut frames = [Frame::default(); AHEAD];
    for hits in index.find(key, offsets).chunks(AHEAD) {
        for (frame, hit) in frames.iter_mut().zip(hits) {
            *frame = Frame::load(data, rows.positions[hit.row as usize].offset as usize + hit.distance as usize, key);
        }
        for (frame, hit) in frames.iter().zip(hits) {
            let row = hit.row as usize;
            let start = rows.positions[row].offset as usize + hit.distance as usize;
            let value_start = start + 6 + key.len();
            let plain = frame.value_length(key).and_then(|length| data.get(value_start..value_start + length));
            let value = match plain {
                Some(value) if hit.distance != FAR => Some(AnyValue::within(value, value_start)),
                _ => {
                    let (message, tag) = message(rows, data, row)?;
                    last_value(message, tag, key)?
                }
            };
            found.pad_absent(row);
            push(found, value)?;
        }
    }
    found.pad_absent(rows.positions.len());
    Ok(())
}

/// Adds a value, or the row of none.
#[inline(always)]
fn push<'a>(found: &mut ValuesBuilder<'a>, value: Option<AnyValue<'a>>) -> Result<(), ReadError> {
    match value {
        None => found.push_absent(),
        Some(value) => found.push(value.value()?),
    }
    Ok(())
}

/// All attributes of a table, one behind the other: the table `T.attributes`, or `metrics.metadata`. `None` as for [`column`].
///
/// # Errors
/// `data` is not the request that was decoded.
pub fn list(columns: &Columns, data: &[u8], table: &str) -> Result<Option<Table>, ReadError> {
    let Some(rows) = columns.rows(data, table)? else { return Ok(None) };
    let (mut keys, mut found, mut count) = (TextBuilder::default(), ValuesBuilder::default(), 0);
    each_message(&rows, data, |message, tag| {
        each_attribute(message, tag, |pair| {
            let (key, value) = pair_of(pair).pair()?;
            keys.push(key);
            found.push(value.map_or(Ok(None), AnyValue::value)?);
            count += 1;
            Ok(())
        })
    })?;
    let mut columns = vec![("key", Column::Text(keys.finish()))];
    columns.extend(found.finish(values::NAMES));
    Ok(Some(Table { rows: count, columns }))
}

/// The keys that stand in a table, in the order in which they turn up, each with the number of its attributes. `None` as for
/// [`column`].
///
/// # Errors
/// `data` is not the request that was decoded.
pub fn keys(columns: &Columns, data: &[u8], table: &str) -> Result<Option<Vec<(String, usize)>>, ReadError> {
    if let Some((_, index)) = columns.attribute_index(table) {
        return Ok(Some(counted(index.codes(), index.keys())));
    }
    let Some(rows) = columns.rows(data, table)? else { return Ok(None) };
    let mut keys = TextBuilder::default();
    each_message(&rows, data, |message, tag| {
        each_attribute(message, tag, |pair| {
            keys.push(pair_of(pair).pair()?.0);
            Ok(())
        })
    })?;
    let TextColumn { codes, dictionary } = keys.finish();
    Ok(Some(counted(codes.into_iter().map(|code| code as usize), &dictionary)))
}

/// The strings that occur, in the order in which they do, each with how often.
fn counted(codes: impl Iterator<Item = usize>, dictionary: &Dictionary) -> Vec<(String, usize)> {
    let mut counts = vec![0; dictionary.len()];
    let mut order = Vec::new();
    for code in codes {
        if counts[code] == 0 {
            order.push(code);
        }
        counts[code] += 1;
    }
    order.into_iter().map(|code| (dictionary.get(code).unwrap_or_default().to_owned(), counts[code])).collect()
}

/// The message of a row, and the tag of its attributes.
#[inline(always)]
fn message<'a>(rows: &Rows<'_>, data: &'a [u8], row: usize) -> Result<(Reader<'a>, u8), ReadError> {
    let position = rows.positions[row];
    let tag = match &rows.tags {
        Tags::Same(tag) => *tag,
        Tags::ByRow(tags) => tags[row],
    };
    Ok((Reader::within(position.content(data)?, position.offset as usize), tag))
}

/// Hands on the message of each row with the tag of its attributes.
fn each_message<'a>(
    rows: &Rows<'_>,
    data: &'a [u8],
    mut read: impl FnMut(Reader<'a>, u8) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for row in 0..rows.positions.len() {
        let (message, tag) = message(rows, data, row)?;
        read(message, tag)?;
    }
    Ok(())
}

/// Hands on each attribute of a message, and passes over everything else.
#[inline(always)]
fn each_attribute<'a>(
    mut message: Reader<'a>,
    attributes_tag: u8,
    mut read: impl FnMut(Reader<'a>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    while let Some(&first) = message.rest().first() {
        if first == attributes_tag {
            message.advance(1);
        } else {
            let Some(tag) = message.read_tag()? else { break };
            match tag.wire_type {
                // A tag may take more bytes than it needs.
                WireType::Len if tag.field == u32::from(attributes_tag >> 3) => {}
                WireType::Len => {
                    message.read_bytes()?;
                    continue;
                }
                WireType::Varint => {
                    message.read_varint()?;
                    continue;
                }
                WireType::Fixed64 => {
                    message.read_fixed64()?;
                    continue;
                }
                _ => {
                    message.skip(tag)?;
                    continue;
                }
            }
        }
        read(message.nested()?)?;
    }
    Ok(())
}

/// An attribute as a view.
#[inline]
fn pair_of(pair: Reader<'_>) -> KeyValue<'_> {
    KeyValue::within(pair.rest(), pair.offset())
}

/// The value of the last attribute of a message whose key is `key`; empty where it has none.
#[inline(always)]
fn last_value<'a>(message: Reader<'a>, attributes_tag: u8, key: &str) -> Result<Option<AnyValue<'a>>, ReadError> {
    let mut last = None;
    each_attribute(message, attributes_tag, |pair| {
        if let Some(value) = value_of(pair, key)? {
            last = Some(value);
        }
        Ok(())
    })?;
    Ok(last)
}

/// The value of an attribute, if `key` is its key; empty where it has none.
#[inline(always)]
fn value_of<'a>(pair: Reader<'a>, key: &str) -> Result<Option<AnyValue<'a>>, ReadError> {
    if let Some((found, value)) = pair_of(pair).plain() {
        return Ok((found == key.as_bytes()).then_some(value));
    }
    let (found, value) = pair_of(pair).pair()?;
    Ok((found == key).then(|| value.unwrap_or(AnyValue::new(&[]))))
}
