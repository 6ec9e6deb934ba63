//! The receiving end of a stream.

use crate::error::{TracezipError, damaged};
use crate::frame::{Frame, StreamId};
use crate::limits::Limits;
use crate::state;
use crate::stream::Stream;

/// What a decoder has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecoderStats {
    /// Frames taken.
    pub frames: u64,
    /// Those of them that reset the stream.
    pub resets: u64,
    /// Frames that were there before.
    pub repeats: u64,
    /// Frames that built on a state that was not here.
    pub states_lost: u64,
    /// Frames refused as damaged or passing a limit.
    pub refused: u64,
    /// Bytes of frames taken.
    pub bytes_in: u64,
    /// Bytes of requests.
    pub bytes_out: u64,
}

/// Where a stream stands behind a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    stream_id: StreamId,
    epoch: u64,
    seq: u64,
    /// The frame's checksum.
    crc: u32,
    /// The hash of the state behind it.
    hash: u64,
}

/// The receiving end of a stream: makes the requests of its frames.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    /// The stream, and the one that replaces it where the pending frame is a reset.
    stream: Option<Stream>,
    coming: Option<Stream>,
    last: Option<Position>,
    pending: Option<Position>,
    stats: DecoderStats,
}

impl Decoder {
    /// A decoder that knows no stream yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The request of a frame, byte for byte as it was encoded. What is pending is rolled back first; without state,
    /// nothing becomes pending.
    ///
    /// # Errors
    /// `Damaged`, `Limit`, `StateLost`, `Repeated`, `OutOfMemory`. The stream is as it was when it was last committed.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TracezipError> {
        self.rollback();
        let decoded = self.decode_pending(bytes);
        if decoded.is_err() {
            self.rollback();
        }
        match decoded {
            Ok(_) => {}
            Err(TracezipError::Repeated) => self.stats.repeats += 1,
            Err(TracezipError::StateLost) => self.stats.states_lost += 1,
            Err(_) => self.stats.refused += 1,
        }
        decoded
    }

    fn decode_pending(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TracezipError> {
        let frame = Frame::read(bytes, &self.limits)?;
        if !frame.flags.is_stateless {
            self.check_position(&frame)?;
        }
        let offset = bytes.len() - 4 - frame.zblock.len();
        let signal = frame.flags.signal;
        let state_log2 = frame.header.state_log2 as u32;
        let mut single;
        let stream = if frame.flags.is_stateless {
            single = Stream::new(signal, state_log2);
            &mut single
        } else if frame.flags.is_reset {
            self.coming.insert(Stream::new(signal, state_log2))
        } else {
            match &mut self.stream {
                Some(stream) if (stream.signal(), stream.state_log2()) == (signal, state_log2) => stream,
                _ => return Err(TracezipError::StateLost),
            }
        };
        let request = stream.decode(&frame, offset)?;
        if request.len() as u64 != frame.header.decoded_len {
            return Err(damaged("a request of another length than announced", offset));
        }
        if state::content_hash(&request) != frame.header.content_hash {
            return Err(damaged("a request of another hash than announced", offset));
        }
        let text = stream.text(frame.flags.is_raw, &request);
        if !frame.flags.is_stateless {
            self.pending = Some(Position {
                stream_id: frame.header.stream_id,
                epoch: frame.header.epoch,
                seq: frame.header.seq,
                crc: frame.crc,
                hash: state::next_hash(frame.header.base_hash, frame.raw_block, text),
            });
        }
        self.stats.frames += 1;
        self.stats.resets += u64::from(frame.flags.is_reset);
        self.stats.bytes_in += bytes.len() as u64;
        self.stats.bytes_out += request.len() as u64;
        Ok(request)
    }

    /// Whether the frame is the next of its stream.
    fn check_position(&self, frame: &Frame<'_>) -> Result<(), TracezipError> {
        let header = &frame.header;
        let Some(last) = self.last.filter(|last| last.stream_id == header.stream_id) else {
            return if frame.flags.is_reset { Ok(()) } else { Err(TracezipError::StateLost) };
        };
        if (header.epoch, header.seq, frame.crc) == (last.epoch, last.seq, last.crc) {
            return Err(TracezipError::Repeated);
        }
        let is_next = if frame.flags.is_reset {
            // An epoch is never used for two resets, so one that is not newer was overtaken by another.
            header.epoch > last.epoch
        } else {
            (header.epoch, header.seq, header.base_hash) == (last.epoch, last.seq + 1, last.hash)
        };
        if is_next { Ok(()) } else { Err(TracezipError::StateLost) }
    }

    /// The next hop has taken the last request: the frame counts. Without one, nothing happens.
    pub fn commit(&mut self) {
        if let Some(position) = self.pending.take() {
            self.last = Some(position);
            if let Some(coming) = self.coming.take() {
                self.stream = Some(coming);
            }
            if let Some(stream) = &mut self.stream {
                stream.commit();
            }
        }
    }

    /// The next hop has not taken the last request: the frame may come again. Without one, nothing happens.
    pub fn rollback(&mut self) {
        self.pending = None;
        self.coming = None;
        if let Some(stream) = &mut self.stream {
            stream.rollback();
        }
    }

    /// The hash of what is committed: equal to the encoder's where both have the same frames.
    pub fn state_hash(&self) -> u64 {
        self.last.map_or(0, |last| last.hash)
    }

    /// What was done so far.
    pub fn stats(&self) -> DecoderStats {
        self.stats
    }
}
