//! The one place where errors of the core crates become Python exceptions.
//!
//! The exception classes are Python's (`otlp_fast.errors`), as they have attributes and two bases; here they are looked up
//! and filled in. Making one is a cold path.

use otlp_schema::response::ResponseError;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Everything that can go wrong at the border.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BorderError {
    /// A receiver's answer that is not what it should be.
    Response(ResponseError),
    /// A `Buffer` that was released, or one that is still in use.
    Buffer(&'static str),
}

impl From<ResponseError> for BorderError {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}

impl From<BorderError> for PyErr {
    #[cold]
    #[inline(never)]
    fn from(error: BorderError) -> Self {
        match error {
            BorderError::Buffer(message) => PyBufferError::new_err(message),
            BorderError::Response(ResponseError { error, path }) => {
                let place = if path.is_empty() { String::new() } else { format!(" in {path}") };
                Python::attach(|py| {
                    decode_error(py, &format!("{error}{place}"), error.offset, path).unwrap_or_else(|error| error)
                })
            }
        }
    }
}

fn decode_error(py: Python<'_>, message: &str, offset: usize, path: &str) -> PyResult<PyErr> {
    let attributes = PyDict::new(py);
    attributes.set_item("offset", offset)?;
    attributes.set_item("path", path)?;
    let class = py.import("otlp_fast.errors")?.getattr("DecodeError")?;
    Ok(PyErr::from_value(class.call((message,), Some(&attributes))?))
}
