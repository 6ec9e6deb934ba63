//! Attributes as columns: those of one key, all of a table, and which keys there are.
//!
//! A request is mostly attributes, and who reads it wants some of them. So decoding makes no columns of them: it checks them, counts
//! them, and keeps the place of each message. The column of a key is made by walking the messages of the table once more. In
//! nearly every attribute the key stands first and the value fills the rest; there, the length and the bytes of the key tell whether
//! it is the one, and the value of another key is never looked at.

use crate::decode::{Columns, Rows, Tags};
use crate::table::{Column, Interner, Table, TextBuilder};
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
    each_message(&rows, data, |message, tag| {
        let mut value = None;
        each_attribute(message, tag, |pair| {
            if let Some(of_key) = value_of(pair, key)? {
                value = Some(of_key);
            }
            Ok(())
        })?;
        match value {
            None => found.push_absent(),
            Some(value) => found.push(value.value()?),
        }
        Ok(())
    })?;
    Ok(Some(Table { rows: rows.positions.len(), columns: found.finish_occurring() }))
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
    let Some(rows) = columns.rows(data, table)? else { return Ok(None) };
    let mut interner = Interner::default();
    let mut counts: Vec<usize> = Vec::new();
    let mut order = Vec::new();
    each_message(&rows, data, |message, tag| {
        each_attribute(message, tag, |pair| {
            let code = interner.code(pair_of(pair).pair()?.0) as usize;
            if code >= counts.len() {
                counts.resize(code + 1, 0);
            }
            if counts[code] == 0 {
                order.push(code);
            }
            counts[code] += 1;
            Ok(())
        })
    })?;
    let dictionary = interner.into_dictionary();
    let named = order.into_iter().map(|code| (dictionary.get(code).unwrap_or_default().to_owned(), counts[code]));
    Ok(Some(named.collect()))
}

/// Hands on the message of each row with the tag of its attributes.
fn each_message<'a>(
    rows: &Rows<'_>,
    data: &'a [u8],
    mut read: impl FnMut(Reader<'a>, u8) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for (row, position) in rows.positions.iter().enumerate() {
        let tag = match &rows.tags {
            Tags::Same(tag) => *tag,
            Tags::ByRow(tags) => tags[row],
        };
        read(Reader::within(position.content(data)?, position.offset as usize), tag)?;
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
            read(message.nested()?)?;
            continue;
        }
        let Some(tag) = message.read_tag()? else { break };
        match tag.wire_type {
            WireType::Len => drop(message.read_bytes()?),
            WireType::Varint => drop(message.read_varint()?),
            WireType::Fixed64 => drop(message.read_fixed64()?),
            _ => message.skip(tag)?,
        }
    }
    Ok(())
}

/// An attribute as a view.
#[inline]
fn pair_of(pair: Reader<'_>) -> KeyValue<'_> {
    KeyValue::within(pair.rest(), pair.offset())
}

/// The value of an attribute, if `key` is its key; empty where it has none.
#[inline(always)]
fn value_of<'a>(pair: Reader<'a>, key: &str) -> Result<Option<AnyValue<'a>>, ReadError> {
    if let [key_value::KEY, key_length @ 0..0x80, rest @ ..] = pair.rest()
        && let Some((found, [key_value::VALUE, length @ 0..0x80, value @ ..])) =
            rest.split_at_checked(*key_length as usize)
        && *length as usize == value.len()
    {
        let is_it = found == key.as_bytes();
        return Ok(is_it.then(|| AnyValue::within(value, pair.offset() + 4 + found.len())));
    }
    let (found, value) = pair_of(pair).pair()?;
    Ok((found == key).then(|| value.unwrap_or(AnyValue::new(&[]))))
}
