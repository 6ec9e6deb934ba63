//! What a stream costs, in bytes and in time beside zstd, without Python:
//! `cargo run --release -p otlp-tracezip --example sizes -- traces FILE [RESET_EVERY]`.
//!
//! FILE holds records of a big-endian length and a request: what a corpus is once zstd has decompressed it. Every frame is
//! decoded and compared. Times are the best of several rounds, each of which takes all rivals in turn.

use otlp_schema::signal::Signal;
use otlp_schema::split::count_items;
use otlp_tracezip::{Decoder, Encoder, Limits, Options};
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

fn records(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut requests = Vec::new();
    while let Some((len, behind)) = rest.split_first_chunk::<4>() {
        let (request, behind) = behind.split_at(u32::from_be_bytes(*len) as usize);
        requests.push(request);
        rest = behind;
    }
    requests
}

fn timed<T>(best: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *best = start.elapsed().min(*best);
    result
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let signal: Signal = arguments.next().and_then(|name| name.parse().ok()).expect("traces, logs or metrics");
    let bytes = std::fs::read(arguments.next().expect("a file")).expect("a file that can be read");
    let reset_every: usize = arguments.next().and_then(|every| every.parse().ok()).unwrap_or(usize::MAX);
    let requests = records(&bytes);
    let items: usize = requests.iter().map(|request| count_items(request, signal).expect("OTLP")).sum();
    let len: usize = requests.iter().map(|request| request.len()).sum();

    let options = Options { stream_id: [7; 16], is_stateless: false, limits: Limits::default() };
    let mut zstd = zstd::bulk::Compressor::new(3).expect("zstd");
    let [mut zstd_time, mut encode_time, mut decode_time] = [Duration::MAX; 3];
    let mut frames = Vec::new();
    let mut zstd_len = 0;
    for _ in 0..ROUNDS {
        zstd_len = timed(&mut zstd_time, || {
            requests.iter().map(|request| zstd.compress(request).expect("compressed").len()).sum()
        });
        let mut encoder = Encoder::new(signal, options);
        frames = timed(&mut encode_time, || {
            let encoded = requests.iter().enumerate().map(|(at, request)| {
                if at > 0 && at % reset_every == 0 {
                    encoder.reset();
                }
                let frame = encoder.encode(request).expect("a frame");
                encoder.commit();
                frame
            });
            encoded.collect()
        });
        let mut decoder = Decoder::new(Limits::default());
        timed(&mut decode_time, || {
            for (frame, request) in frames.iter().zip(&requests) {
                assert!(decoder.decode(frame).expect("a request") == *request, "another request");
                decoder.commit();
            }
        });
        assert_eq!(encoder.state_hash(), decoder.state_hash());
    }
    let frames_len: usize = frames.iter().map(Vec::len).sum();
    let of_items = |len: usize| len as f64 / items as f64;
    let rate = |time: Duration| len as f64 / time.as_secs_f64() / 1e6;
    println!("{} requests, {items} items, {len} bytes", requests.len());
    println!("zstd-3     {:8.2} bytes an item, {:6.0} MB/s", of_items(zstd_len), rate(zstd_time));
    println!(
        "tracezip   {:8.2} bytes an item, {:6.0} MB/s, {:.2} times the time of zstd-3; decode {:.0} MB/s",
        of_items(frames_len),
        rate(encode_time),
        encode_time.as_secs_f64() / zstd_time.as_secs_f64(),
        rate(decode_time)
    );
}
