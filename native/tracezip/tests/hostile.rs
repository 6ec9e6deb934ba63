//! Frames that somebody made up: each is refused with what is wrong, and the stream goes on as if it had never come.

mod messages;

use messages::{a_span, request, scrambled, text_attribute};
use otlp_schema::signal::Signal;
use otlp_tracezip::frame::{self, Column, Encoding, Frame};
use otlp_tracezip::{Decoder, Encoder, Limits, Options, TracezipError};
use std::collections::BTreeSet;

const LIMITS: Limits = Limits { max_decoded_len: 4 << 20, max_plain_len: 1 << 20, max_state: 1 << 20 };

/// Columns, by what they hold.
const DECISIONS: u64 = 1;
const BITS: u64 = 2;
const BYTES: u64 = 3;
const TEXT: u64 = 4;

fn encoder() -> Encoder {
    let limits = Limits { max_state: 64 << 10, ..LIMITS };
    Encoder::new(Signal::Traces, Options { stream_id: [7; 16], is_stateless: false, limits })
}

/// A request with text that zstd makes shorter.
fn request_of(first: u64, count: u64) -> Vec<u8> {
    let span = |number| {
        let value = format!("{:x} and {:x}", number % 3, scrambled(number));
        let text: String = (0..80).map(|at| (b'a' + (scrambled(number << 8 | at) % 9) as u8) as char).collect();
        a_span(number, &format!("name {}", number % 4), &[text_attribute("key", &value), text_attribute("text", &text)])
    };
    request((first..first + count).map(span))
}

/// A stream that is under way.
struct Stream {
    decoder: Decoder,
    encoder: Encoder,
    /// The next frame, and its request.
    frame: Vec<u8>,
    request: Vec<u8>,
}

impl Stream {
    fn new() -> Self {
        let mut stream =
            Self { decoder: Decoder::new(LIMITS), encoder: encoder(), frame: Vec::new(), request: request_of(0, 20) };
        stream.frame = stream.encoder.encode(&stream.request).expect("a frame");
        stream.decoder.decode(&stream.frame).expect("a request");
        stream.next(20);
        stream
    }

    /// Commits at both ends, and makes the next frame.
    fn next(&mut self, first: u64) {
        self.decoder.commit();
        self.encoder.commit();
        self.request = request_of(first, 10);
        self.frame = self.encoder.encode(&self.request).expect("a frame");
    }

    /// The next frame, changed, with a checksum that is right.
    fn changed(&self, change: impl FnOnce(&mut Parts<'_>)) -> Vec<u8> {
        let mut parts = Parts::of(&self.frame);
        change(&mut parts);
        parts.write()
    }

    #[track_caller]
    fn assert_refused(&mut self, frame: &[u8], message: &str) {
        match self.decoder.decode(frame) {
            Ok(_) => panic!("taken, not refused: {message}"),
            Err(error) => assert!(error.to_string().starts_with(message), "{error}, not {message}"),
        }
    }

    /// The stream is where it was: it takes its next frame.
    #[track_caller]
    fn assert_unharmed(&mut self) {
        assert_eq!(self.decoder.decode(&self.frame).as_ref(), Ok(&self.request));
        self.decoder.rollback();
    }
}

/// A frame, taken apart.
struct Parts<'a> {
    frame: Frame<'a>,
    raw_block: Vec<u8>,
    zblock: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(frame: &'a [u8]) -> Self {
        let frame = Frame::read(frame, &LIMITS).expect("a frame");
        Self { raw_block: frame.raw_block.to_vec(), zblock: frame.zblock.to_vec(), frame }
    }

    fn column(&mut self, number: u64) -> &mut Column {
        self.frame.columns.iter_mut().find(|column| column.number == number).expect("a column")
    }

    /// Other bytes instead of a column of the RawBlock.
    fn replace(&mut self, number: u64, bytes: &[u8]) {
        let in_front = self.frame.columns.iter().take_while(|column| column.number < number);
        let start: usize = in_front.map(|column| column.len).sum();
        let column = self.column(number);
        let end = start + std::mem::replace(&mut column.len, bytes.len());
        self.raw_block.splice(start..end, bytes.iter().copied());
        self.frame.header.plain_len = self.frame.columns.iter().map(|column| column.len as u64).sum();
    }

    /// The text of a first frame, which builds on no other.
    fn first_text(&self) -> Vec<u8> {
        zstd::bulk::decompress(&self.zblock, self.frame.text_len()).expect("a zstd frame")
    }

    /// Text that is not compressed instead of the ZBlock.
    fn replace_text(&mut self, text: &[u8]) {
        self.zblock = text.to_vec();
        self.frame.flags.is_compressed = false;
        self.frame.header.prefix_len = 0;
        self.column(TEXT).len = text.len();
        self.frame.header.plain_len = self.frame.columns.iter().map(|column| column.len as u64).sum();
    }

    fn write(&self) -> Vec<u8> {
        let Frame { flags, header, columns, .. } = &self.frame;
        frame::write(*flags, header, columns, &self.raw_block, &self.zblock)
    }
}

/// The same bytes with a checksum that is right.
fn with_checksum(mut frame: Vec<u8>) -> Vec<u8> {
    let end = frame.len() - 4;
    let crc = crc32c::crc32c(&frame[..end]);
    frame[end..].copy_from_slice(&crc.to_le_bytes());
    frame
}

#[test]
fn frames_cut_off_anywhere_are_refused() {
    let mut stream = Stream::new();
    let frame = stream.frame.clone();
    for end in 0..frame.len() {
        assert!(stream.decoder.decode(&frame[..end]).is_err());
        if end > 12 {
            assert!(stream.decoder.decode(&with_checksum(frame[..end].to_vec())).is_err(), "cut at {end}");
        }
    }
    stream.assert_unharmed();
}

#[test]
fn bytes_changed_anywhere_give_no_other_request() {
    let mut stream = Stream::new();
    let frame = stream.frame.clone();
    for at in 0..frame.len() {
        for change in [1, 0x10, 0x80, 0xff] {
            let mut changed = frame.clone();
            changed[at] ^= change;
            let damaged = stream.decoder.decode(&changed);
            assert!(matches!(damaged, Err(TracezipError::Damaged { .. })), "{damaged:?} for byte {at}");
            // Some of the header is only told, not needed: the request is right, or there is none.
            if let Ok(request) = stream.decoder.decode(&with_checksum(changed)) {
                assert_eq!(request, stream.request);
            }
        }
    }
    stream.assert_unharmed();
    stream.decoder.decode(&frame).expect("a request");
    stream.next(40);
    stream.assert_unharmed();
}

#[test]
fn what_the_header_says_is_checked_against_the_limits() {
    let mut stream = Stream::new();
    let with = |change: fn(&mut Parts<'_>)| stream.changed(change);
    let frames = [
        (with(|parts| parts.frame.header.decoded_len = 5 << 20), "5242880 passes the limit max_decoded_len, 4194304"),
        (
            with(|parts| parts.frame.header.decoded_len = u64::MAX),
            "18446744073709551615 passes the limit max_decoded_len",
        ),
        (with(|parts| parts.frame.header.items = u64::MAX), "18446744073709551615 passes the limit items"),
        (with(|parts| parts.frame.header.plain_len = 2 << 20), "2097152 passes the limit max_plain_len, 1048576"),
        (with(|parts| parts.frame.header.plain_len = u64::MAX), "18446744073709551615 passes the limit max_plain_len"),
        (with(|parts| parts.frame.header.state_log2 = 21), "2097152 passes the limit max_state, 1048576"),
        (with(|parts| parts.frame.header.state_log2 = u64::MAX), "9223372036854775808 passes the limit max_state"),
        (with(|parts| parts.frame.header.state_log2 = 15), "a state that is too small"),
        (with(|parts| parts.frame.header.state_log2 = 17), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.header.prefix_len = 2 << 20), "2097152 passes the limit prefix_len, 1048576"),
        (with(|parts| parts.frame.header.prefix_len += 1 << 19), "a prefix that is longer than what was sent"),
        (with(|parts| parts.frame.header.decoded_len += 1), "a request of another length than announced"),
        (with(|parts| parts.frame.header.decoded_len -= 1), "a request longer than announced"),
        (with(|parts| parts.frame.header.content_hash ^= 1), "a request of another hash than announced"),
        (with(|parts| parts.frame.header.seq += 1), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.header.epoch += 1), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.header.base_hash ^= 1), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.header.stream_id[0] ^= 1), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.flags.signal = Signal::Logs), "the frame builds on a state that is not here"),
        (with(|parts| parts.frame.flags.is_reset = true), "a first frame that builds on another"),
        (with(|parts| parts.frame.flags.is_stateless = true), "a first frame that builds on another"),
        (with(|parts| parts.frame.flags.is_raw = true), "a raw frame that announces columns"),
    ];
    for (frame, message) in frames {
        stream.assert_refused(&frame, message);
        stream.assert_unharmed();
    }
}

#[test]
fn flags_and_versions_that_are_unknown_are_refused() {
    let mut stream = Stream::new();
    let with = |at: usize, byte: u8| {
        let mut frame = stream.frame.clone();
        frame[at] = byte;
        with_checksum(frame)
    };
    let frames = [
        (with(0, b'X'), "no tracezip frame at byte 0"),
        (with(2, 2), "unknown version at byte 2"),
        (with(3, 0x40), "unknown flag at byte 3"),
        (with(3, 0x80), "unknown flag at byte 3"),
        (with(3, 0x30), "unknown signal at byte 3"),
        (with(3, 3), "a frame without state that resets a stream at byte 3"),
        (with(4, 0), "header cut off"),
        (with(4, 0xff), "header cut off"),
        (with(4, stream.frame[4] + 1), "header too long"),
    ];
    for (frame, message) in frames {
        stream.assert_refused(&frame, message);
        stream.assert_unharmed();
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let mut stream = Stream::new();
    let with = |change: fn(&mut Parts<'_>)| stream.changed(change);
    let frames = [
        (with(|parts| parts.column(BITS).len += 1), "lengths of columns that do not add up"),
        (with(|parts| parts.column(TEXT).len = usize::MAX), "lengths of columns that do not add up"),
        (with(|parts| parts.frame.columns.truncate(3)), "lengths of columns that do not add up"),
        (with(|parts| parts.frame.columns.swap(0, 1)), "columns out of order"),
        (with(|parts| parts.frame.columns[1].number = DECISIONS), "columns out of order"),
        (with(|parts| parts.column(TEXT).number = 5), "unknown column"),
        (with(|parts| parts.column(BITS).encoding = Encoding::Bytes), "a column of another encoding"),
        (with(|parts| parts.column(BITS).encoding = Encoding::Text), "a ZBlock that is not one zstd frame"),
        (with(|parts| parts.column(DECISIONS).number = 0), "a column of another encoding"),
        (
            with(|parts| {
                let column = Column { number: 0, encoding: Encoding::Bytes, len: 2 };
                parts.frame.columns.insert(0, column);
                parts.raw_block.splice(..0, [0, 1]);
                parts.frame.header.plain_len += 2;
            }),
            "a padding that is not zero",
        ),
        (
            with(|parts| {
                let none = Column { number: 0, encoding: Encoding::Bytes, len: 0 };
                parts.frame.columns = (5..5_000).map(|number| Column { number, ..none }).collect();
            }),
            "4995 passes the limit columns, 4096",
        ),
        (with(|parts| parts.raw_block.clear()), "RawBlock cut off"),
        (with(|parts| parts.frame.flags.is_compressed = false), "columns that do not fill the frame"),
        (with(|parts| parts.replace(DECISIONS, &[])), ""),
        (with(|parts| parts.replace(BITS, &[])), "columns that end too early"),
    ];
    for (frame, message) in frames {
        stream.assert_refused(&frame, message);
        stream.assert_unharmed();
    }
    // An encoding that there is not, which cannot be said in types.
    let directory = 5 + usize::from(stream.frame[4]);
    let mut frame = stream.frame.clone();
    assert_eq!(frame[directory + 2], Encoding::Modelled as u8);
    frame[directory + 2] = 4;
    stream.assert_refused(&with_checksum(frame), "unknown encoding");
}

#[test]
fn every_column_is_read_to_its_end() {
    let mut stream = Stream::new();
    // Of decisions, four bytes are read ahead.
    for (number, more) in [(DECISIONS, 5), (BITS, 1), (BYTES, 1)] {
        let longer = stream.changed(|parts| {
            let in_front: usize =
                parts.frame.columns.iter().take_while(|column| column.number <= number).map(|column| column.len).sum();
            parts.raw_block.splice(in_front..in_front, vec![0x55; more]);
            parts.column(number).len += more;
            parts.frame.header.plain_len += more as u64;
        });
        stream.assert_refused(&longer, "columns with something left");
        stream.assert_unharmed();
    }
    // The text of the first frame builds on no other.
    let mut encoder = encoder();
    let first = encoder.encode(&request_of(0, 20)).expect("a frame");
    let mut parts = Parts::of(&first);
    let mut text = parts.first_text();
    parts.replace_text(&text);
    let mut decoder = Decoder::new(LIMITS);
    assert_eq!(decoder.decode(&parts.write()), Ok(request_of(0, 20)));
    text.extend_from_slice(b"more");
    parts.replace_text(&text);
    let error = decoder.decode(&parts.write()).expect_err("something left");
    assert!(error.to_string().starts_with("columns with something left"), "{error}");
}

#[test]
fn zblocks_are_one_zstd_frame_of_known_size() {
    let mut stream = Stream::new();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
    let other = zstd::bulk::compress(&[b'x'; 1_000], 3).expect("a zstd frame");
    let streamed = zstd::stream::encode_all(&[b'x'; 1_000][..], 3).expect("a zstd frame");
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("a zstd frame");
    let good = Parts::of(&stream.frame).zblock;
    let zblocks = [
        (Vec::new(), "a ZBlock that is not one zstd frame"),
        (b"no zstd".to_vec(), "a ZBlock that is not one zstd frame"),
        (skippable.clone(), "a ZBlock that is not one zstd frame"),
        ([&skippable[..], &good].concat(), "a ZBlock that is not one zstd frame"),
        ([&good[..], &skippable].concat(), "a ZBlock that is not one zstd frame"),
        ([&good[..], &other].concat(), "a ZBlock that is not one zstd frame"),
        ([&good[..], b"\0"].concat(), "a ZBlock that is not one zstd frame"),
        (good[..good.len() - 1].to_vec(), "a ZBlock that is not one zstd frame"),
        (streamed, "a ZBlock of another size than announced"),
        (bomb, "a ZBlock of another size than announced"),
        (other, "a ZBlock of another size than announced"),
    ];
    for (zblock, message) in zblocks {
        let frame = stream.changed(|parts| parts.zblock = zblock);
        stream.assert_refused(&frame, message);
        stream.assert_unharmed();
    }
    let at = stream.frame.len() - 4 - good.len() / 2;
    let mut frame = stream.frame.clone();
    frame[at] ^= 0x55;
    assert!(stream.decoder.decode(&with_checksum(frame)).is_err());
    stream.assert_unharmed();
}

#[test]
fn a_frame_does_not_stand_for_more_than_a_thousand_times_its_length() {
    let mut stream = Stream::new();
    let zeros = vec![0; 3 << 20];
    let frame = Encoder::new(Signal::Traces, Options { stream_id: [9; 16], is_stateless: false, limits: LIMITS })
        .encode(&zeros)
        .expect("a frame");
    assert_eq!(stream.decoder.decode(&frame).as_ref(), Ok(&zeros));
    stream.decoder.rollback();
    let mut parts = Parts::of(&frame);
    parts.frame.flags.is_compressed = true;
    parts.zblock = zstd::bulk::compress(&zeros, 19).expect("a zstd frame");
    let frame = parts.write();
    let ratio = zeros.len() / frame.len();
    assert!(ratio > 1_000);
    stream.assert_refused(&frame, &format!("{ratio} passes the limit decoded_len / frame length, 1000"));
    stream.assert_unharmed();
}

#[test]
fn a_shape_is_not_larger_than_its_table() {
    let attributes: Vec<_> = (0..1_000).map(|number| text_attribute(&format!("key {number}"), "value")).collect();
    let request = request([a_span(1, "name", &attributes)]);
    let options =
        |max_state| Options { stream_id: [9; 16], is_stateless: false, limits: Limits { max_state, ..LIMITS } };
    let frame = Encoder::new(Signal::Traces, options(1 << 20)).encode(&request).expect("a frame");
    let mut decoder = Decoder::new(LIMITS);
    assert_eq!(decoder.decode(&frame).as_ref(), Ok(&request));
    decoder.rollback();
    let mut parts = Parts::of(&frame);
    parts.frame.header.state_log2 = 16;
    let error = decoder.decode(&parts.write()).expect_err("too large");
    assert!(error.to_string().starts_with("a shape that is larger than the table"), "{error}");
    // Where the encoder's table is as small, the request travels as it is.
    let frame = Encoder::new(Signal::Traces, options(64 << 10)).encode(&request).expect("a frame");
    assert!(Parts::of(&frame).frame.flags.is_raw);
    assert_eq!(decoder.decode(&frame), Ok(request));
}

/// Decisions and bits that nobody chose lead everywhere: to shapes of another kind, places that do not exist, columns that end
/// too early or are left over, requests without end.
#[test]
fn decisions_of_any_kind_end() {
    let mut stream = Stream::new();
    let first = encoder().encode(&request_of(0, 20)).expect("a frame");
    let text = Parts::of(&first).first_text();
    let mut seen = BTreeSet::new();
    for number in 0..30_000u64 {
        let bytes = |salt: u64, len: u64| -> Vec<u8> {
            (0..len).flat_map(|at| scrambled(number << 20 | salt << 16 | at).to_le_bytes()).collect()
        };
        let frame = stream.changed(|parts| {
            parts.replace(DECISIONS, &bytes(0, number % 40));
            parts.replace(BITS, &bytes(1, 30));
            parts.replace(BYTES, &bytes(2, 30));
            if number % 3 == 0 {
                (parts.frame.header.decoded_len, parts.frame.header.items) = (20, 0);
            }
            if number % 2 == 0 {
                parts.replace_text(&text);
            }
        });
        match stream.decoder.decode(&frame) {
            Ok(_) => panic!("a request of random decisions"),
            Err(TracezipError::Damaged { problem, .. }) => seen.insert(problem),
            Err(error) => panic!("{error}"),
        };
    }
    stream.assert_unharmed();
    for problem in [
        "a shape of another kind",
        "a skeleton that is none",
        "a skeleton that is too long",
        "columns that end too early",
        "a request longer than announced",
    ] {
        assert!(seen.contains(problem), "never seen: {problem}; {seen:?}");
    }
}
