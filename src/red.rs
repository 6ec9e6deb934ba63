//! Rate, errors and duration of spans: `otlp_columns::red` for Python. What users see of it is `otlp_fast.columns.Red`.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::array::Source;
use crate::buffer::python_bytes;
use crate::columns::{Columns, any_value};
use crate::errors::BorderError;
use otlp_columns::red::{Key, Red as Counted, RedError};
use otlp_columns::table::{Column, Table};
use otlp_schema::fields::any_value::BYTES_VALUE;
use otlp_schema::metrics::Times;
use pyo3::exceptions::{PyIndexError, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::sync::Arc;

/// Groups of spans, counted.
#[pyclass(module = "otlp_fast._core", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Red(Counted);

/// Count the spans of a request by keys. Runs without the GIL.
///
/// Raises:     ValueError: a key that there is not or that is there twice, more groups than `max_groups`, or not a
/// request of traces.
#[pyfunction]
pub(crate) fn red(py: Python<'_>, columns: &Columns, by: Vec<String>, max_groups: usize) -> Result<Red, BorderError> {
    columns.red(py, &by, max_groups).map(Red).map_err(BorderError::from)
}

#[pymethods]
impl Red {
    /// Results as one, as if their spans had been counted together. Runs without the GIL.
    ///
    /// Raises:
    ///     ValueError: the results have different keys, or more than `max_groups` groups.
    #[staticmethod]
    fn merge(py: Python<'_>, parts: Vec<Py<Self>>, max_groups: usize) -> Result<Self, BorderError> {
        let parts: Vec<&Counted> = parts.iter().map(|part| &part.get().0).collect();
        py.detach(|| Counted::merge(&parts, max_groups)).map(Self).map_err(BorderError::from)
    }

    /// The number of groups.
    fn __len__(&self) -> usize {
        self.0.groups.len()
    }

    /// The figures of the groups as columns, an `Array` each. Group `i` has the `bucket_counts` from
    /// `bucket_offsets[i]` to `bucket_offsets[i + 1]`.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let groups = &self.0.groups;
        let counts = |of: fn(&otlp_columns::red::Group) -> u64| Column::U64(groups.iter().map(of).collect());
        let ends = groups.iter().map(|group| group.buckets.end as u32);
        let columns = vec![
            ("count", counts(|group| group.count)),
            ("errors", counts(|group| group.errors)),
            ("reversed", counts(|group| group.reversed)),
            ("sum", counts(|group| group.sum)),
            ("min", counts(|group| group.min)),
            ("max", counts(|group| group.max)),
            ("zero_count", counts(|group| group.zero_count)),
            ("scale", Column::I32(groups.iter().map(|group| group.scale as i32).collect())),
            ("offset", Column::I32(groups.iter().map(|group| group.offset).collect())),
            ("bucket_offsets", Column::Offsets(std::iter::once(0).chain(ends).collect())),
        ];
        let result = Source::Made(Arc::new(Table { rows: groups.len(), columns })).to_dict(py)?;
        let buckets = vec![("bucket_counts", Column::U64(self.0.buckets.clone()))];
        result.update(
            Source::Made(Arc::new(Table { rows: self.0.buckets.len(), columns: buckets })).to_dict(py)?.as_mapping(),
        )?;
        Ok(result)
    }

    /// A key: for each group a place in a list of values, as an `Array`, and the values.
    fn key<'py>(&self, py: Python<'py>, place: usize) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyList>)> {
        let Some(key) = self.0.keys.get(place) else {
            return Err(PyIndexError::new_err(format!("there are {} keys, no key {place}", self.0.keys.len())));
        };
        let codes = Table { rows: key.codes.len(), columns: vec![("codes", Column::U32(key.codes.clone()))] };
        let codes = Source::Made(Arc::new(codes)).to_dict(py)?.as_any().get_item("codes")?;
        let values = PyList::empty(py);
        for value in &key.values {
            values.append(value_of(py, value)?)?;
        }
        Ok((codes, values))
    }

    /// The earliest start and the latest end of a span, in ns since the epoch; 0 where none has one.
    fn time_range(&self) -> (u64, u64) {
        (self.0.earliest_start, self.0.latest_end)
    }

    /// A quantile of the durations of each group, in ns.
    fn quantiles(&self, q: f64) -> Vec<f64> {
        self.0.groups.iter().map(|group| self.0.quantile(group, q)).collect()
    }

    /// The groups as an `ExportMetricsServiceRequest`. Runs without the GIL.
    ///
    /// Raises:
    ///     MemoryError: there is none, or the request would pass 2 GiB.
    fn to_metrics<'py>(
        &self,
        py: Python<'py>,
        start_time_unix_nano: u64,
        time_unix_nano: u64,
        temporality: i32,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let times = Times { start_time_unix_nano, time_unix_nano };
        let request = py.detach(|| self.0.to_metrics(times, temporality));
        let request = request.map_err(|error| PyMemoryError::new_err(error.to_string()))?;
        Ok(python_bytes(py, request.as_slice())?)
    }
}

/// A value of a key as a Python object. An array is a list, a list of pairs a dict, as everywhere.
fn value_of<'py>(py: Python<'py>, value: &Key<'_>) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Key::Absent => Ok(py.None().into_bound(py)),
        Key::Text(text) => Ok(text.into_pyobject(py)?.into_any()),
        Key::Bool(flag) => Ok(flag.into_pyobject(py)?.to_owned().into_any()),
        Key::Int(number) => Ok(number.into_pyobject(py)?.into_any()),
        Key::Double(number) => Ok(number.into_pyobject(py)?.into_any()),
        Key::Encoded(kind, content) if *kind == BYTES_VALUE >> 3 => Ok(PyBytes::new(py, content).into_any()),
        Key::Encoded(kind, content) => any_value(py, *kind, content),
    }
}

impl From<RedError> for BorderError {
    fn from(error: RedError) -> Self {
        match error {
            RedError::Read(error) => Self::Decode(error.into(), String::new()),
            error => Self::Red(error),
        }
    }
}
