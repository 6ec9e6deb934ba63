//! What a request says survives each way out and back: through tables and the writer, through JSON, through a selection of
//! items, through merging.

use crate::items;
use crate::oracles::Breach;
use fastrand::Rng;
use otlp_columns::decode::{Columns, Limits};
use otlp_columns::table::{Column, Table};
use otlp_columns::write::{TableRef, write};
use otlp_columns::{attributes, contract};
use otlp_schema::json::{FromJsonErrorKind, ToJsonError, from_json, to_json};
use otlp_schema::merge::merge;
use otlp_schema::select::select;
use otlp_schema::signal::Signal;
use std::collections::BTreeMap;

/// The tables of a request by their names, with all columns that they have.
pub(crate) type Tables = BTreeMap<&'static str, Table>;

/// All of them, for requests that were accepted.
pub(crate) fn check(request: &[u8], columns: &Columns, limits: Limits, random: &mut Rng) -> Result<(), Breach> {
    let signal = columns.signal();
    let tables = all_tables(columns, request)?;
    let written = write(signal, &|name| tables.get(name).map(TableRef::from)).map_err(|error| error.to_string())?;
    compare("written", written.as_slice(), signal, &tables, true)?;
    let items = items::of(columns, request)?;
    let keep: Vec<bool> = items.iter().map(|_| random.bool()).collect();
    let kept = items.iter().zip(&keep).filter_map(|(item, keep)| keep.then_some(*item)).collect();
    for (what, keep, expected) in
        [("all selected", vec![true; items.len()], items.clone()), ("some selected", keep, kept)]
    {
        let selected = select(request, signal, &keep).map_err(|error| format!("decoded, and not {what}: {error}"))?;
        items::compare(what, &items::of_request(what, &selected, signal)?, &expected)?;
    }
    let merged = merge(&[request, request], signal).map_err(|error| format!("decoded, and not merged: {error}"))?;
    let twice = [&items[..], &items].concat();
    items::compare_sorted("merged with itself", items::of_request("merged", merged.as_slice(), signal)?, twice)?;
    let text = match to_json(request, signal, limits.max_depth) {
        Ok(text) => text,
        // What JSON leaves out is read for JSON as well, and refused.
        Err(ToJsonError::Malformed(error)) => return Err(format!("decoded, and no JSON: {error}")),
        Err(error) => return Err(error.to_string()),
    };
    let back = from_json(text.as_slice(), signal, limits.max_depth).map_err(|error| format!("our JSON: {error}"))?;
    compare("from JSON", back.as_slice(), signal, &tables, false)?;
    let mut text = text.as_slice().to_vec();
    break_text(&mut text, random);
    check_text(&text, signal, limits)
}

/// Any text is a request or refused at its place. What it is comes out canonical: written as JSON and read again it is the same
/// bytes.
pub(crate) fn check_text(text: &[u8], signal: Signal, limits: Limits) -> Result<(), Breach> {
    match from_json(text, signal, limits.max_depth) {
        Ok(request) => {
            let request = request.as_slice();
            decode("from broken JSON", request, signal)?;
            let written = to_json(request, signal, limits.max_depth).map_err(|error| error.to_string())?;
            let again = from_json(written.as_slice(), signal, limits.max_depth);
            let again = again.map_err(|error| format!("our JSON of broken JSON: {error}"))?;
            if again.as_slice() == request {
                Ok(())
            } else {
                Err(format!("read as {request:x?}, and from our JSON as {:x?}", again.as_slice()))
            }
        }
        Err(error) if error.offset > text.len() => Err(format!("{error} lies past the end")),
        Err(error) if error.kind == FromJsonErrorKind::OutOfMemory => Err(format!("reading JSON: {error}")),
        Err(_) => Ok(()),
    }
}

/// Changes some tokens.
fn break_text(text: &mut Vec<u8>, random: &mut Rng) {
    const PIECES: [&[u8]; 16] = [
        b"null", b"{", b"}", b"[", b"]", b",", b":", b"\"", b"\\u", b"\\ud83d", b"-", b"1e400", b"\"NaN\"", b"true",
        b"{}", b"\xff",
    ];
    for _ in 0..random.usize(1..4) {
        let at = random.usize(..=text.len());
        let end = (at + random.usize(..6)).min(text.len());
        let piece = PIECES[random.usize(..PIECES.len())];
        text.splice(at..end, piece.iter().copied());
    }
}

pub(crate) fn decode(what: &str, request: &[u8], signal: Signal) -> Result<Columns, Breach> {
    Columns::decode(request, signal, Limits::default()).map_err(|error| format!("{what}: {error}"))
}

/// `as_encoded` says whether arrays are written as they are, or as any encoder would write them.
fn compare(what: &str, request: &[u8], signal: Signal, expected: &Tables, as_encoded: bool) -> Result<(), Breach> {
    let found = all_tables(&decode(what, request, signal)?, request)?;
    for (name, table) in expected {
        for (column, values) in &table.columns {
            if matches!(values, Column::Bytes(_)) && !as_encoded {
                continue;
            }
            let other = found.get(name).and_then(|table| table.column(column));
            if !other.is_some_and(|other| is_same(values, other)) {
                return Err(format!("{what}: {name}.{column} is {other:?}, not {values:?}"));
            }
        }
    }
    Ok(())
}

pub(crate) fn all_tables(columns: &Columns, request: &[u8]) -> Result<Tables, Breach> {
    let mut tables = Tables::new();
    for kind in contract::tables(columns.signal()) {
        let told = |error| format!("{}: {error}", kind.name);
        let owner = kind.name.strip_suffix(".attributes").or(kind.name.strip_suffix(".metadata"));
        let table = match owner {
            Some(owner) => attributes::list(columns, request, owner).map_err(told)?,
            None => columns.table(request, kind.name).map_err(told)?.map(|table| table.into_owned()),
        };
        let mut table = table.ok_or_else(|| format!("there is no table {}", kind.name))?;
        let further = columns.further(request, kind.name).map_err(told)?;
        table.columns.extend(further.unwrap_or_default().columns);
        tables.insert(kind.name, table);
    }
    Ok(tables)
}

/// Equality, but that NaN is NaN: JSON does not keep its bits.
fn is_same(one: &Column, other: &Column) -> bool {
    match (one, other) {
        (Column::F64(one), Column::F64(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
        }
        _ => one == other,
    }
}

/// JSON looks at less than decoding does: of values that stand twice, only at the one that counts. What it takes, it gives as JSON
/// that is a request.
pub(crate) fn check_refused(request: &[u8], signal: Signal, limits: Limits) -> Result<(), Breach> {
    match to_json(request, signal, limits.max_depth) {
        Err(ToJsonError::Malformed(error)) if error.offset > request.len() => {
            Err(format!("JSON: {error} lies past the end"))
        }
        Err(ToJsonError::Malformed(_)) => Ok(()),
        Err(error) => Err(format!("writing JSON: {error}")),
        Ok(text) => {
            let back = from_json(text.as_slice(), signal, limits.max_depth);
            let back = back.map_err(|error| format!("our JSON of what decoding refuses: {error}"))?;
            decode("from the JSON of what decoding refuses", back.as_slice(), signal).map(drop)
        }
    }
}
