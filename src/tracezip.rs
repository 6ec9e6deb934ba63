//! The two ends of a tracezip stream: `otlp_tracezip` on Python's bytes, for `otlp_fast.tracezip`.
//!
//! A stream has one user: two threads that use one end at the same time get a RuntimeError.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::input::Input;
use crate::split::SignalName;
use otlp_tracezip::frame::{Frame, StreamId};
use otlp_tracezip::limits::STATE_RANGE;
use otlp_tracezip::{Decoder, Encoder, Limits, Options};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// `max_decoded_len`, `max_plain_len`, `max_state`.
type LimitsTuple = (u64, u64, usize);

fn limits((max_decoded_len, max_plain_len, max_state): LimitsTuple) -> PyResult<Limits> {
    if !STATE_RANGE.contains(&max_state) {
        let (least, most) = (STATE_RANGE.start(), STATE_RANGE.end());
        return Err(PyValueError::new_err(format!("max_state must be {least} to {most} bytes, not {max_state}")));
    }
    Ok(Limits { max_decoded_len, max_plain_len, max_state })
}

/// The sending end of a stream, see `otlp_fast.tracezip.Encoder`.
#[pyclass(module = "otlp_fast._core")]
pub(crate) struct TracezipEncoder(Encoder);

#[pymethods]
impl TracezipEncoder {
    #[new]
    fn new(signal: SignalName, stream_id: StreamId, is_stateless: bool, limits: LimitsTuple) -> PyResult<Self> {
        Ok(Self(Encoder::new(signal.0, Options { stream_id, is_stateless, limits: self::limits(limits)? })))
    }

    fn encode<'py>(&mut self, py: Python<'py>, data: Input<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let content = data.as_slice();
        let frame = py.detach(|| self.0.encode(content)).map_err(BorderError::Tracezip)?;
        Ok(python_bytes(py, &frame)?)
    }

    fn commit(&mut self) {
        self.0.commit();
    }

    fn rollback(&mut self, py: Python<'_>) {
        py.detach(|| self.0.rollback());
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn state_hash(&self) -> u64 {
        self.0.state_hash()
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.0.stats();
        let result = PyDict::new(py);
        result.set_item("frames", stats.frames)?;
        result.set_item("resets", stats.resets)?;
        result.set_item("raw_frames", stats.raw_frames)?;
        result.set_item("rollbacks", stats.rollbacks)?;
        result.set_item("bytes_in", stats.bytes_in)?;
        result.set_item("bytes_out", stats.bytes_out)?;
        Ok(result)
    }
}

/// The receiving end of a stream, see `otlp_fast.tracezip.Decoder`.
#[pyclass(module = "otlp_fast._core")]
pub(crate) struct TracezipDecoder(Decoder);

#[pymethods]
impl TracezipDecoder {
    #[new]
    fn new(limits: LimitsTuple) -> PyResult<Self> {
        Ok(Self(Decoder::new(self::limits(limits)?)))
    }

    fn decode<'py>(&mut self, py: Python<'py>, frame: Input<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let content = frame.as_slice();
        let request = py.detach(|| self.0.decode(content)).map_err(BorderError::Tracezip)?;
        Ok(python_bytes(py, &request)?)
    }

    fn commit(&mut self) {
        self.0.commit();
    }

    fn rollback(&mut self, py: Python<'_>) {
        py.detach(|| self.0.rollback());
    }

    fn state_hash(&self) -> u64 {
        self.0.state_hash()
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.0.stats();
        let result = PyDict::new(py);
        result.set_item("frames", stats.frames)?;
        result.set_item("resets", stats.resets)?;
        result.set_item("repeats", stats.repeats)?;
        result.set_item("states_lost", stats.states_lost)?;
        result.set_item("refused", stats.refused)?;
        result.set_item("bytes_in", stats.bytes_in)?;
        result.set_item("bytes_out", stats.bytes_out)?;
        Ok(result)
    }
}

/// What a frame says of itself, see `otlp_fast.tracezip.read_header`.
#[pyfunction]
pub(crate) fn tracezip_header<'py>(
    py: Python<'py>,
    frame: Input<'py>,
    limits: LimitsTuple,
) -> PyResult<Bound<'py, PyDict>> {
    let limits = self::limits(limits)?;
    let frame = Frame::read(frame.as_slice(), &limits).map_err(BorderError::Tracezip)?;
    let result = PyDict::new(py);
    result.set_item("signal", frame.flags.signal.to_string())?;
    result.set_item("is_reset", frame.flags.is_reset)?;
    result.set_item("is_stateless", frame.flags.is_stateless)?;
    result.set_item("is_raw", frame.flags.is_raw)?;
    result.set_item("stream_id", PyBytes::new(py, &frame.header.stream_id))?;
    result.set_item("epoch", frame.header.epoch)?;
    result.set_item("seq", frame.header.seq)?;
    result.set_item("base_hash", frame.header.base_hash)?;
    result.set_item("decoded_len", frame.header.decoded_len)?;
    result.set_item("items", frame.header.items)?;
    result.set_item("plain_len", frame.header.plain_len)?;
    result.set_item("prefix_len", frame.header.prefix_len)?;
    result.set_item("state_size", 1u64 << frame.header.state_log2)?;
    result.set_item("content_hash", frame.header.content_hash)?;
    Ok(result)
}
