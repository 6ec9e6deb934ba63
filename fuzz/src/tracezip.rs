//! Tracezip: mutated requests through both ends of a stream, and mutated frames into its decoder.
//!
//! A frame whose bytes are flipped fails its checksum, and nothing behind that is reached. Here a frame is taken apart, one part
//! is changed, and it is put together again with the right lengths and checksum; what it says is another thing.
//!
//! What must hold: each request comes back byte for byte; a frame that was changed gives that request or none; the stream goes on
//! as if it had never come.

use crate::oracles::Breach;
use fastrand::Rng;
use otlp_schema::signal::Signal;
use otlp_tracezip::frame::{self, Column, Encoding, Frame};
use otlp_tracezip::{Decoder, Encoder, Limits, Options, TracezipError};
use std::collections::BTreeMap;

/// How many changed frames a stream is given.
const CHANGED_FRAMES: usize = 16;

/// The most that a frame may announce, in bytes: little, so that the memory of a run has a bound.
const MAX_LEN: u64 = 256 << 10;

/// Whatever a frame announces, to take it apart.
const ANY: Limits = Limits { max_decoded_len: u64::MAX, max_plain_len: u64::MAX, max_state: 1 << 28 };

/// What became of frames.
#[derive(Debug, Default)]
pub struct Decodes {
    /// How many gave their request.
    pub taken: u64,
    /// How many were refused, by what was wrong with them.
    pub refused: BTreeMap<String, u64>,
}

impl Decodes {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.taken + self.refused.values().sum::<u64>()
    }

    /// Counts a refusal. One for want of memory is a breach: limits are there to be passed before.
    pub(crate) fn note(&mut self, error: TracezipError) -> Result<(), Breach> {
        let problem = match error {
            TracezipError::OutOfMemory => return Err(format!("a changed frame: {error}")),
            TracezipError::Damaged { problem, .. } => problem.to_owned(),
            TracezipError::Limit { limit, .. } => format!("limit {limit}"),
            error => error.to_string(),
        };
        *self.refused.entry(problem).or_default() += 1;
        Ok(())
    }
}

/// The two ends of a stream.
struct Stream {
    encoder: Encoder,
    decoder: Decoder,
}

impl Stream {
    fn new(signal: Signal, random: &mut Rng) -> Self {
        let limits = Limits { max_decoded_len: MAX_LEN, max_plain_len: MAX_LEN, max_state: 1 << random.u32(16..19) };
        let stream_id = std::array::from_fn(|_| random.u8(..));
        let encoder = Encoder::new(signal, Options { stream_id, is_stateless: random.u8(..8) == 0, limits });
        Self { encoder, decoder: Decoder::new(limits) }
    }

    /// Sends a request through both ends. Gives its frame.
    fn pass(&mut self, request: &[u8], decodes: &mut Decodes) -> Result<Vec<u8>, Breach> {
        let frame = self.encoder.encode(request).map_err(|error| format!("encoding: {error}"))?;
        self.take(&frame, request, decodes)?;
        Ok(frame)
    }

    /// Takes the frame of a request for good.
    fn take(&mut self, frame: &[u8], request: &[u8], decodes: &mut Decodes) -> Result<(), Breach> {
        let decoded = self.decoder.decode(frame).map_err(|error| format!("decoding: {error}"))?;
        if decoded != request {
            return Err("another request came back".to_owned());
        }
        decodes.taken += 1;
        self.encoder.commit();
        self.decoder.commit();
        if self.encoder.state_hash() != self.decoder.state_hash() {
            return Err("the ends have other states".to_owned());
        }
        Ok(())
    }
}

/// Sends requests through a stream of their signal, and changed frames between them.
pub fn check(signal: Signal, requests: &[&[u8]; 3], random: &mut Rng, decodes: &mut Decodes) -> Result<(), Breach> {
    let requests: Vec<_> = requests.iter().filter(|request| request.len() as u64 <= MAX_LEN).collect();
    let mut stream = Stream::new(signal, random);
    let mut frames = Vec::new();
    for request in &requests {
        frames.push(stream.pass(request, decodes)?);
    }
    let Some(request) = requests.first() else { return Ok(()) };
    let frame = stream.encoder.encode(request).map_err(|error| format!("encoding: {error}"))?;
    for _ in 0..CHANGED_FRAMES {
        let other = &frames[random.usize(..frames.len())];
        let changed = change(&frame, other, random);
        match stream.decoder.decode(&changed) {
            // A frame that was changed into an earlier one cannot be told from that.
            Ok(decoded) if requests.iter().any(|request| **request == decoded) => decodes.taken += 1,
            Ok(_) => return Err("a changed frame gave another request".to_owned()),
            Err(error) => decodes.note(error)?,
        }
        stream.decoder.rollback();
    }
    stream.take(&frame, request, decodes).map_err(|breach| format!("behind changed frames, {breach}"))
}

/// Gives any bytes to a decoder, with the checksum that they should have. A request that comes of them comes through a stream too.
pub(crate) fn check_frame(bytes: &[u8]) -> Result<(), Breach> {
    let limits = Limits { max_decoded_len: MAX_LEN, max_plain_len: MAX_LEN, max_state: 1 << 18 };
    let frame = with_checksum(bytes.to_vec());
    let mut decoder = Decoder::new(limits);
    let request = match decoder.decode(&frame) {
        Ok(request) => request,
        Err(error) => return Decodes::default().note(error),
    };
    if request.len() as u64 > MAX_LEN {
        return Err(format!("a frame gave {} bytes", request.len()));
    }
    decoder.rollback();
    if decoder.decode(&frame).as_ref() != Ok(&request) {
        return Err("a frame that was rolled back gave another request".to_owned());
    }
    decoder.commit();
    let signal = Frame::read(&frame, &limits).map_err(|error| error.to_string())?.flags.signal;
    Stream::new(signal, &mut Rng::with_seed(0)).pass(&request, &mut Decodes::default()).map(drop)
}

/// The first frame of a stream.
pub(crate) fn first_frame(signal: Signal, request: &[u8], random: &mut Rng) -> Result<Vec<u8>, Breach> {
    Stream::new(signal, random).pass(request, &mut Decodes::default())
}

/// Any bytes, changed as the frame that they are, or as bytes.
pub(crate) fn mutate_frame(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let frame = with_checksum(bytes.to_vec());
    if Parts::of(&frame, &ANY).is_ok() { change(&frame, &frame, random) } else { flip(frame, random) }
}

/// A frame with something changed, most often put together as frames are.
fn change(frame: &[u8], other: &[u8], random: &mut Rng) -> Vec<u8> {
    let (Ok(mut parts), Ok(other)) = (Parts::of(frame, &ANY), Parts::of(other, &ANY)) else {
        unreachable!("frames of an encoder");
    };
    let ways = random.u8(..32);
    if ways == 0 {
        return flip(frame.to_vec(), random);
    }
    if ways < 4 {
        return with_checksum(flip(frame.to_vec(), random));
    }
    for _ in 0..random.usize(1..4) {
        parts.change(&other, random);
    }
    parts.write()
}

/// Changes some bytes, cuts some off, or adds some.
fn flip(mut bytes: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    for _ in 0..random.usize(1..4) {
        if let Some(at) = (!bytes.is_empty()).then(|| random.usize(..bytes.len())) {
            bytes[at] ^= 1 << random.u32(..8);
        }
    }
    match random.u8(..8) {
        0 => bytes.truncate(random.usize(..=bytes.len())),
        1 => bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(8)),
        _ => {}
    }
    bytes
}

fn with_checksum(mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(end) = frame.len().checked_sub(4) {
        let crc = crc32c::crc32c(&frame[..end]);
        frame[end..].copy_from_slice(&crc.to_le_bytes());
    }
    frame
}

/// A frame, taken apart.
struct Parts<'a> {
    frame: Frame<'a>,
    /// The content of each column of the RawBlock, in the order of the directory.
    raw: Vec<(Column, Vec<u8>)>,
    /// The column of the ZBlock, if there is one, and the ZBlock.
    text: Option<Column>,
    zblock: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8], limits: &Limits) -> Result<Self, TracezipError> {
        let frame = Frame::read(bytes, limits)?;
        let mut rest = frame.raw_block;
        let mut raw = Vec::new();
        let mut text = None;
        for column in &frame.columns {
            if column.encoding == Encoding::Text {
                text = Some(*column);
                continue;
            }
            let (content, behind) = rest.split_at(column.len);
            raw.push((*column, content.to_vec()));
            rest = behind;
        }
        let zblock = frame.zblock.to_vec();
        Ok(Self { frame, raw, text, zblock })
    }

    fn change(&mut self, other: &Self, random: &mut Rng) {
        let chosen = (!self.raw.is_empty()).then(|| random.usize(..self.raw.len()));
        match (random.u8(..16), chosen) {
            (0..5, Some(chosen)) => {
                let content = &mut self.raw[chosen].1;
                *content = flip(std::mem::take(content), random);
            }
            (5 | 6, Some(chosen)) => {
                let len = random.usize(..64);
                self.raw[chosen].1 = std::iter::repeat_with(|| random.u8(..)).take(len).collect();
            }
            (7 | 8, Some(chosen)) => {
                let number = self.raw[chosen].0.number;
                if let Some((_, theirs)) = other.raw.iter().find(|(column, _)| column.number == number) {
                    self.raw[chosen].1.clone_from(theirs);
                }
            }
            (9, Some(chosen)) => drop(self.raw.remove(chosen)),
            (10, Some(chosen)) => self.raw[chosen].0.number = random.u64(..6),
            (11, _) => {
                (self.text, self.zblock) = (other.text, other.zblock.clone());
                self.frame.flags.is_compressed = other.frame.flags.is_compressed;
                self.frame.header.prefix_len = other.frame.header.prefix_len;
            }
            (12, _) => self.zblock = flip(std::mem::take(&mut self.zblock), random),
            _ => self.change_header(random),
        }
    }

    fn change_header(&mut self, random: &mut Rng) {
        let (header, flags) = (&mut self.frame.header, &mut self.frame.flags);
        let near = |number: u64, random: &mut Rng| match random.u8(..3) {
            0 => random.u64(..) >> random.u32(..64),
            1 => number.wrapping_add(random.u64(..3)).wrapping_sub(1),
            _ => 0,
        };
        match random.u8(..14) {
            0 => header.epoch = near(header.epoch, random),
            1 => header.seq = near(header.seq, random),
            2 => header.base_hash = near(header.base_hash, random),
            3 | 4 => header.decoded_len = near(header.decoded_len, random),
            5 => header.items = near(header.items, random),
            6 => header.prefix_len = near(header.prefix_len, random),
            7 => header.state_log2 = random.u64(14..21),
            8 => header.content_hash = near(header.content_hash, random),
            9 => flags.is_raw ^= true,
            10 => flags.is_compressed ^= true,
            11 => flags.signal = [Signal::Traces, Signal::Logs, Signal::Metrics][random.usize(..3)],
            // As a first frame, which builds on nothing.
            12 => {
                (flags.is_reset, header.seq, header.base_hash, header.epoch) =
                    (true, 0, 0, header.epoch.wrapping_add(1));
            }
            _ => {
                (flags.is_reset, flags.is_stateless) = (false, true);
                (header.stream_id, header.epoch, header.seq, header.base_hash) = ([0; 16], 0, 0, 0);
            }
        }
    }

    fn write(&self) -> Vec<u8> {
        let raw = self.raw.iter().map(|(column, content)| Column { len: content.len(), ..*column });
        let columns: Vec<Column> = raw.chain(self.text).collect();
        let raw_block: Vec<u8> = self.raw.iter().flat_map(|(_, content)| content.iter().copied()).collect();
        let mut header = self.frame.header;
        if !self.frame.flags.is_raw {
            header.plain_len = columns.iter().map(|column| column.len as u64).sum();
        }
        frame::write(self.frame.flags, &header, &columns, &raw_block, &self.zblock)
    }
}
