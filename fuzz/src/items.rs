//! What each item of a request says, as one number: its own fields, what it holds, and the metric, scope and resource around it.
//!
//! Cutting, selecting and merging move items into other requests, where their rows, their groups and the codes of their texts
//! are others. What they say must be the same.

use crate::oracles::Breach;
use crate::round_trips::{Tables, all_tables, decode};
use otlp_columns::contract::{self, ColumnType};
use otlp_columns::decode::Columns;
use otlp_columns::table::{Column, Table};
use otlp_schema::signal::Signal;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The items of a request in their order.
pub(crate) fn of(columns: &Columns, request: &[u8]) -> Result<Vec<u64>, Breach> {
    let tables = all_tables(columns, request)?;
    let signal = columns.signal();
    let name = match signal {
        Signal::Traces => "spans",
        Signal::Logs => "log_records",
        Signal::Metrics => "points",
    };
    let mut items = with_owner(signal, &tables, name)?;
    // A point may have a row in a table of its kind, which says whose it is.
    for kind in contract::tables(signal) {
        if let Some((_, rows)) = owner(kind.name, &tables, signal).filter(|(owner, _)| *owner == name) {
            for (&row, number) in rows.iter().zip(alone(signal, &tables, kind.name)?) {
                let item = items.get_mut(row as usize).ok_or_else(|| format!("{}: no row {row}", kind.name))?;
                *item = number_of(&(*item, kind.name, number));
            }
        }
    }
    Ok(items)
}

/// The items of a request that came of another one.
pub(crate) fn of_request(what: &str, request: &[u8], signal: Signal) -> Result<Vec<u64>, Breach> {
    of(&decode(what, request, signal)?, request)
}

/// Whether two requests have the same items in the same order.
pub(crate) fn compare(what: &str, found: &[u64], expected: &[u64]) -> Result<(), Breach> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} items, not {}", found.len(), expected.len()));
    }
    match found.iter().zip(expected).position(|(found, expected)| found != expected) {
        None => Ok(()),
        Some(item) => Err(format!("{what}: item {item} of {} says something else", expected.len())),
    }
}

/// Whether two requests have the same items in any order.
pub(crate) fn compare_sorted(what: &str, mut found: Vec<u64>, mut expected: Vec<u64>) -> Result<(), Breach> {
    found.sort_unstable();
    expected.sort_unstable();
    compare(what, &found, &expected)
}

fn number_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The table that the rows of another one belong to, and the row of each there.
fn owner<'a>(name: &str, tables: &'a Tables, signal: Signal) -> Option<(&'static str, &'a [u32])> {
    contract::table(signal, name)?.columns.iter().find_map(|(column, kind)| match (kind, tables[name].column(column)) {
        (ColumnType::RowOf(owner), Some(Column::U32(rows))) => Some((*owner, rows.as_slice())),
        _ => None,
    })
}

/// Each row of a table with the row that it belongs to, and so on up to the resource.
fn with_owner(signal: Signal, tables: &Tables, name: &str) -> Result<Vec<u64>, Breach> {
    let rows = alone(signal, tables, name)?;
    let Some((owner, owners)) = owner(name, tables, signal) else { return Ok(rows) };
    let around = with_owner(signal, tables, owner)?;
    let pair = |(row, owner): (u64, &u32)| {
        let around = around.get(*owner as usize).ok_or_else(|| format!("{name}: no row {owner} above it"))?;
        Ok(number_of(&(row, around)))
    };
    rows.into_iter().zip(owners).map(pair).collect()
}

/// Each row of a table with the rows that it holds.
fn alone(signal: Signal, tables: &Tables, name: &str) -> Result<Vec<u64>, Breach> {
    let table = tables.get(name).ok_or_else(|| format!("there is no table {name}"))?;
    let kind = contract::table(signal, name).ok_or_else(|| format!("{name} is not in the contract"))?;
    let mut held = Vec::new();
    for (column, kind) in kind.columns {
        if let (ColumnType::Offsets(below), Some(Column::Offsets(offsets))) = (kind, table.column(column)) {
            held.push((*column, offsets, alone(signal, tables, below)?));
        }
    }
    let number = |row| {
        let mut hasher = DefaultHasher::new();
        for (column, kind) in kind.columns {
            if !matches!(kind, ColumnType::RowOf(_)) {
                hash_value(table, column, row, &mut hasher);
            }
        }
        for (column, offsets, below) in &held {
            let rows = below.get(offsets[row] as usize..offsets[row + 1] as usize);
            (column, rows.ok_or_else(|| format!("{name}.{column} points past its table"))?).hash(&mut hasher);
        }
        Ok(hasher.finish())
    };
    (0..table.rows).map(number).collect()
}

/// A value with the name of its column. What is zero or empty counts as absent: a table may be without a column that has no more.
fn hash_value(table: &Table, column: &str, row: usize, hasher: &mut DefaultHasher) {
    match table.column(column) {
        Some(Column::U8(values)) if values[row] != 0 => (column, values[row]).hash(hasher),
        Some(Column::I32(values)) if values[row] != 0 => (column, values[row]).hash(hasher),
        Some(Column::U32(values)) if values[row] != 0 => (column, values[row]).hash(hasher),
        Some(Column::I64(values)) if values[row] != 0 => (column, values[row]).hash(hasher),
        Some(Column::U64(values)) if values[row] != 0 => (column, values[row]).hash(hasher),
        Some(Column::F64(values)) if values[row].to_bits() != 0 => (column, values[row].to_bits()).hash(hasher),
        Some(Column::SpanIds(values)) => (column, values[row]).hash(hasher),
        Some(Column::TraceIds(values)) => (column, values[row]).hash(hasher),
        Some(Column::Text(text)) if text.codes[row] != 0 => {
            (column, text.dictionary.get(text.codes[row] as usize)).hash(hasher);
        }
        Some(Column::Bytes(bytes)) if bytes.get(row).is_some_and(|content| !content.is_empty()) => {
            (column, bytes.get(row)).hash(hasher);
        }
        _ => {}
    }
}
