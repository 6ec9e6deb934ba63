//! The sending end of a stream.

use crate::error::TracezipError;
use crate::frame::{self, Flags, Header, StreamId};
use crate::limits::{self, Limits};
use crate::state;
use crate::stream::Stream;
use otlp_schema::signal::Signal;

/// How a stream is encoded.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The id of the stream, which must be random: receivers tell streams apart by it.
    pub stream_id: StreamId,
    /// Whether each frame stands alone.
    pub is_stateless: bool,
    /// What the receiver allows.
    pub limits: Limits,
}

/// What an encoder has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct EncoderStats {
    /// Frames made.
    pub frames: u64,
    /// Those of them that reset the stream.
    pub resets: u64,
    /// Those of them that hold the request as it is.
    pub raw_frames: u64,
    /// Frames rolled back.
    pub rollbacks: u64,
    /// Bytes of requests.
    pub bytes_in: u64,
    /// Bytes of frames.
    pub bytes_out: u64,
}

/// The sending end of a stream: makes a frame of each request.
#[derive(Debug)]
pub struct Encoder {
    stream: Stream,
    options: Options,
    epoch: u64,
    seq: u64,
    base_hash: u64,
    /// Whether the next frame must reset the stream.
    is_new: bool,
    /// The state's hash behind the frame that is neither committed nor rolled back.
    pending: Option<u64>,
    stats: EncoderStats,
}

impl Encoder {
    /// An encoder of a new stream.
    pub fn new(signal: Signal, options: Options) -> Self {
        Self {
            stream: Stream::new(signal, options.limits.state_log2()),
            options,
            epoch: 0,
            seq: 0,
            base_hash: 0,
            is_new: true,
            pending: None,
            stats: EncoderStats::default(),
        }
    }

    /// The frame of a request. It must be committed or rolled back before the next; without state, nothing is pending.
    ///
    /// # Errors
    /// `Uncommitted`; `Limit`, where the request is longer than the receiver allows; `OutOfMemory`. The stream is as before.
    pub fn encode(&mut self, request: &[u8]) -> Result<Vec<u8>, TracezipError> {
        if self.pending.is_some() {
            return Err(TracezipError::Uncommitted);
        }
        limits::check("max_decoded_len", request.len() as u64, self.options.limits.max_decoded_len)?;
        let is_stateless = self.options.is_stateless;
        let is_reset = self.is_new && !is_stateless;
        let body =
            self.stream.encode(request, self.options.limits.max_plain_len).inspect_err(|_| self.stream.rollback())?;
        let flags = Flags {
            is_reset,
            is_stateless,
            is_raw: body.is_raw,
            is_compressed: body.zblock.is_some(),
            signal: self.stream.signal(),
        };
        let text = self.stream.text(body.is_raw, request);
        let plain_len = body.raw_block.len() + text.len();
        let header = Header {
            stream_id: if is_stateless { [0; 16] } else { self.options.stream_id },
            epoch: self.epoch + u64::from(is_reset),
            seq: self.seq,
            base_hash: self.base_hash,
            decoded_len: request.len() as u64,
            items: body.items,
            plain_len: plain_len as u64,
            prefix_len: body.prefix_len as u64,
            state_log2: self.stream.state_log2().into(),
            content_hash: state::content_hash(request),
        };
        let zblock = body.zblock.as_deref().unwrap_or(text);
        let frame = frame::write(flags, &header, &body.columns, &body.raw_block, zblock);
        self.stats.frames += 1;
        self.stats.resets += u64::from(is_reset);
        self.stats.raw_frames += u64::from(body.is_raw);
        self.stats.bytes_in += request.len() as u64;
        self.stats.bytes_out += frame.len() as u64;
        if is_stateless {
            self.stream.clear();
        } else {
            self.epoch = header.epoch;
            self.pending = Some(state::next_hash(self.base_hash, &body.raw_block, text));
        }
        Ok(frame)
    }

    /// The receiver has taken the last frame. Without one, nothing happens.
    pub fn commit(&mut self) {
        if let Some(hash) = self.pending.take() {
            self.stream.commit();
            self.base_hash = hash;
            self.seq += 1;
            self.is_new = false;
        }
    }

    /// The receiver has not taken the last frame, and never will. Without one, nothing happens.
    pub fn rollback(&mut self) {
        if self.pending.take().is_some() {
            self.stream.rollback();
            self.stats.rollbacks += 1;
        }
    }

    /// Starts the stream anew: what is pending is rolled back, and the next frame needs nothing of what was sent before.
    pub fn reset(&mut self) {
        self.rollback();
        self.stream.clear();
        (self.seq, self.base_hash, self.is_new) = (0, 0, true);
    }

    /// The hash of what is committed: equal to the decoder's where both have the same frames.
    pub fn state_hash(&self) -> u64 {
        self.base_hash
    }

    /// What was done so far.
    pub fn stats(&self) -> EncoderStats {
        self.stats
    }
}
