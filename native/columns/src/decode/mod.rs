//! A request as columns: one pass that checks everything and makes the core columns, further passes for what is asked
//! for.
//!
//! What a pass over the whole request has to make is what nearly everybody wants and what is cheap: numbers, ids,
//! names, and how many children each row has. For everything else it keeps the place of each row's message, eight
//! bytes, so that the second pass goes straight there. Attributes are by far the most of a request, and nobody wants
//! them all: [`crate::attributes`] reads those of one key.
//!
//! Columns do not borrow from the request, and whoever holds them holds it too, and hands it in unchanged: every pass
//! reads with the checked reader, so that another request would give errors or nonsense, but nothing worse.

mod attribute_index;
mod groups;
mod limits;
mod logs;
mod metric_parts;
mod metrics;
mod offsets;
mod points;
mod rows;
mod traces;

pub use attribute_index::AttributeIndex;
pub(crate) use attribute_index::FAR;
pub use limits::{DecodeError, Limits, MAX_DEPTH};
pub use rows::{Position, Rows, Tags};

use crate::table::{Column, Table};
use otlp_schema::signal::Signal;
use otlp_wire::ReadError;
use std::borrow::Cow;

/// A table that was made with the request, and where its rows lie.
#[derive(Debug)]
pub struct CoreTable {
    /// Its name.
    pub name: &'static str,
    /// Its core columns.
    pub table: Table,
    /// Where its rows lie; a resource or scope that is not there is an empty message at offset 0.
    pub rows: Rows<'static>,
    /// Where the attributes of its rows stand; for tables of items only, which have the most.
    pub attributes: Option<AttributeIndex>,
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
        if data.len() > limits.max_bytes || i32::try_from(data.len()).is_err() {
            return Err(DecodeError::TooLong { len: data.len() });
        }
        let limits = Limits { max_depth: limits.max_depth.min(MAX_DEPTH), ..limits };
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

    /// The column `attributes` of a table and the index of what it points to; `None` where there is no index.
    pub fn attribute_index(&self, name: &str) -> Option<(&[u32], &AttributeIndex)> {
        let core = self.core(name)?;
        match core.table.column("attributes")? {
            Column::Offsets(offsets) => Some((offsets, core.attributes.as_ref()?)),
            _ => None,
        }
    }

    /// A table by its name, with the core columns where it has such; `None` where the signal has no such table. Tables
    /// of attributes are [`crate::attributes`]'.
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

    /// Where the rows of a table lie, also of one that is made when it is asked for; `None` where its rows are no
    /// messages with attributes, or the signal has no such table.
    ///
    /// # Errors
    /// `data` is not the request that was decoded.
    pub fn rows<'a>(&'a self, data: &[u8], name: &str) -> Result<Option<Rows<'a>>, ReadError> {
        if let Some(core) = self.core(name) {
            return Ok(Some(core.rows.borrow()));
        }
        match self.signal {
            Signal::Traces => traces::rows(self, data, name),
            Signal::Logs => Ok(None),
            Signal::Metrics => metrics::rows(self, data, name),
        }
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
