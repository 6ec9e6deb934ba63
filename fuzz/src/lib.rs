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
mod items;
mod naive;
mod round_trips;
mod wire;

use cap::Cap;
use fastrand::Rng;
use oracles::{Breach, Outcome};
use otlp_columns::decode::Limits;
use otlp_schema::signal::Signal;
use otlp_schema::split;
use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An input that takes more memory than it may ends the process where the allocation cannot fail. Where it can, the answer is an
/// error that says so, and every oracle takes it for a breach.
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
    let outcome = guarded(allowed(request), || oracles::check(request, signal, limits, random))?;
    // What is cut repeats its envelopes, within an allowance of its own.
    guarded(split::ALLOWANCE + allowed(request), || oracles::check_parts(request, signal, outcome))?;
    Ok(outcome)
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

#[cfg(test)]
mod tests {
    use super::*;
    use otlp_tracezip::TracezipError;
    use otlp_wire::ErrorKind;

    type Check<'a> = &'a dyn Fn() -> Result<(), Breach>;

    /// All in one test: the limit is that of the process.
    #[test]
    fn refusal_for_want_of_memory_is_a_breach() {
        let long = vec![b'x'; 1 << 20];
        // A resource group with a schema URL.
        let field = |tag: u8, content: &[u8]| {
            let mut field = vec![tag];
            naive::put_varint(content.len() as u64, &mut field);
            [&field, content].concat()
        };
        let request = field(0x0a, &field(0x1a, &long));
        let text = [&br#"{"resourceSpans":[{"schemaUrl":""#[..], &long, br#""}]}"#].concat();
        let (signal, limits, outcome) = (Signal::Traces, Limits::default(), Outcome::Refused(ErrorKind::BadTag));
        let tried: [(&str, Check<'_>); 3] = [
            ("no memory for the request", &|| round_trips::check_text(&text, signal, limits)),
            ("no memory for the JSON", &|| round_trips::check_refused(&request, signal, limits)),
            ("no memory for a part", &|| oracles::check_parts(&request, signal, outcome)),
        ];
        for (said, check) in tried {
            let ended = guarded(500_000, check);
            assert!(ended.as_ref().is_err_and(|breach| breach.contains(said)), "{said}: {ended:?}");
        }
        // Only now: what the pool holds from here on is no longer asked of the allocator.
        for (said, check) in tried {
            assert_eq!(guarded(allowed(&request), check), Ok(()), "{said}");
        }
        assert!(tracezip::Decodes::default().note(TracezipError::OutOfMemory).is_err());
    }
}
