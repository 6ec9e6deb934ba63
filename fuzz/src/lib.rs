//! What must hold for anything that comes from outside, and inputs that try it.
//!
//! Two drivers share it. `otlp-fuzz` (the binary of this crate) mutates requests along the schema, with a seed that makes each
//! run again: it needs nothing but Cargo. `fuzz/guided` hands [`targets`] to libFuzzer, which keeps what reaches new code and goes
//! on from there. The first is short enough for every test run; the second finds what nobody thought of.

pub mod inputs;
pub mod mutate;
pub mod oracles;
pub mod seeds;
pub mod targets;
pub mod tracezip;

mod attributes;
mod fields;
mod naive;
mod round_trips;
mod wire;

use cap::Cap;
use fastrand::Rng;
use oracles::{Breach, Outcome};
use otlp_columns::decode::Limits;
use otlp_schema::signal::Signal;
use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An input that takes more memory than it may ends the process.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Memory that any request may take, in bytes.
const ALLOWANCE: usize = 16 << 20;

/// Memory that a request may take for each of its bytes: an empty span is two bytes, and about ninety of columns; the checks hold
/// several forms of a request at once.
const BYTES_PER_BYTE: usize = 1_000;

/// Memory that a stream of tracezip may take, both ends and three requests together, in bytes.
pub const TRACEZIP_ALLOWANCE: usize = 8 << 20;

/// Holds one request against the oracles, within the memory that it may take.
pub fn judge(request: &[u8], signal: Signal, random: &mut Rng) -> Result<Outcome, Breach> {
    let limits = Limits { max_items: 100_000, ..Limits::default() };
    guarded(allowed(request), || oracles::check(request, signal, limits, random))
}

/// Memory that an input may take, in bytes.
fn allowed(input: &[u8]) -> usize {
    ALLOWANCE + BYTES_PER_BYTE * input.len()
}

/// Does what may panic or take too much memory.
pub fn guarded<T>(allowed: usize, work: impl FnOnce() -> Result<T, Breach>) -> Result<T, Breach> {
    ALLOCATOR.set_limit(ALLOCATOR.allocated() + allowed).map_err(|_| "the memory limit could not be set")?;
    let ended = catch_unwind(AssertUnwindSafe(work));
    ALLOCATOR.set_limit(usize::MAX).map_err(|_| "the memory limit could not be lifted")?;
    ended.unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", message.unwrap_or("without a message")))
    })
}
