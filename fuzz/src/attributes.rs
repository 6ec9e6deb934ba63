//! The oracle of attributes: the column of a key and the count of keys say what the list of all attributes says.

use crate::oracles::Breach;
use otlp_columns::attributes;
use otlp_columns::decode::Columns;
use otlp_columns::table::{Column, Table};
use otlp_columns::values::{ABSENT, NAMES};
use std::collections::HashMap;

/// The value of a row, in each of the columns that a value has: nothing where there is no such column, or nothing in it.
fn value(table: &Table, row: usize) -> Vec<String> {
    let of_column = |name: &&str| match table.column(name) {
        None => String::new(),
        Some(Column::U8(types)) => types[row].to_string(),
        Some(Column::Text(text)) => text.dictionary.get(text.codes[row] as usize).unwrap_or_default().to_owned(),
        Some(Column::I64(ints)) if ints[row] != 0 => ints[row].to_string(),
        Some(Column::F64(doubles)) if doubles[row].to_bits() != 0 => format!("{:x}", doubles[row].to_bits()),
        Some(Column::Bytes(bytes)) => match bytes.get(row) {
            None | Some([]) => String::new(),
            Some(content) => format!("{content:?}"),
        },
        Some(_) => String::new(),
    };
    NAMES.iter().map(of_column).collect()
}

/// Holds the attributes of a table against each other. `offsets` is the column that says which row has which.
pub(crate) fn check(columns: &Columns, request: &[u8], name: &str, offsets: &[u32]) -> Result<(), Breach> {
    let failed = |error| format!("attributes of {name}: {error}");
    let all = attributes::list(columns, request, name).map_err(failed)?;
    let keys = attributes::keys(columns, request, name).map_err(failed)?;
    let (Some(all), Some(keys)) = (all, keys) else { return Err(format!("{name} has no attributes")) };
    let Some(Column::Text(listed)) = all.column("key") else { return Err(format!("{name} has no keys")) };
    let key_of = |row: usize| listed.dictionary.get(listed.codes[row] as usize).unwrap_or_default();

    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut expected: Vec<&str> = Vec::new();
    for row in 0..all.rows {
        let count = counts.entry(key_of(row)).or_default();
        if *count == 0 {
            expected.push(key_of(row));
        }
        *count += 1;
    }
    if !keys.iter().map(|(key, count)| (key.as_str(), *count)).eq(expected.iter().map(|key| (*key, counts[key]))) {
        return Err(format!("{name} has the keys {expected:?}, counted as {keys:?}"));
    }
    if offsets.last().map(|&last| last as usize) != Some(all.rows) {
        return Err(format!("{name} has {} attributes, and offsets to {:?}", all.rows, offsets.last()));
    }

    for key in expected.into_iter().take(3).chain(["\u{0}absent"]) {
        let found = attributes::column(columns, request, name, key).map_err(failed)?;
        let found = found.ok_or_else(|| format!("{name} has no column of {key:?}"))?;
        for (row, bounds) in offsets.windows(2).enumerate() {
            let last = (bounds[0] as usize..bounds[1] as usize).rev().find(|&attribute| key_of(attribute) == key);
            let expected = last.map_or_else(absent, |attribute| value(&all, attribute));
            if value(&found, row) != expected {
                return Err(format!("{name}[{row}] has {key:?} {expected:?}, not {:?}", value(&found, row)));
            }
        }
    }
    Ok(())
}

/// The value of a row without one.
fn absent() -> Vec<String> {
    let mut absent = vec![String::new(); NAMES.len()];
    absent[0] = ABSENT.to_string();
    absent
}
