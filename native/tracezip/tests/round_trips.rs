//! Every request comes back byte for byte, whatever it is, and both ends have learned the same from it.

mod corpora;
mod messages;

use corpora::CORPORA;
use messages::arbitrary::requests;
use messages::{a_gauge, a_record, a_span, attribute, field, fixed64, request, scrambled, text_attribute, varint};
use otlp_schema::fields::{any_value, array_value, envelope, key_value, key_value_list, span};
use otlp_schema::signal::Signal;
use otlp_tracezip::frame::Frame;
use otlp_tracezip::limits::STATE_RANGE;
use otlp_tracezip::{Decoder, Encoder, Limits, Options, TracezipError};
use proptest::collection::vec;
use proptest::prelude::*;

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

/// The two ends of a stream.
struct Pair {
    encoder: Encoder,
    decoder: Decoder,
}

impl Pair {
    fn new(signal: Signal, max_state: usize) -> Self {
        let limits = Limits { max_state, ..Limits::default() };
        let encoder = Encoder::new(signal, Options { stream_id: [7; 16], is_stateless: false, limits });
        Self { encoder, decoder: Decoder::new(limits) }
    }

    /// Sends a request through both ends. Gives its frame.
    #[track_caller]
    fn pass(&mut self, request: &[u8]) -> Vec<u8> {
        let frame = self.encoder.encode(request).expect("a frame");
        let decoded = self.decoder.decode(&frame);
        assert!(decoded.as_deref() == Ok(request), "{:?} instead of {request:?}", decoded);
        self.encoder.commit();
        self.decoder.commit();
        assert_eq!(self.encoder.state_hash(), self.decoder.state_hash());
        frame
    }

    /// Sends a request that the codec understands: it does not travel as it is.
    #[track_caller]
    fn pass_in_columns(&mut self, request: &[u8]) {
        let frame = self.pass(request);
        assert!(!is_raw(&frame));
    }
}

fn is_raw(frame: &[u8]) -> bool {
    Frame::read(frame, &Limits::default()).expect("a frame").flags.is_raw
}

/// A request of one span with these fields.
fn one_span(fields: impl AsRef<[u8]>) -> Vec<u8> {
    request([fields.as_ref().to_vec()])
}

#[test]
fn captured_requests_come_back() {
    for (name, signal) in CORPORA {
        let Some(requests) = corpora::requests(name) else { continue };
        assert!(!requests.is_empty());
        for max_state in [4 << 20, *STATE_RANGE.start()] {
            let mut pair = Pair::new(signal, max_state);
            for request in &requests {
                pair.pass_in_columns(request);
            }
        }
    }
}

#[test]
fn extreme_numbers_come_back() {
    let numbers = [0, 1, u64::MAX, i64::MIN as u64, i64::MAX as u64, 1_700_000_000_000_000_000];
    let doubles =
        [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324];
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    for (number, other) in numbers.iter().flat_map(|number| numbers.map(|other| (*number, other))) {
        let times = [fixed64(span::START_TIME_UNIX_NANO, number), fixed64(span::END_TIME_UNIX_NANO, other)].concat();
        let value = attribute("key", &varint(any_value::INT_VALUE, number));
        pair.pass_in_columns(&one_span([times, field(span::ATTRIBUTES, value)].concat()));
    }
    let mut pair = Pair::new(Signal::Metrics, 4 << 20);
    for double in doubles.iter().chain(&[0.1, 1e15, 1e16, 123.456, -0.001]) {
        for other in doubles.map(f64::to_bits).into_iter().chain([f64::NAN.to_bits() ^ 1]) {
            for value in [*double, f64::from_bits(other)] {
                pair.pass_in_columns(&request([a_gauge("used", &[], other, value)]));
            }
        }
    }
}

#[test]
fn ids_of_any_length_come_back() {
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    for length in [0, 1, 7, 8, 9, 15, 16, 17, 300] {
        for tag in [span::TRACE_ID, span::SPAN_ID, span::PARENT_SPAN_ID] {
            pair.pass_in_columns(&one_span(field(tag, vec![length as u8; length])));
        }
    }
}

#[test]
fn empty_messages_come_back() {
    for signal in SIGNALS {
        let mut pair = Pair::new(signal, 4 << 20);
        let group = field(envelope::RESOURCE_GROUPS, []);
        let scope = field(envelope::RESOURCE_GROUPS, field(envelope::SCOPE_GROUPS, []));
        let pieces = [Vec::new(), group, scope, request([Vec::new()]), request(vec![Vec::new(); 300])];
        for piece in pieces.iter().chain(&pieces) {
            pair.pass_in_columns(piece);
            pair.pass_in_columns(&piece.repeat(3));
        }
    }
}

/// A value inside so many arrays or lists, in turn.
fn nested(depth: usize) -> Vec<u8> {
    let mut value = field(any_value::STRING_VALUE, "deep");
    for level in 0..depth {
        value = if level % 2 == 0 {
            field(any_value::ARRAY_VALUE, field(array_value::VALUES, value))
        } else {
            field(any_value::KVLIST_VALUE, field(key_value_list::VALUES, attribute("key", &value)))
        };
    }
    value
}

#[test]
fn deep_values_come_back() {
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    let span = |depth| one_span(field(span::ATTRIBUTES, attribute("key", &nested(depth))));
    pair.pass_in_columns(&span(10));
    for depth in [20, 31, 32, 33, 100, 2_000] {
        pair.pass(&span(depth));
        pair.pass(&span(depth));
    }
    assert!(is_raw(&pair.pass(&span(33))));
}

#[test]
fn thousands_of_attributes_come_back() {
    let span = |count: u64| {
        a_span(1, "many", &(0..count).map(|at| text_attribute("key", &at.to_string())).collect::<Vec<_>>())
    };
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    pair.pass_in_columns(&request([span(1_000)]));
    pair.pass(&request([span(10_000)]));
    pair.pass_in_columns(&request([span(1_000)]));
}

#[test]
fn what_does_not_come_back_as_it_was_travels_as_it_is() {
    let overlong = [&[span::KIND][..], &[0x81, 0x80, 0]].concat();
    let long_length = [&[span::NAME, 0x81, 0][..], b"n"].concat();
    let unknown = field(0xfa, [1, 0, 2]);
    let twice = [fixed64(span::START_TIME_UNIX_NANO, 1), fixed64(span::START_TIME_UNIX_NANO, 2)].concat();
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    pair.pass_in_columns(&request([a_span(1, "before", &[])]));
    for odd in [overlong, long_length, unknown, twice] {
        assert!(is_raw(&pair.pass(&one_span(&odd))), "{odd:?}");
        // The stream goes on with what it had learned.
        pair.pass_in_columns(&request([a_span(2, "before", &[])]));
    }
    let twice = [varint(span::KIND, 1), varint(span::KIND, 2)].concat();
    pair.pass_in_columns(&one_span(twice));
}

#[test]
fn fields_in_any_order_come_back() {
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    let name = field(span::NAME, "name");
    let start = fixed64(span::START_TIME_UNIX_NANO, 5);
    let pair_of = text_attribute("key", "value");
    let attribute = field(span::ATTRIBUTES, &pair_of);
    let backwards = field(
        span::ATTRIBUTES,
        [field(key_value::VALUE, field(any_value::STRING_VALUE, "v")), field(key_value::KEY, "k")].concat(),
    );
    let event = field(span::EVENTS, []);
    let link = field(span::LINKS, []);
    for order in
        [[&name, &start, &attribute, &backwards, &event, &link], [&link, &attribute, &event, &attribute, &link, &event]]
    {
        pair.pass_in_columns(&one_span(order.map(Vec::as_slice).concat()));
        pair.pass(&one_span(order.map(Vec::as_slice).concat().repeat(2)));
    }
}

#[test]
fn small_states_forget_alike() {
    type MakeItem = fn(u64) -> Vec<u8>;
    let items: [(Signal, MakeItem); 3] = [
        (Signal::Traces, |number| {
            // A hundred values three times each, under a key, and under one of many keys.
            let value = format!("value {:x}", scrambled(number / 300 * 100 + number % 100));
            let key = format!("key {}", scrambled(number / 7) % 40);
            a_span(
                number,
                &format!("name {}", number / 3),
                &[text_attribute("key", &value), text_attribute(&key, &value)],
            )
        }),
        (Signal::Logs, |number| {
            a_record(number, &format!("template {} took {number} ms", scrambled(number / 2) % 900))
        }),
        (Signal::Metrics, |number| {
            let host = text_attribute("host", &format!("{:x}", scrambled(number) % 400));
            a_gauge(&format!("used.{}", number % 30), &[host], number * 1_000, number as f64 / 8.0)
        }),
    ];
    for (signal, item) in items {
        let mut pair = Pair::new(signal, *STATE_RANGE.start());
        for first in (0..6_000).step_by(150) {
            // One end takes back what the other has never seen.
            let given_up = request((first + 100..first + 400).map(item));
            pair.encoder.encode(&given_up).expect("a frame");
            pair.encoder.rollback();
            let frame = pair.encoder.encode(&request((first..first + 150).map(item))).expect("a frame");
            pair.encoder.rollback();
            pair.decoder.decode(&frame).expect("a request");
            pair.decoder.rollback();
            pair.pass_in_columns(&request((first..first + 150).map(item)));
        }
    }
}

#[test]
fn requests_longer_than_a_frame_may_shrink_are_padded() {
    let mut pair = Pair::new(Signal::Traces, 4 << 20);
    let same = request(vec![a_span(1, "same", &[]); 60_000]);
    for request in [&same, &vec![0; 3 << 20]] {
        let frame = pair.pass(request);
        assert!(request.len() / frame.len() <= 1_000);
    }
}

#[test]
fn texts_longer_than_the_columns_may_be_travel_as_they_are() {
    let limits = Limits { max_plain_len: 4_096, ..Limits::default() };
    let mut encoder = Encoder::new(Signal::Traces, Options { stream_id: [7; 16], is_stateless: false, limits });
    let mut decoder = Decoder::new(limits);
    for length in [100, 5_000, 50] {
        let text: String = (0..length).map(|at| (b'a' + (scrambled(at) % 26) as u8) as char).collect();
        let request = request([a_span(1, "name", &[text_attribute("text", &text)])]);
        let frame = encoder.encode(&request).expect("a frame");
        assert_eq!(decoder.decode(&frame), Ok(request));
        encoder.commit();
        decoder.commit();
    }
    assert_eq!(encoder.stats().raw_frames, 1);
}

/// What is done with a stream, in any order.
#[derive(Clone, Debug)]
enum Step {
    /// The next request, delivered.
    Deliver,
    /// The next request, taken back by both ends.
    GiveUp,
    /// The next request, which the receiver takes and the sender, who gets no answer, gives up.
    LoseAnswer,
    /// The next request is sent twice, as the next hop fails at first.
    Retry,
    /// The sender begins anew.
    Reset,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(
        prop_oneof![
            8 => Just(Step::Deliver),
            2 => Just(Step::GiveUp),
            1 => Just(Step::LoseAnswer),
            2 => Just(Step::Retry),
            1 => Just(Step::Reset)
        ],
        1..24,
    )
}

/// Any of: requests of a signal, sent as such or as another's, and any bytes.
fn any_requests() -> impl Strategy<Value = (Signal, Vec<Vec<u8>>)> {
    (0..3usize, 0..8usize).prop_flat_map(|(sent_as, made_of)| {
        let signal = SIGNALS[sent_as];
        let message = SIGNALS.get(made_of).unwrap_or(&signal).request();
        (Just(signal), prop_oneof![9 => requests(message), 1 => vec(vec(any::<u8>(), 0..300), 1..4)])
    })
}

/// A request with some bytes changed.
fn damaged((mut request, changes): (Vec<u8>, Vec<(usize, u8)>)) -> Vec<u8> {
    let len = request.len().max(1);
    for (at, byte) in changes {
        if let Some(changed) = request.get_mut(at % len) {
            *changed = byte;
        }
    }
    request
}

proptest! {
    #[test]
    fn any_requests_come_back((signal, requests) in any_requests(), state_log2 in 16..23u32) {
        let mut pair = Pair::new(signal, 1 << state_log2);
        for request in requests.iter().chain(&requests) {
            pair.pass(request);
        }
    }

    #[test]
    fn changed_requests_come_back(
        (signal, requests) in any_requests(),
        changes in vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let mut pair = Pair::new(signal, 4 << 20);
        for request in requests {
            pair.pass(&request);
            pair.pass(&damaged((request, changes.clone())));
        }
    }

    #[test]
    fn stateless_frames_need_nothing_before((signal, requests) in any_requests()) {
        let options = Options { stream_id: [7; 16], is_stateless: true, limits: Limits::default() };
        let mut encoder = Encoder::new(signal, options);
        for request in requests {
            let frame = encoder.encode(&request).expect("a frame");
            prop_assert_eq!(Decoder::new(Limits::default()).decode(&frame), Ok(request));
        }
    }

    #[test]
    fn both_ends_stay_in_step((signal, requests) in any_requests(), steps in steps(), state_log2 in 16..23u32) {
        let mut pair = Pair::new(signal, 1 << state_log2);
        let mut in_step = true;
        for (request, step) in requests.iter().cycle().zip(&steps) {
            if matches!(step, Step::Reset) {
                pair.encoder.reset();
            }
            let mut frame = pair.encoder.encode(request).expect("a frame");
            let mut decoded = pair.decoder.decode(&frame);
            if decoded == Err(TracezipError::StateLost) {
                // What the receiver took behind the sender's back costs one reset.
                prop_assert!(!in_step);
                pair.encoder.reset();
                frame = pair.encoder.encode(request).expect("a frame");
                decoded = pair.decoder.decode(&frame);
            }
            if decoded == Err(TracezipError::Repeated) {
                // What it took behind the sender's back was the same request.
                prop_assert!(!in_step);
                pair.encoder.commit();
                prop_assert_eq!(pair.encoder.state_hash(), pair.decoder.state_hash());
                in_step = true;
                continue;
            }
            prop_assert_eq!(&decoded, &Ok(request.clone()));
            match step {
                Step::GiveUp => {
                    pair.decoder.rollback();
                    pair.encoder.rollback();
                    continue;
                }
                Step::LoseAnswer => {
                    pair.decoder.commit();
                    pair.encoder.rollback();
                    in_step = false;
                    continue;
                }
                Step::Retry => {
                    pair.decoder.rollback();
                    prop_assert_eq!(&pair.decoder.decode(&frame), &decoded);
                }
                Step::Deliver | Step::Reset => {}
            }
            pair.decoder.commit();
            prop_assert_eq!(pair.decoder.decode(&frame), Err(TracezipError::Repeated));
            pair.encoder.commit();
            prop_assert_eq!(pair.encoder.state_hash(), pair.decoder.state_hash());
            in_step = true;
        }
    }
}
