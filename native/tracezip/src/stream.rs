//! What both ends of a stream keep: what was learned, and the text that the ZBlock refers back to.

use crate::capacity::Capacity;
use crate::codec::Codec;
use crate::coder::Reading;
use crate::error::{TracezipError, damaged};
use crate::frame::{Column, Encoding, Frame};
use crate::limits;
use crate::zblock;
use otlp_schema::signal::Signal;

/// The numbers of the columns.
mod column {
    /// Zeros, where a frame would be too small for its request.
    pub(super) const PADDING: u64 = 0;
    pub(super) const DECISIONS: u64 = 1;
    pub(super) const BITS: u64 = 2;
    pub(super) const BYTES: u64 = 3;
    pub(super) const TEXT: u64 = 4;
}

/// How much of the earlier text is looked at: more of it takes longer to index than it saves.
const MAX_PREFIX_LEN: usize = 8 << 10;
/// zstd's level for the text.
const LEVEL: i32 = 1;
/// The level for requests that travel as they are, where there is no other gain.
const RAW_LEVEL: i32 = 3;

/// What a frame holds.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) is_raw: bool,
    pub(crate) items: u64,
    pub(crate) columns: Vec<Column>,
    pub(crate) raw_block: Vec<u8>,
    pub(crate) prefix_len: usize,
    pub(crate) zblock: Option<Vec<u8>>,
}

/// A stream: what was committed, and what is pending.
#[derive(Debug)]
pub(crate) struct Stream {
    signal: Signal,
    state_log2: u32,
    codec: Codec,
    /// The text of committed frames, the latest last.
    history: Vec<u8>,
    /// The text of the pending frame.
    pending: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(signal: Signal, state_log2: u32) -> Self {
        let codec = Codec::new(signal, Capacity::of(state_log2));
        Self { signal, state_log2, codec, history: Vec::new(), pending: Vec::new() }
    }

    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    pub(crate) fn state_log2(&self) -> u32 {
        self.state_log2
    }

    /// What a frame of the request holds: the request as it is, where it has no columns or they are longer than allowed.
    pub(crate) fn encode(&mut self, request: &[u8], max_plain_len: u64) -> Result<Body, TracezipError> {
        let encoded = self.codec.encode(request).filter(|encoded| encoded.columns.len() as u64 <= max_plain_len);
        let Some(encoded) = encoded else {
            self.codec.rollback();
            return Self::encode_raw(request);
        };
        let parts = [
            (column::DECISIONS, Encoding::Modelled, encoded.columns.decisions),
            (column::BITS, Encoding::Bits, encoded.columns.bits),
            (column::BYTES, Encoding::Bytes, encoded.columns.bytes),
        ];
        let text = encoded.columns.text;
        let prefix_len = self.history.len().min(MAX_PREFIX_LEN);
        let prefix = &self.history[self.history.len() - prefix_len..];
        let zblock = zblock::compress(prefix, &text, LEVEL)?;
        let prefix_len = if zblock.is_some() { prefix_len } else { 0 };
        let text_len = zblock.as_ref().map_or(text.len(), Vec::len);
        let len = parts.iter().map(|(_, _, bytes)| bytes.len()).sum::<usize>() + text_len;
        let padding = vec![0; missing(request.len(), len)];
        let mut columns = Vec::new();
        let mut raw_block = Vec::with_capacity(len);
        for (number, encoding, bytes) in std::iter::once((column::PADDING, Encoding::Bytes, padding)).chain(parts) {
            if !bytes.is_empty() {
                columns.push(Column { number, encoding, len: bytes.len() });
                raw_block.extend_from_slice(&bytes);
            }
        }
        if !text.is_empty() {
            columns.push(Column { number: column::TEXT, encoding: Encoding::Text, len: text.len() });
        }
        self.pending = text;
        Ok(Body { is_raw: false, items: encoded.items, columns, raw_block, prefix_len, zblock })
    }

    /// What a frame of any bytes holds: the bytes.
    fn encode_raw(request: &[u8]) -> Result<Body, TracezipError> {
        let zblock = zblock::compress(&[], request, RAW_LEVEL)?;
        let zblock = zblock.filter(|zblock| missing(request.len(), zblock.len()) == 0);
        Ok(Body { is_raw: true, items: 0, columns: Vec::new(), raw_block: Vec::new(), prefix_len: 0, zblock })
    }

    /// The text of the frame at hand: of one that holds its request as it is, that.
    pub(crate) fn text<'a>(&'a self, is_raw: bool, request: &'a [u8]) -> &'a [u8] {
        if is_raw { request } else { &self.pending }
    }

    /// The request of a frame, whose ZBlock begins at `offset`.
    pub(crate) fn decode(&mut self, frame: &Frame<'_>, offset: usize) -> Result<Vec<u8>, TracezipError> {
        let header = &frame.header;
        let start = self.history.len().checked_sub(header.prefix_len as usize);
        let start = start.ok_or_else(|| damaged("a prefix that is longer than what was sent", offset))?;
        let text = if frame.flags.is_compressed {
            zblock::decompress(&self.history[start..], frame.zblock, frame.text_len(), offset)?
        } else {
            frame.zblock.to_vec()
        };
        if frame.flags.is_raw {
            return Ok(text);
        }
        let mut parts: [&[u8]; 4] = [&[]; 4];
        let mut rest = frame.raw_block;
        for column in &frame.columns {
            let (number, encoding) = (column.number, column.encoding);
            if (number, encoding) == (column::TEXT, Encoding::Text) {
                continue;
            }
            let expected = match number {
                column::DECISIONS => Encoding::Modelled,
                column::BITS => Encoding::Bits,
                column::PADDING | column::BYTES => Encoding::Bytes,
                _ => return Err(damaged("unknown column", offset)),
            };
            if encoding != expected {
                return Err(damaged("a column of another encoding", offset));
            }
            (parts[number as usize], rest) = rest.split_at(column.len);
        }
        let [padding, decisions, bits, bytes] = parts;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(damaged("a padding that is not zero", offset));
        }
        let reading = Reading::new(decisions, bits, bytes, &text);
        let request = self.codec.decode(reading, header.decoded_len as usize)?;
        self.pending = text;
        Ok(request)
    }

    pub(crate) fn commit(&mut self) {
        self.codec.commit();
        let text = std::mem::take(&mut self.pending);
        let capacity = Capacity::of(self.state_log2).text;
        let (mut kept, mut new) = (self.history.len(), text.len());
        // In steps, so that not each frame moves it all.
        if kept + new > 2 * capacity {
            new = new.min(capacity);
            kept = capacity - new;
        }
        self.history.drain(..self.history.len() - kept);
        self.history.extend_from_slice(&text[text.len() - new..]);
    }

    pub(crate) fn rollback(&mut self) {
        self.codec.rollback();
        self.pending = Vec::new();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.signal, self.state_log2);
    }
}

/// How many bytes are missing to the least that a frame of a request may have.
fn missing(request_len: usize, len: usize) -> usize {
    if request_len as u64 <= limits::RATIO_FREE_LEN {
        return 0;
    }
    (request_len / limits::MAX_RATIO as usize + 1).saturating_sub(len)
}
