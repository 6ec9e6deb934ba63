//! The engines: each goes through all requests of the file, and says what it has made of them.

use crate::builder;
use crate::generated::opentelemetry::proto::collector as of_buffa;
use crate::messages;
use crate::seen::{Sum, Touched};
use crate::views;
use buffa::{Message as _, MessageView as _};
use opentelemetry_proto::tonic::collector as of_prost;
use otlp_columns::decode::{Columns, Limits};
use otlp_schema::signal::Signal;
use prost::Message as _;
use std::cell::RefCell;
use std::error::Error;
use std::hint::black_box;
use std::rc::Rc;

/// A way to encode or decode requests.
pub struct Engine {
    /// What it does, and who does it.
    pub name: &'static str,
    /// Goes through all requests once.
    pub run: Box<dyn FnMut()>,
    /// What that makes of the requests; of an engine that decodes, what it has read, encoded again. `None` where the sums
    /// say it.
    pub answer: Option<Box<dyn FnMut() -> Vec<Vec<u8>>>>,
}

/// All engines of a file.
pub struct Engines {
    /// In the order of the table.
    pub engines: Vec<Engine>,
    /// The sums over all fields of all requests, as messages of prost have them and as views do.
    pub sums: [u64; 2],
}

impl Engines {
    /// Reads the requests into all the forms that the engines begin with.
    ///
    /// # Errors
    /// A request that prost, buffa or a view refuses.
    pub fn of(requests: Vec<Vec<u8>>, signal: Signal) -> Result<Self, Box<dyn Error>> {
        match signal {
            Signal::Traces => traces(requests),
            Signal::Logs => logs(requests),
            Signal::Metrics => metrics(requests),
        }
    }
}

/// An engine that does one thing with each of `inputs`; what it gives is dropped at once, and that is part of the work.
fn each<T, R>(name: &'static str, inputs: &'static [T], mut work: impl FnMut(&'static T) -> R + 'static) -> Engine {
    let run = move || {
        for input in inputs {
            black_box(work(input));
        }
    };
    Engine { name, run: Box::new(run), answer: None }
}

/// The same, where `bytes` shows what the work has given: the work that answers is the one that is timed.
fn answering<T, R>(
    name: &'static str,
    inputs: &'static [T],
    work: impl FnMut(&'static T) -> R + 'static,
    bytes: impl Fn(R) -> Vec<u8> + 'static,
) -> Engine {
    let timed = Rc::new(RefCell::new(work));
    let asked = Rc::clone(&timed);
    let answer = move || inputs.iter().map(|input| bytes(asked.borrow_mut()(input))).collect();
    Engine { answer: Some(Box::new(answer)), ..each(name, inputs, move |input| timed.borrow_mut()(input)) }
}

/// The engines of a signal, which differ in the names of their types and functions only.
macro_rules! engines {
    ($name:ident $signal:ident $service:ident $request:ident $view:ident) => {
        fn $name(captured: Vec<Vec<u8>>) -> Result<Engines, Box<dyn Error>> {
            type Prost = of_prost::$service::v1::$request;
            type Buffa = of_buffa::$service::v1::$request;
            type View<'a> = of_buffa::$service::v1::$view<'a>;

            // They live as long as the process, so that every engine may borrow them.
            let captured: &'static [Vec<u8>] = captured.leak();
            let prost: Vec<Prost> = captured.iter().map(|bytes| Prost::decode(&bytes[..])).collect::<Result<_, _>>()?;
            let prost: &'static [Prost] = prost.leak();
            let buffa: Vec<Buffa> =
                captured.iter().map(|bytes| Buffa::decode_from_slice(bytes)).collect::<Result<_, _>>()?;
            let buffa: &'static [Buffa] = buffa.leak();
            let mut sums = [0u64; 2];
            for (message, bytes) in prost.iter().zip(captured) {
                sums[0] = sums[0].wrapping_add(messages::$name::<Sum>(message).0);
                sums[1] = sums[1].wrapping_add(views::$name::<Sum>(bytes)?.0);
            }

            let buffer = Rc::new(RefCell::new(Vec::new()));
            let filled = Rc::clone(&buffer);
            let mut last_len = 0;
            let engines = vec![
                answering("encode prost", prost, Prost::encode_to_vec, |bytes| bytes),
                answering(
                    "encode prost, one buffer",
                    prost,
                    move |message| {
                        let buffer = &mut *buffer.borrow_mut();
                        buffer.clear();
                        message.encode(buffer).expect("a vector grows");
                        black_box(buffer);
                    },
                    move |()| filled.borrow().clone(),
                ),
                answering("encode buffa", buffa, Buffa::encode_to_vec, |bytes| bytes),
                // As in the product: a request most likely takes what the last one took.
                answering(
                    "encode otlp-fast",
                    prost,
                    move |message| {
                        let request = builder::$name(message, last_len).expect("there is memory");
                        last_len = request.as_slice().len();
                        request
                    },
                    |request| request.as_slice().to_vec(),
                ),
                answering(
                    "decode prost",
                    captured,
                    |bytes| Prost::decode(&bytes[..]).expect("it was read before"),
                    |message| message.encode_to_vec(),
                ),
                answering(
                    "decode buffa",
                    captured,
                    |bytes| Buffa::decode_from_slice(bytes).expect("it was read before"),
                    |message| message.encode_to_vec(),
                ),
                answering(
                    "decode buffa views",
                    captured,
                    |bytes| View::decode_view(bytes).expect("it was read before"),
                    |view| view.to_owned_message().expect("it was read before").encode_to_vec(),
                ),
                each("decode otlp-fast views", captured, |bytes| {
                    views::$name::<Touched>(bytes).expect("it was read before")
                }),
                each("decode otlp-fast columns", captured, |bytes| {
                    Columns::decode(bytes, Signal::$signal, Limits::default()).expect("it was read before")
                }),
                each("sum prost", captured, |bytes| {
                    messages::$name::<Sum>(&Prost::decode(&bytes[..]).expect("it was read before"))
                }),
                each("sum otlp-fast views", captured, |bytes| views::$name::<Sum>(bytes).expect("it was read before")),
            ];
            Ok(Engines { engines, sums })
        }
    };
}

engines!(traces Traces trace ExportTraceServiceRequest ExportTraceServiceRequestView);
engines!(logs Logs logs ExportLogsServiceRequest ExportLogsServiceRequestView);
engines!(metrics Metrics metrics ExportMetricsServiceRequest ExportMetricsServiceRequestView);
