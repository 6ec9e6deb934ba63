//! Requests as columns: `otlp_columns` on Python's bytes. What users see of it is `otlp_fast.columns`.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::array::Source;
use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::{Input, Kept};
use crate::row::{self, RowError};
use crate::split::SignalName;
use otlp_columns::attributes;
use otlp_columns::contract;
use otlp_columns::decode::{Columns as Decoded, DecodeError, Limits, MAX_DEPTH};
use otlp_columns::red::{Red, RedError};
use otlp_columns::table::{Column, Table};
use otlp_schema::locate::locate;
use otlp_schema::schema::MessageSchema;
use otlp_schema::select::select;
use otlp_schema::signal::Signal;
use otlp_schema::view::messages as view;
use otlp_wire::{ReadError, Reader, Writer};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A request, checked, with its core columns; all other columns are made when they are asked for.
#[pyclass(module = "otlp_fast._core", frozen)]
pub(crate) struct Columns {
    columns: Arc<Decoded>,
    data: Kept,
    attributes: Mutex<HashMap<(String, String), Arc<Table>>>,
}

/// Check a request and make its core columns. Runs without the GIL.
///
/// Args:
///     data: a serialized `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`, in any
///         bytes-like object. `bytes` and `Buffer` are kept as they are, everything else is copied.
///     signal: "traces", "logs" or "metrics".
///     max_bytes: the longest request to read, in bytes. Requests of 2 GiB and above are refused in any case.
///     max_items: the most rows that any one table may have.
///     max_depth: the deepest message, the request itself being at depth 0. Above 500 it means the same as 500.
///
/// Raises:
///     DecodeError: `data` is not such a request, or passes a limit; `.offset` and `.path` say where.
///     ValueError: `signal` is none of the three.
#[pyfunction]
#[pyo3(signature = (data, signal, *, max_bytes = 1 << 30, max_items = 50_000_000, max_depth = 100))]
pub(crate) fn decode(
    py: Python<'_>,
    data: Input<'_>,
    signal: SignalName,
    max_bytes: usize,
    max_items: usize,
    max_depth: u32,
) -> PyResult<Columns> {
    let request = data.as_slice();
    let limits = Limits { max_bytes, max_items, max_depth };
    let columns = py.detach(|| {
        Decoded::decode(request, signal.0, limits).map_err(|error| {
            let path = match error {
                DecodeError::Malformed(ReadError { offset, .. }) | DecodeError::TooManyItems { offset } => {
                    locate(request, signal.0, offset)
                }
                DecodeError::TooLong { .. } => String::new(),
            };
            BorderError::Decode(error, path)
        })
    })?;
    Ok(Columns { columns: Arc::new(columns), data: data.keep(), attributes: Mutex::default() })
}

/// A value as a Python object, from what the columns of values hold of it.
///
/// Args:
///     kind: 5 for an array, 6 for a list of pairs, as `type` of the tables says.
///     content: the encoded `ArrayValue` or `KeyValueList`.
///
/// Raises:
///     DecodeError: `content` is no such message.
///     ValueError: `kind` is neither.
#[pyfunction]
pub(crate) fn any_value<'py>(py: Python<'py>, kind: u8, content: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    use otlp_schema::fields::any_value::{ARRAY_VALUE, KVLIST_VALUE};
    let Some(tag) = [ARRAY_VALUE, KVLIST_VALUE].into_iter().find(|tag| tag >> 3 == kind) else {
        return Err(PyValueError::new_err(format!("kind must be 5 or 6, not {kind}")));
    };
    let mut encoded = Writer::new();
    encoded.bytes_field(tag, content);
    let value = view::AnyValue::new(encoded.as_slice());
    value.check(0, MAX_DEPTH).map_err(RowError::Read)?;
    Ok(row::any_value(py, value)?)
}

/// The tables of a signal, each with its columns and the names of their types, as docs/columns.md lists them.
///
/// Raises:
///     ValueError: `signal` is none of "traces", "logs" and "metrics".
#[pyfunction]
pub(crate) fn table_types(py: Python<'_>, signal: SignalName) -> PyResult<Bound<'_, PyDict>> {
    let tables = PyDict::new(py);
    for table in contract::tables(signal.0) {
        let columns = PyDict::new(py);
        for (column, kind) in table.columns {
            columns.set_item(column, kind.to_string())?;
        }
        tables.set_item(table.name, columns)?;
    }
    Ok(tables)
}

impl Columns {
    /// Counts spans by keys, with the GIL released.
    pub(crate) fn red(&self, py: Python<'_>, by: &[String], max_groups: usize) -> Result<Red, RedError> {
        let data = self.data.as_slice(py);
        py.detach(|| Red::of(&self.columns, by, max_groups, |table, key| self.attribute_table(data, table, key)))
    }

    /// The attributes of a key in a table. They are kept: who asks for them once often does again.
    fn attribute_table(&self, data: &[u8], table: &str, key: &str) -> Result<Option<Arc<Table>>, ReadError> {
        // What may be found behind a panic is a whole map.
        let kept = || self.attributes.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (table.to_owned(), key.to_owned());
        if let Some(known) = kept().get(&place) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(made) = attributes::column(&self.columns, data, table, key)? else { return Ok(None) };
        Ok(Some(Arc::clone(kept().entry(place).or_insert_with(|| Arc::new(made)))))
    }

    /// Reads the request again, with the GIL released.
    fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&Decoded, &[u8]) -> Result<T, ReadError> + Send,
    ) -> Result<T, BorderError> {
        let (columns, data) = (&*self.columns, self.data.as_slice(py));
        py.detach(|| read(columns, data)).map_err(|error| BorderError::Decode(error.into(), String::new()))
    }

    /// The message that row `index` of a core table is.
    fn schema(&self, table: &str, index: usize) -> Option<&'static MessageSchema> {
        Some(match (self.columns.signal(), table) {
            (_, "resources") => view::Resource::SCHEMA,
            (_, "scopes") => view::Scope::SCHEMA,
            (Signal::Traces, "spans") => view::Span::SCHEMA,
            (Signal::Logs, "log_records") => view::LogRecord::SCHEMA,
            (Signal::Metrics, "metrics") => view::Metric::SCHEMA,
            (Signal::Metrics, "points") => self.point_schema(index)?,
            _ => return None,
        })
    }

    fn point_schema(&self, index: usize) -> Option<&'static MessageSchema> {
        use otlp_schema::fields::metric;
        let column = |table, name| self.columns.core(table)?.table.column(name);
        let (Column::U32(metrics), Column::U8(kinds)) = (column("points", "metric")?, column("metrics", "kind")?)
        else {
            return None;
        };
        let kind = *kinds.get(*metrics.get(index)? as usize)?;
        let schemas = [
            (metric::GAUGE, view::NumberDataPoint::SCHEMA),
            (metric::SUM, view::NumberDataPoint::SCHEMA),
            (metric::HISTOGRAM, view::HistogramDataPoint::SCHEMA),
            (metric::EXPONENTIAL_HISTOGRAM, view::ExponentialHistogramDataPoint::SCHEMA),
            (metric::SUMMARY, view::SummaryDataPoint::SCHEMA),
        ];
        schemas.into_iter().find(|(tag, _)| tag >> 3 == kind).map(|(_, schema)| schema)
    }
}

fn made<'py>(py: Python<'py>, table: Option<Table>) -> PyResult<Option<Bound<'py, PyDict>>> {
    table.map(|table| Source::Made(Arc::new(table)).to_dict(py)).transpose()
}

#[pymethods]
impl Columns {
    /// The whole request: the bytes that were decoded.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, BorderError> {
        self.data.to_bytes(py)
    }

    /// The number of items: spans, log records or data points.
    fn __len__(&self) -> usize {
        self.columns.items().rows
    }

    /// The columns of a table, the core columns where it has such: an `Array` each, for text `(codes, offsets, data)` and for
    /// bytes `(offsets, data)`. None where this signal has no such table.
    fn table<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        if let Some(core) = self.columns.core(name) {
            return Source::Core(Arc::clone(&self.columns), core.name).to_dict(py).map(Some);
        }
        let table = self.read(py, |columns, data| Ok(columns.table(data, name)?.map(Cow::into_owned)))?;
        made(py, table)
    }

    /// The columns that a core table has besides those that `table` gives; None where there are no others.
    fn further<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let table = self.read(py, |columns, data| columns.further(data, name))?;
        made(py, table)
    }

    /// The attribute of a key in every row of a table: `type`, 255 where it is absent, and of `text`, `int`, `double` and `bytes` those
    /// that occur. None where this signal has no such table, or its rows have no attributes.
    fn attribute<'py>(&self, py: Python<'py>, table: &str, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let data = self.data.as_slice(py);
        let table = py.detach(|| self.attribute_table(data, table, key));
        let table = table.map_err(|error| BorderError::Decode(error.into(), String::new()))?;
        table.map(|table| Source::Made(table).to_dict(py)).transpose()
    }

    /// The attributes of a table as a table of their own, with a row for each.
    fn attributes<'py>(&self, py: Python<'py>, table: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let list = self.read(py, |columns, data| attributes::list(columns, data, table))?;
        made(py, list)
    }

    /// The distinct keys of a table's attributes in the order in which they turn up, each with how often it stands.
    fn attribute_keys(&self, py: Python<'_>, table: &str) -> Result<Option<Vec<(String, usize)>>, BorderError> {
        self.read(py, |columns, data| attributes::keys(columns, data, table))
    }

    /// Row `index` of a core table as a dict of its fields by their names in the `.proto` files, without those that are
    /// absent. Attributes are a dict of plain values, repeated fields lists, messages dicts.
    ///
    /// Raises:
    ///     IndexError: the table has no such row.
    ///     KeyError: there is no such core table.
    fn row<'py>(&self, py: Python<'py>, table: &str, index: usize) -> PyResult<Bound<'py, PyDict>> {
        let Some(core) = self.columns.core(table) else {
            return Err(PyKeyError::new_err(table.to_owned()));
        };
        let (Some(position), Some(schema)) = (core.rows.positions.get(index), self.schema(table, index)) else {
            return Err(PyIndexError::new_err(format!("{table} has {} rows, no row {index}", core.table.rows)));
        };
        let content = position.content(self.data.as_slice(py)).map_err(RowError::Read)?;
        Ok(row::message(py, Reader::within(content, position.offset as usize), schema)?)
    }

    /// The request with only some of its items: `mask` has a byte for each, 0 for those to leave out.
    ///
    /// Raises:
    ///     ValueError: `mask` is shorter or longer.
    fn select<'py>(&self, py: Python<'py>, mask: Input<'_>) -> PyResult<Bound<'py, PyBytes>> {
        let (mask, items) = (mask.as_slice(), self.__len__());
        if mask.len() != items {
            return Err(PyValueError::new_err(format!("the mask has {} values for {items} items", mask.len())));
        }
        let keep: Vec<bool> = mask.iter().map(|&flag| flag != 0).collect();
        let (data, signal) = (self.data.as_slice(py), self.columns.signal());
        let selected = py.detach(|| select(data, signal, &keep)).map_err(BorderError::from)?;
        Ok(python_bytes(py, &selected)?)
    }
}
