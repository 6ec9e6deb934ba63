//! `_core.Array`: one array of a column, readable through the buffer protocol where it lies.
//!
//! NumPy and Arrow take an array's memory as it is and keep the `Array`, which keeps the table that it is a part of: columns
//! live as long as somebody looks at them, whatever becomes of the request. A table never changes once it is made, so that any
//! number of views may read it, with or without the GIL.

use otlp_columns::decode;
use otlp_columns::table::{Column, Table};
use otlp_columns::write::ColumnRef;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;

/// A table, and what keeps it.
#[derive(Clone)]
pub(crate) enum Source {
    /// A table that was made with its request.
    Core(Arc<decode::Columns>, &'static str),
    /// One that was made when it was asked for.
    Made(Arc<Table>),
}

impl Source {
    fn table(&self) -> &Table {
        match self {
            Self::Core(columns, name) => &columns.core(name).expect("a source is made of a table that is there").table,
            Self::Made(table) => table,
        }
    }

    /// Its columns by their names: an `Array`, for text `(codes, offsets, data)`, for bytes `(offsets, data)`.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let result = PyDict::new(py);
        for (place, (name, column)) in self.table().columns.iter().enumerate() {
            let array = |part| Bound::new(py, Array::new(self.clone(), place, part));
            let value = match column {
                Column::Text(_) => {
                    PyTuple::new(py, [array(Part::Values)?, array(Part::Offsets)?, array(Part::Data)?])?.into_any()
                }
                Column::Bytes(_) => PyTuple::new(py, [array(Part::Offsets)?, array(Part::Data)?])?.into_any(),
                _ => array(Part::Values)?.into_any(),
            };
            result.set_item(name, value)?;
        }
        Ok(result)
    }
}

/// One of the arrays that make up a column.
#[derive(Clone, Copy)]
enum Part {
    /// The numbers themselves; of text its codes.
    Values,
    /// Where strings begin and end: those of the dictionary of text.
    Offsets,
    /// The bytes of the strings.
    Data,
}

/// An array as C sees it.
struct Memory {
    data: *const c_void,
    len: usize,
    item_size: usize,
    format: &'static CStr,
}

impl Memory {
    fn of<T>(values: &[T], format: &'static CStr) -> Self {
        Self { data: values.as_ptr().cast(), len: values.len(), item_size: size_of::<T>(), format }
    }

    /// The formats are those of Python's `struct` module, of which NumPy makes its types.
    fn find(column: &Column, part: Part) -> Self {
        match (column, part) {
            (Column::U8(values), _) => Self::of(values, c"B"),
            (Column::I32(values), _) => Self::of(values, c"i"),
            (Column::U32(values) | Column::Offsets(values), _) => Self::of(values, c"I"),
            (Column::I64(values), _) => Self::of(values, c"q"),
            (Column::U64(values), _) => Self::of(values, c"Q"),
            (Column::F64(values), _) => Self::of(values, c"d"),
            (Column::SpanIds(values), _) => Self::of(values, c"8s"),
            (Column::TraceIds(values), _) => Self::of(values, c"16s"),
            (Column::Text(text), Part::Values) => Self::of(&text.codes, c"I"),
            (Column::Text(text), Part::Offsets) => Self::of(&text.dictionary.offsets, c"I"),
            (Column::Text(text), Part::Data) => Self::of(text.dictionary.data.as_bytes(), c"B"),
            (Column::Bytes(bytes), Part::Data) => Self::of(&bytes.data, c"B"),
            (Column::Bytes(bytes), _) => Self::of(&bytes.offsets, c"I"),
        }
    }
}

/// An array of a decoded column: read-only, one-dimensional, without a copy.
///
/// Supports the buffer protocol: `numpy.asarray(array)`, `pyarrow.py_buffer(array)`, `memoryview(array)`.
#[pyclass(module = "otlp_fast._core", frozen)]
pub(crate) struct Array {
    source: Source,
    /// The place of its column in the table.
    column: usize,
    part: Part,
    /// What a `Py_buffer` points to.
    shape: [ffi::Py_ssize_t; 1],
    strides: [ffi::Py_ssize_t; 1],
}

impl Array {
    fn new(source: Source, column: usize, part: Part) -> Self {
        let memory = Memory::find(&source.table().columns[column].1, part);
        let (shape, strides) = ([memory.len as ffi::Py_ssize_t], [memory.item_size as ffi::Py_ssize_t]);
        Self { source, column, part, shape, strides }
    }

    /// Its elements, as a column of numbers or ids.
    pub(crate) fn values(&self) -> ColumnRef<'_> {
        match (ColumnRef::from(&self.source.table().columns[self.column].1), self.part) {
            (ColumnRef::Offsets(offsets), _) => ColumnRef::U32(offsets),
            (ColumnRef::Text(text), Part::Values) => ColumnRef::U32(text.codes),
            (ColumnRef::Text(text), Part::Offsets) => ColumnRef::U32(text.dictionary.offsets),
            (ColumnRef::Text(text), Part::Data) => ColumnRef::U8(text.dictionary.data),
            (ColumnRef::Bytes(bytes), Part::Data) => ColumnRef::U8(bytes.data),
            (ColumnRef::Bytes(bytes), _) => ColumnRef::U32(bytes.offsets),
            (column, _) => column,
        }
    }
}

#[pymethods]
impl Array {
    fn __len__(&self) -> usize {
        self.shape[0] as usize
    }

    /// # Safety
    /// Called by CPython with a `Py_buffer` to fill.
    #[allow(clippy::needless_pass_by_value)] // the form that pyo3 asks for
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if flags & ffi::PyBUF_WRITABLE != 0 {
            return Err(PyBufferError::new_err("decoded columns are read-only"));
        }
        let array = slf.get();
        let memory = Memory::find(&array.source.table().columns[array.column].1, array.part);
        let wants = |flag| flags & flag == flag;
        // SAFETY: CPython passes a valid `view`. What is put into it lives while the Array does, of which `obj` holds a reference:
        // the memory in a table that never changes, shape and strides in the Array itself, which Python objects never move.
        // The format is static.
        unsafe {
            (*view).buf = memory.data.cast_mut();
            (*view).len = (memory.len * memory.item_size) as ffi::Py_ssize_t;
            (*view).readonly = 1;
            (*view).itemsize = memory.item_size as ffi::Py_ssize_t;
            (*view).format =
                if wants(ffi::PyBUF_FORMAT) { memory.format.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).ndim = 1;
            (*view).shape = if wants(ffi::PyBUF_ND) { array.shape.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).strides =
                if wants(ffi::PyBUF_STRIDES) { array.strides.as_ptr().cast_mut() } else { std::ptr::null_mut() };
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = std::ptr::null_mut();
            (*view).obj = slf.into_ptr();
        }
        Ok(())
    }
}
