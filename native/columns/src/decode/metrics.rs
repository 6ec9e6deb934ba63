//! Metrics as columns.

use super::{Columns, CoreTable, DecodeError, Limits, Rows, groups};
use crate::table::Table;
use otlp_wire::ReadError;

/// Checks a request and makes its core tables.
pub(super) fn decode(data: &[u8], limits: Limits) -> Result<Vec<CoreTable>, DecodeError> {
    groups::decode(data, limits, |_| Ok(())).map(Vec::from)
}

/// A table that is made when it is asked for.
pub(super) fn table(_columns: &Columns, _data: &[u8], _name: &str) -> Result<Option<Table>, ReadError> {
    Ok(None)
}

/// Where the rows of such a table lie.
pub(super) fn rows<'a>(_columns: &'a Columns, _data: &[u8], _name: &str) -> Result<Option<Rows<'a>>, ReadError> {
    Ok(None)
}

/// The further columns of `metrics`.
pub(super) fn further(_columns: &Columns, _data: &[u8]) -> Result<Table, ReadError> {
    Ok(Table::default())
}
