//! Why tables make no request: what is wrong, and where.

use crate::contract::ColumnType;
use otlp_wire::ReadError;
use std::fmt;

/// Why tables make no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// They are not what `docs/columns.md` says.
    Malformed {
        /// The table, its column and the row, as far as they are known: `spans.events[17]`.
        path: String,
        /// What is wrong there.
        problem: Problem,
    },
    /// There is no memory for the request, or it would pass 2 GiB.
    OutOfMemory,
}

/// What is wrong with a table, a column, or one of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A table that the signal does not have.
    UnknownTable,
    /// A table without which there is no request.
    MissingTable,
    /// A table has rows, but no columns.
    NoColumns,
    /// A table has more rows than `u32` counts.
    TooManyRows {
        /// Its rows.
        rows: usize,
    },
    /// Rows that belong to no row, as the column of offsets that says to which is missing.
    NoOffsets {
        /// The table that they should belong to.
        table: &'static str,
        /// The column that it does not have.
        column: &'static str,
    },
    /// A column that the table does not have.
    UnknownColumn,
    /// A second column of the same name.
    RepeatedColumn,
    /// A column has another type than its own.
    WrongType {
        /// Its own.
        expected: ColumnType,
    },
    /// A column is shorter or longer than its table.
    WrongLength {
        /// The values that it should have.
        expected: usize,
        /// Those that it has.
        found: usize,
    },
    /// The first offset is not 0: the rows in front of it would belong to none.
    OffsetsStart {
        /// The first offset.
        found: u32,
    },
    /// The last offset is not the number of rows of the other table.
    OffsetsEnd {
        /// The other table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// The last offset.
        found: u32,
    },
    /// An offset that is less than the one before.
    OffsetsDecrease,
    /// An offset that is past the end of its data.
    OffsetPastEnd {
        /// The offset.
        offset: u32,
        /// The length of the data.
        len: usize,
    },
    /// The number of a row that there is not.
    NoSuchRow {
        /// The other table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// The number.
        found: u32,
    },
    /// The code of a string that there is not.
    NoSuchString {
        /// The number of strings.
        strings: usize,
        /// The code.
        found: u32,
    },
    /// A string of the dictionary is not UTF-8.
    InvalidUtf8 {
        /// Its code.
        string: usize,
    },
    /// A number that means nothing here.
    NoSuchValue {
        /// What there is.
        expected: &'static str,
        /// The number.
        found: u8,
    },
    /// The bytes of an array or a list of pairs are not such a message, or nested too deeply; the offset counts from their start.
    Container(ReadError),
    /// A point that another row says the same of.
    RepeatedPoint {
        /// The point.
        point: usize,
    },
    /// A point whose metric is of another kind, which could not hold this.
    WrongKind {
        /// The kind of its metric.
        found: u8,
    },
}

impl Problem {
    /// The error, with its place.
    #[cold]
    pub(super) fn at(self, path: impl fmt::Display) -> WriteError {
        WriteError::Malformed { path: path.to_string(), problem: self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownTable => out.write_str("there is no such table"),
            Self::MissingTable => out.write_str("the table is missing"),
            Self::NoColumns => out.write_str("there are rows, but no columns"),
            Self::TooManyRows { rows } => write!(out, "{rows} rows are more than a table may have"),
            Self::NoOffsets { table, column } => {
                write!(out, "there are rows that belong to none: {table} has no column {column}")
            }
            Self::UnknownColumn => out.write_str("there is no such column"),
            Self::RepeatedColumn => out.write_str("the column stands twice"),
            Self::WrongType { expected } => write!(out, "expected a column of type {expected}"),
            Self::WrongLength { expected, found } => write!(out, "expected {expected} values, found {found}"),
            Self::OffsetsStart { found } => write!(out, "the first offset must be 0, not {found}"),
            Self::OffsetsEnd { table, rows, found } => {
                write!(out, "the last offset must be {rows}, the number of rows of {table}, not {found}")
            }
            Self::OffsetsDecrease => out.write_str("the row ends in front of its start: offsets must not decrease"),
            Self::OffsetPastEnd { offset, len } => {
                write!(out, "offset {offset} is past the end of {len} bytes of data")
            }
            Self::NoSuchRow { table, rows, found } => write!(out, "there is no row {found}: {table} has {rows} rows"),
            Self::NoSuchString { strings, found } => {
                write!(out, "there is no string {found}: the dictionary has {strings}")
            }
            Self::InvalidUtf8 { string } => write!(out, "string {string} of the dictionary is not valid UTF-8"),
            Self::NoSuchValue { expected, found } => write!(out, "expected {expected}, found {found}"),
            Self::Container(error) => write!(out, "the bytes are no such value: {error}"),
            Self::RepeatedPoint { point } => write!(out, "point {point} has such a row already"),
            Self::WrongKind { found } => write!(out, "a metric of kind {found} cannot hold this"),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { path, problem } => write!(out, "{problem} in {path}"),
            Self::OutOfMemory => out.write_str("no memory for the request, or it would pass 2 GiB"),
        }
    }
}

impl std::error::Error for WriteError {}
