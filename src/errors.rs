//! The one place where errors of the core crates become Python exceptions.
//!
//! The exception classes are Python's (`otlp_fast.errors`), as they have attributes and two bases; here they are looked up
//! and filled in. Making one is a cold path.

use otlp_columns::decode::DecodeError;
use otlp_columns::points::PointsError;
use otlp_columns::red::RedError;
use otlp_columns::write::WriteError;
use otlp_compression::CompressionError;
use otlp_schema::json::{FromJsonError, FromJsonErrorKind};
use otlp_schema::merge::MergeError;
use otlp_schema::response::ResponseError;
use otlp_schema::split::SplitError;
use otlp_tracezip::TracezipError;
use otlp_wire::ReadError;
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::fmt::Display;

/// Everything that can go wrong at the border.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BorderError {
    /// A receiver's answer that is not what it should be.
    Response(ResponseError),
    /// A request that cannot be cut.
    Split(SplitError),
    /// A request that has no columns, and the path of the error in it.
    Decode(DecodeError, String),
    /// A request that is not one; with the path of the offset.
    Request(ReadError, String),
    /// Tables that make no request.
    Write(WriteError),
    /// A column that is no array of its type.
    Column {
        /// What was expected.
        message: String,
        /// Its table and name.
        path: String,
    },
    /// JSON that is no request.
    Json(FromJsonError),
    /// Arrays that cannot be written as points.
    Points(PointsError),
    /// No memory for a result; with what to say about it.
    OutOfMemory(String),
    /// Data that cannot be decompressed, or a level that does not exist; with what to say about it.
    Compression(CompressionError, String),
    /// A frame that is not made or not taken.
    Tracezip(TracezipError),
    /// Spans that are not counted as they should be.
    Red(RedError),
    /// A `Buffer` that was released, or one that is still in use.
    Buffer(&'static str),
}

impl From<ResponseError> for BorderError {
    fn from(error: ResponseError) -> Self {
        Self::Response(error)
    }
}

impl From<SplitError> for BorderError {
    fn from(error: SplitError) -> Self {
        Self::Split(error)
    }
}

impl From<FromJsonError> for BorderError {
    fn from(error: FromJsonError) -> Self {
        match error.kind {
            FromJsonErrorKind::OutOfMemory => Self::OutOfMemory(error.to_string()),
            _ => Self::Json(error),
        }
    }
}

impl From<MergeError> for BorderError {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::Malformed { request, error, path } => {
                let separator = if path.is_empty() { "" } else { "." };
                Self::Request(error, format!("requests[{request}]{separator}{path}"))
            }
            MergeError::OutOfMemory => Self::OutOfMemory(error.to_string()),
        }
    }
}

impl From<BorderError> for PyErr {
    #[cold]
    #[inline(never)]
    fn from(error: BorderError) -> Self {
        match error {
            BorderError::Buffer(message) => PyBufferError::new_err(message),
            BorderError::Red(error) => PyValueError::new_err(error.to_string()),
            BorderError::Response(ResponseError { error, path })
            | BorderError::Split(SplitError::Malformed { error, path }) => decode_error(&error, error.offset, path),
            BorderError::Decode(error, path) => {
                let offset = match error {
                    DecodeError::Malformed(error) => error.offset,
                    DecodeError::TooManyItems { offset } => offset,
                    DecodeError::TooLong { .. } => 0,
                };
                decode_error(&error, offset, &path)
            }
            BorderError::Request(error, path) => decode_error(&error, error.offset, &path),
            BorderError::Write(WriteError::OutOfMemory) => PyMemoryError::new_err(WriteError::OutOfMemory.to_string()),
            BorderError::Write(WriteError::Malformed { path, problem }) => encode_error(&problem, &path),
            BorderError::Column { message, path } => encode_error(&message, &path),
            BorderError::Json(error) => decode_error(&error, error.offset, &error.path),
            BorderError::Points(error @ PointsError::OutOfMemory) => PyMemoryError::new_err(error.to_string()),
            BorderError::Points(error) => raised("EncodeError", &error.to_string(), |_| Ok(())),
            BorderError::OutOfMemory(message) => PyMemoryError::new_err(message),
            BorderError::Compression(CompressionError::OutOfMemory, message) => PyMemoryError::new_err(message),
            BorderError::Compression(CompressionError::Level, message) => PyValueError::new_err(message),
            BorderError::Compression(CompressionError::TooLarge, message) => raised("LimitError", &message, |_| Ok(())),
            BorderError::Compression(_, message) => raised("CompressionError", &message, |_| Ok(())),
            BorderError::Tracezip(error) => match error {
                TracezipError::OutOfMemory => PyMemoryError::new_err(error.to_string()),
                TracezipError::Uncommitted => PyRuntimeError::new_err(error.to_string()),
                TracezipError::StateLost => raised("StateLostError", &error.to_string(), |_| Ok(())),
                TracezipError::Repeated => raised("RepeatedFrameError", &error.to_string(), |_| Ok(())),
                TracezipError::Limit { .. } => raised("LimitError", &error.to_string(), |_| Ok(())),
                TracezipError::Damaged { .. } => raised("CompressionError", &error.to_string(), |_| Ok(())),
            },
            BorderError::Split(SplitError::OutOfMemory) => PyMemoryError::new_err(SplitError::OutOfMemory.to_string()),
            BorderError::Split(error @ SplitError::TooMuchRepeated) => {
                raised("EncodeError", &error.to_string(), |_| Ok(()))
            }
        }
    }
}

/// An `EncodeError` with its place.
fn encode_error(error: &impl Display, path: &str) -> PyErr {
    raised("EncodeError", &format!("{error} in {path}"), |attributes| attributes.set_item("path", path))
}

/// A `DecodeError` with its place.
fn decode_error(error: &impl Display, offset: usize, path: &str) -> PyErr {
    let place = if path.is_empty() { String::new() } else { format!(" in {path}") };
    raised("DecodeError", &format!("{error}{place}"), |attributes| {
        attributes.set_item("offset", offset)?;
        attributes.set_item("path", path)
    })
}

/// An exception of `otlp_fast.errors`.
fn raised(class: &str, message: &str, fill: impl FnOnce(&Bound<'_, PyDict>) -> PyResult<()>) -> PyErr {
    Python::attach(|py| {
        let make = || {
            let attributes = PyDict::new(py);
            fill(&attributes)?;
            py.import("otlp_fast.errors")?.getattr(class)?.call((message,), Some(&attributes))
        };
        make().map_or_else(|error| error, PyErr::from_value)
    })
}
