//! Protobuf wire format for otlp-fast: a writer that back-fills lengths in one forward pass, a reader that checks
//! everything, the memory pool they share, and the kernels that turn CPython's strings into UTF-8 and columns into records.
//!
//! This crate knows nothing of OTLP and nothing of Python. Its rules are those of the
//! [protobuf encoding](https://protobuf.dev/programming-guides/encoding/): varints are minimal, lengths are minimal,
//! output is canonical. `unsafe` stands in [`raw`] and below [`simd`] only; every other file is plain safe Rust.
//!
//! | module | holds |
//! |---|---|
//! | [`varint`] | varint and zigzag arithmetic, tags and wire types |
//! | [`raw`] | the growable output buffer, the one place where memory is written unchecked |
//! | [`writer`] | protobuf fields and nested messages on top of it |
//! | [`packed`] | arrays of numbers as packed repeated fields |
//! | [`reader`] | the checked reader: every error carries its offset |
//! | [`pool`] | bounded, thread-safe reuse of output buffers |
//! | [`text`], [`simd`] | CPython's one-, two- and four-byte strings to UTF-8; records of fixed size |
#![deny(unsafe_code)]

pub mod packed;
pub mod pool;
#[allow(unsafe_code)]
pub mod raw;
pub mod reader;
#[allow(unsafe_code)]
pub mod simd;
pub mod text;
pub mod varint;
pub mod writer;

pub use pool::{Pool, PoolStats, PooledBytes};
pub use reader::{ErrorKind, ReadError, Reader};
pub use text::Text;
pub use varint::{WireType, tag, varint_len, zigzag};
pub use writer::{Mark, Writer};
