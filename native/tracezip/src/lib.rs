//! Tracezip: a lossless, stateful codec for streams of OTLP requests.
//!
//! An [`Encoder`] turns each request of a stream into a *frame*, a [`Decoder`] turns the frames back into the same bytes. Both
//! keep the same tables of what has passed, so that a frame says only what is new. docs/tracezip-format.md is the format.
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | how a frame is laid out: header, directory, blocks, checksum |
//! | [`encoder`], [`decoder`] | a stream's two ends: what is committed, what is pending, what is refused |
//! | [`limits`], [`error`] | what a decoder allows, and how it says that something passes it |
//!
//! This crate knows nothing of Python, and has no unsafe code.
#![forbid(unsafe_code)]

mod capacity;
mod codec;
mod coder;
pub mod decoder;
pub mod encoder;
pub mod error;
mod families;
pub mod frame;
mod ids;
mod journal;
pub mod limits;
mod models;
mod plan;
mod shapes;
mod skeleton;
mod state;
mod stream;
mod template;
mod values;
mod zblock;

pub use decoder::{Decoder, DecoderStats};
pub use encoder::{Encoder, EncoderStats, Options};
pub use error::TracezipError;
pub use limits::Limits;
