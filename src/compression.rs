//! gzip, zstd and lz4: `otlp_compression` on Python's bytes.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::Input;
use otlp_compression::{CompressionError, Encoding};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// An encoding, given by its name; `None` for "none".
#[derive(Clone, Copy)]
pub(crate) struct EncodingName(pub(crate) Option<Encoding>);

impl FromPyObject<'_, '_> for EncodingName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let name = object.cast::<PyString>()?;
        match &*name.to_cow()? {
            "none" => Ok(Self(None)),
            name => name.parse().map(|encoding| Self(Some(encoding))).map_err(|_| {
                PyValueError::new_err(format!(
                    "unknown encoding {name:?}: expected \"none\", \"gzip\", \"zstd\" or \"lz4\""
                ))
            }),
        }
    }
}

/// What cannot be decompressed.
pub(crate) fn compression_error(encoding: Encoding, error: CompressionError) -> BorderError {
    BorderError::Compression(error, format!("{encoding}: {error}"))
}

/// A level that an encoding does not have, or another error of a compressor.
pub(crate) fn level_error(encoding: Encoding, level: Option<i32>, error: CompressionError) -> BorderError {
    match (error, level) {
        (CompressionError::Level, Some(level)) => {
            let levels = encoding.levels();
            let message = format!("{encoding} has the levels {} to {}, not {level}", levels.start(), levels.end());
            BorderError::Compression(error, message)
        }
        _ => compression_error(encoding, error),
    }
}

/// Compress a request body.
///
/// Runs without the GIL. Equal input gives equal bytes.
///
/// Args:
///     data: any bytes-like object.
///     encoding: "gzip", "zstd" or "lz4", or "none", which gives the bytes as they are.
///     level: gzip 1 to 9, zstd 1 to 19; None for what suits telemetry (zstd 3; gzip 6, or 9 where the
///         data repeats itself at length). lz4 has one, 1.
///
/// Raises:
///     ValueError: `encoding` is unknown, or has no such level.
#[pyfunction]
#[pyo3(signature = (data, encoding, *, level = None))]
pub(crate) fn compress<'py>(
    py: Python<'py>,
    data: Input<'py>,
    encoding: EncodingName,
    level: Option<i32>,
) -> PyResult<Bound<'py, PyBytes>> {
    let Some(encoding) = encoding.0 else {
        return match level {
            None => Ok(data.to_bytes(py)?),
            Some(_) => Err(PyValueError::new_err("encoding \"none\" has no level")),
        };
    };
    let content = data.as_slice();
    let compressed = py
        .detach(|| otlp_compression::compress(content, encoding, level))
        .map_err(|error| level_error(encoding, level, error))?;
    Ok(python_bytes(py, &compressed)?)
}

/// Decompress a body: all gzip members, zstd frames or lz4 frames, one behind the other.
///
/// Runs without the GIL.
///
/// Args:
///     data: any bytes-like object.
///     encoding: "gzip", "zstd" or "lz4", or "none", which gives the bytes as they are.
///     max_size: the most bytes that the result may have; 64 MiB, the limit of an OTLP request. No more is allocated, but
///         for what the decoder itself needs: less than 100 KB for gzip, 8 MiB for zstd.
///
/// Raises:
///     CompressionError: `data` is corrupt, cut off, or goes on behind its end; or the result would pass `max_size`.
///     ValueError: `encoding` is unknown.
#[pyfunction]
#[pyo3(signature = (data, encoding, *, max_size = 64 << 20))]
pub(crate) fn decompress<'py>(
    py: Python<'py>,
    data: Input<'py>,
    encoding: EncodingName,
    max_size: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let content = data.as_slice();
    let Some(encoding) = encoding.0 else {
        return if content.len() <= max_size {
            Ok(data.to_bytes(py)?)
        } else {
            Err(too_large("none", max_size).into())
        };
    };
    let decompressed =
        py.detach(|| otlp_compression::decompress(content, encoding, max_size)).map_err(|error| match error {
            CompressionError::TooLarge => too_large(&encoding.to_string(), max_size),
            _ => compression_error(encoding, error),
        })?;
    Ok(python_bytes(py, &decompressed)?)
}

fn too_large(name: &str, max_size: usize) -> BorderError {
    let message = format!("{name}: the decompressed data passes max_size, {max_size} bytes");
    BorderError::Compression(CompressionError::TooLarge, message)
}
