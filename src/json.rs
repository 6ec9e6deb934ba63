//! OTLP/JSON: `otlp_schema::json` on Python's bytes.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::Input;
use crate::split::SignalName;
use otlp_schema::json::{self as schema, ToJsonError};
use otlp_schema::locate::locate;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Text, given as `str` or as its UTF-8.
pub(crate) struct JsonText<'py>(Input<'py>);

impl<'py> FromPyObject<'_, 'py> for JsonText<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if !object.is_instance_of::<PyString>() {
            return object.extract().map(Self);
        }
        // A surrogate passes here and is refused with its place as what is not UTF-8. `PyUnicode_AsUTF8` would refuse it
        // without, and leave a copy in the caller's string for good.
        let encoded = object.call_method1("encode", ("utf-8", "surrogatepass"))?;
        Ok(Self(Input::Bytes(encoded.cast_into()?)))
    }
}

/// Turn an export request into OTLP/JSON.
///
/// Ids become hexadecimal digits, other bytes base64, enums and 32-bit integers numbers, 64-bit integers strings.
/// Unknown fields are left out: JSON has no name for them. Runs without the GIL.
///
/// Args:
///     data: a serialized `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`, in
///         any bytes-like object.
///     signal: "traces", "logs" or "metrics".
///     max_depth: the deepest message, the request itself being at depth 0; never more than 200.
///
/// Returns:
///     One line of UTF-8, without a line break.
///
/// Raises:
///     DecodeError: `data` is not such a request, or nests deeper; `.offset` and `.path` say where.
///     ValueError: `signal` is none of the three.
#[pyfunction]
#[pyo3(signature = (data, signal, *, max_depth = 100))]
pub(crate) fn to_json<'py>(
    py: Python<'py>,
    data: Input<'py>,
    signal: SignalName,
    max_depth: u32,
) -> Result<Bound<'py, PyBytes>, BorderError> {
    let request = data.as_slice();
    let text = py.detach(|| {
        schema::to_json(request, signal.0, max_depth).map_err(|error| match error {
            ToJsonError::Malformed(error) => BorderError::Request(error, locate(request, signal.0, error.offset)),
            ToJsonError::OutOfMemory => BorderError::OutOfMemory(error.to_string()),
        })
    })?;
    python_bytes(py, text.as_slice())
}

/// Turn OTLP/JSON into an export request.
///
/// Keys may come in any order; unknown ones and `null` are passed over. 64-bit integers are read as strings and as
/// numbers, ids in both cases, base64 in both alphabets and with or without padding. The request is canonical: equal
/// content gives equal bytes. Runs without the GIL.
///
/// Args:
///     text: JSON, as `str` or as UTF-8 in any bytes-like object.
///     signal: "traces", "logs" or "metrics".
///     max_depth: the deepest message, the request itself being at depth 0; never more than 200.
///
/// Raises:
///     DecodeError: `text` is not JSON, not such a request, or nests deeper; `.offset`, in bytes of the UTF-8, and
///         `.path`, in the names of JSON, say where.
///     ValueError: `signal` is none of the three.
#[pyfunction]
#[pyo3(signature = (text, signal, *, max_depth = 100))]
pub(crate) fn from_json<'py>(
    py: Python<'py>,
    text: JsonText<'py>,
    signal: SignalName,
    max_depth: u32,
) -> Result<Bound<'py, PyBytes>, BorderError> {
    let content = text.0.as_slice();
    let request = py.detach(|| schema::from_json(content, signal.0, max_depth))?;
    python_bytes(py, request.as_slice())
}
