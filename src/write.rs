//! Tables to requests: `otlp_columns::write` on arrays of Python.
//!
//! The request is written without the GIL, and meanwhile nobody may change what is read. The arrays of decoded tables (`Array`) never
//! change and are read where they are. All others are copied first, as in [`crate::input`]: a NumPy array can be written to, and
//! whether a read-only one shows an array that can is not for us to see. Of 100,000 spans with 8 attributes, 28 MB of columns and
//! 44 MB of request, the call takes 75 ms from NumPy and 55 ms from decoded arrays, 27 ms of which is the copy into `bytes`.

use crate::array::Array;
use crate::buffer::python_bytes;
use crate::errors::BorderError;
use crate::split::SignalName;
use otlp_columns::contract::{self, ColumnType};
use otlp_columns::write::{BytesRef, ColumnRef, Element, Problem, TableRef, TextRef, WriteError, write};
use pyo3::buffer::{ElementType, PyUntypedBuffer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

/// An array of a column: a decoded one, or a copy.
enum Values<'py, T> {
    Decoded(Bound<'py, Array>),
    Copied(Vec<T>),
}

impl<T: Element> Values<'_, T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::Decoded(array) => T::of(array.get().values()).unwrap_or_default(),
            Self::Copied(values) => values,
        }
    }
}

/// Byte strings, one behind the other.
struct Strings<'py> {
    offsets: Values<'py, u32>,
    data: Values<'py, u8>,
}

impl Strings<'_> {
    fn borrow(&self) -> BytesRef<'_> {
        BytesRef { offsets: self.offsets.as_slice(), data: self.data.as_slice() }
    }
}

/// A column that stays as it is until the request is written.
enum Held<'py> {
    U8(Values<'py, u8>),
    I32(Values<'py, i32>),
    U32(Values<'py, u32>),
    I64(Values<'py, i64>),
    U64(Values<'py, u64>),
    F64(Values<'py, f64>),
    SpanIds(Values<'py, [u8; 8]>),
    TraceIds(Values<'py, [u8; 16]>),
    Text(Values<'py, u32>, Strings<'py>),
    Bytes(Strings<'py>),
    Offsets(Values<'py, u32>),
}

impl<'py> Held<'py> {
    /// Reads a column of this type; otherwise says what was expected.
    fn read(column: &Bound<'py, PyAny>, kind: ColumnType) -> Result<Self, String> {
        Ok(match kind {
            ColumnType::U8 => Self::U8(values(column, kind)?),
            ColumnType::I32 => Self::I32(values(column, kind)?),
            ColumnType::U32 | ColumnType::RowOf(_) => Self::U32(values(column, kind)?),
            ColumnType::I64 => Self::I64(values(column, kind)?),
            ColumnType::U64 => Self::U64(values(column, kind)?),
            ColumnType::F64 => Self::F64(values(column, kind)?),
            ColumnType::SpanId => Self::SpanIds(values(column, kind)?),
            ColumnType::TraceId => Self::TraceIds(values(column, kind)?),
            ColumnType::Offsets(_) => Self::Offsets(values(column, ColumnType::U32)?),
            ColumnType::Text => {
                let [codes, offsets, data] = parts(column, "codes, offsets, data")?;
                Self::Text(values(&codes, ColumnType::U32)?, strings(&offsets, &data)?)
            }
            ColumnType::Bytes => {
                let [offsets, data] = parts(column, "offsets, data")?;
                Self::Bytes(strings(&offsets, &data)?)
            }
        })
    }

    fn borrow(&self) -> ColumnRef<'_> {
        match self {
            Self::U8(values) => ColumnRef::U8(values.as_slice()),
            Self::I32(values) => ColumnRef::I32(values.as_slice()),
            Self::U32(values) => ColumnRef::U32(values.as_slice()),
            Self::I64(values) => ColumnRef::I64(values.as_slice()),
            Self::U64(values) => ColumnRef::U64(values.as_slice()),
            Self::F64(values) => ColumnRef::F64(values.as_slice()),
            Self::SpanIds(values) => ColumnRef::SpanIds(values.as_slice()),
            Self::TraceIds(values) => ColumnRef::TraceIds(values.as_slice()),
            Self::Text(codes, strings) => {
                ColumnRef::Text(TextRef { codes: codes.as_slice(), dictionary: strings.borrow() })
            }
            Self::Bytes(strings) => ColumnRef::Bytes(strings.borrow()),
            Self::Offsets(offsets) => ColumnRef::Offsets(offsets.as_slice()),
        }
    }
}

fn parts<'py, const N: usize>(column: &Bound<'py, PyAny>, names: &str) -> Result<[Bound<'py, PyAny>; N], String> {
    let parts: Option<Vec<_>> = column.cast::<PyTuple>().ok().map(|tuple| tuple.iter().collect());
    parts.and_then(|parts| parts.try_into().ok()).ok_or_else(|| format!("expected a tuple ({names})"))
}

fn strings<'py>(offsets: &Bound<'py, PyAny>, data: &Bound<'py, PyAny>) -> Result<Strings<'py>, String> {
    Ok(Strings { offsets: values(offsets, ColumnType::U32)?, data: values(data, ColumnType::U8)? })
}

/// Reads an array: of elements of the type, or, as Arrow's buffers are, of the bytes that they take.
fn values<'py, T: Element>(array: &Bound<'py, PyAny>, kind: ColumnType) -> Result<Values<'py, T>, String> {
    let expected = |found: &str| format!("expected a contiguous array of {kind}, found {found}");
    if let Ok(decoded) = array.cast::<Array>() {
        return match T::of(decoded.get().values()) {
            Some(_) => Ok(Values::Decoded(decoded.clone())),
            None => Err(expected("another column")),
        };
    }
    let Ok(buffer) = PyUntypedBuffer::get(array) else {
        let name = array.get_type().name().map_or_else(|_| "no array".to_owned(), |name| name.to_string());
        return Err(expected(&name));
    };
    let (size, format) = (size_of::<T>(), buffer.format());
    let is_native = match format.to_bytes().first() {
        Some(b'<') => cfg!(target_endian = "little"),
        Some(b'>' | b'!') => cfg!(target_endian = "big"),
        _ => true,
    };
    let is_of_type = is_native
        && buffer.item_size() == size
        && match (kind, ElementType::from_format(format)) {
            (ColumnType::I32 | ColumnType::I64, ElementType::SignedInteger { .. })
            | (ColumnType::U32 | ColumnType::RowOf(_) | ColumnType::U64, ElementType::UnsignedInteger { .. })
            | (ColumnType::F64, ElementType::Float { .. }) => true,
            // Bytes of fixed size: `S` and `V` of NumPy.
            (ColumnType::SpanId | ColumnType::TraceId, _) => matches!(format.to_bytes().last(), Some(b's' | b'x')),
            _ => false,
        };
    let is_of_bytes = buffer.item_size() == 1 && buffer.len_bytes().is_multiple_of(size);
    if !(is_of_type || is_of_bytes) {
        return Err(expected(&format!("items of format {:?}", format.to_string_lossy())));
    }
    if !buffer.is_c_contiguous() {
        return Err(expected("one that is not"));
    }
    let mut copy = vec![T::default(); buffer.len_bytes() / size];
    // SAFETY: a C-contiguous buffer is readable for `len_bytes` from its start while it is held, which `copy` has room for: it has as
    // many bytes, as `size` divides them. Elements are numbers and arrays of bytes, for which all bits are valid. `copy` is
    // new, so that the two do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(
            buffer.buf_ptr().cast::<u8>().cast_const(),
            copy.as_mut_ptr().cast::<u8>(),
            buffer.len_bytes(),
        );
    }
    Ok(Values::Copied(copy))
}

/// Reads a table.
fn table<'py>(kind: &contract::TableType, columns: &Bound<'py, PyDict>) -> PyResult<Vec<(&'static str, Held<'py>)>> {
    let mut held = Vec::with_capacity(columns.len());
    for (name, column) in columns {
        let name: String = name.extract()?;
        let path = format!("{}.{name}", kind.name);
        let Some(&(name, of)) = kind.columns.iter().find(|(known, _)| *known == name) else {
            return Err(refused(path, Problem::UnknownColumn));
        };
        let column = Held::read(&column, of).map_err(|message| BorderError::Column { message, path })?;
        held.push((name, column));
    }
    Ok(held)
}

fn refused(path: String, problem: Problem) -> PyErr {
    BorderError::Write(WriteError::Malformed { path, problem }).into()
}

/// Write tables as an export request, see docs/columns.md. Runs without the GIL.
///
/// Args:
///     signal: "traces", "logs" or "metrics".
///     tables: the columns of each table, by their names. A column is an array in native byte order, in any object that has a
///         contiguous buffer; text is a tuple of codes, and the offsets and the data of the dictionary; bytes a tuple of offsets and
///         data. The arrays of decoded tables are read where they are, all others copied first.
///
/// Raises:
///     EncodeError: the tables mean no request; `.path` names table, column and row.
///     MemoryError: there is no memory for the request, or it would pass 2 GiB.
///     ValueError: `signal` is none of the three.
#[pyfunction]
pub(crate) fn write_tables<'py>(
    py: Python<'py>,
    signal: SignalName,
    tables: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut held = Vec::with_capacity(tables.len());
    for (name, columns) in tables {
        let name: String = name.extract()?;
        let Some(kind) = contract::table(signal.0, &name) else {
            return Err(refused(name, Problem::UnknownTable));
        };
        held.push((kind.name, table(kind, columns.cast()?)?));
    }
    let borrowed: Vec<(&str, TableRef<'_>)> = held
        .iter()
        .map(|(name, columns)| {
            let columns: Vec<_> = columns.iter().map(|(name, column)| (*name, column.borrow())).collect();
            (*name, TableRef { rows: columns.first().map_or(0, |(_, column)| column.rows()), columns })
        })
        .collect();
    let find = |name: &str| borrowed.iter().find(|(known, _)| *known == name).map(|(_, table)| table.clone());
    let request = py.detach(|| write(signal.0, &find)).map_err(BorderError::Write)?;
    Ok(python_bytes(py, request.as_slice())?)
}
