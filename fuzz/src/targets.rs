//! What a coverage-guided driver calls: bytes in, and what did not hold out.
//!
//! Where an input has more to say than its bytes, a head of five says it: the signal in the low two bits of the first, whether it
//! is a frame in the highest, and a seed for what is chosen at random. So an input tells all of itself and comes again the same.

use crate::oracles::Breach;
use crate::tracezip::Decodes;
use crate::{TRACEZIP_ALLOWANCE, allowed, guarded, judge, mutate, oracles, round_trips, tracezip, wire};
use fastrand::Rng;
use otlp_columns::decode::Limits;
use otlp_schema::signal::Signal;

/// The bit of the head that says that a frame follows, not a request.
const FRAME: u8 = 0x80;

/// Whose input an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Reader, writer and kernels against the plainest code for the same.
    Wire,
    /// A request through the views: tables, cutting, the writer, JSON, selection and merging.
    Views,
    /// Text as OTLP/JSON.
    Json,
    /// A request through both ends of a stream; a frame into a decoder.
    Tracezip,
}

/// The head of an input, and what follows it.
struct Input<'a> {
    signal: Signal,
    is_frame: bool,
    random: Rng,
    content: &'a [u8],
}

impl<'a> Input<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (&[kind, ref seed @ ..], content) = bytes.split_first_chunk::<5>()?;
        let signal = [Signal::Traces, Signal::Logs, Signal::Metrics, Signal::Traces][usize::from(kind & 3)];
        let random = Rng::with_seed(u64::from(u32::from_le_bytes(*seed)));
        Some(Self { signal, is_frame: kind & FRAME != 0, random, content })
    }
}

impl Target {
    /// All targets by their names.
    pub const ALL: [(&'static str, Self); 4] =
        [("wire", Self::Wire), ("views", Self::Views), ("json", Self::Json), ("tracezip", Self::Tracezip)];

    /// An input of this target: a request, or a frame.
    pub fn input(self, signal: Signal, is_frame: bool, content: &[u8]) -> Vec<u8> {
        if self == Self::Wire {
            return content.to_vec();
        }
        let kind = signal as u8 | if is_frame { FRAME } else { 0 };
        [&[kind, 0, 0, 0, 0], content].concat()
    }

    /// Holds an input against what must hold, within the memory that it may take.
    pub fn check(self, bytes: &[u8]) -> Result<(), Breach> {
        if self == Self::Wire {
            return guarded(allowed(bytes), || wire::check(bytes));
        }
        let Some(Input { signal, is_frame, mut random, content }) = Input::of(bytes) else { return Ok(()) };
        match self {
            Self::Json => guarded(allowed(content), || round_trips::check_text(content, signal, Limits::default())),
            Self::Tracezip if is_frame => guarded(TRACEZIP_ALLOWANCE, || tracezip::check_frame(content)),
            Self::Tracezip => {
                let others = [(); 2].map(|()| mutate::mutate(content, content, signal.request(), &mut random));
                let requests = [content, &others[0], &others[1]];
                let mut decodes = Decodes::default();
                guarded(TRACEZIP_ALLOWANCE, || tracezip::check(signal, &requests, &mut random, &mut decodes))
            }
            Self::Views | Self::Wire => judge(content, signal, &mut random).map(|_: oracles::Outcome| ()),
        }
    }

    /// An input changed along what it is made of; `None` where flipped bytes do as well.
    pub fn mutate(self, bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
        let mut random = Rng::with_seed(u64::from(seed));
        // Bytes that are changed without any thought find what thought does not.
        if matches!(self, Self::Wire | Self::Json) || random.u8(..4) == 0 {
            return None;
        }
        let Input { signal, is_frame, content, .. } = Input::of(bytes)?;
        let mut changed = bytes[..bytes.len() - content.len()].to_vec();
        if random.u8(..8) == 0 {
            changed[1..].fill_with(|| random.u8(..));
        }
        changed.extend(if is_frame {
            tracezip::mutate_frame(content, &mut random)
        } else {
            mutate::mutate(content, content, signal.request(), &mut random)
        });
        Some(changed)
    }
}
