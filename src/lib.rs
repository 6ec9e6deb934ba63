//! The module `otlp_fast._core`: what Python sees of the Rust crates. Conversion only, no codec logic.
//!
//! The Cython walker, module `otlp_fast._sdk`, is linked into the same shared object through `otlp-sdk`, which exports its
//! `PyInit__sdk`.

mod array;
mod buffer;
mod columns;
mod compression;
mod detect;
mod errors;
mod input;
mod json;
mod merge;
mod points;
mod red;
mod row;
mod split;
mod stream;
mod tracezip;
mod write;

// Links the walker in: nothing here calls it, Python does.
extern crate otlp_sdk as _;

use pyo3::prelude::*;

/// Native parts of otlp_fast. Use the names that `otlp_fast` gives them.
#[pymodule(gil_used = true)]
mod _core {
    use crate::errors::BorderError;
    use otlp_schema::response;
    use otlp_wire::{pool, simd};
    use pyo3::exceptions::PyRuntimeWarning;
    use pyo3::prelude::*;
    use pyo3::types::PyDict;
    use std::ffi::CString;

    #[pymodule_export]
    use crate::array::Array;
    #[pymodule_export]
    use crate::buffer::Buffer;
    #[pymodule_export]
    use crate::columns::{Columns, any_value, decode, table_types};
    #[pymodule_export]
    use crate::compression::{compress, decompress};
    #[pymodule_export]
    use crate::detect::detect_signals;
    #[pymodule_export]
    use crate::json::{from_json, to_json};
    #[pymodule_export]
    use crate::merge::merge;
    #[pymodule_export]
    use crate::points::write_points;
    #[pymodule_export]
    use crate::red::{Red, red};
    #[pymodule_export]
    use crate::split::{count_items, split, split_request};
    #[pymodule_export]
    use crate::stream::{Compressor, Decompressor};
    #[pymodule_export]
    use crate::tracezip::{TracezipDecoder, TracezipEncoder, tracezip_header};
    #[pymodule_export]
    use crate::write::write_tables;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Environment variable that chooses the SIMD path.
    const SIMD_VARIABLE: &str = "OTLP_FAST_SIMD";

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let Some(wanted) = std::env::var_os(SIMD_VARIABLE).filter(|value| !value.is_empty()) else {
            return Ok(());
        };
        let forced = wanted.to_string_lossy().parse::<simd::Path>().map_err(|error| error.to_string());
        if let Err(reason) = forced.and_then(|path| simd::force(path).map_err(|error| error.to_string())) {
            // Telemetry must not keep a program from starting: say so and go on with what was detected.
            let text = format!("{SIMD_VARIABLE}: {reason}; using {}", simd::active());
            let text = CString::new(text.replace('\0', "")).unwrap_or_default();
            PyErr::warn(module.py(), &module.py().get_type::<PyRuntimeWarning>(), &text, 1)?;
        }
        Ok(())
    }

    /// How this build was made and what it uses on this machine.
    ///
    /// Returns:
    ///     `version`; `simd`, the path in use, and `simd_available`, those that this CPU has (`OTLP_FAST_SIMD` chooses
    ///     one); `profile`, "release" or "debug"; `target`, the architecture.
    #[pyfunction]
    fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let info = PyDict::new(py);
        info.set_item("version", env!("CARGO_PKG_VERSION"))?;
        info.set_item("simd", simd::active().to_string())?;
        info.set_item("simd_available", simd::Path::available().map(|path| path.to_string()).collect::<Vec<_>>())?;
        info.set_item("profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
        info.set_item("target", std::env::consts::ARCH)?;
        Ok(info)
    }

    /// What the pool of output buffers has done in this process, and what it holds.
    ///
    /// Returns:
    ///     `hits` and `misses`, buffers handed out from the pool and from the allocator; `returned` and `discarded`, buffers
    ///     taken back and given to the allocator; `bytes_held` now and `bytes_limit`, in bytes.
    #[pyfunction]
    fn pool_stats(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
        let stats = pool::shared().stats();
        let result = PyDict::new(py);
        result.set_item("hits", stats.hits)?;
        result.set_item("misses", stats.misses)?;
        result.set_item("returned", stats.returned)?;
        result.set_item("discarded", stats.discarded)?;
        result.set_item("bytes_held", stats.bytes_held)?;
        result.set_item("bytes_limit", stats.bytes_limit)?;
        Ok(result)
    }

    /// Read an `ExportTraceServiceResponse` (or its sibling of logs or metrics).
    ///
    /// Returns:
    ///     The number of rejected items and the error message, 0 and "" where all were taken.
    ///
    /// Raises:
    ///     DecodeError: `body` is not such a message; `.offset` and `.path` say where.
    #[pyfunction]
    fn read_export_response(body: &[u8]) -> Result<(i64, &str), BorderError> {
        let answer = response::read_export_response(body)?;
        Ok((answer.rejected, answer.error_message))
    }

    /// Read how long a `google.rpc.Status` asks to wait before the request is sent again.
    ///
    /// Returns:
    ///     Seconds, from its `google.rpc.RetryInfo`; None where it has none.
    ///
    /// Raises:
    ///     DecodeError: `body` is not such a message; `.offset` and `.path` say where.
    #[pyfunction]
    fn read_retry_delay(body: &[u8]) -> Result<Option<f64>, BorderError> {
        Ok(response::read_retry_delay(body)?)
    }

    /// Read the message of a `google.rpc.Status`, the body of an OTLP error answer.
    ///
    /// Raises:
    ///     DecodeError: `body` is not such a message; `.offset` and `.path` say where.
    #[pyfunction]
    fn read_status_message(body: &[u8]) -> Result<&str, BorderError> {
        Ok(response::read_status_message(body)?)
    }
}
