//! How a frame is laid out, see docs/tracezip-format.md, "Frame".
//!
//! ```text
//! Frame     := "TZ" version:u8 flags:u8 header_len:uv Header Directory RawBlock ZBlock crc32c:u32
//! Header    := stream_id:16B epoch:uv seq:uv base_hash:u64 decoded_len:uv items:uv plain_len:uv prefix_len:uv state_log2:uv content_hash:u64
//! Directory := n:uv ( column:uv encoding:u8 length:uv )*
//! ```
//!
//! `uv` is a varint, `u32` and `u64` are little-endian. [`Frame::read`] looks at everything but the columns' content: after it
//! the lengths add up, and no limit is passed by what the frame announces.

use crate::capacity::STATE_LOG2;
use crate::error::{TracezipError, damaged};
use crate::limits::{self, Limits};
use otlp_schema::signal::Signal;
use otlp_wire::Reader;
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint};

/// What every frame begins with.
pub const MAGIC: [u8; 2] = *b"TZ";
/// The version of the format.
pub const VERSION: u8 = 1;

const FIXED_LEN: usize = MAGIC.len() + 2;
const CHECKSUM_LEN: usize = 4;

/// The frame starts the stream anew.
const RESET: u8 = 1;
/// The frame needs no state, and leaves none.
const STATELESS: u8 = 2;
/// The frame holds the request as it is, and has no columns.
const RAW: u8 = 4;
/// The ZBlock is a zstd frame; without it, the columns' plaintext.
const ZSTD: u8 = 8;
/// Where the signal's two bits begin.
const SIGNAL_SHIFT: u32 = 4;
const KNOWN_FLAGS: u8 = 0x3f;

/// What the flags of a frame say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// The frame starts the stream anew.
    pub is_reset: bool,
    /// The frame needs no state, and leaves none.
    pub is_stateless: bool,
    /// The frame holds the request as it is.
    pub is_raw: bool,
    /// The ZBlock is a zstd frame.
    pub is_compressed: bool,
    /// What the request is of.
    pub signal: Signal,
}

impl Flags {
    fn to_byte(self) -> u8 {
        let signal = match self.signal {
            Signal::Traces => 0,
            Signal::Logs => 1,
            Signal::Metrics => 2,
        };
        let of = |is_set, flag| if is_set { flag } else { 0 };
        of(self.is_reset, RESET)
            | of(self.is_stateless, STATELESS)
            | of(self.is_raw, RAW)
            | of(self.is_compressed, ZSTD)
            | (signal << SIGNAL_SHIFT)
    }

    fn from_byte(byte: u8) -> Result<Self, TracezipError> {
        let signal = match (byte & KNOWN_FLAGS) >> SIGNAL_SHIFT {
            0 => Signal::Traces,
            1 => Signal::Logs,
            2 => Signal::Metrics,
            _ => return Err(damaged("unknown signal", 3)),
        };
        if byte & !KNOWN_FLAGS != 0 {
            return Err(damaged("unknown flag", 3));
        }
        let is_set = |flag| byte & flag != 0;
        if is_set(RESET) && is_set(STATELESS) {
            return Err(damaged("a frame without state that resets a stream", 3));
        }
        Ok(Self {
            is_reset: is_set(RESET),
            is_stateless: is_set(STATELESS),
            is_raw: is_set(RAW),
            is_compressed: is_set(ZSTD),
            signal,
        })
    }
}

/// The id of a stream, chosen at random by its sender.
pub type StreamId = [u8; 16];

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The stream that it belongs to; zeros without one.
    pub stream_id: StreamId,
    /// How often the stream was reset.
    pub epoch: u64,
    /// The frame's number since then, from 0.
    pub seq: u64,
    /// The hash of the state that it builds on; 0 on a reset, and without state.
    pub base_hash: u64,
    /// The length of the request, in bytes.
    pub decoded_len: u64,
    /// How many spans, log records or data points the request has; 0 where that was not looked at.
    pub items: u64,
    /// The length of the columns' plaintext, in bytes.
    pub plain_len: u64,
    /// How many bytes of earlier text the ZBlock was compressed with.
    pub prefix_len: u64,
    /// The size of the stream's state, as a power of two.
    pub state_log2: u64,
    /// XXH3 of the request.
    pub content_hash: u64,
}

/// How the bytes of a column are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// As they are, in the RawBlock: random, or too little to compress.
    Bytes = 0,
    /// Decisions, coded by the range coder; in the RawBlock.
    Modelled = 1,
    /// Numbers of known widths, bit behind bit; in the RawBlock.
    Bits = 2,
    /// As they are, in the ZBlock.
    Text = 3,
}

impl Encoding {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Bytes, Self::Modelled, Self::Bits, Self::Text].into_iter().find(|known| *known as u8 == byte)
    }

    /// Whether columns of this encoding stand in the RawBlock.
    const fn is_in_raw_block(self) -> bool {
        !matches!(self, Self::Text)
    }
}

/// A column of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its number.
    pub number: u64,
    /// How its bytes are made.
    pub encoding: Encoding,
    /// How many they are.
    pub len: usize,
}

/// A frame, borrowed from its bytes.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// What its flags say.
    pub flags: Flags,
    /// Its header.
    pub header: Header,
    /// Its columns, by number.
    pub columns: Vec<Column>,
    /// The columns that are not compressed.
    pub raw_block: &'a [u8],
    /// The rest of them; of a frame without columns, the request.
    pub zblock: &'a [u8],
    /// Its checksum.
    pub crc: u32,
}

impl<'a> Frame<'a> {
    /// Reads a frame whose checksum is right and whose lengths add up.
    ///
    /// # Errors
    /// `Damaged` and `Limit`.
    pub fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, TracezipError> {
        if bytes.get(..MAGIC.len()).is_none_or(|start| start != MAGIC) {
            return Err(damaged("no tracezip frame", 0));
        }
        if bytes.get(2).is_some_and(|version| *version != VERSION) {
            return Err(damaged("unknown version", 2));
        }
        let Some(end) = bytes.len().checked_sub(CHECKSUM_LEN).filter(|end| *end > FIXED_LEN) else {
            return Err(damaged("frame cut off", bytes.len()));
        };
        let (content, checksum) = bytes.split_at(end);
        let crc = u32::from_le_bytes(checksum.try_into().expect("four bytes"));
        if crc32c::crc32c(content) != crc {
            return Err(damaged("wrong checksum", end));
        }
        let flags = Flags::from_byte(content[3])?;
        let mut reader = Reader::within(&content[FIXED_LEN..], FIXED_LEN);
        let header = read_header(&mut reader)?;
        check_header(&flags, &header, bytes.len() as u64, limits)?;
        let columns = read_directory(&mut reader)?;
        let (raw_len, text_len) = block_lengths(&flags, &header, &columns, reader.offset())?;
        let offset = reader.offset();
        let rest = reader.rest();
        let Some((raw_block, zblock)) = rest.split_at_checked(raw_len) else {
            return Err(damaged("RawBlock cut off", offset));
        };
        if !flags.is_compressed && zblock.len() != text_len {
            return Err(damaged("columns that do not fill the frame", offset + raw_len));
        }
        Ok(Self { flags, header, columns, raw_block, zblock, crc })
    }

    /// The length of the ZBlock's plaintext, in bytes.
    pub fn text_len(&self) -> usize {
        self.header.plain_len as usize - self.raw_block.len()
    }
}

/// A number as it stands in the header.
fn read_varint(reader: &mut Reader<'_>) -> Result<u64, TracezipError> {
    reader.read_varint().map_err(|error| damaged("no varint", error.offset))
}

fn read_fixed64(reader: &mut Reader<'_>) -> Result<u64, TracezipError> {
    reader.read_fixed64().map_err(|error| damaged("cut off", error.offset))
}

fn read_header(reader: &mut Reader<'_>) -> Result<Header, TracezipError> {
    let mut header = reader.nested().map_err(|error| damaged("header cut off", error.offset))?;
    let Some(stream_id) = header.rest().first_chunk::<16>().copied() else {
        return Err(damaged("header cut off", header.offset()));
    };
    header.advance(stream_id.len());
    let result = Header {
        stream_id,
        epoch: read_varint(&mut header)?,
        seq: read_varint(&mut header)?,
        base_hash: read_fixed64(&mut header)?,
        decoded_len: read_varint(&mut header)?,
        items: read_varint(&mut header)?,
        plain_len: read_varint(&mut header)?,
        prefix_len: read_varint(&mut header)?,
        state_log2: read_varint(&mut header)?,
        content_hash: read_fixed64(&mut header)?,
    };
    if header.is_at_end() { Ok(result) } else { Err(damaged("header too long", header.offset())) }
}

fn check_header(flags: &Flags, header: &Header, frame_len: u64, limits: &Limits) -> Result<(), TracezipError> {
    limits::check("max_decoded_len", header.decoded_len, limits.max_decoded_len)?;
    limits::check("items", header.items, header.decoded_len / 2)?;
    let max_plain_len = if flags.is_raw { limits.max_decoded_len } else { limits.max_plain_len };
    limits::check("max_plain_len", header.plain_len, max_plain_len)?;
    if header.state_log2 < u64::from(*STATE_LOG2.start()) {
        return Err(damaged("a state that is too small", FIXED_LEN));
    }
    limits::check("max_state", 1 << header.state_log2.min(63), limits.max_state as u64)?;
    limits::check("prefix_len", header.prefix_len, limits.max_state as u64)?;
    if header.decoded_len > limits::RATIO_FREE_LEN {
        limits::check("decoded_len / frame length", header.decoded_len / frame_len, limits::MAX_RATIO)?;
    }
    let starts_anew = flags.is_reset || flags.is_stateless;
    if starts_anew && (header.seq, header.base_hash, header.prefix_len) != (0, 0, 0) {
        return Err(damaged("a first frame that builds on another", FIXED_LEN));
    }
    if flags.is_stateless && (header.stream_id, header.epoch) != ([0; 16], 0) {
        return Err(damaged("a frame without state that names a stream", FIXED_LEN));
    }
    if flags.is_raw && (header.plain_len, header.prefix_len, header.items) != (header.decoded_len, 0, 0) {
        return Err(damaged("a raw frame that announces columns", FIXED_LEN));
    }
    Ok(())
}

fn read_directory(reader: &mut Reader<'_>) -> Result<Vec<Column>, TracezipError> {
    let count = read_varint(reader)?;
    limits::check("columns", count, limits::MAX_COLUMNS)?;
    let mut columns: Vec<Column> = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let offset = reader.offset();
        let number = read_varint(reader)?;
        let encoding = reader.rest().first().copied().and_then(Encoding::from_byte);
        let encoding = encoding.ok_or_else(|| damaged("unknown encoding", reader.offset()))?;
        reader.advance(1);
        let len = read_varint(reader)?;
        if columns.last().is_some_and(|last| last.number >= number) {
            return Err(damaged("columns out of order", offset));
        }
        let len = usize::try_from(len).map_err(|_| damaged("column too long", offset))?;
        columns.push(Column { number, encoding, len });
    }
    Ok(columns)
}

/// The lengths of the two blocks' plaintext.
fn block_lengths(
    flags: &Flags,
    header: &Header,
    columns: &[Column],
    offset: usize,
) -> Result<(usize, usize), TracezipError> {
    if flags.is_raw {
        let none = damaged("a raw frame with columns", offset);
        return if columns.is_empty() { Ok((0, header.plain_len as usize)) } else { Err(none) };
    }
    let sum = |in_raw_block: bool| {
        let of_block = columns.iter().filter(|column| column.encoding.is_in_raw_block() == in_raw_block);
        of_block.map(|column| column.len as u64).try_fold(0u64, u64::checked_add)
    };
    match (sum(true), sum(false)) {
        (Some(raw), Some(text)) if raw.checked_add(text) == Some(header.plain_len) => Ok((raw as usize, text as usize)),
        _ => Err(damaged("lengths of columns that do not add up", offset)),
    }
}

/// Writes a frame.
pub fn write(flags: Flags, header: &Header, columns: &[Column], raw_block: &[u8], zblock: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(96);
    head.extend_from_slice(&header.stream_id);
    for number in [header.epoch, header.seq] {
        push_varint(&mut head, number);
    }
    head.extend_from_slice(&header.base_hash.to_le_bytes());
    for number in [header.decoded_len, header.items, header.plain_len, header.prefix_len, header.state_log2] {
        push_varint(&mut head, number);
    }
    head.extend_from_slice(&header.content_hash.to_le_bytes());

    let room = FIXED_LEN + head.len() + columns.len() * 8 + raw_block.len() + zblock.len() + 32;
    let mut frame = Vec::with_capacity(room);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[VERSION, flags.to_byte()]);
    push_varint(&mut frame, head.len() as u64);
    frame.extend_from_slice(&head);
    push_varint(&mut frame, columns.len() as u64);
    for column in columns {
        push_varint(&mut frame, column.number);
        frame.push(column.encoding as u8);
        push_varint(&mut frame, column.len as u64);
    }
    frame.extend_from_slice(raw_block);
    frame.extend_from_slice(zblock);
    let crc = crc32c::crc32c(&frame);
    frame.extend_from_slice(&crc.to_le_bytes());
    frame
}

/// Appends a varint.
pub(crate) fn push_varint(out: &mut Vec<u8>, value: u64) {
    let mut bytes = [0; MAX_VARINT_LEN];
    let len = encode_varint(value, &mut bytes);
    out.extend_from_slice(&bytes[..len]);
}
