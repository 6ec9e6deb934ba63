//! A request as columns: one pass that checks everything and makes the core columns, further passes for what is asked for.
//!
//! What a pass over the whole request has to make is what nearly everybody wants and what is cheap: numbers, ids, names, and how many
//! children each row has. For everything else it keeps the place of each row's message, eight bytes, so that the second pass
//! goes straight there. Attributes are by far the most of a request, and nobody wants them all: [`crate::attributes`] reads those
//! of one key.
//!
//! Columns do not borrow from the request, and whoever holds them holds it too, and hands it in unchanged: every pass reads with the
//! checked reader, so that another request would give errors or nonsense, but nothing worse.

mod logs;
mod metrics;
mod traces;

use crate::table::Table;
use otlp_schema::signal::Signal;
use otlp_wire::{ErrorKind, ReadError};
use std::borrow::Cow;
use std::fmt;

/// What a request may ask of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request, in bytes. Requests of 4 GiB and above are refused whatever it says.
    pub max_bytes: usize,
    /// The most rows of any one table: spans, events, links, log records, data points, exemplars, scopes, resources, attributes.
    pub max_items: usize,
    /// The deepest message, the request itself being at depth 0.
    pub max_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_items: 50_000_000, max_depth: otlp_schema::common::MAX_MESSAGE_DEPTH }
    }
}

/// Why a request has no columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is not such a request.
    Malformed(ReadError),
    /// It is longer than [`Limits::max_bytes`].
    TooLong {
        /// Its length.
        len: usize,
    },
    /// A table would have more rows than [`Limits::max_items`]; where the first row too many begins.
    TooManyItems {
        /// Offset in the request.
        offset: usize,
    },
}

impl From<ReadError> for DecodeError {
    fn from(error: ReadError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(out),
            Self::TooLong { len } => write!(out, "the request is {len} bytes long, more than max_bytes allows"),
            Self::TooManyItems { offset } => write!(out, "more items than max_items allows at offset {offset}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Where a message's content lies in the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Offset of its first byte.
    pub offset: u32,
    /// Its length in bytes.
    pub len: u32,
}

impl Position {
    /// The bytes there.
    ///
    /// # Errors
    /// [`ErrorKind::LengthPastEnd`] where `data` is not the request that was decoded.
    #[inline]
    pub fn content(self, data: &[u8]) -> Result<&[u8], ReadError> {
        let offset = self.offset as usize;
        data.get(offset..)
            .and_then(|rest| rest.get(..self.len as usize))
            .ok_or(ReadError { kind: ErrorKind::LengthPastEnd, offset })
    }
}

/// A table that was made with the request, and where its rows lie.
#[derive(Debug)]
pub struct CoreTable {
    /// Its name.
    pub name: &'static str,
    /// Its core columns.
    pub table: Table,
    /// Where the message of each row lies; empty content for a resource or scope that is not there.
    pub positions: Vec<Position>,
    /// The tag of the attributes in these messages (of the metadata, for metrics). The points of a request are of several
    /// types: for them it is 0, and the type follows from their metric.
    pub attributes_tag: u8,
}

/// The columns of a request.
#[derive(Debug)]
pub struct Columns {
    signal: Signal,
    core: Vec<CoreTable>,
}

impl Columns {
    /// Checks a whole request and makes its core columns.
    ///
    /// # Errors
    /// What is wrong with the request, or which limit it passes.
    pub fn decode(data: &[u8], signal: Signal, limits: Limits) -> Result<Self, DecodeError> {
        if data.len() > limits.max_bytes || u32::try_from(data.len()).is_err() {
            return Err(DecodeError::TooLong { len: data.len() });
        }
        let core = match signal {
            Signal::Traces => traces::decode(data, limits)?,
            Signal::Logs => logs::decode(data, limits)?,
            Signal::Metrics => metrics::decode(data, limits)?,
        };
        Ok(Self { signal, core })
    }

    /// The signal of the request.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// The table that has a row for each item: `spans`, `log_records` or `points`.
    pub fn items(&self) -> &Table {
        let name = match self.signal {
            Signal::Traces => "spans",
            Signal::Logs => "log_records",
            Signal::Metrics => "points",
        };
        &self.core(name).expect("every decoder makes the table of its items").table
    }

    /// A table with core columns, and where its rows lie.
    pub fn core(&self, name: &str) -> Option<&CoreTable> {
        self.core.iter().find(|core| core.name == name)
    }

    /// A table by its name, with the core columns where it has such; `None` where the signal has no such table. Tables of
    /// attributes are [`crate::attributes`]'.
    ///
    /// # Errors
    /// `data` is not the request that was decoded.
    pub fn table<'a>(&'a self, data: &[u8], name: &str) -> Result<Option<Cow<'a, Table>>, ReadError> {
        if let Some(core) = self.core(name) {
            return Ok(Some(Cow::Borrowed(&core.table)));
        }
        let made = match self.signal {
            Signal::Traces => traces::table(self, data, name)?,
            Signal::Logs => None,
            Signal::Metrics => metrics::table(self, data, name)?,
        };
        Ok(made.map(Cow::Owned))
    }

    /// The columns that a core table has besides its core columns, which are not in it; `None` where it has no others.
    ///
    /// # Errors
    /// `data` is not the request that was decoded.
    pub fn further(&self, data: &[u8], name: &str) -> Result<Option<Table>, ReadError> {
        match (self.signal, name) {
            (Signal::Traces, "spans") => traces::further(self, data).map(Some),
            (Signal::Logs, "log_records") => logs::further(self, data).map(Some),
            (Signal::Metrics, "metrics") => metrics::further(self, data).map(Some),
            _ => Ok(None),
        }
    }
}
