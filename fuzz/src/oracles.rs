//! What must hold for any bytes: the oracles that a mutated request is held against.

use crate::{attributes, items, round_trips};
use fastrand::Rng;
use otlp_columns::decode::{Columns, DecodeError, Limits};
use otlp_columns::table::{Column, Table};
use otlp_schema::locate::locate;
use otlp_schema::signal::Signal;
use otlp_schema::split::{self, SplitError};
use otlp_wire::ErrorKind;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read.
    Accepted,
    /// It was refused for this.
    Refused(ErrorKind),
    /// It passed a limit.
    OverLimit,
}

/// What did not hold.
pub type Breach = String;

/// Parts that are longer together are counted only: a large resource around many small items would be decoded for minutes.
const MAX_PARTS_LEN: usize = 1 << 20;

/// The tables of each signal.
fn tables(signal: Signal) -> &'static [&'static str] {
    match signal {
        Signal::Traces => &["resources", "scopes", "spans", "events", "links"],
        Signal::Logs => &["resources", "scopes", "log_records"],
        Signal::Metrics => &[
            "resources",
            "scopes",
            "metrics",
            "points",
            "exemplars",
            "histograms",
            "bucket_counts",
            "explicit_bounds",
            "exponential_histograms",
            "positive",
            "negative",
            "summaries",
            "quantiles",
        ],
    }
}

/// Holds one request against all oracles.
pub(crate) fn check(request: &[u8], signal: Signal, limits: Limits, random: &mut Rng) -> Result<Outcome, Breach> {
    let columns = match Columns::decode(request, signal, limits) {
        Ok(columns) => columns,
        Err(DecodeError::Malformed(error)) => {
            if error.offset > request.len() {
                return Err(format!("{error} lies past the end, {}", request.len()));
            }
            let _ = locate(request, signal, error.offset);
            round_trips::check_refused(request, signal, limits)?;
            return Ok(Outcome::Refused(error.kind));
        }
        Err(_) => return Ok(Outcome::OverLimit),
    };
    check_tables(&columns, request)?;
    round_trips::check(request, &columns, limits, random)?;
    Ok(Outcome::Accepted)
}

/// Every table of a request is one: columns of equal length, row numbers within their tables.
fn check_tables(columns: &Columns, request: &[u8]) -> Result<(), Breach> {
    for name in tables(columns.signal()) {
        let table = columns.table(request, name).map_err(|error| format!("{name}: {error}"))?;
        let table = table.ok_or_else(|| format!("there is no table {name}"))?;
        check_table(name, &table)?;
        let further = columns.further(request, name).map_err(|error| format!("further {name}: {error}"))?;
        if let Some(further) = further {
            check_table(name, &further)?;
            if further.rows != table.rows {
                return Err(format!("{name}: {} rows, and {} further ones", table.rows, further.rows));
            }
            if let Some(Column::Offsets(metadata)) = further.column("metadata") {
                attributes::check(columns, request, name, metadata)?;
            }
        }
        if let Some(Column::Offsets(offsets)) = table.column("attributes") {
            attributes::check(columns, request, name, offsets)?;
        }
    }
    Ok(())
}

fn check_table(name: &str, table: &Table) -> Result<(), Breach> {
    for (column, values) in &table.columns {
        let rows = match values {
            Column::U8(values) => values.len(),
            Column::I32(values) => values.len(),
            Column::U32(values) => values.len(),
            Column::I64(values) => values.len(),
            Column::U64(values) => values.len(),
            Column::F64(values) => values.len(),
            Column::SpanIds(values) => values.len(),
            Column::TraceIds(values) => values.len(),
            Column::Text(text) => {
                let known = text.dictionary.len() as u32;
                if text.dictionary.get(0) != Some("") || text.codes.iter().any(|code| *code >= known) {
                    return Err(format!("{name}.{column}: a code past its dictionary"));
                }
                text.codes.len()
            }
            Column::Bytes(bytes) => bytes.offsets.len() - 1,
            Column::Offsets(offsets) => {
                if offsets.first() != Some(&0) || !offsets.is_sorted() {
                    return Err(format!("{name}.{column}: offsets that do not rise from 0"));
                }
                offsets.len() - 1
            }
        };
        if rows != table.rows {
            return Err(format!("{name}.{column} has {rows} rows of {}", table.rows));
        }
    }
    Ok(())
}

/// What is cut has the same items, in the same order, as before.
pub(crate) fn check_parts(request: &[u8], signal: Signal, outcome: Outcome) -> Result<(), Breach> {
    let is_decoded = outcome == Outcome::Accepted;
    let counted = match split::count_items(request, signal) {
        Ok(counted) => counted,
        Err(SplitError::Malformed { error, .. }) if error.offset > request.len() => {
            return Err(format!("split: {error} lies past the end"));
        }
        // Cutting looks at less than decoding does, so it must not refuse more.
        Err(error) if is_decoded => return Err(format!("decoded, and not counted: {error}")),
        Err(SplitError::Malformed { .. }) => return Ok(()),
        Err(error) => return Err(format!("counting: {error}")),
    };
    let limits = split::Limits { max_bytes: request.len() / 2 + 1, max_items: 3 };
    let parts = match split::split(request, signal, limits) {
        Ok(parts) => parts,
        Err(SplitError::TooMuchRepeated) => return Ok(()),
        Err(error) => return Err(format!("counted, and not cut: {error}")),
    };
    let mut total = 0;
    for part in &parts {
        total += split::count_items(&part.bytes, signal).map_err(|error| format!("a part is no request: {error}"))?;
    }
    if total != counted {
        return Err(format!("{total} items in parts of {counted}"));
    }
    if !is_decoded {
        return Ok(());
    }
    let expected = items::of_request("decoded again", request, signal)?;
    if expected.len() != counted {
        return Err(format!("{} items were decoded, {counted} counted", expected.len()));
    }
    if parts.iter().map(|part| part.bytes.len()).sum::<usize>() > MAX_PARTS_LEN {
        return Ok(());
    }
    let mut found = Vec::new();
    for part in &parts {
        found.extend(items::of_request("a part", &part.bytes, signal)?);
    }
    items::compare("in parts", &found, &expected)
}
