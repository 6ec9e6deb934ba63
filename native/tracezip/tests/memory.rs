//! What the two ends of a stream hold when nothing ever comes again: at most the state that they were given.
//!
//! Memory of zstd is not counted, as it comes from C: each frame takes it, and gives it back.

mod messages;

use cap::Cap;
use messages::{a_gauge, a_record, a_span, request, scrambled, text_attribute};
use otlp_schema::signal::Signal;
use otlp_tracezip::{Decoder, Encoder, Limits, Options};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// How much more than now was ever allocated while `work` ran, in bytes.
fn peak_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    // The allocator knows only the most that there ever was, so that much is taken first.
    let before = ALLOCATOR.allocated();
    let ballast = Vec::<u8>::with_capacity(ALLOCATOR.max_allocated() - before);
    let base = ALLOCATOR.allocated();
    let result = work();
    let peak = ALLOCATOR.max_allocated() - base;
    drop(ballast);
    (peak, result)
}

/// What both ends held, in bytes.
#[derive(Debug, Default)]
struct Held {
    encoder: usize,
    decoder: usize,
    /// At the peak of a call, beside the request and the frame.
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
    let begin = ALLOCATOR.allocated();
    let mut encoder = Encoder::new(signal, Options { stream_id: [7; 16], is_stateless: false, limits });
    let encoder_base = ALLOCATOR.allocated() - begin;
    let begin = ALLOCATOR.allocated();
    let mut decoder = Decoder::new(limits);
    let decoder_base = ALLOCATOR.allocated() - begin;
    let mut held = Held { encoder: encoder_base, decoder: decoder_base, ..Held::default() };
    let (mut encoder_held, mut decoder_held) = (encoder_base, decoder_base);
    for first in (0..items).step_by(per_request as usize) {
        let request = request((first..items.min(first + per_request)).map(item));
        let before = ALLOCATOR.allocated();
        let (peak, frame) = peak_of(|| encoder.encode(&request).expect("a frame"));
        held.encoder_peak = held.encoder_peak.max((encoder_held + peak).saturating_sub(frame.len()));
        encoder.commit();
        encoder_held = encoder_held + ALLOCATOR.allocated() - before - frame.capacity();
        held.encoder = held.encoder.max(encoder_held);
        let before = ALLOCATOR.allocated();
        let (peak, decoded) = peak_of(|| decoder.decode(&frame).expect("a request"));
        held.decoder_peak = held.decoder_peak.max((decoder_held + peak).saturating_sub(request.len()));
        assert_eq!(decoded, request);
        drop(decoded);
        decoder.commit();
        decoder_held = decoder_held + ALLOCATOR.allocated() - before;
        held.decoder = held.decoder.max(decoder_held);
    }
    assert_eq!(encoder.state_hash(), decoder.state_hash());
    held
}

#[test]
#[ignore = "figures"]
fn figures() {
    for (max_state, per_request) in
        [(4 << 20, 200), (4 << 20, 5_000), (1 << 20, 1_000), (64 << 10, 200), (64 << 10, 1_000)]
    {
        for (name, signal, item) in FLOODS {
            let held = flood(signal, item, 200_000, per_request, max_state);
            println!(
                "state {:>5} KiB, {per_request:>5} per request, {name:24} held KiB: encoder {:>6}, decoder {:>6}; peak beside request and frame: encoder {:>6}, decoder {:>6}",
                max_state >> 10,
                held.encoder >> 10,
                held.decoder >> 10,
                held.encoder_peak >> 10,
                held.decoder_peak >> 10
            );
        }
    }
}
