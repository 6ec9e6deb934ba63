//! The Cython walker over opentelemetry-sdk objects, and the C ABI through which it writes.
//!
//! Cython reads Python, Rust writes bytes. `_sdk.pyx` and the files that it includes walk spans and hand numbers and
//! borrowed text to the functions in [`abi`]; `build.rs` compiles them to C and into this crate. The resulting module
//! `otlp_fast._sdk` lives in the same shared object as `otlp_fast._core`; see `python/otlp_fast/_sdk.py` for how it is
//! found there.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
pub mod abi;
