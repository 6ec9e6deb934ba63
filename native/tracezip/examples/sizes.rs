//! Sizes and times of a corpus: `cargo run --release -p otlp-tracezip --example sizes -- traces FILE` (records of a big-endian
//! length and a request).

use otlp_schema::signal::Signal;
use otlp_tracezip::{Decoder, Encoder, Limits, Options};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let signal: Signal = arguments.next().and_then(|name| name.parse().ok()).expect("a signal");
    let bytes = std::fs::read(arguments.next().expect("a file")).expect("a file that can be read");
    let every: usize = arguments.next().and_then(|every| every.parse().ok()).unwrap_or(usize::MAX);
    let mut rest = &bytes[..];
    let mut requests = Vec::new();
    while let Some((len, behind)) = rest.split_first_chunk::<4>() {
        let (request, behind) = behind.split_at(u32::from_be_bytes(*len) as usize);
        requests.push(request);
        rest = behind;
    }
    let options = Options { stream_id: [7; 16], is_stateless: every == 0, limits: Limits::default() };
    let mut encoder = Encoder::new(signal, options);
    let mut decoder = Decoder::new(Limits::default());
    let mut frames = Vec::new();
    let mut rival = zstd::bulk::Compressor::new(3).expect("zstd");
    let start = Instant::now();
    let mut rival_len = 0;
    for request in &requests {
        rival_len += rival.compress(request).expect("zstd").len();
    }
    let rivaled = start.elapsed();
    let start = Instant::now();
    for (at, request) in requests.iter().enumerate() {
        if every > 0 && at % every == 0 && at > 0 {
            encoder.reset();
        }
        frames.push(encoder.encode(request).expect("a frame"));
        encoder.commit();
    }
    let encoded = start.elapsed();
    println!(
        "encoding takes {:.2} times the time of zstd-3, {:.2} bytes an item",
        encoded.as_secs_f64() / rivaled.as_secs_f64(),
        rival_len as f64
    );
    let start = Instant::now();
    for (frame, request) in frames.iter().zip(&requests) {
        let decoded = decoder.decode(frame).unwrap_or_else(|error| panic!("{error}"));
        assert!(decoded == *request, "another request");
        decoder.commit();
    }
    let decoded = start.elapsed();
    assert_eq!(encoder.state_hash(), decoder.state_hash());
    let len: usize = requests.iter().map(|request| request.len()).sum();
    let out: usize = frames.iter().map(Vec::len).sum();
    let items: usize =
        requests.iter().map(|request| otlp_schema::split::count_items(request, signal).unwrap_or(0)).sum();
    let mut columns = [0; 6];
    for frame in &frames {
        let frame = otlp_tracezip::frame::Frame::read(frame, &Limits::default()).expect("a frame");
        for column in &frame.columns {
            columns[column.number as usize] += column.len;
        }
        columns[5] += frame.zblock.len();
    }
    println!(
        "{} requests, {items} items, {len} bytes -> {out}: {:.2} bytes an item",
        requests.len(),
        out as f64 / items as f64
    );
    println!(
        "columns (padding, decisions, bits, bytes, text, zblock): {columns:?}, an item {:?}",
        columns.map(|len| (len as f64 / items as f64 * 100.0).round() / 100.0)
    );
    println!(
        "encode {:.0} us a request, {:.0} MB/s; decode {:.0} MB/s; {:?}",
        encoded.as_secs_f64() * 1e6 / requests.len() as f64,
        len as f64 / encoded.as_secs_f64() / 1e6,
        len as f64 / decoded.as_secs_f64() / 1e6,
        encoder.stats()
    );
}
