//! The two ends of a stream, step by step.

use otlp_schema::signal::Signal;
use otlp_tracezip::{Decoder, Encoder, Limits, Options};

fn encoder(signal: Signal) -> Encoder {
    Encoder::new(signal, Options { stream_id: [7; 16], is_stateless: false, limits: Limits::default() })
}

/// A request of one span with this name.
fn request(name: &str) -> Vec<u8> {
    let nested = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let span = nested(0x2a, name.as_bytes());
    nested(0x0a, &nested(0x12, &nested(0x12, &span)))
}

#[test]
fn first_frame_can_be_rolled_back() {
    let mut encoder = encoder(Signal::Traces);
    let mut decoder = Decoder::new(Limits::default());
    encoder.encode(&request("given up")).expect("a frame");
    encoder.rollback();
    let frame = encoder.encode(&request("one")).expect("a frame");
    decoder.decode(&frame).expect("a request");
    decoder.rollback();
    assert_eq!(decoder.decode(&frame), Ok(request("one")));
    decoder.commit();
    encoder.commit();
    let frame = encoder.encode(&request("two")).expect("a frame");
    assert_eq!(decoder.decode(&frame), Ok(request("two")));
}
