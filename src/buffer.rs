//! `otlp_fast.Buffer`: finished bytes in pooled memory, readable through the buffer protocol without a copy.
//!
//! The walker, or Rust, hands the memory over in a capsule, which owns it: when that goes, the memory returns to the pool.
//! A `Buffer` keeps the capsule until it is released and nothing views its bytes any more.

use crate::errors::BorderError;
use otlp_wire::PooledBytes;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};
use std::ffi::{CStr, c_int};

/// The name of the capsules that `native/sdk/src/encoder.pxi` and [`Buffer::of`] make.
const CAPSULE_NAME: &CStr = c"otlp_fast.pooled_bytes";

/// A copy as `bytes`. pyo3's own way panics where there is no memory.
pub(crate) fn python_bytes<'py>(py: Python<'py>, content: &[u8]) -> Result<Bound<'py, PyBytes>, BorderError> {
    // SAFETY: the content is readable for its length, and CPython gives a new reference to `bytes`, or null and an error.
    let bytes = unsafe {
        let (start, length) = (content.as_ptr().cast(), content.len() as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(py, ffi::PyBytes_FromStringAndSize(start, length))
            .map(|bytes| bytes.cast_into_unchecked())
    };
    bytes.map_err(|_| BorderError::OutOfMemory(format!("no memory for a result of {} bytes", content.len())))
}

/// Finished bytes in pooled memory, read-only.
///
/// Supports the buffer protocol (`memoryview(buffer)`, `socket.sendall(buffer)`, `zlib.compress(buffer)`), `bytes()`, `len()`
/// and use as a context manager. The memory goes back to the pool with `release()` or with the last reference.
#[pyclass(module = "otlp_fast", frozen)]
pub(crate) struct Buffer {
    state: std::sync::Mutex<State>,
}

struct State {
    capsule: Option<Py<PyCapsule>>,
    views: usize,
}

const RELEASED: BorderError = BorderError::Buffer("this Buffer was released");

/// A `Buffer`'s bytes, which stay while this does, even if the `Buffer` is released meanwhile.
pub(crate) struct Held<'py> {
    capsule: Bound<'py, PyCapsule>,
    data: *const u8,
    length: usize,
}

impl Held<'_> {
    pub(crate) fn keep(self) -> Kept {
        Kept(self.capsule.unbind())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: `content` vouches for the bytes while the capsule is held, and nothing writes to finished bytes.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

impl Buffer {
    /// A Buffer of finished bytes.
    pub(crate) fn of(py: Python<'_>, bytes: PooledBytes) -> PyResult<Self> {
        Self::new(PyCapsule::new_with_value(py, bytes, CAPSULE_NAME)?)
    }

    /// The bytes, for callers that release the GIL.
    pub(crate) fn hold<'py>(&self, py: Python<'py>) -> Result<Held<'py>, BorderError> {
        let (capsule, data, length) = self.content(py)?;
        Ok(Held { capsule: capsule.into_bound(py), data, length })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic while the lock was held cannot leave the two fields half-changed.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The bytes, for as long as the capsule that is given back is kept.
    fn content(&self, py: Python<'_>) -> Result<(Py<PyCapsule>, *const u8, usize), BorderError> {
        let Some(capsule) = self.state().capsule.as_ref().map(|capsule| capsule.clone_ref(py)) else {
            return Err(RELEASED);
        };
        let bytes = bytes_of(&capsule);
        let (data, length) = (bytes.as_ptr(), bytes.len());
        Ok((capsule, data, length))
    }
}

/// The bytes in a capsule of a `Buffer`.
fn bytes_of(capsule: &Py<PyCapsule>) -> &[u8] {
    // SAFETY: `Buffer::new` checked that the capsule has our name, and a capsule of this name holds a `PooledBytes` that
    // lives as long as the capsule, of which the caller holds a reference.
    unsafe {
        let pointer = ffi::PyCapsule_GetPointer(capsule.as_ptr(), CAPSULE_NAME.as_ptr()).cast::<PooledBytes>();
        (*pointer).as_slice()
    }
}

/// A `Buffer`'s bytes, kept beyond the call, even if the `Buffer` is released meanwhile.
pub(crate) struct Kept(Py<PyCapsule>);

impl Kept {
    pub(crate) fn as_slice<'a>(&'a self, _py: Python<'a>) -> &'a [u8] {
        bytes_of(&self.0)
    }
}

#[pymethods]
impl Buffer {
    #[new]
    fn new(capsule: Bound<'_, PyCapsule>) -> PyResult<Self> {
        // SAFETY: the capsule is alive, and comparing its name reads nothing else.
        let is_ours = unsafe { ffi::PyCapsule_IsValid(capsule.as_ptr(), CAPSULE_NAME.as_ptr()) } == 1;
        if !is_ours {
            return Err(PyBufferError::new_err("a Buffer is made by finish(), not by hand"));
        }
        Ok(Self { state: std::sync::Mutex::new(State { capsule: Some(capsule.unbind()), views: 0 }) })
    }

    /// Give the memory back to the pool now. Further use raises BufferError; releasing twice does nothing.
    ///
    /// Raises:
    ///     BufferError: a memoryview of this buffer is still in use.
    fn release(&self) -> Result<(), BorderError> {
        let mut state = self.state();
        if state.views > 0 {
            return Err(BorderError::Buffer("this Buffer cannot be released while a memoryview of it is in use"));
        }
        let capsule = state.capsule.take();
        // The capsule's destructor runs without the lock.
        drop(state);
        drop(capsule);
        Ok(())
    }

    fn __len__(&self, py: Python<'_>) -> Result<usize, BorderError> {
        Ok(self.content(py)?.2)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, BorderError> {
        python_bytes(py, self.hold(py)?.as_slice())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> Result<(), BorderError> {
        self.release()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        match self.content(py) {
            Ok((_capsule, _, length)) => format!("<Buffer of {length} bytes>"),
            Err(_) => "<released Buffer>".to_owned(),
        }
    }

    /// # Safety
    /// Called by CPython with a `Py_buffer` to fill.
    #[allow(clippy::needless_pass_by_value)] // the form that pyo3 asks for
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let (_capsule, data, length) = slf.get().content(slf.py())?;
        // SAFETY: CPython passes a valid `view`. The bytes live until the capsule goes: `release` refuses while
        // `views` counts this view, and the view itself holds a reference to the Buffer.
        let status = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), data.cast_mut().cast(), length as ffi::Py_ssize_t, 1, flags)
        };
        if status < 0 {
            return Err(PyErr::fetch(slf.py()));
        }
        slf.get().state().views += 1;
        Ok(())
    }

    /// # Safety
    /// Called by CPython with a `Py_buffer` that `__getbuffer__` filled.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
        self.state().views -= 1;
    }
}
