//! Putting requests together: `otlp_schema::merge` on Python's bytes.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::Input;
use crate::split::SignalName;
use otlp_schema::merge as schema;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Put export requests together into one.
///
/// Works on the bytes: items are not decoded. Resource groups with equal bytes of the resource and an equal schema URL
/// become one group, and in it scope groups likewise; groups and items stay in the order in which they came. A group
/// with a field that is unknown stays as it is, and unknown fields of the requests are kept. Runs without the GIL.
///
/// Args:
///     requests: an iterable of serialized requests of one signal, each in any bytes-like object.
///     signal: "traces", "logs" or "metrics".
///
/// Raises:
///     DecodeError: one is not such a request; `.offset`, in bytes of that one, and `.path`, as in
///         `requests[3].resource_spans`, say where.
///     ValueError: `signal` is none of the three.
#[pyfunction]
pub(crate) fn merge<'py>(
    py: Python<'py>,
    requests: Bound<'py, PyAny>,
    signal: SignalName,
) -> PyResult<Bound<'py, PyBytes>> {
    let requests = requests.try_iter()?.map(|request| request?.extract()).collect::<PyResult<Vec<Input<'py>>>>()?;
    let contents: Vec<&[u8]> = requests.iter().map(Input::as_slice).collect();
    let merged = py.detach(|| schema::merge(&contents, signal.0)).map_err(BorderError::from)?;
    Ok(python_bytes(py, merged.as_slice())?)
}
