//! What the two ends of a stream hold when nothing ever comes again: at most the state that they were given.
//!
//! Memory of zstd is not counted, as it comes from C: each frame takes it, and gives it back.

mod messages;

use cap::Cap;
use messages::{a_gauge, a_record, a_span, request, scrambled, text_attribute};
use otlp_schema::signal::Signal;
use otlp_tracezip::frame::{self, Frame, Header};
use otlp_tracezip::{Decoder, Encoder, Limits, Options};
use std::alloc::System;
use std::sync::Mutex;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Does something, and adds to `now` what stays taken behind it, in bytes. Gives also how much more was taken at the peak than before.
fn grown<T>(now: &mut usize, work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATOR.allocated();
    // The allocator knows only the most that there ever was, so that much is taken first.
    let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated().saturating_sub(before));
    let base = ALLOCATOR.allocated();
    let result = work();
    let peak = ALLOCATOR.max_allocated() - base;
    drop(ballast);
    *now = (*now + ALLOCATOR.allocated()).saturating_sub(before);
    (peak, result)
}

/// What both ends held, in bytes.
#[derive(Debug, Default)]
struct Held {
    encoder: usize,
    decoder: usize,
    /// While a frame is under way, beside the request, the frame and its columns.
    encoder_peak: usize,
    decoder_peak: usize,
}

type Flood = (&'static str, Signal, fn(u64) -> Vec<u8>);

const FLOODS: [Flood; 10] = [
    ("span names", Signal::Traces, |number| a_span(number, &format!("name {:x}", scrambled(number)), &[])),
    ("attribute keys", Signal::Traces, |number| {
        a_span(number, "name", &[text_attribute(&format!("key.{:x}", scrambled(number)), "value")])
    }),
    ("attribute values", Signal::Traces, |number| {
        let value = |at| format!("{:x}", scrambled(number * 8 + at));
        a_span(number, "name", &[text_attribute("one", &value(0)), text_attribute("two", &value(1))])
    }),
    ("values that recur", Signal::Traces, |number| {
        // A hundred values, three times each.
        let value = format!("value {:x}", scrambled(number / 300 * 100 + number % 100));
        a_span(number, "name", &[text_attribute("one", &value)])
    }),
    ("values of many keys", Signal::Traces, |number| {
        // The same, under one key after the other.
        let value = format!("value {:x}", scrambled(number / 300 * 100 + number % 100));
        a_span(number, "name", &[text_attribute(&format!("key {}", number / 1_500), &value)])
    }),
    ("long values", Signal::Traces, |number| {
        let value = format!("{:x}", scrambled(number / 3)).repeat(200);
        a_span(number, "name", &[text_attribute("one", &value)])
    }),
    ("ids", Signal::Traces, |number| a_span(number, "name", &[])),
    ("log templates", Signal::Logs, |number| {
        let word = |at: u64| (b'a' + (scrambled(number) >> (4 * at)) as u8 % 26) as char;
        let words: String = (0..12).map(word).collect();
        a_record(number, &format!("{words} took {number} ms"))
    }),
    ("series", Signal::Metrics, |number| {
        let host = text_attribute("host", &format!("{:x}", scrambled(number)));
        a_gauge("used", &[host], 1_700_000_000_000_000_000 + number, number as f64)
    }),
    ("metric names", Signal::Metrics, |number| {
        a_gauge(&format!("used.{:x}", scrambled(number)), &[], 1_700_000_000_000_000_000 + number, number as f64)
    }),
];

/// The most that both ends held while `items` went through them.
fn flood(signal: Signal, item: fn(u64) -> Vec<u8>, items: u64, per_request: u64, max_state: usize) -> Held {
    let limits = Limits { max_state, ..Limits::default() };
    let mut held = Held::default();
    let (_, mut encoder) =
        grown(&mut held.encoder, || Encoder::new(signal, Options { stream_id: [7; 16], is_stateless: false, limits }));
    let (_, mut decoder) = grown(&mut held.decoder, || Decoder::new(limits));
    let (mut encoder_now, mut decoder_now) = (held.encoder, held.decoder);
    for first in (0..items).step_by(per_request as usize) {
        let request = request((first..items.min(first + per_request)).map(item));
        let before = encoder_now;
        let (peak, frame) = grown(&mut encoder_now, || {
            let frame = encoder.encode(&request).expect("a frame");
            encoder.commit();
            frame
        });
        encoder_now -= frame.capacity();
        // Columns grow by doubling, and are put together.
        let plain_len = Frame::read(&frame, &limits).expect("a frame").header.plain_len as usize;
        held.encoder_peak = held.encoder_peak.max((before + peak).saturating_sub(frame.len() + 4 * plain_len));
        let before = decoder_now;
        let (peak, ()) = grown(&mut decoder_now, || {
            assert!(decoder.decode(&frame).expect("a request") == request);
            decoder.commit();
        });
        held.decoder_peak = held.decoder_peak.max((before + peak).saturating_sub(request.len() + plain_len));
        held.encoder = held.encoder.max(encoder_now);
        held.decoder = held.decoder.max(decoder_now);
    }
    assert_eq!(encoder.state_hash(), decoder.state_hash());
    held
}

/// The sizes of a state, each with how many times as much may be held after a frame was committed, and while it is under way: then
/// what a frame replaces is held too, so that it can be rolled back.
const STATES: [(usize, f64, f64); 3] = [(4 << 20, 1.0, 2.0), (1 << 20, 1.25, 2.0), (64 << 10, 4.0, 4.0)];

fn assert_floods_are_held(items: u64, per_request: u64) {
    for (max_state, most, most_at_peak) in STATES {
        for (name, signal, item) in FLOODS {
            let held = flood(signal, item, items, per_request, max_state);
            let of_state = |len: usize| len as f64 / max_state as f64;
            let (after, peak) = (held.encoder.max(held.decoder), held.encoder_peak.max(held.decoder_peak));
            println!(
                "{max_state:>8} {name:24} {:.2} after each frame, {:.2} at the peak",
                of_state(after),
                of_state(peak)
            );
            assert!(of_state(after) <= most && of_state(peak) <= most_at_peak, "{name} at {max_state}: {held:?}");
        }
    }
}

/// Tests run in threads, and each counts what all of them take.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn floods_are_held_within_the_state() {
    let _one = ONE_AT_A_TIME.lock();
    assert_floods_are_held(4_000, 200);
}

#[test]
#[ignore = "minutes: the figures of docs/safety.md"]
fn long_floods_are_held_within_the_state() {
    let _one = ONE_AT_A_TIME.lock();
    assert_floods_are_held(200_000, 1_000);
}

#[test]
fn frames_take_no_more_memory_than_they_announce() {
    let _one = ONE_AT_A_TIME.lock();
    let limits = Limits { max_decoded_len: 64 << 10, max_plain_len: 64 << 10, max_state: 64 << 10 };
    let span = |number| a_span(number, "name", &[text_attribute("key", &format!("{:x}", scrambled(number)).repeat(9))]);
    let mut encoder = Encoder::new(Signal::Traces, Options { stream_id: [7; 16], is_stateless: false, limits });
    let mut decoder = Decoder::new(limits);
    let first = encoder.encode(&request((0..40).map(span))).expect("a frame");
    decoder.decode(&first).expect("a request");
    decoder.commit();
    encoder.commit();
    let next = request((40..60).map(span));
    let frame = encoder.encode(&next).expect("a frame");
    // The longest request that may be announced, behind decisions that lead anywhere.
    let parts = Frame::read(&frame, &limits).expect("a frame");
    let header = Header { decoded_len: limits.max_decoded_len, ..parts.header };
    let announcing = frame::write(parts.flags, &header, &parts.columns, parts.raw_block, parts.zblock);
    let mut most = 0;
    for at in 3..announcing.len() - 4 {
        for change in [0x01, 0x7f, 0x80, 0xff] {
            let mut changed = announcing.clone();
            changed[at] ^= change;
            let end = changed.len() - 4;
            let crc = crc32c::crc32c(&changed[..end]);
            changed[end..].copy_from_slice(&crc.to_le_bytes());
            let (peak, _) = grown(&mut 0, || decoder.decode(&changed).is_ok());
            most = most.max(peak);
        }
    }
    // A request and columns of 64 KiB, and what the frame replaces in the state.
    assert!((64 << 10..3 * (64 << 10)).contains(&most), "{most} bytes");
    assert_eq!(decoder.decode(&frame), Ok(next));
}
