//! Compressed streams: `otlp_compression::stream` on Python's bytes, for `otlp_fast.files`.
//!
//! The two classes are those of the standard library's `bz2` and `lzma`, with another name for the end. A stream has one
//! user: two threads that use one at the same time get a RuntimeError.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::compression::{EncodingName, compression_error, level_error};
use crate::errors::BorderError;
use crate::input::Input;
use otlp_compression::{CompressionError, Encoding, stream};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

fn required(encoding: EncodingName) -> PyResult<Encoding> {
    encoding.0.ok_or_else(|| PyValueError::new_err("a stream of encoding \"none\" needs nobody to read it"))
}

/// Decompresses a stream piece by piece: all gzip members, zstd frames or lz4 frames, one behind the other.
///
/// Runs without the GIL. Holds what it was given and did not use yet, and what the decoder needs: 64 KB for gzip, 9 MiB for
/// lz4, for zstd the window of its frames, at most 128 MiB.
///
/// Args:
///     encoding: "gzip", "zstd" or "lz4".
#[pyclass(module = "otlp_fast._core")]
pub(crate) struct Decompressor {
    encoding: Encoding,
    stream: stream::Decompressor,
    /// What was given last, and how much of it was used.
    input: Vec<u8>,
    used: usize,
    room: Vec<u8>,
    needs_input: bool,
}

impl Decompressor {
    /// Fills the room, and says how far.
    fn fill_room(&mut self, data: &[u8], max_size: usize) -> Result<usize, CompressionError> {
        let missing = max_size.saturating_sub(self.room.len());
        self.room.try_reserve_exact(missing).map_err(|_| CompressionError::OutOfMemory)?;
        self.input.drain(..self.used);
        self.used = 0;
        // What is used at once is not copied.
        let is_direct = self.input.is_empty();
        if !is_direct {
            self.input.extend_from_slice(data);
        }
        self.room.resize(max_size, 0);
        let step = self.stream.step(if is_direct { data } else { &self.input }, &mut self.room)?;
        if is_direct {
            self.input.extend_from_slice(&data[step.consumed..]);
        } else {
            self.used = step.consumed;
        }
        self.needs_input = step.written < max_size;
        Ok(step.written)
    }
}

#[pymethods]
impl Decompressor {
    #[new]
    fn new(encoding: EncodingName) -> PyResult<Self> {
        let encoding = required(encoding)?;
        let stream = stream::Decompressor::new(encoding).map_err(|error| compression_error(encoding, error))?;
        Ok(Self { encoding, stream, input: Vec::new(), used: 0, room: Vec::new(), needs_input: true })
    }

    /// Give what follows in the decompressed stream.
    ///
    /// Args:
    ///     data: what follows in the compressed stream; empty where `needs_input` is False.
    ///     max_size: the most bytes that are given, at least 1.
    ///
    /// Raises:
    ///     CompressionError: the stream is corrupt.
    ///     MemoryError: there is no memory for `max_size` bytes.
    ///     ValueError: `max_size` is 0.
    fn decompress<'py>(&mut self, py: Python<'py>, data: Input<'py>, max_size: usize) -> PyResult<Bound<'py, PyBytes>> {
        if max_size == 0 {
            return Err(PyValueError::new_err("max_size must be at least 1, not 0"));
        }
        let content = data.as_slice();
        let written = py.detach(|| self.fill_room(content, max_size));
        let written = written.map_err(|error| compression_error(self.encoding, error))?;
        Ok(python_bytes(py, &self.room[..written])?)
    }

    /// Whether more input is needed before there is more output.
    #[getter]
    fn needs_input(&self) -> bool {
        self.needs_input
    }

    /// Check that the stream may end here.
    ///
    /// Raises:
    ///     CompressionError: it is cut off.
    fn finish(&self) -> PyResult<()> {
        self.stream.finish().map_err(|error| compression_error(self.encoding, error).into())
    }
}

/// Compresses a stream piece by piece into one gzip member, zstd frame or lz4 frame, with a checksum.
///
/// Runs without the GIL.
///
/// Args:
///     encoding: "gzip", "zstd" or "lz4".
///     level: as in `compress`, but that None is level 6 of gzip.
#[pyclass(module = "otlp_fast._core")]
pub(crate) struct Compressor {
    encoding: Encoding,
    /// None behind the end.
    stream: Option<stream::Compressor>,
}

const FINISHED: &str = "this stream is finished";

#[pymethods]
impl Compressor {
    #[new]
    #[pyo3(signature = (encoding, *, level = None))]
    fn new(encoding: EncodingName, level: Option<i32>) -> PyResult<Self> {
        let encoding = required(encoding)?;
        let stream = stream::Compressor::new(encoding, level).map_err(|error| level_error(encoding, level, error))?;
        Ok(Self { encoding, stream: Some(stream) })
    }

    /// Add data, and give what of the stream is ready.
    ///
    /// Raises:
    ///     ValueError: the stream is finished.
    fn compress<'py>(&mut self, py: Python<'py>, data: Input<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let content = data.as_slice();
        let ready = py.detach(|| self.stream.as_mut().map(|stream| stream.compress(content)));
        self.given(py, ready)
    }

    /// Give the end of the stream.
    ///
    /// Raises:
    ///     ValueError: the stream is finished already.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let end = py.detach(|| self.stream.take().map(stream::Compressor::finish));
        self.given(py, end)
    }
}

impl Compressor {
    fn given<'py>(
        &self,
        py: Python<'py>,
        bytes: Option<Result<Vec<u8>, CompressionError>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = bytes.ok_or_else(|| PyValueError::new_err(FINISHED))?;
        let bytes = bytes.map_err(|error| -> BorderError { compression_error(self.encoding, error) })?;
        Ok(python_bytes(py, &bytes)?)
    }
}
