//! `write_points`: arrays of numbers to `otlp_columns::points`. What users see of it is `otlp_fast.columns.write_points`.
//!
//! Arrays are read where they are, and for that the GIL is kept: unlike `bytes` ([`crate::input`]), an array may be written to
//! by whoever has it, and a copy would take longer than the writing. A million points take less than a thread's turn of
//! 5 ms. What writes to an array without the GIL meanwhile, as NumPy does inside a function that another thread called,
//! gets some old and some new numbers into the request, or an EncodeError for a code that has become one, and nothing worse: room
//! is made for what is written when it is written, and each reading of a code is checked.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::buffer::Buffer;
use crate::errors::BorderError;
use otlp_columns::points::{Attribute, Column, Data, Meaning, Points, StartTimes, write_attribute};
use otlp_wire::Writer;
use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A contiguous array of numbers of 64 bits, held in place while this lives.
pub(crate) enum Numbers {
    Double(PyBuffer<f64>),
    Signed(PyBuffer<i64>),
    Unsigned(PyBuffer<u64>),
}

impl FromPyObject<'_, '_> for Numbers {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        PyBuffer::get(&object)
            .map(Self::Double)
            .or_else(|_| PyBuffer::get(&object).map(Self::Signed))
            .or_else(|_| PyBuffer::get(&object).map(Self::Unsigned))
    }
}

impl Numbers {
    fn column<'a>(&'a self, py: Python<'a>) -> PyResult<Column<'a>> {
        let (words, meaning) = match self {
            Self::Double(buffer) => (bits_of(py, buffer)?, Meaning::Double),
            Self::Signed(buffer) => (bits_of(py, buffer)?, Meaning::Signed),
            Self::Unsigned(buffer) => (bits_of(py, buffer)?, Meaning::Unsigned),
        };
        Ok(Column { words, meaning })
    }
}

/// Integers that any bits are.
trait Bits {}
impl Bits for u32 {}
impl Bits for u64 {}

/// The elements of an array, as their bits.
fn bits_of<'a, T: Element, B: Bits>(_py: Python<'a>, buffer: &'a PyBuffer<T>) -> PyResult<&'a [B]> {
    const { assert!(size_of::<T>() == size_of::<B>() && align_of::<T>() == align_of::<B>()) };
    let Some(elements) = buffer.as_slice_ptr() else {
        return Err(PyTypeError::new_err("expected a contiguous array"));
    };
    // SAFETY: the exporter vouches for the elements while the buffer is held; pyo3 checked their type, length and alignment, and
    // what is as long and as aligned can be read as bits. They do not change while the GIL is held, which `_py` stands for
    // (what is true of writers without it, the head of this file says).
    Ok(unsafe { std::slice::from_raw_parts(elements.as_ptr().cast(), elements.len()) })
}

/// When what a point sums up began: ns since the epoch, for all points or for each.
#[derive(FromPyObject)]
pub(crate) enum Starts {
    Same(u64),
    Each(Numbers),
}

/// The values of an attribute: numbers; or codes and what they stand for, encoded `AnyValue`s, None for no attribute.
#[derive(FromPyObject)]
pub(crate) enum AttributeValues<'py> {
    Numbers(Numbers),
    Coded(PyBuffer<u32>, Vec<Option<Bound<'py, PyBytes>>>),
}

/// Write one metric with a data point for each element of `values`. See `otlp_fast.columns.write_points`.
///
/// Args:
///     texts: name, description and unit.
///     sum: temporality and monotonicity of a sum; None for a gauge.
///     resource, scope: the encoded message, and its schema URL.
///     start_times: ns since the epoch, an int or an array.
///     times, values: contiguous arrays of float64, int64 or uint64.
///     constant: attributes of all points, their values as encoded `AnyValue`s.
///     attributes: attributes with a value for each point.
///
/// Raises:
///     EncodeError: an array is too long or too short, a number is out of range, or the request would take 2 GiB.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // each is an argument of the public function
pub(crate) fn write_points(
    py: Python<'_>,
    texts: (String, String, String),
    sum: Option<(i32, bool)>,
    resource: (Vec<u8>, String),
    scope: (Vec<u8>, String),
    start_times: Starts,
    times: Numbers,
    values: Numbers,
    constant: Vec<(String, Bound<'_, PyBytes>)>,
    attributes: Vec<(String, AttributeValues<'_>)>,
) -> PyResult<Buffer> {
    let mut encoded = Writer::new();
    for (key, value) in &constant {
        write_attribute(&mut encoded, key, value.as_bytes());
    }
    let attributes = attributes.iter().map(|(key, values)| {
        Ok::<_, PyErr>(match values {
            AttributeValues::Numbers(numbers) => Attribute::numbers(key, numbers.column(py)?),
            AttributeValues::Coded(codes, values) => {
                let values = values.iter().map(|value| value.as_ref().map(|value| value.as_bytes()));
                Attribute::coded(key, bits_of(py, codes)?, values).map_err(BorderError::Points)?
            }
        })
    });
    let points = Points {
        name: &texts.0,
        description: &texts.1,
        unit: &texts.2,
        data: sum.map_or(Data::Gauge, |(temporality, is_monotonic)| Data::Sum { temporality, is_monotonic }),
        resource: (&resource.0, &resource.1),
        scope: (&scope.0, &scope.1),
        start_times: match &start_times {
            Starts::Same(start) => StartTimes::Same(*start),
            Starts::Each(numbers) => StartTimes::Each(numbers.column(py)?),
        },
        times: times.column(py)?,
        values: values.column(py)?,
        constant: encoded.as_slice(),
        attributes: attributes.collect::<PyResult<_>>()?,
    };
    Buffer::of(py, points.write().map_err(BorderError::Points)?)
}
