//! Bytes of the caller, readable while the GIL is released.
//!
//! Another thread may run meanwhile, so what is read must neither move nor change. `bytes` and `Buffer` never change, and
//! are read where they are. Everything else with a buffer is copied first: a `bytearray` can be written to, and a read-only
//! `memoryview` may show one.

use crate::buffer::{self, Buffer, Held, python_bytes};
use crate::errors::BorderError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

/// An argument that is any bytes-like object.
pub(crate) enum Input<'py> {
    /// The caller's `bytes`, or a copy of what it gave.
    Bytes(Bound<'py, PyBytes>),
    /// A `Buffer`'s memory.
    Held(Held<'py>),
}

impl<'py> FromPyObject<'_, 'py> for Input<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.to_owned()));
        }
        if let Ok(buffer) = object.cast::<Buffer>() {
            return Ok(Self::Held(buffer.get().hold(object.py())?));
        }
        let copy = PyMemoryView::from(&object)?.call_method0("tobytes")?;
        Ok(Self::Bytes(copy.cast_into()?))
    }
}

impl<'py> Input<'py> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Held(held) => held.as_slice(),
        }
    }

    /// The whole input as `bytes`, without a copy where it is that already.
    pub(crate) fn to_bytes(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, BorderError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::Held(held) => python_bytes(py, held.as_slice()),
        }
    }

    /// The same bytes, kept beyond the call.
    pub(crate) fn keep(self) -> Kept {
        match self {
            Self::Bytes(bytes) => Kept::Bytes(bytes.unbind()),
            Self::Held(held) => Kept::Held(held.keep()),
        }
    }
}

/// Bytes that an object keeps, see [`Input`].
pub(crate) enum Kept {
    /// The caller's `bytes`, or a copy of what it gave.
    Bytes(Py<PyBytes>),
    /// A `Buffer`'s memory.
    Held(buffer::Kept),
}

impl Kept {
    pub(crate) fn as_slice<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(py),
            Self::Held(held) => held.as_slice(py),
        }
    }

    /// The whole of them as `bytes`, without a copy where it is that already.
    pub(crate) fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, BorderError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.bind(py).clone()),
            Self::Held(held) => python_bytes(py, held.as_slice(py)),
        }
    }
}
