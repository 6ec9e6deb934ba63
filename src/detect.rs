//! Which signal a request is of: `otlp_schema::detect` on Python's bytes.
#![allow(clippy::needless_pass_by_value)] // pyo3 gives arguments as values

use crate::errors::BorderError;
use crate::input::Input;
use otlp_schema::detect::detect;
use otlp_schema::locate::locate;
use pyo3::prelude::*;

/// The signals that a request may be of, by its first items: nearly always one, and all three where it has no items.
///
/// What follows behind the first items is not looked at.
///
/// Raises:
///     DecodeError: `data` is a request of no signal; `.offset` and `.path` say where.
#[pyfunction]
pub(crate) fn detect_signals(py: Python<'_>, data: Input<'_>) -> Result<Vec<String>, BorderError> {
    let request = data.as_slice();
    let signals = py
        .detach(|| detect(request))
        .map_err(|wrong| BorderError::Request(wrong.error, locate(request, wrong.signal, wrong.error.offset)))?;
    Ok(signals.iter().map(ToString::to_string).collect())
}
