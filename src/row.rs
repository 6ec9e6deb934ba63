//! One message as Python objects, by its schema.
//!
//! For the few rows that somebody looks at: a dict of the fields that stand in the message, by their names in the `.proto` files.
//! Repeated fields are lists, messages dicts, attributes a dict of plain values, ids and bytes `bytes`. What is absent is absent.
//! One walk over the tables of [`otlp_schema::schema`] serves all messages, and reads only what was checked when the request
//! was decoded.

use otlp_schema::schema::{FieldSchema, Kind, MessageSchema};
use otlp_schema::view::messages::{AnyValue, AnyValueField, ArrayValueField, KeyValue, KeyValueListField};
use otlp_wire::varint::unzigzag;
use otlp_wire::{ReadError, Reader, WireType};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::errors::BorderError;

/// Why there is no row.
pub(crate) enum RowError {
    /// The bytes are not the message.
    Read(ReadError),
    /// Python has no memory left.
    Python(PyErr),
}

impl From<ReadError> for RowError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<PyErr> for RowError {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<RowError> for PyErr {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Read(error) => BorderError::Decode(error.into(), String::new()).into(),
            RowError::Python(error) => error,
        }
    }
}

/// The fields of a message.
pub(crate) fn message<'py>(
    py: Python<'py>,
    mut reader: Reader<'_>,
    schema: &MessageSchema,
) -> Result<Bound<'py, PyDict>, RowError> {
    let fields = PyDict::new(py);
    // The dict of attributes or the list of each repeated field, once it has one.
    let mut containers = vec![None; schema.fields.len()];
    while let Some(tag) = reader.read_tag()? {
        let Some(place) = schema.fields.iter().position(|field| field.number == tag.field) else {
            reader.skip(tag)?;
            continue;
        };
        let field = &schema.fields[place];
        let name = || PyString::intern(py, field.name);
        if !field.is_repeated {
            fields.set_item(name(), read_value(py, &mut reader, field)?)?;
            continue;
        }
        let is_attribute = matches!(field.kind, Kind::Message(inner) if std::ptr::eq(inner, KeyValue::SCHEMA));
        if containers[place].is_none() {
            let empty = if is_attribute { PyDict::new(py).into_any() } else { PyList::empty(py).into_any() };
            fields.set_item(name(), &empty)?;
            containers[place] = Some(empty);
        }
        let Some(container) = &containers[place] else { continue };
        if is_attribute {
            add_pair(container.cast().map_err(PyErr::from)?, reader.nested()?)?;
            continue;
        }
        let list: &Bound<'_, PyList> = container.cast().map_err(PyErr::from)?;
        if tag.wire_type == WireType::Len && !is_delimited(field) {
            let mut packed = reader.nested()?;
            while !packed.is_at_end() {
                list.append(read_value(py, &mut packed, field)?)?;
            }
        } else {
            list.append(read_value(py, &mut reader, field)?)?;
        }
    }
    Ok(fields)
}

/// Whether a single value of the field has a length in front.
fn is_delimited(field: &FieldSchema) -> bool {
    matches!(field.kind, Kind::Text | Kind::Bytes | Kind::Id(_) | Kind::Message(_))
}

/// The next value of a field, behind its tag.
fn read_value<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    field: &FieldSchema,
) -> Result<Bound<'py, PyAny>, RowError> {
    Ok(match field.kind {
        Kind::Text => reader.read_str()?.into_bound_py_any(py)?,
        Kind::Bytes | Kind::Id(_) => PyBytes::new(py, reader.read_bytes()?).into_any(),
        Kind::Bool => (reader.read_varint()? != 0).into_bound_py_any(py)?,
        Kind::Double => f64::from_bits(reader.read_fixed64()?).into_bound_py_any(py)?,
        Kind::Int32 => (reader.read_varint()? as i32).into_bound_py_any(py)?,
        Kind::Sint32 => (unzigzag(u64::from(reader.read_varint()? as u32)) as i32).into_bound_py_any(py)?,
        Kind::Uint32 => (reader.read_varint()? as u32).into_bound_py_any(py)?,
        Kind::Fixed32 => reader.read_fixed32()?.into_bound_py_any(py)?,
        Kind::Int64 => (reader.read_varint()? as i64).into_bound_py_any(py)?,
        Kind::Uint64 => reader.read_varint()?.into_bound_py_any(py)?,
        Kind::Fixed64 => reader.read_fixed64()?.into_bound_py_any(py)?,
        Kind::Sfixed64 => (reader.read_fixed64()? as i64).into_bound_py_any(py)?,
        Kind::Message(inner) if std::ptr::eq(inner, AnyValue::SCHEMA) => {
            let content = reader.nested()?;
            any_value(py, AnyValue::within(content.rest(), content.offset()))?
        }
        Kind::Message(inner) => message(py, reader.nested()?, inner)?.into_any(),
    })
}

/// Adds a pair to a dict; of a key that stands twice the last one counts.
fn add_pair(attributes: &Bound<'_, PyDict>, content: Reader<'_>) -> Result<(), RowError> {
    let py = attributes.py();
    let (key, value) = KeyValue::within(content.rest(), content.offset()).pair()?;
    let value = value.map_or_else(|| Ok(py.None().into_bound(py)), |value| any_value(py, value))?;
    Ok(attributes.set_item(key, value)?)
}

/// A value: str, bool, int, float, bytes, list, dict, or None for an empty one.
pub(crate) fn any_value<'py>(py: Python<'py>, value: AnyValue<'_>) -> Result<Bound<'py, PyAny>, RowError> {
    Ok(match value.value()? {
        Some(AnyValueField::String(text)) => text.into_bound_py_any(py)?,
        Some(AnyValueField::Bool(truth)) => truth.into_bound_py_any(py)?,
        Some(AnyValueField::Int(number)) => number.into_bound_py_any(py)?,
        Some(AnyValueField::Double(number)) => number.into_bound_py_any(py)?,
        Some(AnyValueField::Bytes(content)) => PyBytes::new(py, content).into_any(),
        Some(AnyValueField::Array(array)) => {
            let list = PyList::empty(py);
            for field in array.fields() {
                if let ArrayValueField::Value(element) = field? {
                    list.append(any_value(py, element)?)?;
                }
            }
            list.into_any()
        }
        Some(AnyValueField::KeyValueList(pairs)) => {
            let dict = PyDict::new(py);
            for field in pairs.fields() {
                if let KeyValueListField::Value(pair) = field? {
                    add_pair(&dict, Reader::within(pair.content(), pair.offset()))?;
                }
            }
            dict.into_any()
        }
        Some(AnyValueField::Unknown(_)) | None => py.None().into_bound(py),
    })
}
