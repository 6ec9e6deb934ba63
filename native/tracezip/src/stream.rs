//! What both ends of a stream keep: what was learned, and the text that the ZBlock refers back to.

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

/// zstd's level for the text.
const LEVEL: i32 = 3;
/// The part of a state that is kept of earlier text.
const HISTORY_PART: usize = 128;

/// What a frame holds.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) is_raw: bool,
    pub(crate) items: u64,
    pub(crate) columns: Vec<Column>,
    pub(crate) raw_block: Vec<u8>,
    pub(crate) text: Vec<u8>,
    pub(crate) prefix_len: usize,
    pub(crate) zblock: Option<Vec<u8>>,
}

/// A stream: what was committed, and what is pending.
#[derive(Debug)]
pub(crate) struct Stream {
    signal: Signal,
    max_state: usize,
    codec: Codec,
    /// The text of committed frames, the latest last.
    history: Vec<u8>,
    /// The text of the pending frame.
    pending: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(signal: Signal, max_state: usize) -> Self {
        Self { signal, max_state, codec: Codec::new(signal, max_state), history: Vec::new(), pending: Vec::new() }
    }

    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    /// What a frame of the request holds.
    pub(crate) fn encode(&mut self, request: &[u8]) -> Result<Body, TracezipError> {
        let Some(encoded) = self.codec.encode(request) else {
            self.codec.rollback();
            return Self::encode_raw(request);
        };
        let parts = [
            (column::DECISIONS, Encoding::Modelled, encoded.columns.decisions),
            (column::BITS, Encoding::Bits, encoded.columns.bits),
            (column::BYTES, Encoding::Bytes, encoded.columns.bytes),
        ];
        let text = encoded.columns.text;
        let prefix_len = self.history.len();
        let zblock = zblock::compress(&self.history, &text, LEVEL)?;
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
        self.pending.clone_from(&text);
        Ok(Body { is_raw: false, items: encoded.items, columns, raw_block, text, prefix_len, zblock })
    }

    /// What a frame of any bytes holds: the bytes.
    fn encode_raw(request: &[u8]) -> Result<Body, TracezipError> {
        let zblock = zblock::compress(&[], request, LEVEL)?;
        let zblock = zblock.filter(|zblock| missing(request.len(), zblock.len()) == 0);
        Ok(Body {
            is_raw: true,
            items: 0,
            columns: Vec::new(),
            raw_block: Vec::new(),
            text: request.to_vec(),
            prefix_len: 0,
            zblock,
        })
    }

    /// The request of a frame, whose ZBlock begins at `offset`, and the text that it brought.
    pub(crate) fn decode(&mut self, frame: &Frame<'_>, offset: usize) -> Result<(Vec<u8>, Vec<u8>), TracezipError> {
        let header = &frame.header;
        let start = self.history.len().checked_sub(header.prefix_len as usize);
        let start = start.ok_or_else(|| damaged("a prefix that is longer than what was sent", offset))?;
        let text = if frame.flags.is_compressed {
            zblock::decompress(&self.history[start..], frame.zblock, frame.text_len(), offset)?
        } else {
            frame.zblock.to_vec()
        };
        if frame.flags.is_raw {
            return Ok((text.clone(), text));
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
        self.pending.clone_from(&text);
        Ok((request, text))
    }

    pub(crate) fn commit(&mut self) {
        self.codec.commit();
        self.history.append(&mut self.pending);
        let capacity = self.max_state / HISTORY_PART;
        // In steps, so that not each frame moves it all.
        if self.history.len() > 2 * capacity {
            self.history.drain(..self.history.len() - capacity);
        }
    }

    pub(crate) fn rollback(&mut self) {
        self.codec.rollback();
        self.pending.clear();
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.signal, self.max_state);
    }
}

/// How many bytes are missing to the least that a frame of a request may have.
fn missing(request_len: usize, len: usize) -> usize {
    if request_len as u64 <= limits::RATIO_FREE_LEN {
        return 0;
    }
    (request_len / limits::MAX_RATIO as usize + 1).saturating_sub(len)
}
