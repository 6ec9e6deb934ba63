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
use std::error::Error;
use std::hint::black_box;

/// A way to encode or decode requests.
pub struct Engine {
    /// What it does, and who does it.
    pub name: &'static str,
    /// Goes through all requests once.
    pub run: Box<dyn FnMut()>,
    /// What it makes of the requests; of one that decodes, what it has read, encoded again. `None` where the sums say it.
    pub answer: Option<Box<dyn Fn() -> Vec<Vec<u8>>>>,
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

impl Engine {
    fn answering<T>(self, inputs: &'static [T], answer: impl Fn(&'static T) -> Vec<u8> + 'static) -> Self {
        Self { answer: Some(Box::new(move || inputs.iter().map(&answer).collect())), ..self }
    }
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

            let mut buffer = Vec::new();
            let mut last_len = 0;
            let engines = vec![
                each("encode prost", prost, Prost::encode_to_vec).answering(prost, Prost::encode_to_vec),
                each("encode prost, one buffer", prost, move |message| {
                    buffer.clear();
                    message.encode(&mut buffer).expect("a vector grows");
                    black_box(&buffer);
                })
                .answering(prost, Prost::encode_to_vec),
                each("encode buffa", buffa, Buffa::encode_to_vec).answering(buffa, Buffa::encode_to_vec),
                // As in the product: a request most likely takes what the last one took.
                each("encode otlp-fast", prost, move |message| {
                    let request = builder::$name(message, last_len).expect("there is memory");
                    last_len = request.as_slice().len();
                    request
                })
                .answering(prost, |message| builder::$name(message, 0).expect("there is memory").as_slice().to_vec()),
                each("decode prost", captured, |bytes| Prost::decode(&bytes[..]).expect("it was read before"))
                    .answering(prost, Prost::encode_to_vec),
                each("decode buffa", captured, |bytes| Buffa::decode_from_slice(bytes).expect("it was read before"))
                    .answering(buffa, Buffa::encode_to_vec),
                each("decode buffa views", captured, |bytes| View::decode_view(bytes).expect("it was read before"))
                    .answering(captured, |bytes| {
                        let view = View::decode_view(bytes).expect("it was read before");
                        view.to_owned_message().expect("it was read before").encode_to_vec()
                    }),
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
