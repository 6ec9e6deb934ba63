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
//! | `stream`, `state`, `zblock` | what both ends keep of a stream, its hash, and the text that zstd compresses |
//! | `codec` | requests to columns and back, by all of the following |
//! | `plan` | what becomes of each field of OTLP: the one place that knows them |
//! | `canonical`, `skeleton`, `shape` | a message taken apart, and what stays the same of it |
//! | `shapes`, `families`, `ids` | the tables: of shapes, of values, of spans that were mentioned |
//! | `values`, `template` | how the values are predicted; texts with variables |
//! | `models`, `coder` | numbers and places as decisions, and decisions as bytes |
//! | `journal`, `capacity` | tables that can go back to what was committed, and how large they are |
//!
//! This crate knows nothing of Python, and has no unsafe code.
#![forbid(unsafe_code)]

mod canonical;
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
mod shape;
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
