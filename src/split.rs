//! Cutting requests: `otlp_schema::split` on Python's bytes.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::Input;
use otlp_schema::signal::Signal;
use otlp_schema::split::{self as schema, Limits};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::borrow::Cow;

/// A signal, given by its name.
#[derive(Clone, Copy)]
pub(crate) struct SignalName(pub(crate) Signal);

impl FromPyObject<'_, '_> for SignalName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name = object.cast::<PyString>()?;
        let name = name.to_cow()?;
        name.parse().map(Self).map_err(|error| PyValueError::new_err(format!("unknown signal {name:?}: {error}")))
    }
}

/// Cut an export request into requests that are each at most `max_bytes` long.
///
/// Works on the bytes: items are not decoded. Each part is a whole request with the resources, scopes and schema URLs of its
/// items; a metric with several data points is cut between them, and its name, unit and temporality repeated. The items of
/// the parts, one part after the other, are the items of the request in their order. Parts are filled greedily. A request
/// that is short enough comes back as it is.
///
/// An item that passes `max_bytes` alone with its resource and scope has a part for itself, which is longer than `max_bytes`.
///
/// Args:
///     data: a serialized `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`, in any
///         bytes-like object.
///     signal: "traces", "logs" or "metrics".
///     max_bytes: the longest that a part may be, in bytes.
///
/// Raises:
///     DecodeError: `data` is not such a request; `.offset` and `.path` say where.
///     EncodeError: the parts would repeat so much that together they pass twice the length of `data` and 64 MiB.
///     ValueError: `signal` is none of the three, or `max_bytes` is below 1.
#[pyfunction]
#[pyo3(signature = (data, signal, *, max_bytes))]
pub(crate) fn split<'py>(
    py: Python<'py>,
    data: Input<'py>,
    signal: SignalName,
    max_bytes: isize,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    match usize::try_from(max_bytes) {
        Ok(max_bytes @ 1..) => {
            let parts = split_request(py, data, signal, max_bytes, 0)?;
            Ok(parts.into_iter().map(|(part, _)| part).collect())
        }
        _ => Err(PyValueError::new_err(format!("max_bytes must be at least 1, not {max_bytes}"))),
    }
}

/// Cut an export request by length and by items, see `split`.
///
/// Args:
///     data: a serialized request, in any bytes-like object.
///     signal: "traces", "logs" or "metrics".
///     max_bytes: the longest that a part may be, in bytes; 0 for no limit.
///     max_items: the most spans, log records or data points that a part may hold; 0 for no limit.
///
/// Returns:
///     Each part with the number of its items.
#[pyfunction]
#[pyo3(signature = (data, signal, *, max_bytes = 0, max_items = 0))]
pub(crate) fn split_request<'py>(
    py: Python<'py>,
    data: Input<'py>,
    signal: SignalName,
    max_bytes: usize,
    max_items: usize,
) -> PyResult<Vec<(Bound<'py, PyBytes>, usize)>> {
    let request = data.as_slice();
    let parts =
        py.detach(|| schema::split(request, signal.0, Limits { max_bytes, max_items })).map_err(BorderError::from)?;
    let bytes_of = |part: Cow<'_, [u8]>| match part {
        Cow::Borrowed(_) => data.to_bytes(py),
        Cow::Owned(bytes) => python_bytes(py, &bytes),
    };
    parts.into_iter().map(|part| Ok((bytes_of(part.bytes)?, part.item_count))).collect()
}

/// The number of spans, log records or data points in an export request.
///
/// Raises:
///     DecodeError: `data` is not such a request; `.offset` and `.path` say where.
///     ValueError: `signal` is none of "traces", "logs" and "metrics".
#[pyfunction]
pub(crate) fn count_items(py: Python<'_>, data: Input<'_>, signal: SignalName) -> Result<usize, BorderError> {
    let request = data.as_slice();
    Ok(py.detach(|| schema::count_items(request, signal.0))?)
}
